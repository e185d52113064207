#include "store/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/pg_array.h"
#include "text/utf8.h"

#define EVENT_TEXT 128

enum event_column {
	EVENT_ID,
	EVENT_AT,
	EVENT_KIND,
	EVENT_FINAL,
	EVENT_STATE,
	EVENT_PART,
	EVENT_PARTS,
	EVENT_CARRIER,
	EVENT_LINK,
	EVENT_OPERATOR_ID,
	EVENT_STATUS,
	EVENT_DETAIL,
	EVENT_FEED,
	EVENT_COLUMNS
};

static const uint32_t add_types[EVENT_COLUMNS] = {PG_INT8_ARRAY, PG_TIMESTAMPTZ_ARRAY, PG_INT2_ARRAY,
    PG_BOOL_ARRAY, PG_INT2_ARRAY, PG_INT2_ARRAY, PG_INT2_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_TEXT_ARRAY,
    PG_TEXT_ARRAY, PG_TEXT_ARRAY, PG_INT8_ARRAY};
static const enum pg_type add_elements[EVENT_COLUMNS] = {PG_INT8, PG_TIMESTAMPTZ, PG_INT2, PG_BOOL, PG_INT2,
    PG_INT2, PG_INT2, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_INT8};

static const struct pg_sql sql_add = {"events_add",
    "insert into message_event"
    " (message_id, at, kind, final, state, part, parts, carrier, link, operator_id, status, detail, feed)"
    /* taken apart in step: messages_keep says why */
    " select unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), unnest($6), unnest($7), unnest($8),"
    "  unnest($9), unnest($10), unnest($11), unnest($12), unnest($13)",
    EVENT_COLUMNS, add_types};

static const uint32_t close_types[] = {PG_INT8_ARRAY, PG_INT8_ARRAY};
static const struct pg_sql sql_close = {"events_close", "select messages_close($1, $2)", 2, close_types};

struct events {
	struct batch *batch;
	struct feed *feed;
	struct list slotless; /* what may end a message, while no slot is held */
	struct pg_array columns[EVENT_COLUMNS], closing, closing_feeds;
};

static const char *event_copy(char **at, const char *text)
{
	char *start = *at;

	*at += utf8_cut(start, EVENT_TEXT + 1, text ? text : "") + 1;
	return start;
}

struct message_event *message_event_new(uint64_t message_id, int64_t at_us, enum event_kind kind,
    unsigned part, const char *carrier, const char *link, const char *operator_id, const char *status,
    const char *detail)
{
	const char *const texts[] = {carrier, link, operator_id, status, detail};
	size_t room = 0;

	for (size_t i = 0; i < 5; i++)
		room += (texts[i] ? strnlen(texts[i], EVENT_TEXT) : 0) + 1;
	struct message_event *e = mem_new(sizeof *e + room);
	char *at = (char *)(e + 1);
	e->message_id = message_id;
	e->at_us = at_us;
	e->kind = kind;
	e->part = part;
	e->carrier = event_copy(&at, carrier);
	e->link = event_copy(&at, link);
	e->operator_id = event_copy(&at, operator_id);
	e->status = event_copy(&at, status);
	e->detail = event_copy(&at, detail);
	return e;
}

static void events_put_text(struct pg_array *a, const char *text)
{
	pg_array_text(a, *text ? text : NULL);
}

static void events_put_number(struct pg_array *a, unsigned v)
{
	if (v)
		pg_array_int(a, v);
	else
		pg_array_null(a);
}

static void events_put(struct pg_array *c, const struct message_event *e)
{
	pg_array_int(&c[EVENT_ID], (int64_t)e->message_id);
	pg_array_wall_us(&c[EVENT_AT], e->at_us);
	pg_array_int(&c[EVENT_KIND], e->kind);
	pg_array_int(&c[EVENT_FINAL], e->final);
	pg_array_int(&c[EVENT_STATE], e->state);
	events_put_number(&c[EVENT_PART], e->part);
	events_put_number(&c[EVENT_PARTS], e->parts);
	events_put_text(&c[EVENT_CARRIER], e->carrier);
	events_put_text(&c[EVENT_LINK], e->link);
	events_put_text(&c[EVENT_OPERATOR_ID], e->operator_id);
	events_put_text(&c[EVENT_STATUS], e->status);
	events_put_text(&c[EVENT_DETAIL], e->detail);
	if (e->final)
		pg_array_int(&c[EVENT_FEED], (int64_t)e->feed.first);
	else
		pg_array_null(&c[EVENT_FEED]);
}

static bool event_may_end(const struct message_event *e)
{
	return e->final || e->may_close;
}

