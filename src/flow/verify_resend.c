/* Another sending of a code that is open: the same digits, made again from the keyring, or the next ones.
 * What it sends is held against the code's newest sending, so of two at once the database takes one. */
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/mem.h"
#include "flow/verify_body.h"
#include "store/clients.h"
#include "store/codes_show.h"

struct resend {
	struct verify_op op;
	verify_begun_fn *done;
	void *arg;
	uint64_t id;
	int64_t token;
	int32_t api_key;
	bool found, pair;
	struct code_shown code; /* client_ref is ours */
	struct verify_begun begun;
};

static void resend_clear(struct verify_op *op)
{
	struct resend *s = (struct resend *)op;

	verify_begun_fini(op->verify, &s->begun);
	free((char *)(uintptr_t)s->code.client_ref);
	secret_wipe(s->code.given, sizeof s->code.given);
}

static void resend_late(struct verify_op *op)
{
	struct resend *s = (struct resend *)op;

	s->begun.word = VERIFY_LOST;
	s->done(s->arg, &s->begun);
}

static void resend_end(struct resend *s, enum verify_word word)
{
	s->begun.word = word;
	if (!s->op.answered)
		s->done(s->arg, &s->begun);
	s->op.answered = true;
	verify_op_end(&s->op);
}

static unsigned resends_left(const struct verify *v, const struct code_state *c)
{
	unsigned most = (unsigned)v->files.conf->codes_resends;

	return most > c->resends ? most - c->resends : 0;
}

/* KZ_NOT_FOUND: the digits cannot be made any more. */
static enum kz resend_digits(const struct verify *v, const struct code_shown *c, bool same,
    struct verify_mail *m, char digits[CODE_MAX + 1])
{
	m->issue = c->state.issue + !same;
	m->key = same ? c->state.key : keyring_newest(v->base.keyring);
	if (!m->given)
		return code_derive(v->base.keyring, m->key, m->code_id, m->issue, m->length, digits);
	memcpy(digits, c->given, sizeof c->given);
	return *digits ? KZ_OK : KZ_NOT_FOUND;
}

static enum verify_word resend_make_of(
    struct resend *s, const struct purpose *p, const struct code_resend *plan)
{
	struct verify *v = s->op.verify;
	const struct code_state *c = &s->code.state;
	char digits[CODE_MAX + 1];
	struct verify_mail m = {.code_id = c->id,
	    .message_id = send_id(v->base.send),
	    .purpose = p,
	    .phone = c->phone,
	    .to = s->code.to,
	    .language = (enum language)c->language,
	    .digits = digits,
	    .client_ref = s->code.client_ref,
	    .binding = c->binding,
	    .given = c->given,
	    .n = c->sends + 1,
	    .resends = c->resends + 1,
	    .length = c->length,
	    .why = CODE_RESENT,
	    .expires_wall_ms = plan->expires_ms,
	    .api_key = s->api_key};

	if (resend_digits(v, &s->code, plan->same, &m, digits) != KZ_OK)
		return VERIFY_LOST;
	s->begun.letters = mem_array(1, sizeof(struct letter *));
	s->begun.codes = mem_array(1, sizeof *s->begun.codes);
	s->begun.letters[0] = verify_letter(v, &m, &s->begun);
	s->begun.sent_n = s->begun.letters[0] != NULL;
	if (s->begun.sent_n && verify_row(v, &m, s->begun.codes) != KZ_OK)
		s->begun.word = VERIFY_LOST;
	secret_wipe(digits, sizeof digits);
	return s->begun.word;
}

static enum verify_word resend_make(struct resend *s)
{
	struct verify *v = s->op.verify;
	const struct code_state *c = &s->code.state;
	const struct purpose *p = purpose_find(v->files.purposes, c->purpose);
	const struct code_past past = {.created_ms = ids_wall_ms(c->id),
	    .expires_ms = c->expires_us / 1000,
	    .life_ms = p ? p->life_ms : 0,
	    .again = p ? (enum code_again)p->resend : CODE_AGAIN_SAME,
	    .given = c->given};
	int64_t now_ms = clock_wall_ms(loop_clock(v->base.loop));

