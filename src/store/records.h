/* records: what the portal feeds: districts, kindergartens, groups, vacancies, applications. Some are put
 * together as they are said: what stands is read, each is held against it, and what is new or other is
 * written, with the notices and news that follow, in one transaction, if it still stands as it was read; else
 * it is read again. A record that cannot stand is not written, the others are. */
#ifndef STORE_RECORDS_H
#define STORE_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/application.h"
#include "rules/calendar.h"
#include "rules/news.h"
#include "rules/notice.h"
#include "rules/region.h"
#include "store/applicant.h"
#include "store/feed.h"
#include "store/pg.h"

#define RECORDS_MOST  512 /* put together */
#define RECORD_NAME   160 /* octets of a name: 80 Cyrillic letters */
#define RECORD_ID_MAX 999999999
#define RECORD_FREE   10000 /* places of a group */
#define RECORD_AGE    18

enum record_kind {
	RECORD_DISTRICT,
	RECORD_KINDERGARTEN,
	RECORD_GROUP,
	RECORD_VACANCY,
	RECORD_APPLICATION,
	RECORD_KINDS
};

/* "district", ...: words of the API. */
const char *record_kind_name(enum record_kind k);
/* KZ_INVALID when text is none of the names. */
enum kz record_kind_parse(const char *text, enum record_kind *ret) KZ_CHECK;

/* A district, or a kindergarten. */
struct record_place {
	char region[REGION_ID + 1]; /* of a district */
	uint64_t district;          /* of a kindergarten */
	char names[LANGUAGES][RECORD_NAME + 1];
};

struct record_group {
	uint64_t kindergarten;
	int age_from, age_to; /* age_from <= age < age_to, 0..RECORD_AGE */
	enum language language;
};

enum record_priority {
	RECORD_PRIORITY_BY_CLOCK, /* as the region says, from its release on */
	RECORD_PRIORITY_NONE,
	RECORD_PRIORITY_UNTIL
};

struct record_vacancy {
	uint32_t free; /* 0..RECORD_FREE */
	int64_t released_us;
	enum record_priority priority;
	int64_t priority_until_us; /* of RECORD_PRIORITY_UNTIL; as it stands: 0: none */
	int64_t seq;               /* only if it stands so; 0: however it stands */
};

struct record_application {
	struct applicant applicant;
	unsigned verified; /* bits 1 << phone */
	uint64_t district;
	char category[REGION_ID + 1];
	int64_t registered_us;
	enum notice_channel channel;
	enum language language;
	unsigned groups;                /* bits 1 << language; 0: any */
	enum application_status status; /* as application_told takes it; APPLICATION_STATUSES: as it is,
	                                 * and a new one waits */
	int64_t seq;                    /* only if it stands so; 0: however it stands */
};

/* A value that its owner wipes: it may hold a person. Times are Unix microseconds. */
struct record {
	enum record_kind kind;
	uint64_t id; /* 1..RECORD_ID_MAX; of a vacancy its group's, of an application its number */
	union {
		struct record_place place;
		struct record_group group;
		struct record_vacancy vacancy;
		struct record_application application;
	};
};
void record_wipe(struct record *r);

enum record_verdict {
	RECORD_SAME,
	RECORD_CREATED,
	RECORD_CHANGED,
	/* not written: */
	RECORD_UNKNOWN_REGION,
	RECORD_UNKNOWN_DISTRICT,
	RECORD_UNKNOWN_KINDERGARTEN,
	RECORD_UNKNOWN_GROUP,
	RECORD_UNKNOWN_CATEGORY,
	RECORD_REFERRAL_OPEN,     /* application_told: KZ_CONFLICT */
	RECORD_CHANGED_MEANWHILE, /* it does not stand with that seq */
	RECORD_VERDICTS
};

/* "same", ..., "unknown_region", ...: words of the API. */
const char *record_verdict_name(enum record_verdict v);
static inline bool record_verdict_is_good(enum record_verdict v)
{
	return v <= RECORD_CHANGED;
}

/* All outlive it. */
struct records_base {
	struct loop *loop;
	struct pg *pg;
	struct feed *feed;
	const struct keyring *keyring;
	uint64_t (*notice_id)(void *arg); /* the next, asked while the feed has a slot: send_id */
	void *arg;
};

/* The snapshot in force. */
struct records_files {
	const struct regions *regions;
	const struct calendar *calendar;
};

struct records;

/* Room for most records, 1..RECORDS_MOST. base is copied, but for what it points to. */
struct records *records_new(const struct records_base *base, size_t most);
#define RECORDS_SAME_CLIENT (-1) /* of an application that stands already: who heard of it before */
/* Copied. api_key: whose client hears of it, if it is an application. KZ_BUSY: it is full, or the same record
 * is in it: put what it has first. Not while they are being put. */
enum kz records_add(struct records *s, const struct record *r, int32_t api_key, size_t *ret_index) KZ_CHECK;
size_t records_count(const struct records *s);
/* As it was added; after KZ_OK what stands: status, priority. i below the count. */
const struct record *records_at(const struct records *s, size_t i);
/* After KZ_OK. */
enum record_verdict records_verdict(const struct records *s, size_t i);
int64_t records_seq(const struct records *s, size_t i); /* of a vacancy or application that stands */
/* None are in it any more; what was is wiped. Not while they are being put. */
void records_clear(struct records *s);

/* KZ_OK: each has its verdict. KZ_LOST: not known to be written, nor not; the same again does nothing twice.
 * KZ_REFUSED: the database refused them, or what was added, and nothing is written. reply: of the job that
 * wrote, valid during the call, the first statement that `also` added is `statement`; NULL when none was
 * needed. */
typedef void records_done_fn(void *arg, enum kz r, const struct pg_reply *reply, unsigned statement);

struct records_plan {
	const struct records_files *(*files)(void *arg); /* asked each time that they are judged */
	void (*also)(void *arg, struct pg_job *job);     /* adds statements, for each try; NULL: none */
	void *arg;
	bool notices;      /* the first load of what is long known makes none, and no news */
	enum news_via via; /* of the news */
};

/* done once, later. KZ_BUSY at once, without done: the database takes no more jobs. */
enum kz records_put(
    struct records *s, const struct records_plan *p, records_done_fn *done, void *arg) KZ_CHECK;
/* Also from done, and while they are being put: they may then be written. NULL is fine. */
void records_free(struct records *s);

#endif
