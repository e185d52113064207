/* Writers of applications come one after the other, and each waits for its commit: by themselves 224 a second
 * were put here, the processors half idle. Two sets are under way at a time, so that one is read while the
 * other is written. The same record twice begins the next set. */
#include "store/puts.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/metrics.h"

#define SETS_MOST 2
#define SET_MOST  64 /* together: each is a row with a notice, and others wait for all of them */

struct put {
	struct list_node node;
	struct record record;
	int32_t api_key;
	bool alone;
	puts_done_fn *done;
	void *arg;
};

/* Some that are being put. */
struct put_set {
	struct list_node node;
	struct puts *owner;
	struct records *records;
	struct list puts; /* in the order of their indices */
};

struct puts {
	struct records_base base;
	const struct records_files *(*files)(void *arg);
	void *arg;
	struct list waiting, sets;
	size_t count;
	struct defer soon;
	struct metric *gauge;
};

struct puts *puts_new(
    const struct records_base *base, const struct records_files *(*files)(void *arg), void *arg)
{
	struct puts *p = mem_new(sizeof *p);

	*p = (struct puts){.base = *base, .files = files, .arg = arg};
	list_init(&p->waiting);
	list_init(&p->sets);
	p->gauge = metric_gauge("kezek_records_open", "Records that are being put by themselves", "");
	return p;
}

static void put_finish(
    struct puts *p, struct put *w, enum kz r, const struct record *record, enum record_verdict v, int64_t seq)
{
	p->count--;
	metric_set(p->gauge, (double)p->count);
	w->done(w->arg, r, record, v, seq);
	record_wipe(&w->record);
	free(w);
}

static void set_free(struct put_set *s)
{
	records_free(s->records);
	free(s);
}

/* Each is put alone, before those that came later. */
static void set_scatter(struct puts *p, struct put_set *s)
{
	while (s->puts.count) {
		struct list_node *last = s->puts.head.prev;

		list_remove(&s->puts, last);
		list_entry(last, struct put, node)->alone = true;
		list_prepend(&p->waiting, last);
	}
}

static void set_answer(struct puts *p, struct put_set *s, enum kz r)
{
	struct list_node *n;

	for (size_t i = 0; (n = list_take_first(&s->puts)) != NULL; i++) {
		struct put *w = list_entry(n, struct put, node);

		if (r == KZ_OK)
			put_finish(p, w, r, records_at(s->records, i), records_verdict(s->records, i),
			    records_seq(s->records, i));
		else
			put_finish(p, w, r, NULL, RECORD_VERDICTS, 0);
	}
}

static void puts_pump(void *arg);

static void set_on_done(void *arg, enum kz r, const struct pg_reply *reply, unsigned statement)
{
	struct put_set *s = arg;
	struct puts *p = s->owner;

	(void)reply;
	(void)statement;
	list_remove(&p->sets, &s->node);
	if (r == KZ_REFUSED && s->puts.count > 1)
		set_scatter(p, s);
	else
		set_answer(p, s, r);
	set_free(s);
	loop_defer(p->base.loop, &p->soon, puts_pump, p);
}

/* Of those that wait as many as go together, one at least. */
static struct put_set *set_board(struct puts *p)
{
	struct put_set *s = mem_new(sizeof *s);
	struct list_node *n;
	size_t index;

	s->owner = p;
	s->records = records_new(&p->base, SET_MOST);
	list_init(&s->puts);
	while ((n = list_first(&p->waiting)) != NULL) {
		struct put *w = list_entry(n, struct put, node);

		if (s->puts.count && w->alone)
			break;
		if (records_add(s->records, &w->record, w->api_key, &index) != KZ_OK)
			break;
		list_remove(&p->waiting, n);
		list_append(&s->puts, n);
		if (w->alone)
			break;
	}
	list_append(&p->sets, &s->node);
	return s;
}

static const struct records_files *puts_files(void *arg)
{
	const struct puts *p = ((struct put_set *)arg)->owner;

	return p->files(p->arg);
}

static void puts_pump(void *arg)
{
	struct puts *p = arg;

	while (p->waiting.count && p->sets.count < SETS_MOST) {
		struct put_set *s = set_board(p);
		const struct records_plan plan = {.files = puts_files, .arg = s, .notices = true};

		if (records_put(s->records, &plan, set_on_done, s) != KZ_OK)
			set_on_done(s, KZ_LOST, NULL, 0);
	}
}

enum kz puts_add(struct puts *p, const struct record *r, int32_t api_key, puts_done_fn *done, void *arg)
{
	struct put *w;

	if (p->count >= PUTS_MOST)
		return KZ_BUSY;
	w = mem_new(sizeof *w);
	*w = (struct put){.record = *r, .api_key = api_key, .done = done, .arg = arg};
	list_append(&p->waiting, &w->node);
	p->count++;
	metric_set(p->gauge, (double)p->count);
	loop_defer(p->base.loop, &p->soon, puts_pump, p);
	return KZ_OK;
}

void puts_free(struct puts *p)
{
	struct list_node *n;

	if (!p)
		return;
	while ((n = list_take_first(&p->sets)) != NULL) {
		struct put_set *s = list_entry(n, struct put_set, node);

		set_answer(p, s, KZ_LOST);
		set_free(s);
	}
	while ((n = list_take_first(&p->waiting)) != NULL)
		put_finish(p, list_entry(n, struct put, node), KZ_LOST, NULL, RECORD_VERDICTS, 0);
	defer_cancel(&p->soon);
	free(p);
}
