/* A code from what is wanted to its letter. The whole is judged first; then the limits are asked, for one
 * phone after the other. Of a pair they are asked about the second phone before the first one is counted:
 * refused for either, the request counts nothing. Only then are there ids and digits. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/verify_body.h"

struct begin {
	struct verify_op op;
	verify_begun_fn *done;
	void *arg;
	char purpose[PURPOSE_NAME + 1];
	struct msisdn to[VERIFY_PHONES], second;
	size_t to_n, at;
	bool looked; /* the limits would let the second phone of a pair pass */
	enum language language;
	int64_t binding, address, token;
	char digits[CODE_MAX + 1]; /* the portal's own */
	char *client_ref;
	int32_t api_key;
	struct verify_begun begun;
};

static enum verify_word begin_judge_wish(
    const struct verify *v, const struct verify_wish *w, const struct purpose *p)
{
	if (!p)
		return VERIFY_UNKNOWN_PURPOSE;
	if (p->binding == PURPOSE_BINDING_REQUIRED && !w->binding)
		return VERIFY_NEEDS_BINDING;
	if (p->binding == PURPOSE_BINDING_NONE && w->binding)
		return VERIFY_TAKES_NO_BINDING;
	if (w->digits && strlen(w->digits) > p->longest)
		return VERIFY_LONG_CODE;
	for (size_t i = 0; i < w->to_n; i++)
		if (!verify_in_range(v, w->to[i]))
			return VERIFY_RANGE;
	return w->second.digits && !verify_in_range(v, w->second) ? VERIFY_RANGE : VERIFY_OK;
}

static unsigned begin_length(const struct purpose *p, const char *digits)
{
	return digits && *digits ? (unsigned)strlen(digits) : (unsigned)p->length;
}

static void begin_preview(
    struct verify *v, const struct send_wish *w, struct send_preview *preview, struct verify_judged *ret)
{
	unsigned after_s = 0;

	ret->why.sendable = send_preview(v->base.send, w, preview);
	ret->why.parts = preview->cost.parts;
	enum kz r =
	    ret->why.sendable == KZ_OK ? send_admits(v->base.send, w->class, preview, &after_s) : KZ_OK;
	ret->why.after_ms = after_s * INT64_C(1000);
	ret->word = ret->why.sendable != KZ_OK ? VERIFY_UNSENDABLE
	            : r == KZ_BUSY             ? VERIFY_NOT_ADMITTED
	            : r != KZ_OK               ? VERIFY_LOST
	                                       : VERIFY_OK;
}

void verify_judge(struct verify *v, const struct verify_wish *w, struct verify_judged *ret)
{
	const struct purpose *p = purpose_find(v->files.purposes, w->purpose);
	char zeros[CODE_MAX + 1] = "";
	struct buf rest = {0};

	*ret = (struct verify_judged){.word = begin_judge_wish(v, w, p)};
	metric_add(v->out_of_range, ret->word == VERIFY_RANGE);
	ret->why.length = p ? (unsigned)p->longest : 0;
	if (ret->word != VERIFY_OK)
		return;
	memset(zeros, '0', begin_length(p, w->digits));
	purpose_text(p, w->language, p->life_ms, &rest);
	code_fill(buf_text(&rest), zeros, &ret->text);
	buf_fini(&rest);
	ret->why.class = (enum message_class)p->lane;
	for (size_t i = 0; i < w->to_n && ret->word == VERIFY_OK; i++)
		begin_preview(v,
		    &(struct send_wish){.class = ret->why.class,
		        .to = w->to[i],
		        .text = buf_text(&ret->text),
		        .language = (int)w->language,
		        .expires_wall_ms = clock_wall_ms(loop_clock(v->base.loop)) + p->life_ms},
		    &ret->previews[i], ret);
}

static void begin_clear(struct verify_op *op)
{
	struct begin *b = (struct begin *)op;

	verify_begun_fini(op->verify, &b->begun);
	secret_wipe(b->digits, sizeof b->digits);
	free(b->client_ref);
}

static void begin_say(struct begin *b, enum verify_word word)
{
	b->begun.word = word;
	if (!b->op.answered)
		b->done(b->arg, &b->begun);
	b->op.answered = true;
}

static void begin_late(struct verify_op *op)
{
	struct begin *b = (struct begin *)op;

	b->begun.word = VERIFY_LOST;
	b->done(b->arg, &b->begun);
}

static void begin_seal(struct begin *b, const struct verify_mail *m, const char *own, struct code_row *row)
{
	const struct keyring *k = b->op.verify->base.keyring;
	struct buf sealed = {0};

	row->api_key = b->api_key;
	row->pair = b->begun.pair;
	row->prefix = (uint32_t)(m->to.digits / 10000);
	row->client_ref = b->client_ref ? mem_str(b->client_ref) : NULL;
	row->language = (int)b->language;
	row->binding = b->binding;
	row->length = m->length;
	row->tries = (unsigned)m->purpose->tries;
	row->given = m->given;
	if (b->second.digits && m->purpose->second_phone) {
		code_seal_second(k, m->code_id, b->second, &sealed);
		row->second_n = sealed.len;
		row->second = buf_take(&sealed);
	}
	if (!m->given)
		return;
	person_seal_given(k, m->code_id, own, &sealed);
	row->digits_n = sealed.len;
	row->digits = buf_take(&sealed);
	row->digits_until_us = row->at_us + CODE_LIFE_MAX_MS * INT64_C(1000);
}

