/* messages_rig: requests to keep, wish i with row i (or with the rows from i on), and their answers. */
#ifndef TESTS_STORE_MESSAGES_RIG_H
#define TESTS_STORE_MESSAGES_RIG_H

#include "store_rig.h"

#include "store/messages.h"

#define WISHES 256

struct wishes;

struct wish {
	struct messages_wish wish;
	struct wishes *of;
	int count;
	enum kz r;
	bool maybe;
};

struct wishes {
	struct store_rig *rig;
	struct messages *messages;
	int done;
	struct wish all[WISHES];
	struct message rows[WISHES];
	const struct message *places[WISHES];
};

static inline void wish_on_done(struct messages_wish *w, enum kz r, bool maybe)
{
	struct wish *o = list_entry(w, struct wish, wish);

	o->count++;
	o->r = r;
	o->maybe = maybe;
	o->of->done++;
}

static struct ids wish_ids = {.slot = 3};

static inline void wish_make(struct wishes *w, int i)
{
	struct wish *o = &w->all[i];

	w->rows[i] = (struct message){.id = ids_next(&wish_ids, store_wall_us() / 1000),
	    .api_key = 5,
	    .class = MESSAGE_NOTICE,
	    .to = {77011234567},
	    .phone = store_phone(w->rig, 77011234567),
	    .parts = 1,
	    .reference = 0x1234,
	    .language = -1,
	    .expires_wall_ms = 1800000000000,
	    .text = "Salem"};
	w->places[i] = &w->rows[i];
	*o = (struct wish){.of = w,
	    .wish = {.api_key = 5,
	        .day_us = store_wall_us(),
	        .status = 202,
	        .answer = "{}",
	        .rows = &w->places[i],
	        .rows_n = 1,
	        .done = wish_on_done}};
	secret_random(o->wish.key_hash, SECRET_HASH);
	secret_random(o->wish.body_hash, SECRET_HASH);
}

static inline void wishes_start(struct wishes *w, struct store_rig *g, int n)
{
	memset(w, 0, sizeof *w);
	w->rig = g;
	store_hold_slot(g, wish_ids.slot);
	w->messages = messages_new(g->loop, g->pg, g->feed, g->keyring, &g->limits);
	for (int i = 0; i < n; i++)
		wish_make(w, i);
}

static inline void wishes_share_key(struct wishes *w, int i, int with)
{
	memcpy(w->all[i].wish.key_hash, w->all[with].wish.key_hash, SECRET_HASH);
}

static inline void wishes_keep(struct wishes *w, int i)
{
	assert_int_equal(messages_keep(w->messages, &w->all[i].wish), KZ_OK);
}

static inline void wishes_await(struct wishes *w, int n)
{
	servers_await(w->rig->loop, &w->done, n);
	assert_int_equal(w->done, n);
}

static inline void wishes_end(struct wishes *w)
{
	messages_free(w->messages);
}

#endif
