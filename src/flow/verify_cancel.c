/* Cancelling: of both codes of a pair, one after the other, since each has its own verdict. */
#include <stdlib.h>

#include "base/ids.h"
#include "base/mem.h"
#include "flow/verify_body.h"
#include "store/codes_show.h"

struct cancel {
	struct verify_op op;
	verify_tried_fn *done;
	void *arg;
	struct code_state codes[VERIFY_PHONES];
	size_t n, at;
	struct verify_tried tried;
};

static void cancel_clear(struct verify_op *op)
{
	(void)op;
}

static void cancel_late(struct verify_op *op)
{
	struct cancel *c = (struct cancel *)op;

	c->tried.word = VERIFY_LOST;
	c->done(c->arg, &c->tried);
}

static void cancel_end(struct cancel *c, enum verify_word word)
{
	c->tried.word = word;
	if (!c->op.answered)
		c->done(c->arg, &c->tried);
	verify_op_end(&c->op);
}

/* What the whole came to: one that was approved stays so, and is told before all else. */
static void cancel_note(struct cancel *c, enum code_verdict v)
{
	if (c->at == 0 || v == CODE_APPROVED ||
	    (v == CODE_CANCELLED && c->tried.why.verdict != CODE_APPROVED))
		c->tried.why.verdict = v;
	c->at++;
}

static void cancel_step(struct cancel *c);

static void cancel_on_ruled(void *arg, enum kz r, const struct code_stand *s)
{
	struct cancel *c = arg;

	if (r != KZ_OK || c->op.answered) {
		cancel_end(c, VERIFY_LOST);
		return;
	}
	cancel_note(c, s->verdict);
	cancel_step(c);
}

static void cancel_rule(struct cancel *c, uint64_t id)
{
	struct verify *v = c->op.verify;
	struct code_ruling *r = mem_new(sizeof *r);

	*r = (struct code_ruling){.id = id,
	    .at_us = loop_clock(v->base.loop)->wall_us(),
	    .verdict = CODE_CANCELLED,
	    .done = cancel_on_ruled,
	    .arg = c};
	codes_rule(v->base.codes, r);
}

static void cancel_step(struct cancel *c)
{
	int64_t now_us = loop_clock(c->op.verify->base.loop)->wall_us();

	for (; c->at < c->n;) {
		const struct code_state *s = &c->codes[c->at];

		if (s->verdict)
			cancel_note(c, s->verdict);
		else if (s->expires_us <= now_us)
			cancel_note(c, CODE_EXPIRED);
		else {
			cancel_rule(c, s->id);
			return;
		}
	}
	cancel_end(c, c->tried.why.verdict == CODE_APPROVED ? VERIFY_OVER : VERIFY_OK);
}

static void cancel_on_code(void *arg, const struct code_shown *code)
{
	struct cancel *c = arg;
	int64_t now_ms = clock_wall_ms(loop_clock(c->op.verify->base.loop));

	if (c->n < VERIFY_PHONES && ids_wall_ms(code->state.id) + CODE_READ_MS > now_ms)
		c->codes[c->n++] = code->state;
}

static void cancel_on_shown(void *arg, enum kz r)
{
	struct cancel *c = arg;

	if (r != KZ_OK || c->op.answered)
		cancel_end(c, VERIFY_LOST);
	else if (!c->n)
		cancel_end(c, VERIFY_NOT_FOUND);
	else
		cancel_step(c);
}

enum kz verify_cancel(
    struct verify *v, uint64_t id, const struct verify_request *request, verify_tried_fn *done, void *arg)
{
	struct cancel *c = mem_new(sizeof *c);

	if (!verify_op_begin(v, &c->op, cancel_late, cancel_clear)) {
		free(c);
		return KZ_BUSY;
	}
	c->done = done;
	c->arg = arg;
	if (codes_show(v->base.pg, v->base.keyring, id, request->client, loop_clock(v->base.loop)->wall_us(),
	        cancel_on_code, cancel_on_shown, c) == KZ_OK)
		return KZ_OK;
	verify_op_end(&c->op);
	return KZ_BUSY;
}
