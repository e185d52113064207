/* A change of a referral, or a new one, as it is to be written: its ends and reminders, the turn that the
 * queue has served by it, and what its parent is told. */
#include "base/ids.h"
#include "flow/places_body.h"

#define DAY_US INT64_C(86400000000)

int64_t places_change_now_us(const struct places_op *op)
{
	int64_t now_us = loop_clock(op->places->base.loop)->wall_us();

	return now_us - now_us % 1000;
}

int64_t places_change_end_us(
    const struct places_op *op, const struct region *region, enum region_clock clock, int64_t from_us)
{
	const struct span span = region->clocks[clock];

	return span.n ? calendar_add(op->places->files.calendar, from_us, span, region->offset_min) : 0;
}

int64_t places_change_remind_us(int64_t to_us, int64_t now_us)
{
	return to_us - DAY_US > now_us ? to_us - DAY_US : 0;
}

void places_change_notice(
    struct places_op *op, enum notice_kind kind, const struct region *region, int64_t end_us)
{
	struct referral_judged *j = &op->change.judged;

	j->notice = send_id(op->places->base.send);
	j->notice_kind = kind;
	j->look_us = j->caller ? j->at_us : notice_due_us(kind, region, j->at_us, end_us);
	j->until_us = end_us;
}

void places_change_turn(struct places_op *op, const struct region *region, const struct region_category *own)
{
	buf_clear(&op->tier);
	buf_clear(&op->shares);
	for (size_t i = 0; i < region->categories_n; i++) {
		const struct region_category *c = &region->categories[i];

		if (c->tier != own->tier)
			continue;
		buf_printf(&op->tier, "%s%s", op->tier.len ? "," : "", c->id);
		buf_printf(&op->shares, "%s%lld", op->shares.len ? "," : "", (long long)c->share);
	}
	op->change.judged.tier = buf_text(&op->tier);
	op->change.judged.shares = buf_text(&op->shares);
}

void places_change_begin(struct places_op *op, const struct referral_facts *f, int64_t now_us)
{
	op->change.judged = (struct referral_judged){
	    .referral = {.number = op->wish.referral,
	        .application = op->wish.application,
	        .play_group = op->wish.play_group,
	        .life = {.status = REFERRAL_OFFERED, .from_us = op->wish.from_us, .to_us = op->wish.to_us}},
	    .application_seq = f->application_seq,
	    .takes = true,
	    .terms = f->terms,
	    .application = APPLICATION_REFERRED,
	    .token = op->token,
	    .event = REFERRAL_TAKE,
	    .via = op->via,
	    .caller = op->caller,
	    .at_us = now_us,
	    .news = -1};
}

/* The reminder of an end that was moved is a new one; what is over needs none. */
static int64_t change_next_remind_us(
    const struct referral_row *was, const struct referral_life *next, int64_t now_us)
{
	if (!places_is_open(next->status))
		return 0;
	return next->to_us == was->life.to_us ? was->remind_us : places_change_remind_us(next->to_us, now_us);
}

void places_change_next(
    struct places_op *op, const struct referral_facts *f, const struct referral_life *next, int64_t now_us)
{
	op->change.judged = (struct referral_judged){.referral = f->referral,
	    .application_seq = f->application_seq,
	    .application = f->application.status,
	    .token = op->token,
	    .event = (int)op->event,
	    .via = op->via,
	    .caller = op->caller,
	    .at_us = now_us,
	    .news = -1};
	op->change.judged.referral.life = *next;
	op->change.judged.referral.remind_us = change_next_remind_us(&f->referral, next, now_us);
}