static void events_fence(const struct events *es, const struct list *items, struct pg_job *job)
{
	struct lease_slots slots = {0};
	bool numbered = false;

	for (const struct list_node *n = list_first(items); n; n = list_next(items, n)) {
		const struct message_event *e = list_entry(n, struct message_event, item.node);

		if (event_may_end(e))
			numbered = slots.in[ids_slot(e->feed.first)] = true;
	}
	if (numbered)
		lease_fence(feed_lease(es->feed), &slots, job);
}

static void events_build(void *arg, const struct list *items, struct pg_job *job)
{
	struct events *es = arg;
	struct pg_value values[EVENT_COLUMNS];

	for (int i = 0; i < EVENT_COLUMNS; i++)
		pg_array_start(&es->columns[i], add_elements[i]);
	pg_array_start(&es->closing, PG_INT8);
	pg_array_start(&es->closing_feeds, PG_INT8);
	for (struct list_node *n = list_first(items); n; n = list_next(items, n)) {
		struct message_event *e = list_entry(n, struct message_event, item.node);

		if (event_may_end(e))
			feed_number(es->feed, &e->feed, 1);
		events_put(es->columns, e);
		if (e->may_close) {
			pg_array_int(&es->closing, (int64_t)e->message_id);
			pg_array_int(&es->closing_feeds, (int64_t)e->feed.first);
		}
	}
	for (int i = 0; i < EVENT_COLUMNS; i++)
		values[i] = pg_array_value(&es->columns[i]);
	events_fence(es, items, job);
	pg_job_add(job, &sql_add, values);
	if (es->closing.n) {
		const struct pg_value closing[] = {
		    pg_array_value(&es->closing), pg_array_value(&es->closing_feeds)};

		pg_job_add(job, &sql_close, closing);
	}
}

static void events_done(
    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index)
{
	struct events *es = arg;
	struct message_event *e = list_entry(&item->node, struct message_event, item.node);
	char id[IDS_TEXT];

	(void)index;
	if (r == KZ_LOST) {
		events_add(es, e);
		return;
	}
	feed_release(es->feed, &e->feed); /* refused for its values, as each try of it was: none stands */
	if (r != KZ_OK)
		log_error(ids_text(e->message_id, id), "the database refused its event %s (SQLSTATE %s)",
		    event_kind_name(e->kind), pg_sqlstate(reply));
	if (e->done)
		e->done(e->arg, e, r);
	free(e);
}

static const struct batch_kind events_kind = {"event", events_build, events_done};

struct events *events_new(struct loop *l, struct pg *pg, struct feed *feed, const struct batch_limits *limits)
{
	struct events *es = mem_new(sizeof *es);

	es->feed = feed;
	list_init(&es->slotless);
	es->batch = batch_new(l, pg, &events_kind, limits, es);
	return es;
}

void events_set_limits(struct events *es, const struct batch_limits *limits)
{
	batch_set_limits(es->batch, limits);
}

void events_add(struct events *es, struct message_event *e)
{
	if (event_may_end(e) && feed_slot(es->feed) < 0)
		list_append(&es->slotless, &e->item.node);
	else
		batch_add(es->batch, &e->item);
}

/* All that waits is looked at once more, in its order: first what waited for a slot, then the batch's. */
void events_on_slot(struct events *es)
{
	struct list waiting;
	struct batch_item *item;

	list_init(&waiting);
	while (es->slotless.count)
		list_append(&waiting, list_take_first(&es->slotless));
	while ((item = batch_take_waiting(es->batch)) != NULL)
		list_append(&waiting, &item->node);
	while (waiting.count)
		events_add(es, list_entry(list_take_first(&waiting), struct message_event, item.node));
}

size_t events_pending(const struct events *es)
{
	return es->slotless.count + batch_waiting(es->batch) + batch_in_flight(es->batch);
}

static void event_forget(struct events *es, struct list_node *n)
{
	struct message_event *e = list_entry(n, struct message_event, item.node);

	feed_release(es->feed, &e->feed);
	free(e);
}

void events_free(struct events *es)
{
	struct batch_item *item;

	if (!es)
		return;
	batch_stop(es->batch);
	while ((item = batch_take_waiting(es->batch)) != NULL)
		event_forget(es, &item->node);
	while (es->slotless.count)
		event_forget(es, list_take_first(&es->slotless));
	batch_free(es->batch);
	for (int i = 0; i < EVENT_COLUMNS; i++)
		pg_array_fini(&es->columns[i]);
	pg_array_fini(&es->closing);
	pg_array_fini(&es->closing_feeds);
	free(es);
}
