/* notice_text: the texts of notices, by the templates of dialogs/sms.yaml and the emails of dialogs/mail.yaml
 * that each kind has, both under one name. That they are there and ask for nothing else than a notice has is
 * proved when they are loaded. */
#ifndef RULES_NOTICE_TEXT_H
#define RULES_NOTICE_TEXT_H

#include <stdint.h>

#include "base/buf.h"
#include "rules/notice.h"
#include "text/email.h"
#include "text/template.h"

/* What a notice may tell of. Zero or NULL: it has none. */
struct notice_facts {
	uint64_t application, referral;
	uint64_t position;                /* in the queue; 0: it is not in it */
	const char *kindergarten, *place; /* UTF-8 of any length: cut to what the template has room for */
	int64_t until_us;
	int64_t offset_min; /* by which the region's time is before UTC */
};

/* The template of a kind; a notice of NOTICE_NUMBER without a position has another one. */
const char *notice_template(enum notice_kind k, bool in_queue);
/* Appends the text of an SMS. */
void notice_text(const struct templates *t, enum notice_kind k, enum language l, const struct notice_facts *f,
    struct buf *out);
/* false: what it tells of a phone goes to that phone alone. */
bool notice_has_email(enum notice_kind k);
/* Appends the subject, of one line and at most EMAIL_SUBJECT octets, and the text, of at most EMAIL_TEXT. The
 * kind has an email. */
void notice_email(const struct emails *e, enum notice_kind k, enum language l, const struct notice_facts *f,
    struct buf *subject, struct buf *text);
/* A fault for each template or email of notices that is missing, or has a parameter that its notices do not
 * bring. */
void notice_texts_check(const struct templates *t, const char *path, struct faults *faults);
void notice_emails_check(const struct emails *e, const char *path, struct faults *faults);

#endif
