/* region: the law of the queue in one region: its local time, the spans of its clocks, who is served before
 * whom. Each *.yaml of a folder is one region, the file's name is its id. Read whole, then never changed. */
#ifndef RULES_REGION_H
#define RULES_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/yaml.h"
#include "rules/span.h"
#include "text/iin.h"
#include "text/language.h"

#define REGION_MAX        64 /* in one folder */
#define REGION_CATEGORIES 32 /* in one region */
#define REGION_ID         32 /* characters, of categories too: a-z, 0-9, _ and - */
#define REGION_NAME       80 /* octets */

enum region_clock {
	REGION_PRIORITY,  /* after a place is released it is for privileged categories */
	REGION_ACCEPT,    /* a referral waits for the parent's answer */
	REGION_DOCUMENTS, /* an accepted one waits for the documents */
	REGION_EXTENSION, /* an extended one ends so long after its start, once */
	REGION_STOP_LIST, /* no other place after a referral that ran out */
	REGION_CLOCKS
};

enum region_decline { REGION_DECLINE_ANNULS, REGION_DECLINE_KEEPS };

/* One category of applications. */
struct region_category {
	char *id;
	char *names[LANGUAGES];
	int64_t tier;    /* 1..9; all of a lower one are served first */
	int64_t share;   /* 1..100; so many of it in a round of its tier */
	bool privileged; /* may take a place while priority runs */
};

/* One region; lives as long as its regions. */
struct region {
	char *id;
	char *names[LANGUAGES];
	int64_t offset_min; /* minutes by which its time is before UTC, -720..840 */
	struct span clocks[REGION_CLOCKS];
	int decline;                 /* enum region_decline: what it does to the application */
	int age_month, age_day;      /* on which ages of children count; 0: on the day itself */
	int quiet_from, quiet_until; /* minutes of the local day, 0..1439; equal: none are quiet */
	struct region_category
	    *categories; /* at least one; in a round of a tier they are served in this order */
	size_t categories_n;
};

struct regions;

/* Always returns; what is wrong is in faults. A folder without files is no region, and no fault. */
struct regions *regions_load(const char *directory, struct faults *faults);
void regions_free(struct regions *r);
size_t regions_count(const struct regions *r);
/* In the order of the ids; i below the count. */
const struct region *regions_at(const struct regions *r, size_t i);
/* NULL when there is none of the id. */
const struct region *region_find(const struct regions *r, const char *id);
const struct region_category *region_category_find(const struct region *r, const char *id);
/* When notices may go out again, in Unix microseconds: the end of the quiet hours that now_us is in, now_us
 * itself outside of them. From the first minute on is quiet, the last one is not. */
int64_t region_quiet_until(const struct region *r, int64_t now_us);
/* A child's full years for a place that is given at now_us: on the local day, or on the region's age_on of
 * the local day's year, whether that day is past or to come. -1 before the birth. */
int region_child_age(const struct region *r, const struct iin *child, int64_t now_us);
/* The tables of a region's and of a category's keys for people. */
void region_help(struct buf *out);

#endif
