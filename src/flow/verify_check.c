/* A try from what was typed to its answer. Whatever the id, the same is done in the same order: one read, one
 * MAC, one question to the limits, one commit. What is no try (nobody's id, a code that is over, what cannot
 * be the code) goes that way for nobody, so that it costs nothing and takes as long. */
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/verify_body.h"
#include "store/clients.h"

#define NOBODIES 509

struct check {
	struct verify_op op;
	verify_tried_fn *done;
	void *arg;
	struct code_quest quest;
	char client[CLIENT_NAME + 1];
	int64_t binding, token;
	uint8_t key_hash[SECRET_HASH];
	char digits[CODE_MAX + 1];
	struct code_state code;
	bool right, any;       /* any: it is a try */
	enum code_verdict put; /* ruled alone, CODE_OPEN: none */
	struct verify_tried tried;
};

static void check_clear(struct verify_op *op)
{
	struct check *c = (struct check *)op;

	secret_wipe(c->digits, sizeof c->digits);
}

static void check_end(struct check *c, enum verify_word word)
{
	c->tried.word = word;
	if (!c->op.answered) {
		metric_add(c->op.verify->checks[word], 1);
		c->done(c->arg, &c->tried);
	}
	verify_op_end(&c->op);
}

static void check_late(struct verify_op *op)
{
	struct check *c = (struct check *)op;

	c->tried.word = VERIFY_LOST;
	metric_add(op->verify->checks[VERIFY_LOST], 1);
	c->done(c->arg, &c->tried);
}

/* By what stands, which may be somebody else's ruling. */
static enum verify_word check_stand(struct check *c, const struct code_stand *s)
{
	c->tried.why.verdict = s->verdict;
	if (s->verdict != CODE_APPROVED)
		return VERIFY_OVER;
	if (s->ours)
		limits_approved(c->op.verify->base.limits, c->code.phone, c->code.prefix);
	c->tried.repeated = !s->ours && s->same_key;
	return s->ours || s->same_key ? VERIFY_OK : VERIFY_OVER;
}

static void check_on_ruled(void *arg, enum kz r, const struct code_stand *s)
{
	struct check *c = arg;

	if (r != KZ_OK)
		check_end(c, VERIFY_LOST);
	else
		check_end(c, c->put ? check_stand(c, s) : c->tried.word);
}

/* The answer follows when it is at rest: tried.word, or what stands when a verdict alone is put. */
static void check_rule(struct check *c, bool wrong, enum code_verdict verdict)
{
	struct verify *v = c->op.verify;
	struct code_ruling *r = mem_new(sizeof *r);

	*r = (struct code_ruling){.id = c->code.id,
	    .at_us = loop_clock(v->base.loop)->wall_us(),
	    .wrong = wrong,
	    .token = c->token,
	    .phone = c->code.phone,
	    .verdict = verdict,
	    .has_key = verdict == CODE_APPROVED,
	    .done = check_on_ruled,
	    .arg = c};
	memcpy(r->key_hash, c->key_hash, SECRET_HASH);
	codes_rule(v->base.codes, r);
}

static void check_put(struct check *c, enum code_verdict verdict)
{
	c->put = verdict;
	check_rule(c, false, verdict);
}

static void check_put_wrong(struct check *c, unsigned left)
{
	c->tried.word = VERIFY_WRONG;
	c->tried.tries_left = left;
	check_rule(c, true, left ? CODE_OPEN : CODE_EXHAUSTED);
}

static void check_on_limits(void *arg, enum kz r, const struct limits_verdict *verdict)
{
	struct check *c = arg;

	c->tried.why.limit = verdict->limit;
	c->tried.why.after_ms = verdict->after_ms;
	if (c->op.answered || r == KZ_LOST)
		check_end(c, VERIFY_LOST);
	else if (!c->any)
		check_put(c, c->put);
	else if (r == KZ_REFUSED && verdict->limit == LIMIT_TRIES)
		check_put(c, CODE_EXHAUSTED);
	else if (r != KZ_OK)
		check_end(c, VERIFY_LIMITED);
	else if (c->right)
		check_put(c, CODE_APPROVED);
	else
		check_put_wrong(c, verdict->left);
}

static bool check_is_ours(const struct check *c)
{
	return secret_equal(c->key_hash, c->code.key_hash, SECRET_HASH);
}

static enum verify_word check_judge_over(struct check *c)
{
	c->tried.why.verdict = c->code.verdict;
	if (c->code.verdict != CODE_APPROVED || !check_is_ours(c))
		return VERIFY_OVER;
	c->tried.repeated = c->right;
	return c->right ? VERIFY_OK : VERIFY_KEY_REUSED;
}

/* any: it is a try, and what it is told follows. */
static enum verify_word check_judge(struct check *c, bool known)
{
	const struct code_state *s = &c->code;
	int64_t now_us = loop_clock(c->op.verify->base.loop)->wall_us();

