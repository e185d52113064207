/* notices: the journey of what a parent is told of an application, from the row that its change left to a
 * good receipt: by SMS, or by email where the parent wanted that; what did not arrive once more by another
 * link, then to the second phone; and an alarm when the application's number is late. It works through the
 * notices of the slots that are held, so what a daemon leaves behind whoever takes its slot goes on with. */
#ifndef FLOW_NOTICES_H
#define FLOW_NOTICES_H

#include "base/keyring.h"
#include "flow/send.h"
#include "net/mail.h"
#include "rules/notice.h"
#include "rules/region.h"
#include "text/template.h"

#define NOTICES_BUSY 512 /* under way at once */

struct notices;

/* All outlive it. */
struct notices_base {
	struct loop *loop;
	struct pg *pg;
	struct feed *feed;
	struct send *send;
	const struct keyring *keyring;
	struct mail_client *mail; /* NULL: all goes by SMS. It may go before the notices do */
};

/* The snapshot in force; it outlives the notices or is replaced by the next notices_set_files. */
struct notices_files {
	const struct conf *conf;
	const struct regions *regions;
	const struct templates *templates; /* notice_texts_check found no fault in them */
	const struct emails *emails;       /* likewise notice_emails_check */
};

struct notices *notices_new(
    const struct notices_base *base, const struct notices_files *files, const struct batch_limits *limits);
void notices_set_files(struct notices *n, const struct notices_files *files);

void notices_take_slot(struct notices *n, uint8_t slot);
/* The slot is given to another daemon; how many of its notices are still under way. */
size_t notices_leave_slot(struct notices *n, uint8_t slot);
void notices_lose_slots(struct notices *n);
/* A message ended and was not delivered; it may be no notice. For send_on_lost. */
void notices_hear_lost(struct notices *n, uint64_t message_id);
/* Told of each notice whose first SMS is kept. */
typedef void notices_told_fn(void *arg, enum notice_kind k, struct msisdn to, uint64_t application);
void notices_on_told(struct notices *n, notices_told_fn *told, void *arg);
/* Nothing more is read or told. */
void notices_stop(struct notices *n);
/* What is under way is forgotten. NULL is fine. */
void notices_free(struct notices *n);

#endif
