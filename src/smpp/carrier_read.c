/* carrier_read: what the operator sends. A receipt is its owner's until it is recorded, or kept aside when
 * nobody can read it; USSD is answered at once, since the person waits; a message from a phone is answered
 * here at once with a final refusal, since nobody here reads it yet. */
#include "base/log.h"
#include "smpp/carrier_body.h"

static void carrier_on_phone(
    struct carrier *c, struct link *l, const struct pdu_sm *m, struct deliver_ticket t)
{
	link_count_odd(l, "mobile_originated");
	log_warn(link_name(l), "message from a phone, not taken");
	c->events->on_other(c->arg, c, m, "message from a phone");
	link_answer(l, t, ESME_RX_P_APPN);
}

void carrier_on_deliver(void *arg, struct link *l, const struct pdu_sm *m, struct deliver_ticket t)
{
	struct line *line = arg;
	struct carrier *c = line->carrier;
	struct receipt r;

	/* What somebody types may look like a receipt. */
	if (!receipt_is(m, false) && ussd_is(c->profile, m)) {
		carrier_on_ussd(c, l, m, t);
	} else if (!receipt_is(m, c->profile->receipts_loose)) {
		carrier_on_phone(c, l, m, t);
	} else if (receipt_parse(m, &r) != KZ_OK) {
		link_count_odd(l, "unreadable_receipt");
		log_warn(link_name(l), "unreadable receipt, octets=%zu", m->text_len);
		c->events->on_unreadable(c->arg, c, m, t);
	} else {
		link_count_receipt(l);
		c->events->on_receipt(c->arg, c, &r, t);
	}
}

/* Perhaps a receipt: kept as a whole, never looked at for an id, since what a person writes may look like
 * one. */
void carrier_on_broken(void *arg, struct link *l, const uint8_t *octets, size_t n, struct deliver_ticket t)
{
	struct line *line = arg;
	struct carrier *c = line->carrier;
	const struct pdu_sm m = {.command = t.command, .text = octets, .text_len = n};

	(void)l;
	c->events->on_unreadable(c->arg, c, &m, t);
}
