/* A code that did not arrive, once more: the same digits for what is left of their life, as a message of its
 * own. All of it is looked at anew, since the person may have typed it in meanwhile, or asked for another.
 * Whoever does it first has done it: the place of the sending among the code's, and an Idempotency-Key of the
 * code's own, are taken once, whatever daemons hear of the bad end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/verify_body.h"
#include "store/codes_show.h"

/* One code while it is being rescued. */
struct saving {
	struct map_node by_code;
	struct verify *verify;
	uint64_t code, message_id; /* message_id: of the sending that did not arrive, number n of the code */
	unsigned n;
	struct remedy_past past;
	struct remedy_rule rule;
	char link[48];           /* that had it, "": none */
	struct code_shown shown; /* while the limits are asked; client_ref is ours */
	enum verify_how how;
	bool waits; /* for the limits, or on its way into the database */
	bool again; /* something was in the way */
};

static const char *const hows[VERIFY_HOWS] = {
    [VERIFY_BY_LINK] = "link", [VERIFY_BY_CARRIER] = "carrier", [VERIFY_BY_PHONE] = "phone"};

static bool savings_equal(const struct map_node *n, const void *key)
{
	return map_entry(n, struct saving, by_code)->code == *(const uint64_t *)key;
}

static void saving_free(struct saving *s)
{
	map_remove(&s->verify->savings, &s->by_code);
	secret_wipe(s->shown.given, sizeof s->shown.given);
	free((char *)(uintptr_t)s->shown.client_ref);
	free(s);
}

static void saving_end(struct saving *s, bool again)
{
	if (again)
		rescue_again(s->verify->rescue, s->message_id);
	saving_free(s);
}

/* Taken: somebody else has done it, or has sent the code anew. */
static void saving_on_kept(void *arg, enum kz r, const char *answer)
{
	struct saving *s = arg;
	char code[IDS_TEXT];

	(void)answer;
	if (r == KZ_OK) {
		metric_add(s->verify->rescued[s->how], 1);
		log_info(
		    ids_text(s->code, code), "did not arrive and is sent once more, how=%s", hows[s->how]);
	}
	saving_end(s, r == KZ_LOST);
}

/* No client's key is so: those are of visible characters. */
static void saving_key(const struct saving *s, uint8_t hash[SECRET_HASH])
{
	uint8_t text[8 + sizeof s->code] = "\0rescue";

	memcpy(text + 8, &s->code, sizeof s->code);
	secret_sha256(text, sizeof text, hash);
}

static bool saving_keep(struct saving *s, struct verify_begun *b, int32_t api_key)
{
	struct send_request request = {.api_key = api_key,
	    .status = 202,
	    .answer = mem_str(""),
	    .letters = b->letters,
	    .letters_n = 1,
	    .codes = b->codes,
	    .codes_n = 1};

	saving_key(s, request.key_hash);
	saving_key(s, request.body_hash);
	b->letters = NULL;
	b->codes = NULL;
	return send_keep(s->verify->base.send, &request, saving_on_kept, s) == KZ_OK;
}

/* KZ_NOT_FOUND: what the digits are made from is gone. The caller wipes them. */
static enum kz saving_digits(const struct saving *s, const struct code_shown *c, char digits[CODE_MAX + 1])
{
	const struct code_state *st = &c->state;

	if (!st->given)
		return code_derive(s->verify->base.keyring, st->key, st->id, st->issue, st->length, digits);
	memcpy(digits, c->given, sizeof c->given);
	return *digits ? KZ_OK : KZ_NOT_FOUND;
}

static struct verify_mail saving_mail(const struct saving *s, const struct code_shown *c, const char *digits)
{
	const struct code_state *st = &c->state;

	return (struct verify_mail){.code_id = st->id,
	    .message_id = send_id(s->verify->base.send),
	    .purpose = purpose_find(s->verify->files.purposes, st->purpose),
	    .phone = st->phone,
	    .to = s->how == VERIFY_BY_PHONE ? c->second : c->to,
	    .language = (enum language)st->language,
	    .digits = digits,
	    .client_ref = c->client_ref,
	    .avoid = s->link,
	    .binding = st->binding,
	    .given = st->given,
	    .n = st->sends + 1,
	    .resends = st->resends,
	    .issue = st->issue,
	    .length = st->length,
	    .key = st->key,
	    .why = CODE_RESCUED,
	    .expires_wall_ms = st->expires_us / 1000,
	    .api_key = c->api_key};
}

