/* SMS that follow from what was done: they are owed from the transaction of the deed itself, which is what
 * its page waits for, and kept by whoever finds them due: as a rule the daemon that did it, at once. That one
 * is kept twice by two daemons makes one message, by the token. What could not be kept, since nothing can be
 * or the operator's queue is full, is due again by itself: taking it was the only write that this needs. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/dial_turn.h"

#define TICK_MS  1000
#define LIFE_US  (23 * INT64_C(3600000000)) /* the key of its message is known for a day */
#define DEBT_SMS 0

/* One whose SMS is being kept; in the list `debts` of its dial. */
struct dial_debt {
	struct list_node node;
	struct dial *dial;
	int64_t token;
};

void dial_owe_to(struct dial *d, struct msisdn to, enum language l, int64_t token, const char *template,
    const struct template_param *params, size_t n, struct owed *ret)
{
	struct buf text = {.wiped = true};

	if (dial_sms_fill(d, l, template, params, n, &text))
		owed_seal(d->base.keyring, token, to, l, buf_text(&text), ret);
	buf_wipe(&text);
}

void dial_owe(const struct dial_call *c, const char *template, const struct template_param *params, size_t n,
    struct owed *ret)
{
	dial_owe_to(c->dial, c->phone, c->session.language, c->token, template, params, n, ret);
}

static void debt_on_added(void *arg, enum kz r)
{
	struct dial_call *c = arg;

	if (r == KZ_OK)
		dial_debts_speak(c->dial);
	answer_start(&c->answer, r == KZ_OK ? "ok" : "down");
	dial_answer(c);
}

void dial_owe_only(struct dial_call *c, const char *template, const struct template_param *params, size_t n)
{
	struct owed owed = {0};

	dial_owe(c, template, params, n, &owed);
	if (!owed.sealed.len || owed_add(dial_base_of(c->dial)->pg, &owed, debt_on_added, c) != KZ_OK)
		debt_on_added(c, KZ_LOST);
	owed_fini(&owed);
}

static void debt_over(struct dial *d, int64_t token, enum debt_end how)
{
	metric_add(d->debts_ended[how], 1);
	if (how != DEBT_AGAIN)
		owed_end(d->base.pg, token);
}

static void debt_free(struct dial_debt *o)
{
	list_remove(&o->dial->debts, &o->node);
	free(o);
}

static void debt_on_sms(void *arg, enum kz r)
{
	struct dial_debt *o = arg;
	struct dial *d = o->dial;

	debt_over(d, o->token, r == KZ_OK ? DEBT_TOLD : DEBT_AGAIN);
	debt_free(o);
	if (d->debts_more && d->debts.count < OWED_PAGE / 2)
		dial_debts_speak(d);
}

static void debt_on_each(void *arg, const struct owed_due *due)
{
	struct dial *d = arg;

	if (due->at_us + LIFE_US < dial_wall_ms(d) * 1000) {
		log_error("ussd", "an SMS that is owed to a parent could not be kept for a day");
		debt_over(d, due->token, DEBT_GIVEN_UP);
	} else if (!due->text) {
		debt_over(d, due->token, DEBT_AGAIN);
	} else {
		struct dial_debt *o = mem_new(sizeof *o);

		*o = (struct dial_debt){.dial = d, .token = due->token};
		list_append(&d->debts, &o->node);
		dial_sms_text(d, due->to, due->language, due->token, DEBT_SMS, due->text, debt_on_sms, o);
	}
}

static void debt_on_taken(void *arg, enum kz r, size_t n)
{
	struct dial *d = arg;

	d->debts_taking = false;
	d->debts_more = d->debts_more || (r == KZ_OK && n == OWED_PAGE);
	if (d->debts_more && d->debts.count < OWED_PAGE / 2)
		dial_debts_speak(d);
}

void dial_debts_speak(struct dial *d)
{
	d->debts_more = true;
	if (!d->stopped && !d->debts_taking)
		timer_start(d->debt_timer, 0);
}

/* Without a slot no SMS can be kept. */
void dial_debts_on_timer(void *arg)
{
	struct dial *d = arg;

	if (d->stopped)
		return;
	timer_start(d->debt_timer, TICK_MS);
	if (d->debts_taking || d->debts.count >= OWED_PAGE || feed_slot(d->base.feed) < 0)
		return;
	d->debts_more = false;
	d->debts_taking = owed_take(d->base.pg, d->base.keyring, dial_wall_ms(d) * 1000, debt_on_each,
	                      debt_on_taken, d) == KZ_OK;
}

void dial_debts_init(struct dial *d)
{
	static const char *const ends[DEBT_ENDS] = {"told", "again", "given_up"};
	char labels[32];

	list_init(&d->debts);
	d->debt_timer = timer_new(d->base.loop, dial_debts_on_timer, d);
	for (size_t i = 0; i < DEBT_ENDS; i++) {
		snprintf(labels, sizeof labels, "how=\"%s\"", ends[i]);
		d->debts_ended[i] = metric_counter("kezek_ussd_owed_total",
		    "SMS that follow from what was done by phone, each time that one was taken up", labels);
	}
}

void dial_debts_free(struct dial *d)
{
	list_each(&d->debts, n, next) debt_free(list_entry(n, struct dial_debt, node));
	timer_free(d->debt_timer);
}
