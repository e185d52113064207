/* Redis holds already; a row that is late costs nothing but that people do not see it yet. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ids.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "store/limits_body.h"

#define AGAIN_MS 1000

struct late_hold {
	struct list_node node;
	struct hold hold;
};

struct limits_holds {
	struct pg *pg;
	struct list waiting; /* the first is being written when asked */
	bool asked;
	struct timer *again;
	struct metric *prefix, *phone, *dropped;
};

static void holds_on_kept(void *arg, enum kz r)
{
	struct limits_holds *h = arg;

	h->asked = false;
	if (r == KZ_OK || r == KZ_REFUSED)
		free(list_entry(list_take_first(&h->waiting), struct late_hold, node));
	if (r == KZ_REFUSED)
		metric_add(h->dropped, 1);
	timer_start(h->again, r == KZ_OK ? 0 : AGAIN_MS);
}

static void holds_on_again(void *arg)
{
	struct limits_holds *h = arg;
	struct list_node *n = list_first(&h->waiting);

	if (!n || h->asked)
		return;
	h->asked = hold_add(h->pg, &list_entry(n, struct late_hold, node)->hold, holds_on_kept, h) == KZ_OK;
	if (!h->asked)
		timer_start(h->again, AGAIN_MS);
}

struct limits_holds *limits_holds_new(struct loop *l, struct pg *pg)
{
	static const char name[] = "kezek_codes_held_total", help[] = "What began to be held, by kind.";
	struct limits_holds *h = mem_new(sizeof *h);

	h->pg = pg;
	list_init(&h->waiting);
	h->again = timer_new(l, holds_on_again, h);
	h->prefix = metric_counter(name, help, "kind=\"prefix\"");
	h->phone = metric_counter(name, help, "kind=\"phone\"");
	h->dropped = metric_counter("kezek_codes_holds_dropped_total",
	    "Holds that never came to the database, where people see them.", "");
	return h;
}

void limits_holds_free(struct limits_holds *h)
{
	struct list_node *n;

	if (!h)
		return;
	while ((n = list_take_first(&h->waiting)))
		free(list_entry(n, struct late_hold, node));
	timer_free(h->again);
	free(h);
}

void limits_holds_add(struct limits_holds *h, const struct limits_op *o, const struct limits_word *w)
{
	struct late_hold *late;
	char id[IDS_TEXT];
	bool prefix = o->kind == LIMITS_SEND;

	metric_add(prefix ? h->prefix : h->phone, 1);
	if (h->waiting.count >= LIMITS_HOLDS) {
		metric_add(h->dropped, 1);
		return;
	}
	late = mem_new(sizeof *late);
	late->hold = (struct hold){.kind = prefix ? HOLD_PREFIX : HOLD_PHONE,
	    .subject = prefix ? (int64_t)o->send.prefix : o->try.phone,
	    .since_us = w->since_ms * 1000,
	    .until_us = w->until_ms * 1000};
	if (prefix)
		snprintf(late->hold.shown, HOLD_SHOWN, "+%" PRIu32 "xxxx", o->send.prefix);
	else
		snprintf(late->hold.shown, HOLD_SHOWN, "code:%s", ids_text(o->try.code, id));
	log_warn("limits", "%s is held for_s=%" PRId64 " why=\"%s\"", late->hold.shown,
	    (w->until_ms - w->since_ms) / 1000,
	    prefix ? "its codes are not approved" : "too many wrong tries of its phone");
	list_append(&h->waiting, &late->node);
	timer_start(h->again, 0);
}
