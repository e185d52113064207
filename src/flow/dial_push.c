/* What the dialog has for pushing is pushed, where the operator allows it, behind the SMS that said the same:
 * a turn that nobody dialled, which ends without a word unless it comes to a screen with a text `told`. Where
 * a gateway may ask (USSR) the screen itself goes, and its answer finds the session that is kept first. Where
 * texts alone may go (USSN) `told` does, and no session is kept: nothing can be answered, and whoever dials
 * in the meantime has hers. Who is in a call is left alone, and while others wait for their turn nothing is
 * pushed. The SMS has gone already, so whatever fails here is not tried again. */
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "flow/dial_turn.h"

static bool push_serves(const struct carrier *c)
{
	const struct profile_ussd *u = &carrier_profile(c)->ussd;

	return carrier_is_up(c) && u->detect != USSD_BY_NOTHING && u->push != USSD_PUSH_NEVER;
}

static void push_on_page(void *arg, enum kz r)
{
	struct dial *d = arg;

	metric_add(d->pushed[r != KZ_OK], 1);
}

void dial_push_page(struct turn *t, const char *page)
{
	struct dial *d = t->dial;
	enum ussd_page how = t->pushed == USSD_PUSH_ASKS ? USSD_PUSH_ASK : USSD_PUSH_TELL;

	if (send_page(d->base.send, t->carrier, &t->in.peer, how, page, t->way.deadline_ms, push_on_page,
	        d) != KZ_OK)
		push_on_page(d, KZ_LOST);
}

void dial_push_begin(struct turn *t)
{
	const struct contracts *c = t->menu->dialog->contracts;
	int child = contract_value(c, "child", strlen("child"));

	if (t->pushed && child >= 0)
		snprintf(
		    t->record->session.values[child], SESSION_VALUE, "%llu", (unsigned long long)t->child);
}

void dial_push_end(struct turn *t)
{
	const struct dialog *dialog = t->menu->dialog;
	struct session *s = &t->record->session;

	if (!engine_is_pushed(dialog, s)) {
		turn_hush(t);
	} else if (t->pushed == USSD_PUSH_ASKS) {
		turn_keep(t);
	} else {
		engine_tell(dialog, s);
		dial_menu_count(t->menu, s->screen, SEEN_SHOWN);
		turn_say(t, s->page, true);
	}
}

void dial_push(struct dial *d, struct msisdn phone, uint64_t application)
{
	struct ussd_in in = {.said = USSD_DIALLED, .phone = phone};
	struct carrier *route[ROUTE_MAX];
	uint32_t number;
	struct turn *t;

	if (!d->menu || d->stopped || list_first(&d->waiting) ||
	    !ways_route(send_ways(d->base.send), phone, route) || !push_serves(route[0]))
		return;
	secret_random(&number, sizeof number);
	ussd_push_to(carrier_profile(route[0]), phone, number, &in.peer);
	t = turn_new(d, &in, carrier_name(route[0]), NULL, NULL);
	t->pushed = (enum ussd_push)carrier_profile(route[0])->ussd.push;
	t->child = application;
	turn_start(t);
}
