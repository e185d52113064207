/* place: whether an application may take a free place now, pure. The one law for every door: what takes a
 * place asks here, within the transaction that takes it. Times are Unix microseconds. */
#ifndef RULES_PLACE_H
#define RULES_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/application.h"
#include "text/language.h"

enum place_verdict {
	PLACE_OK,
	PLACE_CLOSED,       /* the application is over */
	PLACE_ALREADY,      /* it has an open referral */
	PLACE_NOT_DISTRICT, /* the queue of another district */
	PLACE_NOT_AGE,      /* the group is for others' age */
	PLACE_NOT_LANGUAGE,
	PLACE_GONE,      /* no place is free */
	PLACE_STOP_LIST, /* until a time: it let a referral pass */
	PLACE_NOT_TURN,  /* until a time: not released yet, or others go first */
	PLACE_VERDICTS
};

/* "ok", "gone", "not_turn", ...: words of the API. */
const char *place_verdict_name(enum place_verdict v);

/* Who asks. */
struct place_application {
	enum application_status status;
	bool referred; /* a referral of it is open, whatever its status says */
	bool privileged;
	int age; /* full years on the day at which its region counts */
	int64_t district;
	unsigned languages;         /* bits 1 << enum language of the groups it is for; 0: any */
	int64_t stop_list_until_us; /* 0: none */
};

/* What is asked for. */
struct place_vacancy {
	uint32_t free;
	int age_from, age_to; /* age_from <= age < age_to */
	int64_t district;
	enum language language;
	int64_t released_us;
	int64_t priority_until_us; /* the privileged alone till then; 0: no priority */
};

struct place_answer {
	enum place_verdict verdict;
	int64_t until_us; /* of STOP_LIST and NOT_TURN, later than now_us; of others 0 */
};

/* Of several reasons the one that stands longest is said, in the order of the enum: nobody is told to come
 * again for a place that cannot be hers. Of the two that pass, the one that passes later. */
struct place_answer place_judge(
    const struct place_application *a, const struct place_vacancy *v, int64_t now_us);

#endif
