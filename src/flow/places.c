/* A request goes round: facts, judgement, writing. When something was not as it was judged any more, or the
 * answer to the writing was lost, it goes round again: what it did meanwhile it finds by its token. After
 * PLACES_MS it is told that nobody knows, and what has not left by then comes to nothing. To lock the rows
 * first and judge behind the lock was weighed: a round trip with the one lock held for each place. */
#include "flow/places.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "flow/places_body.h"

#define STALE_MOST 20

static const char *const kind_names[PLACES_KINDS] = {"take", "hear", "put", "show"};

static void op_free(struct places_op *op)
{
	struct places *p = op->places;

	referrals_abandon(p->referrals, &op->change);
	list_remove(op->told ? &p->told : &p->open, &op->node);
	buf_fini(&op->tier);
	buf_fini(&op->shares);
	free(op);
}

static enum places_result op_result(enum kz r)
{
	return r == KZ_OK ? PLACES_DONE : r == KZ_LOST ? PLACES_LOST : PLACES_REFUSED;
}

/* Once; the op is still there. */
static void op_tell(struct places_op *op, enum kz r, const struct places_answer *a)
{
	struct places *p = op->places;

	metric_add(p->answers[op->kind][op_result(r)], 1);
	list_remove(&p->open, &op->node);
	list_append(&p->told, &op->node);
	op->told = true;
	op->done(op->arg, r, a);
}

static void op_tell_lost(struct places_op *op)
{
	op_tell(op, KZ_LOST, &(struct places_answer){0});
}

static void op_finish(struct places_op *op, enum kz r, const struct places_answer *a)
{
	op_tell(op, r, a);
	op_free(op);
}

static void op_read(struct places_op *op)
{
	referrals_read(op->places->referrals, &op->quest);
}

/* Without a slot nothing can be written; what was lost before may stand all the same. */
static void op_judge(struct places_op *op, const struct referral_facts *f)
{
	struct places_answer a = {0};
	bool over = false;
	enum kz r = op->kind != PLACES_SHOW && feed_slot(op->places->base.feed) < 0
	                ? KZ_LOST
	                : places_judge(op, f, &a, &over);

	if (r == KZ_OK && !over)
		referrals_write(op->places->referrals, &op->change);
	else
		op_finish(op, r, &a);
}

static void op_on_read(struct referral_quest *q, enum kz r, const struct referral_facts *f)
{
	struct places_op *op = list_entry(q, struct places_op, quest);

	if (op->told)
		op_free(op);
	else if (r == KZ_LOST)
		op_read(op);
	else if (r != KZ_OK)
		op_finish(op, KZ_LOST, &(struct places_answer){0});
	else
		op_judge(op, f);
}

static void op_on_written(struct referral_change *c, enum kz r, uint64_t number)
{
	struct places_op *op = list_entry(c, struct places_op, change);
	struct places_answer a = {.created = !c->judged.referral.seq};

	op->stale += r == KZ_CONFLICT;
	metric_add(op->places->stale, r == KZ_CONFLICT);
	if (op->told) {
		op_free(op);
	} else if (r == KZ_OK) {
		c->judged.referral.number = number;
		a.referral = places_referral_of(&c->judged.referral);
		op_finish(op, KZ_OK, &a);
	} else if (r == KZ_REFUSED || op->stale > STALE_MOST) {
		op_finish(op, KZ_LOST, &a);
	} else {
		op_read(op);
	}
}

static struct places_op *places_first(const struct places *p)
{
	struct list_node *n = list_first(&p->open);

	return n ? list_entry(n, struct places_op, node) : NULL;
}

static void places_arm(struct places *p)
{
	const struct places_op *first = places_first(p);
	int64_t wait_ms = first ? first->give_up_ms - loop_now_ms(p->base.loop) : 0;

	if (first)
		timer_start(p->timer, wait_ms > 0 ? wait_ms : 0);
}

static void places_give_up(struct places_op *op)
{
	op->change.dropped = true;
	op_tell_lost(op);
}

static void places_on_late(void *arg)
{
	struct places *p = arg;
	struct places_op *first;

	while ((first = places_first(p)) != NULL && first->give_up_ms <= loop_now_ms(p->base.loop))
		places_give_up(first);
	places_arm(p);
}

static size_t places_room(const struct places_op *like)
{
	return like->via == NEWS_BY_USSD ? PLACES_OPEN + PLACES_PHONE : PLACES_OPEN;
}