/* Whether it is kept, or never will be; else it is to be looked at again. */
static bool saving_send(struct saving *s, const struct code_shown *c)
{
	struct verify *v = s->verify;
	char digits[CODE_MAX + 1] = "";
	struct verify_begun b = {.word = VERIFY_LOST};
	bool kept = false;

	if (saving_digits(s, c, digits) == KZ_OK) {
		const struct verify_mail m = saving_mail(s, c, digits);

		b.letters = mem_array(1, sizeof(struct letter *));
		b.codes = mem_array(1, sizeof *b.codes);
		b.letters[0] = verify_letter(v, &m, &b);
		b.sent_n = b.letters[0] != NULL;
		s->waits = kept =
		    b.sent_n && verify_row(v, &m, b.codes) == KZ_OK && saving_keep(s, &b, c->api_key);
	}
	secret_wipe(digits, sizeof digits);
	verify_begun_fini(v, &b);
	return kept || b.word == VERIFY_UNSENDABLE;
}

/* Whether it is still the newest sending of an open code, which was not rescued before. */
static bool saving_stands(const struct saving *s, const struct code_shown *c)
{
	const struct code_state *st = &c->state;
	int64_t now_us = loop_clock(s->verify->base.loop)->wall_us();

	for (size_t i = 0; i < c->sends_n; i++)
		if (c->sends[i].why == CODE_RESCUED)
			return false;
	return st->verdict == CODE_OPEN && st->expires_us > now_us && st->sends == s->n && c->to.digits &&
	       purpose_find(s->verify->files.purposes, st->purpose);
}

static bool saving_choose(struct saving *s, const struct code_shown *c)
{
	const struct verify *v = s->verify;
	enum send_beside beside = send_beside(v->base.send, c->to, s->link);

	s->past.state = c->sends_n >= s->n ? c->sends[s->n - 1].state : s->past.state;
	s->past.second = s->past.second && c->second.digits && verify_in_range(v, c->second);
	s->past.elsewhere = beside != SEND_SAME;
	const struct remedy_plan plan =
	    remedy_plan(&s->rule, &s->past, clock_wall_ms(loop_clock(v->base.loop)));
	s->how = plan.remedy == REMEDY_PHONE    ? VERIFY_BY_PHONE
	         : beside == SEND_OTHER_CARRIER ? VERIFY_BY_CARRIER
	                                        : VERIFY_BY_LINK;
	return plan.remedy != REMEDY_NONE;
}

/* Refused: what else is allowed. */
static void saving_on_limits(void *arg, enum kz r, const struct limits_verdict *verdict)
{
	struct saving *s = arg;
	const struct code_shown *c = &s->shown;
	char code[IDS_TEXT];

	s->waits = false;
	if (r == KZ_REFUSED) {
		log_info(ids_text(s->code, code), "did not arrive; none to its second phone, why=%s",
		    limit_name(verdict->limit));
		s->past.second = false;
	}
	s->again = r == KZ_LOST ||
	           (saving_stands(s, c) && (r == KZ_OK || saving_choose(s, c)) && !saving_send(s, c));
	if (!s->waits)
		saving_end(s, s->again);
}

/* Who asks for a code names the second phone too, so it is limited as the first one is. */
static bool saving_ask(struct saving *s, const struct code_shown *c)
{
	const struct verify_base *base = &s->verify->base;
	const struct limits_send ask = {.phone = person_phone(base->keyring, c->second),
	    .prefix = (uint32_t)(c->second.digits / 10000),
	    .api_key = c->api_key,
	    .token = keyring_lookup(base->keyring, "rescue", &s->code, sizeof s->code)};

	s->shown = *c;
	s->shown.client_ref = c->client_ref ? mem_str(c->client_ref) : NULL;
	s->waits = limits_send(base->limits, &ask, saving_on_limits, s) == KZ_OK;
	return s->waits;
}

static void saving_on_code(void *arg, const struct code_shown *c)
{
	struct saving *s = arg;

	if (c->state.id == s->code && saving_stands(s, c) && saving_choose(s, c))
		s->again = !(s->how == VERIFY_BY_PHONE ? saving_ask(s, c) : saving_send(s, c));
}

