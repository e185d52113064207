#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "smsc_handset_body.h"

static void ask_free(struct smsc_handsets *h, struct ask *a)
{
	list_remove(&a->handset->asks, &a->node);
	list_remove(&h->dues, &a->due);
	free(a);
}

static struct ask *ask_first(const struct handset *t)
{
	struct list_node *n = list_first(&t->asks);

	return n ? list_entry(n, struct ask, node) : NULL;
}

static void asks_follow(struct smsc_handsets *h)
{
	struct list_node *n = list_first(&h->dues);

	if (!n || timer_is_armed(h->due_timer))
		return;
	int64_t wait_ms =
	    list_entry(n, struct ask, due)->sent_ms + h->options->ussd_deadline_ms - loop_now_ms(h->loop);
	timer_start(h->due_timer, wait_ms > 0 ? wait_ms : 0);
}

void handset_ask(struct smsc_handsets *h, struct handset *t, struct smsc_ticket ticket)
{
	struct ask *a = mem_new(sizeof *a);

	a->handset = t;
	a->ticket = ticket;
	a->sent_ms = loop_now_ms(h->loop);
	list_append(&t->asks, &a->node);
	list_append(&h->dues, &a->due);
	asks_follow(h);
}

bool handset_answer(struct smsc_handsets *h, struct handset *t, const struct smsc_page *page)
{
	struct ask *a = ask_first(t);

	if (!a)
		return false;
	struct smsc_ticket ticket = a->ticket;
	int64_t ms = loop_now_ms(h->loop) - a->sent_ms;
	ask_free(h, a);
	h->events->shown(h->arg, ticket, page, ms);
	return true;
}

void handset_fail(struct smsc_handsets *h, struct handset *t, const char *why)
{
	for (struct ask *a; (a = ask_first(t));) {
		struct smsc_ticket ticket = a->ticket;

		ask_free(h, a);
		h->events->failed(h->arg, ticket, why);
	}
}

void handset_on_due(void *arg)
{
	struct smsc_handsets *h = arg;
	int64_t before_ms = loop_now_ms(h->loop) - h->options->ussd_deadline_ms;
	struct list_node *n;
	char why[64];

	snprintf(why, sizeof why, "no page within %lld ms", (long long)h->options->ussd_deadline_ms);
	while ((n = list_first(&h->dues)) && list_entry(n, struct ask, due)->sent_ms <= before_ms) {
		struct handset *t = list_entry(n, struct ask, due)->handset;

		smsc_report_odd(h->report, t->number, "%s", why);
		t->pardoned = t->asks.count;
		t->state = HANDSET_LEFT;
		handset_fail(h, t, why);
		handset_say(h, t, SMSC_CANCELLED, "");
	}
	asks_follow(h);
}

void handset_forget(struct smsc_handsets *h, struct handset *t)
{
	for (struct ask *a; (a = ask_first(t));)
		ask_free(h, a);
}