	if (!p)
		return VERIFY_UNKNOWN_PURPOSE;
	if (past.expires_ms <= now_ms) {
		s->begun.why.verdict = CODE_EXPIRED; /* while the limits were asked */
		return VERIFY_OVER;
	}
	const struct code_resend plan = code_resend_plan(&past, now_ms);
	enum verify_word word = resend_make_of(s, p, &plan);
	s->begun.sent[0].id = c->id;
	s->begun.sent[0].to = s->code.to;
	s->begun.sent[0].expires_wall_ms = plan.expires_ms;
	s->begun.sent[0].tries = c->tries > c->wrong ? c->tries - c->wrong : 0;
	unsigned left = resends_left(v, c); /* fewer than when it was judged, after a reload */
	s->begun.sent[0].resends_left = left ? left - 1 : 0;
	metric_add(v->resent, word == VERIFY_OK);
	return word;
}

static void resend_on_limits(void *arg, enum kz r, const struct limits_verdict *verdict)
{
	struct resend *s = arg;

	s->begun.why.limit = verdict->limit;
	s->begun.why.after_ms = verdict->after_ms;
	s->begun.sent[0].resend_ms = verdict->wait_ms;
	if (r == KZ_REFUSED || s->op.answered || r != KZ_OK)
		resend_end(s, r == KZ_REFUSED ? VERIFY_LIMITED : VERIFY_LOST);
	else
		resend_end(s, resend_make(s));
}

static enum verify_word resend_judge(struct resend *s)
{
	const struct verify *v = s->op.verify;
	const struct code_state *c = &s->code.state;
	int64_t now_us = loop_clock(v->base.loop)->wall_us();

	if (!s->found)
		return s->pair ? VERIFY_PAIR : VERIFY_NOT_FOUND;
	if (ids_wall_ms(c->id) + CODE_READ_MS <= now_us / 1000)
		return VERIFY_NOT_FOUND;
	s->begun.why.verdict = c->verdict                ? c->verdict
	                       : c->wrong >= c->tries    ? CODE_EXHAUSTED
	                       : c->expires_us <= now_us ? CODE_EXPIRED
	                                                 : CODE_OPEN;
	if (s->begun.why.verdict)
		return VERIFY_OVER;
	if (!resends_left(v, c))
		return VERIFY_NO_RESENDS;
	if (!purpose_find(v->files.purposes, c->purpose))
		return VERIFY_UNKNOWN_PURPOSE;
	return !s->code.to.digits ? VERIFY_LOST : !verify_in_range(v, s->code.to) ? VERIFY_RANGE : VERIFY_OK;
}

static void resend_on_shown(void *arg, enum kz r)
{
	struct resend *s = arg;
	enum verify_word word = r == KZ_OK && !s->op.answered ? resend_judge(s) : VERIFY_LOST;
	const struct limits_send ask = {.phone = s->code.state.phone,
	    .prefix = s->code.state.prefix,
	    .api_key = s->api_key,
	    .token = s->token,
	    .resend = true};

	if (word != VERIFY_OK)
		resend_end(s, word);
	else if (limits_send(s->op.verify->base.limits, &ask, resend_on_limits, s) != KZ_OK)
		resend_end(s, VERIFY_LOST);
}

static void resend_on_code(void *arg, const struct code_shown *c)
{
	struct resend *s = arg;

	s->pair = c->state.pair == s->id;
	if (c->state.id != s->id)
		return;
	s->found = true;
	s->code = *c;
	s->begun.purpose = s->code.state.purpose;
	s->code.client_ref = c->client_ref ? mem_str(c->client_ref) : NULL;
}

enum kz verify_resend(
    struct verify *v, uint64_t id, const struct verify_request *request, verify_begun_fn *done, void *arg)
{
	struct resend *s = mem_new(sizeof *s);

	if (!verify_op_begin(v, &s->op, resend_late, resend_clear)) {
		free(s);
		return KZ_BUSY;
	}
	s->done = done;
	s->arg = arg;
	s->id = id;
	s->api_key = request->api_key;
	s->token = verify_token(v, request, "resend", id);
	if (codes_show(v->base.pg, v->base.keyring, id, request->client, loop_clock(v->base.loop)->wall_us(),
	        resend_on_code, resend_on_shown, s) == KZ_OK)
		return KZ_OK;
	verify_op_end(&s->op);
	return KZ_BUSY;
}
