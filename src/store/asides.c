#include "store/asides.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/pg_array.h"

/* They are rare, or a peer sends nothing else: then a commit may well take many. */
static const struct batch_limits limits = {.rows = 200, .wait_ms = 5, .in_flight = 1};

/* Sealed for its time, as its id is the database's. */
#define ASIDE_DOMAIN "receipt_aside"

struct asides {
	const struct keyring *keyring;
	struct batch *batch;
	struct pg_array at, carrier, what, sealed;
	struct buf room;
};

static const uint32_t keep_types[] = {PG_TIMESTAMPTZ_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_BYTEA_ARRAY};
static const struct pg_sql sql_keep = {"asides_keep",
    "insert into receipt_aside (at, carrier, what, sealed) select * from unnest($1, $2, $3, $4)", 4,
    keep_types};

static void asides_build(void *arg, const struct list *items, struct pg_job *job)
{
	struct asides *a = arg;

	pg_array_start(&a->at, PG_TIMESTAMPTZ);
	pg_array_start(&a->carrier, PG_TEXT);
	pg_array_start(&a->what, PG_TEXT);
	pg_array_start(&a->sealed, PG_BYTEA);
	for (const struct list_node *n = list_first(items); n; n = list_next(items, n)) {
		const struct aside_row *r = list_entry(n, struct aside_row, item.node);

		pg_array_wall_us(&a->at, r->at_us);
		pg_array_text(&a->carrier, r->carrier);
		pg_array_text(&a->what, r->what);
		buf_clear(&a->room);
		keyring_seal(a->keyring, ASIDE_DOMAIN, (uint64_t)r->at_us, r->body, r->body_n, &a->room);
		pg_array_bytes(&a->sealed, a->room.data, a->room.len);
	}
	const struct pg_value values[] = {pg_array_value(&a->at), pg_array_value(&a->carrier),
	    pg_array_value(&a->what), pg_array_value(&a->sealed)};
	pg_job_add(job, &sql_keep, values);
}

static void asides_on_kept(
    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index)
{
	struct aside_row *row = list_entry(&item->node, struct aside_row, item.node);

	(void)arg;
	(void)reply;
	(void)index;
	row->done(row, r);
}

static const struct batch_kind aside_kind = {"aside", asides_build, asides_on_kept};

struct asides *asides_new(struct loop *l, struct pg *pg, const struct keyring *keyring)
{
	struct asides *a = mem_new(sizeof *a);

	a->keyring = keyring;
	a->batch = batch_new(l, pg, &aside_kind, &limits, a);
	return a;
}

void asides_keep(struct asides *a, struct aside_row *r)
{
	batch_add(a->batch, &r->item);
}

void asides_fail_waiting(struct asides *a)
{
	struct batch_item *item;

	while ((item = batch_take_waiting(a->batch)) != NULL)
		asides_on_kept(a, item, KZ_LOST, NULL, 0);
}

void asides_free(struct asides *a)
{
	if (!a)
		return;
	batch_free(a->batch);
	pg_array_fini(&a->at);
	pg_array_fini(&a->carrier);
	pg_array_fini(&a->what);
	pg_array_fini(&a->sealed);
	buf_fini(&a->room);
	free(a);
}

struct asides_quest {
	const struct keyring *keyring;
	asides_read_fn *each;
	asides_done_fn *done;
	void *arg;
};

static const uint32_t read_types[] = {PG_INT4};
static const struct pg_sql sql_read = {"asides_read",
    "select at, carrier, what, sealed from receipt_aside order by id desc limit $1", 1, read_types};

static void asides_on_read(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct asides_quest *q = arg;
	struct buf body = {.wiped = true}; /* receipts repeat texts */
	size_t n;

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		struct aside_read a = {.at_us = pg_wall_us(reply, 0, row, 0),
		    .carrier = pg_text(reply, 0, row, 1, NULL),
		    .what = pg_text(reply, 0, row, 2, NULL)};
		const char *sealed = pg_text(reply, 0, row, 3, &n);

		buf_clear(&body);
		if (keyring_open(q->keyring, ASIDE_DOMAIN, (uint64_t)a.at_us, sealed, n, &body) == KZ_OK) {
			a.body = buf_text(&body);
			a.body_n = body.len;
		}
		q->each(q->arg, &a);
	}
	buf_fini(&body);
	q->done(q->arg, r == KZ_OK ? KZ_OK : KZ_LOST);
}

enum kz asides_read(struct pg *pg, const struct keyring *keyring, int most, asides_read_fn *each,
    asides_done_fn *done, void *arg)
{
	const struct asides_quest q = {keyring, each, done, arg};
	uint8_t room[4];
	const struct pg_value value = pg_int4(most, room);

	return pg_ask(pg, &sql_read, &value, asides_on_read, &q, sizeof q);
}
