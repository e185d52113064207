/* parcel: one request of the door while its messages are being kept. When a commit's outcome is lost the
 * client is told so, and the parcel asks again until it knows: a commit that stands unnoticed would leave a
 * kept message unsent. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/send_body.h"

#define UNSURE_MS 500

/* A request while it is being kept. */
struct parcel {
	struct messages_wish wish;
	struct map_node running;
	struct list_node node;
	struct send *send;
	char *answer;
	struct letter **letters;
	size_t letters_n;
	struct code_row *codes;
	struct notice_row *notices;
	struct message *rows;
	const struct message **row_list;
	send_kept_fn *done; /* NULL: answered */
	void *arg;
	uint32_t epoch; /* of the slots when it was begun */
	bool unsure;    /* lost in a commit: it may stand */
};

struct running_key {
	int32_t api_key;
	const uint8_t *key_hash;
};

static uint64_t running_hash(const struct running_key *k)
{
	return map_hash_bytes(k->key_hash, SECRET_HASH) ^ map_hash_u64((uint64_t)k->api_key);
}

bool parcels_equal(const struct map_node *n, const void *key)
{
	const struct parcel *p = map_entry(n, struct parcel, running);
	const struct running_key *k = key;

	return p->wish.api_key == k->api_key && !memcmp(p->wish.key_hash, k->key_hash, SECRET_HASH);
}

static void parcel_free(struct parcel *p, bool letters_too)
{
	struct send *s = p->send;

	messages_abandon(s->base.messages, &p->wish);
	for (size_t i = 0; letters_too && i < p->letters_n; i++)
		letter_drop(s, p->letters[i]);
	map_remove(&s->running, &p->running);
	list_remove(&s->parcels, &p->node);
	free(p->answer);
	free(p->letters);
	for (size_t i = 0; i < p->wish.codes_n; i++)
		code_row_fini(&p->codes[i]);
	free(p->codes);
	free(p->notices);
	free(p->rows);
	free(p->row_list);
	free(p);
}

/* Committed: its letters go their way, unless the slot was lost meanwhile; then whoever holds it reads them.
 */
static void parcel_go(struct parcel *p)
{
	struct send *s = p->send;

	for (size_t i = 0; i < p->letters_n; i++) {
		struct letter *l = p->letters[i];

		metric_add(s->accepted[l->class], 1);
		if (!s->held[(uint8_t)(l->shipment.id >> 14)] || s->draining)
			letter_drop_unsent(l);
		else
			letter_go(l);
	}
}

static bool parcel_try(struct parcel *p)
{
	p->unsure = false;
	p->wish.day_us = loop_clock(p->send->base.loop)->wall_us(); /* the first day is looked at with it */
	return messages_keep(p->send->base.messages, &p->wish) == KZ_OK;
}

/* Asks again for those whose commit nobody knows of. The Idempotency-Key makes it safe: it waits for the
 * first commit, and finds the key taken when that one stands. */
void parcels_on_unsure(void *arg)
{
	struct send *s = arg;

	list_each(&s->parcels, n, next)
	{
		struct parcel *p = list_entry(n, struct parcel, node);

		/* without the slot, or with it anew: whoever reads it finds what stands */
		if (p->unsure && (s->draining || p->epoch != s->epoch))
			parcel_free(p, true);
		else if (p->unsure && !parcel_try(p)) {
			p->unsure = true;
			timer_start(s->unsure_timer, UNSURE_MS);
			return;
		}
	}
}

static void parcel_answer(struct parcel *p, enum kz r)
{
	if (p->done)
		p->done(p->arg, r, p->answer);
	p->done = NULL;
}

static void parcel_on_kept(struct messages_wish *w, enum kz r, bool maybe)
{
	struct parcel *p = (struct parcel *)((char *)w - offsetof(struct parcel, wish));
	struct send *s = p->send;
	uint64_t id = p->letters[0]->shipment.id;
	uint8_t slot = (uint8_t)(id >> 14);
	bool ours = p->done == NULL && r == KZ_CONFLICT; /* the first commit stood after all, most likely */

	if (r == KZ_LOST && (maybe || !p->done) && !s->draining) {
		parcel_answer(p, r);
		p->unsure = true;
		timer_start(s->unsure_timer, UNSURE_MS);
		return;
	}
	if (r == KZ_OK)
		parcel_go(p);
	parcel_answer(p, r);
	parcel_free(p, r != KZ_OK);
	if (ours && s->held[slot])
		resume_again(s, slot, id);
}

static void parcel_fill(struct parcel *p, const struct send_request *r)
{
	p->rows = mem_array(r->letters_n, sizeof *p->rows);
	p->row_list = mem_array(r->letters_n, sizeof *p->row_list);
	for (size_t i = 0; i < r->letters_n; i++) {
		p->rows[i] = letter_row(r->letters[i]);
		p->row_list[i] = &p->rows[i];
	}
	p->epoch = p->send->epoch;
	p->wish = (struct messages_wish){.api_key = r->api_key,
	    .day_us = loop_clock(p->send->base.loop)->wall_us(),
	    .status = r->status,
	    .answer = r->answer,
	    .rows = p->row_list,
	    .rows_n = r->letters_n,
	    .codes = r->codes,
	    .codes_n = r->codes_n,
	    .notices = r->notices,
	    .notices_n = r->notices_n,
	    .done = parcel_on_kept};
	memcpy(p->wish.key_hash, r->key_hash, SECRET_HASH);
	memcpy(p->wish.body_hash, r->body_hash, SECRET_HASH);
}

enum kz send_keep(struct send *s, const struct send_request *r, send_kept_fn *done, void *arg)
{
	const struct running_key key = {r->api_key, r->key_hash};
	struct parcel *p = mem_new(sizeof *p);

	*p = (struct parcel){.send = s,
	    .answer = r->answer,
	    .letters = r->letters,
	    .letters_n = r->letters_n,
	    .codes = r->codes,
	    .notices = r->notices,
	    .done = done,
	    .arg = arg};
	bool runs = map_get(&s->running, running_hash(&key), &key) != NULL;
	parcel_fill(p, r);
	map_put(&s->running, &p->running, running_hash(&key));
	list_append(&s->parcels, &p->node);
	if (!runs && messages_keep(s->base.messages, &p->wish) == KZ_OK)
		return KZ_OK;
	parcel_free(p, true);
	return runs ? KZ_CONFLICT : KZ_LOST;
}

void parcels_free(struct send *s)
{
	while (s->parcels.count)
		parcel_free(list_entry(list_first(&s->parcels), struct parcel, node), false);
}
