/* referral: the law of a referral's life, pure: which events it hears in which status, and what becomes of
 * its place and its application. Times are Unix microseconds. Numbers of statuses are stored: never
 * renumber. */
#ifndef RULES_REFERRAL_H
#define RULES_REFERRAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/result.h"
#include "rules/application.h"

/* Open while OFFERED or ACCEPTED. */
enum referral_status {
	REFERRAL_OFFERED = 0,
	REFERRAL_ACCEPTED = 1,
	REFERRAL_DECLINED = 2,
	REFERRAL_EXPIRED = 3,
	REFERRAL_CANCELLED = 4,
	REFERRAL_ENROLLED = 5,
	REFERRAL_STATUSES
};

enum referral_event {
	REFERRAL_ACCEPT,
	REFERRAL_DECLINE,
	REFERRAL_EXTEND,
	REFERRAL_EXPIRE, /* the clock's */
	REFERRAL_CANCEL, /* the portal's: nobody's fault */
	REFERRAL_ENROL,  /* the portal's: the child is in */
	REFERRAL_EVENTS
};

enum referral_verdict {
	REFERRAL_OK,
	REFERRAL_NOT_BEGUN, /* the parent may act from its start on */
	REFERRAL_PAST_END,
	REFERRAL_NOT_DUE, /* to expire, before its end */
	REFERRAL_NOT_ACCEPTED,
	REFERRAL_NO_EXTENSION, /* the region gives none that would end later */
	REFERRAL_ALREADY_EXTENDED,
	REFERRAL_ALREADY_ACCEPTED,
	REFERRAL_ALREADY_DECLINED,
	REFERRAL_ALREADY_CANCELLED,
	REFERRAL_ALREADY_ENROLLED,
	REFERRAL_VERDICTS
};

/* "offered", ... and "accept", ... and "ok", "past_end", ...: words of the API. "unknown" for a number that
 * is none. */
const char *referral_status_name(enum referral_status s);
const char *referral_event_name(enum referral_event e);
const char *referral_verdict_name(enum referral_verdict v);
/* KZ_INVALID when text is none of the names. */
enum kz referral_status_parse(const char *text, enum referral_status *ret) KZ_CHECK;

/* A referral: good from from_us, no longer at to_us. */
struct referral_life {
	enum referral_status status;
	bool extended;
	int64_t from_us, to_us;
};

/* What a parent is told of one in status s with the end to_us: from its end on an open one has expired,
 * whether the clock has written so or not. */
enum referral_status referral_stands(enum referral_status s, int64_t to_us, int64_t now_us);

/* What the region's law makes of an event on this referral. What is reckoned by its start or its end does not
 * change with the moment at which the clock got round to it. */
struct referral_law {
	bool decline_annuls;      /* a decline ends the application; else it keeps its place in the queue */
	int64_t documents_end_us; /* the end when it is accepted now; 0: accepting moves no end */
	int64_t extension_end_us; /* the end when it is extended: by its start; 0: there is no extension */
	int64_t stop_list_end_us; /* how long who lets it pass is passed over: by its end; 0: not at all */
};

struct referral_plan {
	struct referral_life next;
	bool place_freed; /* the group has one more free place */
	/* What the application becomes, unless it left the queue itself and the cancel follows from that. */
	enum application_status application;
	int64_t stop_list_until_us; /* 0: not put on the stop list */
};

/* Whether r hears e at now_us; what follows is written when the verdict is OK. From its end on a parent is
 * told PAST_END, whether the clock has written EXPIRED or not. The portal's events may come late: CANCEL and
 * ENROL are heard as long as it is open, so that a child who is in does not lose its place to the hour of a
 * message. An end that was said never becomes an earlier one: accepting leaves the later of both. Extended
 * once, whatever the status. Who lets one pass (EXPIRE) is put on the stop list, who refuses it in time is
 * not. */
enum referral_verdict referral_hear(const struct referral_life *r, enum referral_event e,
    const struct referral_law *law, int64_t now_us, struct referral_plan *ret) KZ_CHECK;

#endif
