/* Referrals that the caller was handed, and what she does about a place: take, accept, decline, each behind
 * the last four digits of the child's IIN. They are counted before they are compared and forgiven when they
 * were right (store/tries.h); what follows is places', under the call's token. */
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "flow/dial_find.h"
#include "store/handed.h"
#include "store/tries.h"

static void handed_on_item(void *arg, const struct handed *h)
{
	struct dial_call *c = arg;
	char id[24];

	snprintf(id, sizeof id, "%llu", (unsigned long long)h->number);
	answer_add(&c->answer, (const char *const[]){id, h->names[c->session.language]}, 2);
}

/* Who has no application at all is told so. */
static void handed_on_nobody(struct dial_call *c, const struct dial_entry *e, size_t n)
{
	const struct dial_entry *own[QUEUE_FOUND];

	answer_start(&c->answer, dial_find_own(e, n, own) ? "none" : "unknown");
	dial_answer(c);
}

static void handed_on_list(void *arg, enum kz r)
{
	struct dial_call *c = arg;

	if (r == KZ_OK && !c->answer.items_n) {
		dial_find(c, QUEUE_OF_PHONE, c->phone_key, handed_on_nobody);
		return;
	}
	if (r == KZ_OK)
		c->answer.result = "ok";
	dial_answer(c);
}

void dial_referral_list(struct dial_call *c)
{
	if (handed_list(dial_base_of(c->dial)->pg, c->phone_key, dial_number(c, "child"), SESSION_ITEMS + 1,
	        handed_on_item, handed_on_list, c) != KZ_OK)
		dial_answer(c);
}

static void handed_show(struct dial_call *c, const char *result, const struct handed *h)
{
	char until[SESSION_VALUE];

	dial_moment(h->to_us, until);
	answer_start(&c->answer, result);
	answer_set_number(&c->answer, "ref", h->number);
	answer_set(&c->answer, "kg", h->names[c->session.language]);
	answer_set(&c->answer, "until", until);
	answer_set(
	    &c->answer, "refstatus", referral_status_name(referral_stands(h->status, h->to_us, c->now_us)));
}

static void handed_on_one(void *arg, const struct handed *h)
{
	struct dial_call *c = arg;
	bool offer = referral_stands(h->status, h->to_us, c->now_us) == REFERRAL_OFFERED;

	handed_show(c, offer ? "offer" : "ok", h);
	if (offer)
		answer_set_number(&c->answer, "child", h->application);
}

static void handed_on_got(void *arg, enum kz r)
{
	struct dial_call *c = arg;

	if (r == KZ_OK && !c->answer.fields_n)
		answer_start(&c->answer, "gone");
	dial_answer(c);
}

void dial_referral_get(struct dial_call *c)
{
	if (handed_get(dial_base_of(c->dial)->pg, c->phone_key, dial_number(c, "refitem"), handed_on_one,
	        handed_on_got, c) != KZ_OK)
		dial_answer(c);
}

static void looked_on_one(void *arg, const struct handed *h)
{
	handed_show(arg, h->own ? "ok" : "other", h);
}

static void looked_on_got(void *arg, enum kz r)
{
	struct dial_call *c = arg;

	if (r != KZ_OK) {
		dial_answer(c);
		return;
	}
	if (!c->answer.fields_n)
		answer_start(&c->answer, "none");
	dial_find_give(c, strcmp(c->answer.result, "ok") == 0);
}

/* By its number, whosever it is: where it leads and how it stands, but not which child it is of. */
void dial_referral_by_number(struct dial_call *c)
{
	if (handed_look(dial_base_of(c->dial)->pg, c->phone_key, dial_number(c, "sought"), looked_on_one,
	        looked_on_got, c) != KZ_OK)
		dial_answer(c);
}

static void referral_show(struct dial_call *c, const char *result, const struct places_referral *r)
{
	char until[SESSION_VALUE];

	dial_moment(r->to_us, until);
	answer_start(&c->answer, result);
	answer_set_number(&c->answer, "ref", r->number);
	answer_set(&c->answer, "until", until);
}

static void referral_show_until(struct dial_call *c, const char *result, const char *field, int64_t until_us)
{
	char until[SESSION_VALUE];

	dial_moment(until_us, until);
	answer_start(&c->answer, result);
	answer_set(&c->answer, field, until);
}

/* Her other referral is looked up: it was opened by another door, or the clock has not ended it. */
static void referral_on_already(struct dial_call *c, const struct dial_entry *e, size_t n)
{
	if (n && e[0].referral) {
		answer_start(&c->answer, "already");
		answer_set_number(&c->answer, "ref", e[0].referral);
	} else {
		answer_start(&c->answer, "not_fit");
	}
	dial_answer(c);
}

