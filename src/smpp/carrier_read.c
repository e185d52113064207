/* carrier_read: what the operator sends. A receipt is its owner's until it is recorded; all else is answered
 * here at once: an unreadable receipt well, since the same octets again would be no better and would block
 * those behind it; a message from a phone with a final refusal, since nobody here reads it yet. */
#include "base/log.h"
#include "smpp/carrier_body.h"

#define ESME_ROK       0x00
#define ESME_RX_P_APPN 0x65

static void carrier_on_other(
    struct carrier *c, struct link *l, const struct pdu_sm *m, const char *metric, const char *what)
{
	link_count_odd(l, metric);
	log_warn(link_name(l), "%s, not taken", what);
	c->events->on_other(c->arg, c, m, what);
}

void carrier_on_deliver(void *arg, struct link *l, const struct pdu_sm *m, struct deliver_ticket t)
{
	struct line *line = arg;
	struct carrier *c = line->carrier;
	struct receipt r;

	if (!receipt_is(m, c->profile->receipts_loose)) {
		carrier_on_other(c, l, m, "mobile_originated", "message from a phone");
		link_answer(l, t, ESME_RX_P_APPN);
	} else if (receipt_parse(m, &r) != KZ_OK) {
		carrier_on_other(c, l, m, "unreadable_receipt", "unreadable receipt");
		link_answer(l, t, ESME_ROK);
	} else {
		link_count_receipt(l);
		c->events->on_receipt(c->arg, c, &r, t);
	}
}
