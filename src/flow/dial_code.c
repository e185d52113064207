/* The code to sign in, sent once more to the phone that waits for it; and one to a new phone that is to take
 * the place of the one that calls. Both are kept under an Idempotency-Key made of the call's token. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/dial_code.h"
#include "rules/tries.h"
#include "store/awaited.h"
#include "store/holders.h"

#define LOGIN "login" /* of config/purposes.yaml, as PHONE */
#define PHONE "phone"

/* No client's key is so: those are of visible characters. */
void dial_code_key(int64_t token, uint8_t hash[SECRET_HASH])
{
	uint8_t text[6 + sizeof token] = "\0code";

	memcpy(text + 6, &token, sizeof token);
	secret_sha256(text, sizeof text, hash);
}

char *dial_code_binding(const struct dial_call *c, struct msisdn to, char text[DIAL_BINDING])
{
	const struct keyring *k = dial_base_of(c->dial)->keyring;
	const int64_t phones[] = {c->phone_key, person_phone(k, to)};

	snprintf(text, DIAL_BINDING, "%016llx",
	    (unsigned long long)keyring_lookup(k, "ussd phone", phones, sizeof phones));
	return text;
}

static void code_answer(struct dial_call *c, const char *result)
{
	c->answer.result = result;
	dial_answer(c);
}

static void code_too_often(struct dial_call *c, int64_t wait_us)
{
	answer_set_number(&c->answer, "num", try_minutes(c->now_us + wait_us, c->now_us));
	code_answer(c, "too_often");
}

/* Keeps what was begun; false: nobody will say more. answer: what a repetition is told. */
static bool code_keep(
    struct dial_call *c, int32_t api_key, struct verify_begun *b, const char *answer, send_kept_fn *done)
{
	struct send_request r = {.api_key = api_key,
	    .status = 202,
	    .answer = mem_str(answer),
	    .letters = b->letters,
	    .letters_n = b->sent_n,
	    .codes = b->codes,
	    .codes_n = b->sent_n};

	b->letters = NULL;
	b->codes = NULL;
	dial_code_key(c->token, r.key_hash);
	dial_code_key(c->token, r.body_hash);
	return send_keep(dial_base_of(c->dial)->send, &r, done, c) == KZ_OK;
}

/* The code that waits; in c->room until it was sent again. */
static void login_end(struct dial_call *c, const char *result)
{
	free(c->room);
	c->room = NULL;
	code_answer(c, result);
}

/* KZ_REFUSED: another sending was kept at the same moment, which serves as well. */
static void login_on_kept(void *arg, enum kz r, const char *answer)
{
	(void)answer;
	login_end(arg, r == KZ_LOST ? "down" : "ok");
}

static void login_wait(struct dial_call *c, int64_t wait_us)
{
	free(c->room);
	c->room = NULL;
	code_too_often(c, wait_us);
}

static void login_on_sent(void *arg, struct verify_begun *b)
{
	struct dial_call *c = arg;
	const struct awaited *a = c->room;
	char number[24];

	switch (b->word) {
	case VERIFY_OK:
		snprintf(number, sizeof number, "%llu", (unsigned long long)a->id);
		if (!code_keep(c, a->api_key, b, number, login_on_kept))
			login_end(c, "down");
		return;
	case VERIFY_LIMITED:
		login_wait(c, b->why.after_ms * 1000);
		return;
	case VERIFY_NO_RESENDS: /* a new one can be asked for when this one is over */
		login_wait(c, a->expires_us - c->now_us);
		return;
	case VERIFY_OVER:
	case VERIFY_NOT_FOUND:
	case VERIFY_UNKNOWN_PURPOSE:
		login_end(c, "none");
		return;
	default:
		login_end(c, "down");
	}
}

static void login_on_awaited(void *arg, enum kz r, const struct awaited *a)
{
	struct dial_call *c = arg;
	struct awaited *room;
	uint8_t hash[SECRET_HASH];

	if (r != KZ_OK || !a->id) {
		code_answer(c, r != KZ_OK ? "down" : a->applicant ? "none" : "unknown");
		return;
	}
	c->room = room = mem_new(sizeof *room);
	*room = *a;
	dial_code_key(c->token, hash);
	const struct verify_request request = {NULL, a->api_key, hash, hash};
	if (verify_resend(dial_base_of(c->dial)->verify, a->id, &request, login_on_sent, c) != KZ_OK)
		login_end(c, "down");
}