	if (s->verdict)
		return check_judge_over(c);
	if (s->wrong >= s->tries && !known)
		c->tried.why.verdict = c->put =
		    CODE_EXHAUSTED; /* two daemons may each have left it a last try */
	else if (s->expires_us <= now_us)
		c->tried.why.verdict = CODE_EXPIRED;
	if (c->tried.why.verdict)
		return VERIFY_OVER;
	c->tried.why.length = s->length;
	if (strlen(c->digits) != s->length)
		return VERIFY_NOT_A_CODE;
	if (s->binding != c->binding)
		return VERIFY_OTHER_BINDING;
	c->tried.tries_left = s->tries > s->wrong ? s->tries - s->wrong : 0;
	c->tried.repeated = known;
	c->any = !known;
	return known ? VERIFY_WRONG : VERIFY_OK;
}

/* Always, and with the same work when there is no such code. */
static bool check_matches(const struct check *c)
{
	static const uint8_t nobody[SECRET_HASH];
	char binding[VERIFY_BINDING];
	bool found = c->code.id != 0;
	const struct keyring *k = c->op.verify->base.keyring;
	const struct code_bond bond = {.id = found ? c->code.id : c->quest.id,
	    .issue = c->code.issue,
	    .phone = c->code.phone,
	    .purpose = found ? c->code.purpose : "login",
	    .binding = verify_binding(c->binding, binding)};

	return code_matches(k, found ? c->code.key : keyring_newest(k), &bond, c->digits,
	           found ? c->code.mac : nobody) &&
	       found;
}

/* What was typed decides, and its MAC cannot be made: another daemon has a key that this one has not read
 * yet, or it was taken out too early. A right code must not be called wrong for that, nor cost a try. */
static bool check_is_keyless(const struct check *c)
{
	char id[IDS_TEXT];

	if (keyring_has(c->op.verify->base.keyring, c->code.key) ||
	    (!c->any && c->tried.word != VERIFY_KEY_REUSED))
		return false;
	log_error(ids_text(c->code.id, id), "its key is not in the keyring, so it cannot be checked");
	return true;
}

static void check_go(struct check *c, bool known, bool pair)
{
	/* nobody's stands for one of many phones, of which the first try asks for as much as anybody's */
	struct limits_try t = {.phone = (int64_t)(c->quest.id % NOBODIES)};

	c->right = check_matches(c);
	c->tried.word = !c->code.id ? pair ? VERIFY_PAIR : VERIFY_NOT_FOUND : check_judge(c, known);
	if (c->code.id && check_is_keyless(c)) {
		check_end(c, VERIFY_LOST);
		return;
	}
	if (c->any)
		t = (struct limits_try){.code = c->code.id,
		    .phone = c->code.phone,
		    .tries = c->code.tries,
		    .wrong = c->code.wrong,
		    .phone_wrong = c->code.phone_wrong,
		    .phone_wrong_ms = c->code.phone_wrong_us / 1000,
		    .right = c->right,
		    .token = c->token};
	else if (!c->put)
		c->code.id = 0;
	if (limits_try(c->op.verify->base.limits, &t, check_on_limits, c) != KZ_OK)
		check_end(c, VERIFY_LOST);
}

static void check_on_found(struct code_quest *q, enum kz r, const struct code_found *f)
{
	struct check *c = list_entry(q, struct check, quest);
	int64_t now_ms = clock_wall_ms(loop_clock(c->op.verify->base.loop));

	if (c->op.answered || r == KZ_LOST) {
		check_end(c, VERIFY_LOST);
		return;
	}
	if (r == KZ_OK && ids_wall_ms(f->code.id) + CODE_READ_MS > now_ms)
		c->code = f->code;
	check_go(c, f->known, f->pair);
}

enum kz verify_check(struct verify *v, const struct verify_try *t, verify_tried_fn *done, void *arg)
{
	struct check *c = mem_new(sizeof *c);

	if (!verify_op_begin(v, &c->op, check_late, check_clear)) {
		free(c);
		return KZ_BUSY;
	}
	c->done = done;
	c->arg = arg;
	c->binding =
	    t->binding ? keyring_lookup(v->base.keyring, "binding", t->binding, strlen(t->binding)) : 0;
	c->token = verify_token(v, &t->request, "try", t->id);
	memcpy(c->key_hash, t->request.key_hash, SECRET_HASH);
	memcpy(c->digits, t->digits, strlen(t->digits) + 1);
	if (t->request.client)
		memcpy(c->client, t->request.client, strlen(t->request.client) + 1);
	c->quest = (struct code_quest){.id = t->id,
	    .client = t->request.client ? c->client : NULL,
	    .token = c->token,
	    .done = check_on_found};
	codes_find(v->base.codes, &c->quest);
	return KZ_OK;
}
