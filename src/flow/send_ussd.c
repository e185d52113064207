/* send_ussd: what the carriers hear of dialogues is handed on, and pages find their carrier. */
#include "flow/send_body.h"

void send_on_ussd(struct send *s, send_ussd_fn *fn, void *arg)
{
	s->ussd = fn;
	s->ussd_arg = arg;
}

enum kz send_page(struct send *s, const char *carrier, const struct ussd_peer *to, enum ussd_page how,
    const char *text, int64_t within_ms, carrier_page_fn *done, void *arg)
{
	struct carrier *c = ways_named(s->ways, carrier);

	return c ? carrier_page(c, to, how, text, within_ms, done, arg) : KZ_NOT_FOUND;
}

bool send_hear(void *arg, struct carrier *c, const struct ussd_in *in)
{
	struct send *s = arg;

	if (!s->ussd || s->draining)
		return false;
	s->ussd(s->ussd_arg, c, in);
	return true;
}