void dial_login_code(struct dial_call *c)
{
	if (awaited_ask(dial_base_of(c->dial)->pg, c->phone_key, LOGIN, c->now_us, login_on_awaited, c) !=
	    KZ_OK)
		dial_answer(c);
}

/* What the first request of this press of a key was told: the number of the code. */
static void change_on_replay(
    void *arg, enum kz r, const uint8_t body_hash[SECRET_HASH], int status, const char *answer)
{
	struct dial_call *c = arg;

	(void)body_hash;
	(void)status;
	if (r == KZ_OK)
		answer_set(&c->answer, "verify", answer);
	code_answer(c, r == KZ_OK ? "ok" : "down");
}

static void change_on_kept(void *arg, enum kz r, const char *answer)
{
	struct dial_call *c = arg;
	uint8_t hash[SECRET_HASH];

	dial_code_key(c->token, hash);
	if (r == KZ_OK)
		change_on_replay(c, KZ_OK, NULL, 0, answer);
	else if (r != KZ_CONFLICT ||
	         messages_replay(dial_base_of(c->dial)->pg, 0, hash, c->now_us, change_on_replay, c) != KZ_OK)
		code_answer(c, "down");
}

static void change_refuse(struct dial_call *c, enum verify_word word, const struct verify_why *why)
{
	if (word == VERIFY_LIMITED) {
		code_too_often(c, why->after_ms * 1000);
		return;
	}
	if (word == VERIFY_UNKNOWN_PURPOSE || word == VERIFY_TAKES_NO_BINDING)
		log_error("ussd",
		    "config/purposes.yaml has no purpose " PHONE " with a binding: no phone can be changed");
	code_answer(c, word == VERIFY_RANGE || word == VERIFY_UNSENDABLE ? "refused" : "down");
}

static void change_on_begun(void *arg, struct verify_begun *b)
{
	struct dial_call *c = arg;
	char number[24];

	snprintf(number, sizeof number, "%llu", (unsigned long long)b->sent[0].id);
	if (b->word != VERIFY_OK)
		change_refuse(c, b->word, &b->why);
	else if (!code_keep(c, 0, b, number, change_on_kept))
		code_answer(c, "down");
}

static void change_begin(struct dial_call *c, struct msisdn to)
{
	struct verify *v = dial_base_of(c->dial)->verify;
	struct verify_judged j;
	char binding[DIAL_BINDING];
	uint8_t hash[SECRET_HASH];

	dial_code_key(c->token, hash);
	const struct verify_wish w = {.request = {NULL, 0, hash, hash},
	    .purpose = PHONE,
	    .to = {to},
	    .to_n = 1,
	    .language = c->session.language,
	    .binding = dial_code_binding(c, to, binding)};
	verify_judge(v, &w, &j);
	buf_fini(&j.text);
	if (j.word != VERIFY_OK)
		change_refuse(c, j.word, &j.why);
	else if (verify_begin(v, &w, change_on_begun, c) != KZ_OK)
		code_answer(c, "down");
}

/* In c->room: whether there is any. */
static void change_on_each(void *arg, const struct record *r, unsigned place, bool opened)
{
	struct dial_call *c = arg;

	(void)r;
	(void)place;
	(void)opened;
	c->room = c;
}

static void change_on_holders(void *arg, enum kz r, bool own, bool others)
{
	struct dial_call *c = arg;
	struct msisdn to;
	bool known = c->room;

	c->room = NULL;
	if (r != KZ_OK || msisdn_from_digits(dial_number(c, "phone"), &to) != KZ_OK)
		code_answer(c, "down");
	else if (!known)
		code_answer(c, "unknown");
	else if (own || to.digits == c->phone.digits)
		code_answer(c, "same");
	else if (others)
		code_answer(c, "taken");
	else
		change_begin(c, to);
}

void dial_phone_change(struct dial_call *c)
{
	const struct dial_base *b = dial_base_of(c->dial);
	const struct holders_wish w = {
	    c->phone_key, person_phone(b->keyring, (struct msisdn){dial_number(c, "phone")})};

	if (holders_find(b->pg, b->keyring, &w, change_on_each, change_on_holders, c) != KZ_OK)
		dial_answer(c);
}