/* Code i with its letter and its row. */
static bool begin_make_one(struct begin *b, const struct purpose *p, size_t i)
{
	struct verify *v = b->op.verify;
	char digits[CODE_MAX + 1];
	uint64_t id = send_id(v->base.send);
	struct verify_mail m = {.code_id = id,
	    .message_id = id,
	    .purpose = p,
	    .phone = person_phone(v->base.keyring, b->to[i]),
	    .to = b->to[i],
	    .language = b->language,
	    .digits = digits,
	    .client_ref = b->client_ref,
	    .binding = b->binding,
	    .given = *b->digits != '\0',
	    .n = 1,
	    .issue = 1,
	    .length = begin_length(p, b->digits),
	    .key = keyring_newest(v->base.keyring),
	    .why = CODE_ASKED,
	    .expires_wall_ms = clock_wall_ms(loop_clock(v->base.loop)) + p->life_ms,
	    .api_key = b->api_key};
	struct code_row *row = &b->begun.codes[i];

	if (m.given)
		memcpy(digits, b->digits, sizeof digits);
	else if (code_derive(v->base.keyring, m.key, id, m.issue, m.length, digits) != KZ_OK)
		return false;
	struct letter *l = verify_letter(v, &m, &b->begun);
	bool made = l && verify_row(v, &m, row) == KZ_OK;
	if (l)
		b->begun.letters[b->begun.sent_n++] = l;
	if (made)
		begin_seal(b, &m, digits, row);
	b->begun.sent[i].id = id;
	b->begun.sent[i].to = m.to;
	b->begun.sent[i].expires_wall_ms = m.expires_wall_ms;
	b->begun.sent[i].tries = (unsigned)p->tries;
	secret_wipe(digits, sizeof digits);
	return made;
}

/* A reload may have taken the purpose away meanwhile, or the operator that was the best. */
static enum verify_word begin_make(struct begin *b)
{
	struct verify *v = b->op.verify;
	const struct purpose *p = purpose_find(v->files.purposes, b->purpose);

	if (!p)
		return VERIFY_UNKNOWN_PURPOSE;
	b->begun.letters = mem_array(b->to_n, sizeof(struct letter *));
	b->begun.codes = mem_array(b->to_n, sizeof *b->begun.codes);
	b->begun.pair = b->to_n > 1 ? send_id(v->base.send) : 0;
	b->begun.word = VERIFY_LOST;
	for (size_t i = 0; i < b->to_n; i++)
		if (!begin_make_one(b, p, i))
			return b->begun.word;
	metric_add(v->sent, b->to_n);
	return VERIFY_OK;
}

static void begin_step(struct begin *b);

static void begin_on_limits(void *arg, enum kz r, const struct limits_verdict *verdict)
{
	struct begin *b = arg;

	b->begun.why.limit = verdict->limit;
	b->begun.why.after_ms = verdict->after_ms;
	if (r == KZ_OK && !b->op.answered) {
		if (b->looked)
			b->begun.sent[b->at++].resend_ms = verdict->wait_ms;
		b->looked = true;
		begin_step(b);
		return;
	}
	begin_say(b, r == KZ_REFUSED ? VERIFY_LIMITED : VERIFY_LOST);
	verify_op_end(&b->op);
}

static bool begin_ask(struct begin *b)
{
	struct verify *v = b->op.verify;
	struct msisdn to = b->to[b->looked ? b->at : b->to_n - 1];
	const struct limits_send s = {.phone = person_phone(v->base.keyring, to),
	    .prefix = (uint32_t)(to.digits / 10000),
	    .api_key = b->api_key,
	    .address = b->address,
	    .token = b->token,
	    .look = !b->looked};

	return limits_send(v->base.limits, &s, begin_on_limits, b) == KZ_OK;
}

static void begin_step(struct begin *b)
{
	if (b->at < b->to_n && begin_ask(b))
		return;
	begin_say(b, b->at < b->to_n ? VERIFY_LOST : begin_make(b));
	verify_op_end(&b->op);
}

static void begin_copy(struct begin *b, const struct verify_wish *w)
{
	const struct keyring *k = b->op.verify->base.keyring;

	memcpy(b->to, w->to, sizeof b->to);
	memcpy(b->purpose, w->purpose, strlen(w->purpose) + 1);
	b->begun.purpose = b->purpose;
	b->to_n = w->to_n;
	b->looked = w->to_n == 1;
	b->second = w->second;
	b->language = w->language;
	b->binding = w->binding ? keyring_lookup(k, "binding", w->binding, strlen(w->binding)) : 0;
	b->address = w->address ? keyring_lookup(k, "address", w->address, 16) : 0;
	b->token = verify_token(b->op.verify, &w->request, "send", 0);
	if (w->digits)
		memcpy(b->digits, w->digits, strlen(w->digits) + 1);
	b->client_ref = w->client_ref ? mem_str(w->client_ref) : NULL;
	b->api_key = w->request.api_key;
}

enum kz verify_begin(struct verify *v, const struct verify_wish *w, verify_begun_fn *done, void *arg)
{
	struct begin *b = mem_new(sizeof *b);

	if (!verify_op_begin(v, &b->op, begin_late, begin_clear)) {
		free(b);
		return KZ_BUSY;
	}
	b->done = done;
	b->arg = arg;
	begin_copy(b, w);
	if (begin_ask(b))
		return KZ_OK;
	verify_op_end(&b->op);
	return KZ_BUSY;
}
