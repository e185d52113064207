#include "rules/notice_plan.h"

#define MINUTE_MS         INT64_C(60000)
#define NUMBER_MAILS      3
#define OTHER_MAILS       8
#define MAIL_WAIT_MOST_MS (60 * MINUTE_MS)

bool notice_ends(enum notice_kind k)
{
	return k != NOTICE_NUMBER && k != NOTICE_PHONE && k != NOTICE_DECLINED && k != NOTICE_EXPIRED &&
	       k != NOTICE_CANCELLED;
}

bool notice_is_stale(
    enum notice_kind k, enum referral_status referral, enum application_status application, bool free)
{
	switch (k) {
	case NOTICE_OFFERED:
		return referral != REFERRAL_OFFERED;
	case NOTICE_TAKEN:
	case NOTICE_REMIND:
	case NOTICE_EXTENDED:
		return referral != REFERRAL_OFFERED && referral != REFERRAL_ACCEPTED;
	case NOTICE_ACCEPTED:
		return referral != REFERRAL_ACCEPTED;
	case NOTICE_PLACE:
		return application != APPLICATION_WAITING || !free;
	default:
		return false;
	}
}

static struct notice_plan plan_wait(int64_t at_us)
{
	return (struct notice_plan){.step = NOTICE_STEP_WAIT, .at_us = at_us};
}

static struct notice_plan plan_end(enum notice_state s)
{
	return (struct notice_plan){.step = NOTICE_STEP_END, .state = s};
}

/* Quiet hours hold for what goes once more, too, but not for who is awake. */
static struct notice_plan plan_send(
    const struct notice_past *past, enum remedy remedy, const struct region *r, int64_t now_us)
{
	bool awake = past->awaited && remedy != REMEDY_PHONE;
	int64_t due_us = awake ? now_us : notice_due_us(past->kind, r, now_us, past->until_us);

	if (due_us > now_us)
		return plan_wait(due_us);
	return (struct notice_plan){.step = NOTICE_STEP_SEND, .remedy = remedy};
}

/* What it was not tried by. */
static struct remedy_rule plan_ways(const struct notice_past *past, int64_t wait_ms)
{
	struct remedy_rule rule = {.wait_ms = wait_ms};

	if (past->sends == 1)
		rule.ways[rule.ways_n++] = REMEDY_LINK;
	if (past->sends <= 2 && !past->to_second)
		rule.ways[rule.ways_n++] = REMEDY_PHONE;
	return rule;
}

/* No way is left: until it is known what became of the message. */
static struct notice_plan plan_last(const struct notice_past *past, int64_t wait_ms, int64_t now_us)
{
	if (past->message.state == MESSAGE_UNCONFIRMED)
		return plan_wait(0);
	if (message_state_is_final(past->message.state))
		return plan_end(NOTICE_FAILED);
	return plan_wait(now_us + wait_ms * 1000);
}

static struct notice_plan plan_sent(
    const struct notice_past *past, const struct region *r, const struct notice_waits *waits, int64_t now_us)
{
	int64_t wait_ms = past->kind == NOTICE_NUMBER ? waits->number_ms : waits->other_ms;
	const struct remedy_rule rule = plan_ways(past, wait_ms);
	const struct remedy_plan plan = remedy_plan(&rule, &past->message, now_us / 1000);

	if (plan.remedy != REMEDY_NONE)
		return plan_send(past, plan.remedy, r, now_us);
	if (plan.wait_ms > 0 && rule.ways_n)
		return plan_wait(now_us + plan.wait_ms * 1000);
	return plan_last(past, wait_ms, now_us);
}

struct notice_plan notice_plan(
    const struct notice_past *past, const struct region *r, const struct notice_waits *waits, int64_t now_us)
{
	bool over = past->stale || (notice_ends(past->kind) && past->until_us && past->until_us <= now_us);

	if (past->arrived)
		return plan_end(NOTICE_DELIVERED);
	if (past->alarm_us && past->alarm_us <= now_us)
		return (struct notice_plan){.step = NOTICE_STEP_ALARM};
	if (past->state != NOTICE_WAITING && past->state != NOTICE_SENT)
		return plan_wait(0);
	if (past->state == NOTICE_WAITING)
		return over ? plan_end(NOTICE_DROPPED) : plan_send(past, REMEDY_NONE, r, now_us);
	if (over)
		return message_state_is_final(past->message.state) ? plan_end(NOTICE_FAILED) : plan_wait(0);
	return plan_sent(past, r, waits, now_us);
}

int64_t notice_mail_wait_ms(enum notice_kind k, unsigned n)
{
	int64_t wait_ms = MINUTE_MS;

	if (n >= (k == NOTICE_NUMBER ? NUMBER_MAILS : OTHER_MAILS))
		return -1;
	for (unsigned i = 1; i < n && k != NOTICE_NUMBER; i++)
		wait_ms *= 2;
	return wait_ms < MAIL_WAIT_MOST_MS ? wait_ms : MAIL_WAIT_MOST_MS;
}
