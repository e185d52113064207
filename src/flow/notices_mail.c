/* By email: what the mail server took counts as delivered, as it says nothing more; what it refuses for good,
 * or cannot take for long, goes by SMS. A letter that may have been taken is said again under the same
 * Message-ID. */
#include <stdio.h>

#include "base/ids.h"
#include "base/log.h"
#include "flow/notices_body.h"

#define FULL_MS 5000

static void mail_by_sms(struct errand *e)
{
	metric_add(e->notices->again[NOTICES_BY_SMS], 1);
	errand_rule(e, e->state, notices_now_us(e->notices), -1);
}

static void mail_again(struct errand *e)
{
	unsigned tries = (unsigned)e->mails + 1;
	int64_t wait_ms = notice_mail_wait_ms(e->kind, tries);

	if (wait_ms < 0)
		mail_by_sms(e);
	else
		errand_rule(e, e->state, notices_now_us(e->notices) + wait_ms * 1000, (int)tries);
}

static void mail_on_answer(void *arg, const struct mail_answer *a)
{
	struct errand *e = arg;
	char id[IDS_TEXT];

	if (a->outcome == MAIL_ACCEPTED) {
		metric_add(e->notices->sent[e->kind][NOTICE_EMAIL], 1);
		errand_rule(e, NOTICE_DELIVERED, 0, e->mails + 1);
		return;
	}
	log_info(ids_text(e->id, id), "not handed over as an email, notice=%s, reason=%s, code=%d%s%s%s",
	    notice_kind_name(e->kind), mail_reason_name(a->reason), a->code, *a->enhanced ? " " : "",
	    a->enhanced, a->in_doubt ? ", it may have been taken" : "");
	if (a->outcome == MAIL_PERMANENT)
		mail_by_sms(e);
	else
		mail_again(e);
}

/* The number of an application has its 15 minutes, and so many letters may stand before it that its turn does
 * not come in time. */
static void mail_find_full(struct errand *e)
{
	if (e->kind == NOTICE_NUMBER)
		mail_again(e);
	else
		errand_wait_ms(e, FULL_MS);
}

void errand_mail(struct errand *e)
{
	struct notices *n = e->notices;
	struct buf subject = {0}, text = {0};
	char id[IDS_TEXT], letter[MAIL_ID + 1];

	if (errand_asks_queue(e))
		return;
	snprintf(letter, sizeof letter, "notice-%s", ids_text(e->id, id));
	notice_email(n->files.emails, e->kind, e->language, &e->facts, &subject, &text);
	const struct mail m = {.id = letter,
	    .to = e->email,
	    .subject = buf_text(&subject),
	    .text = buf_text(&text),
	    .language = language_name(e->language),
	    .unsubscribe = n->files.conf->mail_unsubscribe};
	enum kz r = mail_client_send(n->base.mail, &m, mail_on_answer, e);
	if (r == KZ_INVALID)
		mail_by_sms(e);
	else if (r != KZ_OK)
		mail_find_full(e);
	buf_fini(&subject);
	buf_fini(&text);
}
