#include "flow/aside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "store/asides.h"

#define PENDING_MAX 1000
#define BODY_MAX    4096
#define LOOK_MS     5000 /* until those that cannot be sent to the database are answered */

struct aside {
	struct loop *loop;
	struct asides *asides;
	struct list open;
	struct timer *timer;
	struct pg *pg;
	struct metric *kept, *busy;
};

/* One on its way. */
struct oddity {
	struct aside_row row;
	struct list_node node;
	struct aside *aside;
	char carrier[24];
	bool waits; /* somebody, for an answer */
	struct aside_answer to;
	char body[];
};

static void aside_on_timer(void *arg)
{
	struct aside *a = arg;

	if (!pg_is_up(a->pg))
		asides_fail_waiting(a->asides);
	if (a->open.count)
		timer_start(a->timer, LOOK_MS);
}

struct aside *aside_new(struct loop *l, struct pg *pg, const struct keyring *keyring)
{
	struct aside *a = mem_new(sizeof *a);

	a->loop = l;
	a->pg = pg;
	a->timer = timer_new(l, aside_on_timer, a);
	a->asides = asides_new(l, pg, keyring);
	list_init(&a->open);
	a->kept = metric_counter("kezek_receipts_aside_total",
	    "Receipts kept aside: unreadable, or refused by "
	    "the database; and messages from phones",
	    "");
	a->busy = metric_counter(
	    "kezek_receipts_put_off_total", "Receipts the operator was asked to send again", "");
	return a;
}

static void aside_tell(struct aside *a, const struct aside_answer *to, bool busy)
{
	metric_add(a->busy, busy);
	ways_answer(to->ways, to->way, to->ticket, busy);
}

static void oddity_on_kept(struct aside_row *row, enum kz r)
{
	struct oddity *o = list_entry(row, struct oddity, row);
	struct aside *a = o->aside;

	if (r == KZ_OK)
		metric_add(a->kept, 1);
	else
		log_warn(o->carrier, "%s: cannot be kept aside now: %s", row->what, kz_name(r));
	if (o->waits)
		aside_tell(a, &o->to, r != KZ_OK);
	list_remove(&a->open, &o->node);
	mem_wiped_give(o); /* what an operator sends may have a text of ours in it */
}

void aside_keep(struct aside *a, const char *carrier, const char *what, const void *body, size_t n,
    const struct aside_answer *to)
{
	size_t room = n < BODY_MAX ? n : BODY_MAX;
	struct oddity *o;

	if (a->open.count >= PENDING_MAX || !pg_is_up(a->pg)) {
		if (to)
			aside_tell(a, to, true);
		return;
	}
	o = mem_new(sizeof *o + room);
	o->aside = a;
	snprintf(o->carrier, sizeof o->carrier, "%s", carrier);
	if (room)
		memcpy(o->body, body, room);
	if ((o->waits = to != NULL))
		o->to = *to;
	o->row = (struct aside_row){.at_us = loop_clock(a->loop)->wall_us(),
	    .carrier = o->carrier,
	    .what = what,
	    .body = o->body,
	    .body_n = room,
	    .done = oddity_on_kept};
	list_append(&a->open, &o->node);
	asides_keep(a->asides, &o->row);
	if (!timer_is_armed(a->timer))
		timer_start(a->timer, LOOK_MS);
}

size_t aside_pending(const struct aside *a)
{
	return a->open.count;
}

void aside_free(struct aside *a)
{
	if (!a)
		return;
	asides_free(a->asides);
	timer_free(a->timer);
	while (a->open.count)
		mem_wiped_give(list_entry(list_take_first(&a->open), struct oddity, node));
	free(a);
}
