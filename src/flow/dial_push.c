/* Offers are pushed where the operator lets a gateway ask (USSR): a turn that nobody dialled, which ends
 * without a word unless it comes to an offer. Who is in a call is left alone, and while others wait for their
 * turn nothing is pushed. The SMS of the offer has gone already, so whatever fails here is not tried again.
 * Where only texts may be pushed (USSN) nothing is: they would say what the SMS has said. */
#include "base/secret.h"
#include "flow/dial_turn.h"

static bool push_serves(const struct carrier *c)
{
	const struct profile_ussd *u = &carrier_profile(c)->ussd;

	return carrier_is_up(c) && u->detect != USSD_BY_NOTHING && u->push == USSD_PUSH_ASKS;
}

static void push_on_page(void *arg, enum kz r)
{
	struct dial *d = arg;

	metric_add(d->pushed[r != KZ_OK], 1);
}

void dial_push_page(struct turn *t, const char *page)
{
	struct dial *d = t->dial;

	if (send_page(d->base.send, t->carrier, &t->in.peer, USSD_PUSH_ASK, page, t->way.deadline_ms,
	        push_on_page, d) != KZ_OK)
		push_on_page(d, KZ_LOST);
}

void dial_push(struct dial *d, struct msisdn phone)
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
	t->pushed = true;
	turn_start(t);
}