static void saving_on_shown(void *arg, enum kz r)
{
	struct saving *s = arg;

	if (!s->waits)
		saving_end(s, s->again || r != KZ_OK);
}

static void saving_begin(void *arg, const struct rescue_due *d, const struct remedy_rule *rule)
{
	struct verify *v = arg;
	struct saving *s;

	if (map_get(&v->savings, map_hash_u64(d->code), &d->code))
		return;
	if (v->savings.count >= VERIFY_SAVINGS) {
		rescue_again(v->rescue, d->message_id);
		return;
	}
	s = mem_new(sizeof *s);
	*s = (struct saving){.verify = v,
	    .code = d->code,
	    .message_id = d->message_id,
	    .n = d->n,
	    .past = {d->state, d->sent_us / 1000, d->submitted_us / 1000, d->second, false},
	    .rule = *rule};
	snprintf(s->link, sizeof s->link, "%s", d->link);
	map_put(&v->savings, &s->by_code, map_hash_u64(d->code));
	if (codes_show(v->base.pg, v->base.keyring, d->code, NULL, loop_clock(v->base.loop)->wall_us(),
	        saving_on_code, saving_on_shown, s) != KZ_OK)
		saving_end(s, true);
}

static void saving_expire(void *arg, uint64_t code)
{
	struct verify *v = arg;
	struct code_ruling *r = mem_new(sizeof *r);

	r->id = code;
	r->at_us = loop_clock(v->base.loop)->wall_us();
	r->verdict = CODE_EXPIRED;
	codes_rule(v->base.codes, r);
}

static bool saving_rule(void *arg, const char *purpose, struct remedy_rule *ret)
{
	const struct verify *v = arg;
	const struct purpose *p = purpose_find(v->files.purposes, purpose);

	if (!p)
		return false;
	*ret = (struct remedy_rule){.wait_ms = p->receipt_wait_ms};
	for (size_t i = 0; i < p->fallback.count && ret->ways_n < REMEDY_WAYS; i++) {
		enum remedy way = strcmp(p->fallback.items[i], "phone") ? REMEDY_LINK : REMEDY_PHONE;

		if (!ret->ways_n || ret->ways[0] != way)
			ret->ways[ret->ways_n++] = way;
	}
	return true;
}

static const struct rescue_events savings_events = {saving_rule, saving_expire, saving_begin};

void savings_init(struct verify *v)
{
	char labels[24];

	map_init(&v->savings, savings_equal);
	for (size_t i = 0; i < VERIFY_HOWS; i++) {
		snprintf(labels, sizeof labels, "how=\"%s\"", hows[i]);
		v->rescued[i] = metric_counter(
		    "kezek_codes_rescued_total", "Codes that did not arrive and were sent once more", labels);
	}
	v->rescue = rescue_new(v->base.loop, v->base.pg, &savings_events, v);
	savings_set_ages(v);
}

void savings_set_ages(struct verify *v)
{
	const struct purposes *all = v->files.purposes;
	int64_t ages_ms[2 * PURPOSE_MAX];
	size_t n = 0;

	for (size_t i = 0; i < purposes_count(all); i++) {
		const struct purpose *p = purposes_at(all, i);

		ages_ms[n++] = p->receipt_wait_ms;
		ages_ms[n++] = p->life_ms;
	}
	rescue_set_ages(v->rescue, ages_ms, n);
}

void savings_free(struct verify *v)
{
	struct map_node *n;

	rescue_free(v->rescue);
	while ((n = map_any(&v->savings)) != NULL)
		saving_free(map_entry(n, struct saving, by_code));
	map_fini(&v->savings);
}

void verify_take_slot(struct verify *v, uint8_t slot, uint64_t newest)
{
	rescue_take_slot(v->rescue, slot, newest);
}

void verify_leave_slot(struct verify *v, uint8_t slot)
{
	rescue_leave_slot(v->rescue, slot);
}

void verify_lose_slots(struct verify *v)
{
	rescue_lose_slots(v->rescue);
}

void verify_on_lost(void *arg, uint64_t message_id)
{
	struct verify *v = arg;

	rescue_hear(v->rescue, message_id);
}

void verify_stop(struct verify *v)
{
	rescue_stop(v->rescue);
}
