/* notices_body: what the files of the notices' journey share: src/flow/notices*.c only. */
#ifndef FLOW_NOTICES_BODY_H
#define FLOW_NOTICES_BODY_H

#include "base/list.h"
#include "base/metrics.h"
#include "flow/notices.h"
#include "rules/notice_plan.h"
#include "rules/notice_text.h"
#include "store/applicant.h"
#include "store/notice_desk.h"

#define NOTICES_HEARD 10000 /* messages that ended badly and are asked about */

enum notices_how { NOTICES_BY_LINK, NOTICES_BY_PHONE, NOTICES_BY_SMS, NOTICES_HOWS };

struct notices {
	struct notices_base base;
	struct notices_files files;
	struct notice_desk *desk;
	bool held[IDS_SLOTS], stopped, more;
	uint64_t reading, hearing; /* tickets, 0: none is out */
	struct timer *tick, *hear_timer;
	struct list busy; /* struct errand */
	uint64_t heard[NOTICES_HEARD];
	size_t heard_n;
	notices_told_fn *told; /* NULL: nobody asks */
	void *told_arg;
	struct metric *sent[NOTICE_KINDS][NOTICE_CHANNELS], *again[NOTICES_HOWS], *ended[NOTICE_STATES];
	struct metric *late, *unheard, *busy_gauge;
};

/* One notice under way: from the look at it until what came of that is written. Owned by busy. */
struct errand {
	struct list_node node;
	struct notices *notices;
	struct notice_ruling ruling;
	struct feed_hold feed; /* of an alarm */
	struct timer *again;   /* of an alarm whose commit was lost */
	uint64_t id, application;
	enum notice_kind kind;
	enum notice_state state;
	enum language language;
	enum remedy remedy;
	struct notice_facts facts; /* kindergarten and place are ours */
	struct msisdn to;
	char email[APPLICANT_EMAIL + 1]; /* "": by SMS */
	char link[48];                   /* that lost what is sent again; "" */
	int32_t api_key;
	unsigned sends;
	int mails;
	bool by_queue; /* its text needs the position */
};

/* notices.c */
/* What was decided is written, and the errand over then. look_at_us 0: not again. */
void errand_rule(struct errand *e, enum notice_state becomes, int64_t look_at_us, int mails);
/* Looked at again, as it is. */
void errand_wait_ms(struct errand *e, int64_t wait_ms);
/* Nothing is written: whoever reads it next sees what is so. */
void errand_free(struct errand *e);
int64_t notices_now_us(const struct notices *n);

/* notices_judge.c */
/* Looks at one that is due, and begins what follows. */
notice_due_fn notices_on_due;

/* notices_send.c */
/* To the phone, by a message that is kept together with its mark. */
void errand_send(struct errand *e);
/* The position is asked for, once, and e goes on when it is known; false: it needs none, or has it. */
bool errand_asks_queue(struct errand *e);

/* notices_mail.c */
void errand_mail(struct errand *e);

/* notices_alarm.c */
void errand_alarm(struct errand *e);

#endif
