/* A day is the number of days since 1970-01-01, which was a Thursday. The file's dates are a sorted array: a
 * few dozen a year, looked up by halves. A bitmap of the years was weighed: quicker, and one more bound to
 * say. */
#include "rules/calendar.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/keys.h"
#include "base/mem.h"

#define MINUTE_US 60000000LL
#define DAY_US    (1440 * MINUTE_US)

struct calendar_day {
	int64_t day;
	bool works;
};

struct calendar {
	struct calendar_day days[CALENDAR_MAX]; /* in order of the day */
	size_t count;
};

static int day_compare(const void *a, const void *b)
{
	int64_t x = ((const struct calendar_day *)a)->day, y = ((const struct calendar_day *)b)->day;

	return (x > y) - (x < y);
}

static const struct calendar_day *day_find(const struct calendar *c, int64_t day)
{
	const struct calendar_day wanted = {.day = day};

	return bsearch(&wanted, c->days, c->count, sizeof *c->days, day_compare);
}

static bool day_is_weekend(int64_t day)
{
	return (day + 3) % 7 >= 5;
}

static bool day_works(const struct calendar *c, int64_t day)
{
	const struct calendar_day *said = day_find(c, day);

	return said ? said->works : !day_is_weekend(day);
}

/* "2026-03-21"; false when it is no date. */
static bool day_parse(const char *text, int64_t *ret)
{
	char moment[32];
	int64_t us;

	if (strlen(text) != strlen("2026-03-21"))
		return false;
	snprintf(moment, sizeof moment, "%sT00:00:00Z", text);
	us = clock_parse_rfc3339(moment);
	if (us < 0)
		return false;
	*ret = us / DAY_US;
	return true;
}

static void day_insert(struct calendar *c, struct calendar_day d)
{
	size_t at = c->count++;

	for (; at > 0 && c->days[at - 1].day > d.day; at--)
		c->days[at] = c->days[at - 1];
	c->days[at] = d;
}

static void day_load(struct calendar *c, const struct yaml_node *node, bool works, struct faults *faults)
{
	const struct yaml_node at = {.file = node->file, .line = node->key_line, .column = node->key_column};
	struct calendar_day d = {.works = works};

	if (node->kind != YAML_TEXT || !*node->text)
		faults_at(faults, node, "%s: what day it is, in some words, is wanted here", node->key);
	else if (!day_parse(node->key, &d.day))
		faults_at(faults, &at, "\"%.20s\" is no date: write 2026-03-21", node->key);
	else if (day_find(c, d.day))
		faults_at(faults, &at, "%s is under off and under work: leave one", node->key);
	else if (works && !day_is_weekend(d.day))
		faults_at(
		    faults, &at, "%s is worked anyway: only a Saturday or Sunday is under work", node->key);
	else if (c->count == CALENDAR_MAX)
		faults_at(faults, &at, "more than %d dates", CALENDAR_MAX);
	else
		day_insert(c, d);
}

static void days_load(
    struct calendar *c, const struct yaml_node *root, const char *name, struct faults *faults)
{
	const struct yaml_node *map = yaml_get(root, name);

	if (map && map->kind != YAML_MAP && (map->kind != YAML_TEXT || *map->text))
		faults_at(faults, map, "%s: a map of dates to what day it is is wanted here", name);
	for (size_t i = 0; map && map->kind == YAML_MAP && i < map->count; i++)
		day_load(c, &map->children[i], !strcmp(name, "work"), faults);
}

struct calendar *calendar_load(const char *path, struct faults *faults)
{
	static const char *const names[] = {"off", "work", NULL};
	struct calendar *c = mem_new(sizeof *c);
	struct yaml *y = yaml_load(path, faults);

	if (y) {
		keys_read(NULL, 0, names, yaml_root(y), c, faults);
		for (size_t i = 0; yaml_root(y)->kind == YAML_MAP && names[i]; i++)
			days_load(c, yaml_root(y), names[i], faults);
	}
	yaml_tree_free(y);
	return c;
}

void calendar_free(struct calendar *c)
{
	free(c);
}

int64_t calendar_end_us(const struct calendar *c)
{
	time_t last = (time_t)(c->count ? c->days[c->count - 1].day * (DAY_US / 1000000) : 0);
	struct tm day;

	if (!c->count)
		return 0;
	gmtime_r(&last, &day);
	struct tm end = {.tm_year = day.tm_year + 1, .tm_mday = 1};
	return (int64_t)timegm(&end) * 1000000;
}

static int64_t working_days(const struct calendar *c, int64_t from_us, int64_t n, int64_t offset_min)
{
	int64_t local_us = from_us + offset_min * MINUTE_US, first, day;

	first = day = local_us / DAY_US - (local_us % DAY_US < 0);
	while (n > 0)
		n -= day_works(c, ++day);
	return (day - first) * DAY_US;
}

int64_t calendar_add(const struct calendar *c, int64_t from_us, struct span span, int64_t offset_min)
{
	switch (span.unit) {
	case SPAN_MINUTES:
		return from_us + span.n * MINUTE_US;
	case SPAN_HOURS:
		return from_us + span.n * 60 * MINUTE_US;
	case SPAN_DAYS:
		return from_us + span.n * DAY_US;
	case SPAN_WORKING_DAYS:
		break;
	}
	return from_us + working_days(c, from_us, span.n, offset_min);
}
