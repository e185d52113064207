#include "store/asides.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/pg_array.h"

/* They are rare, or a peer sends nothing else: then a commit may well take many. */
static const struct batch_limits limits = {.rows = 200, .wait_ms = 5, .in_flight = 1};

struct asides {
	struct batch *batch;
	struct pg_array at, carrier, what, body;
};

static const uint32_t keep_types[] = {PG_TIMESTAMPTZ_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_BYTEA_ARRAY};
static const struct pg_sql sql_keep = {"asides_keep",
    "insert into receipt_aside (at, carrier, what, body) select * from unnest($1, $2, $3, $4)", 4,
    keep_types};

static void asides_build(void *arg, const struct list *items, struct pg_job *job)
{
	struct asides *a = arg;

	pg_array_start(&a->at, PG_TIMESTAMPTZ);
	pg_array_start(&a->carrier, PG_TEXT);
	pg_array_start(&a->what, PG_TEXT);
	pg_array_start(&a->body, PG_BYTEA);
	for (const struct list_node *n = list_first(items); n; n = list_next(items, n)) {
		const struct aside_row *r = list_entry(n, struct aside_row, item.node);

		pg_array_wall_us(&a->at, r->at_us);
		pg_array_text(&a->carrier, r->carrier);
		pg_array_text(&a->what, r->what);
		pg_array_bytes(&a->body, r->body, r->body_n);
	}
	const struct pg_value values[] = {pg_array_value(&a->at), pg_array_value(&a->carrier),
	    pg_array_value(&a->what), pg_array_value(&a->body)};
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

struct asides *asides_new(struct loop *l, struct pg *pg)
{
	struct asides *a = mem_new(sizeof *a);

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
	pg_array_fini(&a->body);
	free(a);
}