/* True when the call is answered later. */
static bool referral_refuse(struct dial_call *c, const struct place_answer *p)
{
	switch (p->verdict) {
	case PLACE_GONE:
		answer_start(&c->answer, "gone");
		return false;
	case PLACE_NOT_TURN:
		referral_show_until(c, "not_turn", "prio", p->until_us);
		return false;
	case PLACE_STOP_LIST:
		referral_show_until(c, "stop_list", "until", p->until_us);
		return false;
	case PLACE_ALREADY:
		dial_find(c, QUEUE_BY_APPLICATION, (int64_t)dial_number(c, "child"), referral_on_already);
		return true;
	default:
		answer_start(&c->answer, "not_fit");
		return false;
	}
}

static void referral_on_taken(void *arg, enum kz r, const struct places_answer *a)
{
	struct dial_call *c = arg;

	if (r == KZ_OK)
		referral_show(c, "ok", &a->referral);
	else if (r == KZ_REFUSED && referral_refuse(c, &a->place))
		return;
	else if (r == KZ_NOT_FOUND || r == KZ_CONFLICT)
		answer_start(&c->answer, "gone");
	dial_answer(c);
}

static void referral_on_heard(void *arg, enum kz r, const struct places_answer *a)
{
	struct dial_call *c = arg;
	bool again = r == KZ_REFUSED && a->verdict == REFERRAL_ALREADY_ACCEPTED;

	if (c->service == SERVICE_REFERRAL_ACCEPT && (r == KZ_OK || again))
		referral_show(c, "ok", &a->referral);
	else if (r == KZ_OK)
		answer_start(&c->answer, c->room ? "annulled" : "ok");
	else if (r != KZ_LOST)
		answer_start(&c->answer, "gone");
	c->room = NULL;
	dial_answer(c);
}

/* Places keeps room for as many phones as are served abreast, whatever comes by its other doors; when it has
 * no slot the call is asked again, under the same token, while the parent is told to wait for an SMS. */
static void referral_begin(struct dial_call *c, const char *region)
{
	const struct region *law = region_find(dial_files_of(c->dial)->regions, region);
	const struct places_take take = {
	    dial_number(c, "child"), dial_number(c, "item"), NEWS_BY_USSD, c->token, c->phone_key};
	const struct places_hear hear = {dial_number(c, "ref"),
	    c->service == SERVICE_REFERRAL_ACCEPT ? REFERRAL_ACCEPT : REFERRAL_DECLINE, NEWS_BY_USSD,
	    c->token, c->phone_key};
	struct places *p = dial_base_of(c->dial)->places;
	enum kz r;

	if (c->service == SERVICE_REFERRAL_DECLINE && law && law->decline == REGION_DECLINE_ANNULS)
		c->room = c; /* that it annuls, and owns nothing */
	r = c->service == SERVICE_REFERRAL_TAKE ? places_take(p, &take, referral_on_taken, c)
	                                        : places_hear(p, &hear, referral_on_heard, c);
	if (r != KZ_OK) {
		c->room = NULL;
		dial_answer(c);
	}
}

static void pin_refuse(struct dial_call *c, const struct try_state *s)
{
	int64_t until_us =
	    s->again_us ? s->again_us : c->now_us + try_law(TRY_PIN)->within_s * INT64_C(1000000);

	if (!s->again_us && s->left) {
		answer_start(&c->answer, "wrong_pin");
		answer_set_number(&c->answer, "left", s->left);
	} else {
		answer_start(&c->answer, "locked");
		answer_set_number(&c->answer, "num", try_minutes(until_us, c->now_us));
	}
	dial_answer(c);
}

static void pin_on_facts(void *arg, enum kz r, const struct pin_facts *f)
{
	struct dial_call *c = arg;
	const char *typed = dial_value(c, "pin");
	bool right =
	    r == KZ_OK && strlen(typed) == 4 && strlen(f->last4) == 4 && secret_equal(typed, f->last4, 4);

	if (r == KZ_NOT_FOUND)
		answer_start(&c->answer, "gone");
	if (r != KZ_OK) {
		dial_answer(c);
	} else if (f->before) {
		referral_begin(c, f->region);
	} else if (f->state.again_us || !right) {
		pin_refuse(c, &f->state);
	} else {
		tries_forget(dial_base_of(c->dial)->pg, c->phone_key, TRY_PIN);
		referral_begin(c, f->region);
	}
}

static void referral_confirm(struct dial_call *c, uint64_t referral)
{
	const struct pin_wish w = {c->phone_key, c->token, dial_number(c, "child"), referral};

	tries_pin(dial_tries_of(c->dial), &w, pin_on_facts, c);
}

void dial_referral_take(struct dial_call *c)
{
	referral_confirm(c, 0);
}

void dial_referral_accept(struct dial_call *c)
{
	referral_confirm(c, dial_number(c, "ref"));
}

void dial_referral_decline(struct dial_call *c)
{
	referral_confirm(c, dial_number(c, "ref"));
}
