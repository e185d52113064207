/* One notice that is due: what is known of it becomes the past that the law judges, and what the law says is
 * begun. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/notices_body.h"
#include "store/person.h"

#define SHUT_MS 60000 /* until its key, its region or its row may be there */

/* What it is of no use after: of a referral its end as it is now. */
static int64_t judge_until_us(const struct notice_due *d)
{
	return notice_ends(d->kind) && d->has_referral ? d->referral_to_us : d->until_us;
}

static struct notice_facts judge_facts(const struct notice_due *d, const struct region *r)
{
	const char *name = d->kindergarten[d->language < LANGUAGES ? d->language : LANGUAGE_KK];

	return (struct notice_facts){.application = d->application,
	    .referral = d->kind >= NOTICE_OFFERED && d->kind <= NOTICE_CANCELLED ? (uint64_t)d->subject : 0,
	    .kindergarten = name ? mem_str(name) : NULL,
	    .place = d->detail ? mem_str(d->detail) : NULL,
	    .until_us = judge_until_us(d),
	    .offset_min = r->offset_min};
}

static struct errand *errand_new(struct notices *n, const struct notice_due *d, const struct region *r)
{
	struct errand *e = mem_new(sizeof *e);

	*e = (struct errand){.notices = n,
	    .id = d->id,
	    .application = d->application,
	    .kind = d->kind,
	    .state = d->state,
	    .language = d->language < LANGUAGES ? d->language : LANGUAGE_KK,
	    .api_key = d->api_key,
	    .sends = d->sends,
	    .mails = d->mails,
	    .by_queue = d->kind == NOTICE_NUMBER && d->status == APPLICATION_WAITING};
	snprintf(e->link, sizeof e->link, "%s", d->link);
	if (r)
		e->facts = judge_facts(d, r);
	list_append(&n->busy, &e->node);
	metric_set(n->busy_gauge, (double)n->busy.count);
	return e;
}

/* Who called is told, else the first. */
static size_t judge_phone(const struct keyring *k, const struct notice_due *d, const struct applicant *person)
{
	for (size_t i = 0; d->caller && i < person->phones_n; i++)
		if (person_phone(k, person->phones[i]) == d->caller)
			return i;
	return 0;
}

/* Whom it goes to now. KZ_NOT_FOUND: what is sealed cannot be opened now; KZ_INVALID: never. */
static enum kz judge_open(
    const struct notices *n, const struct notice_due *d, struct applicant *person, struct msisdn *ret_to)
{
	const struct keyring *k = n->base.keyring;
	enum kz r = applicant_open(k, d->application, d->person, d->person_n, person);

	if (r != KZ_OK)
		return r;
	if (d->sealed)
		return applicant_open_phone(k, d->id, d->sealed, d->sealed_n, ret_to);
	*ret_to = person->phones[d->to_second ? person->phones_n - 1 : judge_phone(k, d, person)];
	return KZ_OK;
}

/* Of a reminder, and of the words that an end was moved: it was moved again, and another notice says so. */
static bool judge_was_moved(const struct notice_due *d)
{
	return (d->kind == NOTICE_REMIND || d->kind == NOTICE_EXTENDED) && d->has_referral && d->until_us &&
	       d->until_us != d->referral_to_us;
}

static struct notice_past judge_past(
    const struct notices *n, const struct notice_due *d, const struct applicant *person, struct msisdn to)
{
	bool sent = d->state == NOTICE_SENT;

	return (struct notice_past){.kind = d->kind,
	    .state = d->state,
	    .sends = d->sends,
	    .until_us = judge_until_us(d),
	    .alarm_us = d->alarm_us,
	    .arrived = d->arrived,
	    .awaited = d->caller != 0,
	    .stale = notice_is_stale(d->kind, d->referral, d->status, d->free) || judge_was_moved(d),
	    .to_second = d->to_second,
	    .message = {.state = d->message_state,
	        .sent_ms = ids_wall_ms(d->message),
	        .submitted_ms = d->submitted_us / 1000,
	        .second = !d->sealed && person->phones_n > 1,
	        .elsewhere = sent && send_beside(n->base.send, to, d->link) != SEND_SAME}};
}

/* By email where the parent wanted that, but for what is about the phones themselves, or was done by one: its
 * page says that an SMS follows. */
static bool judge_by_mail(const struct notices *n, const struct notice_due *d, const struct applicant *person)
{
	return n->base.mail && d->channel == NOTICE_EMAIL && *person->email && d->mails >= 0 && !d->caller &&
	       d->sends == 0 && notice_has_email(d->kind);
}

static void judge_follow(struct errand *e, const struct notice_plan *p)
{
	switch (p->step) {
	case NOTICE_STEP_WAIT:
		errand_rule(e, e->state, p->at_us, e->mails);
		break;
	case NOTICE_STEP_END:
		errand_rule(e, p->state, 0, e->mails);
		break;
	case NOTICE_STEP_ALARM:
		errand_alarm(e);
		break;
	case NOTICE_STEP_SEND:
		if (*e->email)
			errand_mail(e);
		else
			errand_send(e);
		break;
	}
}

static void judge_open_one(struct errand *e, const struct notice_due *d, const struct region *r,
    const struct applicant *person, struct msisdn to)
{
	struct notices *n = e->notices;
	const struct conf *c = n->files.conf;
	const struct notice_waits waits = {c->notice_number_wait_ms, c->notice_receipt_wait_ms};
	const struct notice_past past = judge_past(n, d, person, to);
	const struct notice_plan plan = notice_plan(&past, r, &waits, notices_now_us(n));

	e->remedy = plan.remedy;
	e->to = plan.remedy == REMEDY_PHONE ? person->phones[person->phones_n - 1] : to;
	if (judge_by_mail(n, d, person))
		snprintf(e->email, sizeof e->email, "%s", person->email);
	judge_follow(e, &plan);
}

/* Nobody can be told, now or ever, but an alarm comes all the same. */
static void judge_shut_one(struct errand *e, const struct notice_due *d, enum kz why)
{
	if (d->alarm_us && d->alarm_us <= notices_now_us(e->notices))
		errand_alarm(e);
	else if (why == KZ_INVALID)
		errand_rule(e, NOTICE_FAILED, 0, e->mails);
	else
		errand_wait_ms(e, SHUT_MS);
}

/* Of a slot that was left or lost since it was asked: whoever has it goes on. */
void notices_on_due(void *arg, const struct notice_due *d)
{
	struct notices *n = arg;
	struct applicant person;
	struct msisdn to = {0};

	if (!n->held[ids_slot(d->id)])
		return;
	const struct region *r = region_find(n->files.regions, d->region);
	struct errand *e = errand_new(n, d, r);
	enum kz opened = judge_open(n, d, &person, &to);
	if (!r || opened != KZ_OK)
		judge_shut_one(e, d, opened);
	else
		judge_open_one(e, d, r, &person, to);
	applicant_wipe(&person);
}