static enum kz places_begin(struct places *p, const struct places_op *like, places_done_fn *done, void *arg)
{
	struct places_op *op;

	if (p->stopped || p->open.count + p->told.count >= places_room(like) ||
	    (like->kind != PLACES_SHOW && feed_slot(p->base.feed) < 0))
		return KZ_BUSY;
	op = mem_new(sizeof *op);
	*op = *like;
	op->places = p;
	op->done = done;
	op->arg = arg;
	op->give_up_ms = loop_now_ms(p->base.loop) + PLACES_MS;
	op->quest = (struct referral_quest){.referral = like->wish.referral,
	    .application = like->wish.application,
	    .play_group = like->wish.play_group,
	    .token = like->token,
	    .done = op_on_read};
	op->change.done = op_on_written;
	list_append(&p->open, &op->node);
	if (!timer_is_armed(p->timer))
		places_arm(p);
	op_read(op);
	return KZ_OK;
}

enum kz places_take(struct places *p, const struct places_take *t, places_done_fn *done, void *arg)
{
	const struct places_op like = {.kind = PLACES_TAKE,
	    .wish = {.application = t->application, .play_group = t->play_group},
	    .via = t->via,
	    .token = t->token,
	    .caller = t->caller};

	return places_begin(p, &like, done, arg);
}

enum kz places_hear(struct places *p, const struct places_hear *h, places_done_fn *done, void *arg)
{
	const struct places_op like = {.kind = PLACES_HEAR,
	    .wish = {.referral = h->referral},
	    .event = h->event,
	    .via = h->via,
	    .token = h->token,
	    .caller = h->caller};

	return places_begin(p, &like, done, arg);
}

enum kz places_put(struct places *p, const struct places_put *w, places_done_fn *done, void *arg)
{
	const struct places_op like = {.kind = PLACES_PUT, .wish = *w, .via = NEWS_BY_PORTAL};

	return places_begin(p, &like, done, arg);
}

enum kz places_show(struct places *p, uint64_t referral, places_done_fn *done, void *arg)
{
	const struct places_op like = {.kind = PLACES_SHOW, .wish = {.referral = referral}};

	return places_begin(p, &like, done, arg);
}

static void places_make_metrics(struct places *p)
{
	static const char *const results[PLACES_RESULTS] = {"done", "refused", "lost"};
	char labels[64];

	for (int k = 0; k < PLACES_KINDS; k++)
		for (int r = 0; r < PLACES_RESULTS; r++) {
			snprintf(
			    labels, sizeof labels, "request=\"%s\",result=\"%s\"", kind_names[k], results[r]);
			p->answers[k][r] = metric_counter(
			    "kezek_places_total", "Requests for places and about referrals", labels);
		}
	p->stale = metric_counter("kezek_places_stale_total",
	    "Judgements that were not written, as something had changed meanwhile", "");
}

/* One flight of each kind: facts that come back in another order than they were asked would give the last
 * place to who came later. */
static struct batch_limits places_limits(const struct conf *c)
{
	return (struct batch_limits){(size_t)c->database_batch_rows, c->database_batch_ms, 1};
}

struct places *places_new(const struct places_base *base, const struct places_files *files)
{
	struct places *p = mem_new(sizeof *p);
	const struct batch_limits limits = places_limits(files->conf);

	p->base = *base;
	p->files = *files;
	p->referrals = referrals_new(base->loop, base->pg, base->feed, &limits);
	list_init(&p->open);
	list_init(&p->told);
	p->timer = timer_new(base->loop, places_on_late, p);
	places_make_metrics(p);
	return p;
}

void places_set_files(struct places *p, const struct places_files *files)
{
	const struct batch_limits limits = places_limits(files->conf);

	p->files = *files;
	referrals_set_limits(p->referrals, &limits);
}

void places_stop(struct places *p)
{
	struct places_op *first;

	p->stopped = true;
	while ((first = places_first(p)) != NULL)
		places_give_up(first);
}

void places_free(struct places *p)
{
	struct list_node *n;

	if (!p)
		return;
	places_stop(p);
	referrals_stop(p->referrals);
	while ((n = list_first(&p->told)) != NULL)
		op_free(list_entry(n, struct places_op, node));
	referrals_free(p->referrals);
	timer_free(p->timer);
	free(p);
}
