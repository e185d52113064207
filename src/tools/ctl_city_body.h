/* ctl_city_body: what the files of the sample city share: ctl_city*.c only. */
#ifndef TOOLS_CTL_CITY_BODY_H
#define TOOLS_CTL_CITY_BODY_H

#include "ctl_city.h"
#include "rules/application.h"
#include "rules/referral.h"
#include "text/iin.h"

#define DAY_S               86400
#define CITY_GROUPS         4    /* of a kindergarten */
#define CITY_QUEUE_DAYS     1461 /* for so long applications have come */
#define CITY_CHILD_DAYS     900  /* so old is a child at most when its application comes */
#define CITY_FIRST_NUMBER   200001
#define CITY_FIRST_REFERRAL 40001
#define CITY_NO_REFERRAL    REFERRAL_STATUSES

/* Numbers by chance that anybody may have again. */
struct city_chance {
	uint64_t state;
};

/* What stands of it is that of the seed, the kind and the number alone. */
struct city_chance city_chance(uint64_t seed, char kind, uint64_t number);
/* 0 to below - 1. */
uint32_t city_below(struct city_chance *c, uint32_t below);

/* One application. Its child's serial is given when it is written. */
struct city_application {
	uint32_t index; /* from 0 */
	struct city_chance chance;
	int32_t born_day;
	int64_t registered_s;
	bool girl;
	unsigned district; /* 1..CITY_DISTRICTS */
	enum application_status status;
	enum referral_status referral; /* or CITY_NO_REFERRAL */
};

void city_application(const struct city_options *o, uint32_t index, struct city_application *ret);

/* How many children of a day and sex have a number. */
struct city_births {
	uint16_t given[CITY_QUEUE_DAYS + CITY_CHILD_DAYS + 1][2];
};

/* Appends its line. */
void city_put_application(
    const struct city_options *o, struct city_births *b, struct city_application *a, struct buf *out);
/* Appends "2026-11-22". */
void city_put_day(struct buf *out, int32_t day);
/* Appends "2026-11-22T18:23:06Z". */
void city_put_time(struct buf *out, int64_t unix_s);

#endif
