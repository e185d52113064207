/* What a region decides, once its files are read (region_load.c). */
#include "rules/region.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "rules/region_body.h"

#define MINUTE_US 60000000LL
#define DAY_US    (1440 * MINUTE_US)

size_t regions_count(const struct regions *r)
{
	return r->count;
}

const struct region *regions_at(const struct regions *r, size_t i)
{
	assert(i < r->count);
	return &r->list[i].region;
}

const struct region *region_find(const struct regions *r, const char *id)
{
	for (size_t i = 0; i < r->count; i++)
		if (!strcmp(r->list[i].region.id, id))
			return &r->list[i].region;
	return NULL;
}

const struct region_category *region_category_find(const struct region *r, const char *id)
{
	for (size_t i = 0; i < r->categories_n; i++)
		if (!strcmp(r->categories[i].id, id))
			return &r->categories[i];
	return NULL;
}

/* a modulo a day, from 0. */
static int64_t of_day(int64_t a_us)
{
	return (a_us % DAY_US + DAY_US) % DAY_US;
}

int64_t region_quiet_until(const struct region *r, int64_t now_us)
{
	int64_t length_us = of_day((r->quiet_until - r->quiet_from) * MINUTE_US);
	int64_t since_us = of_day(now_us + (r->offset_min - r->quiet_from) * MINUTE_US);

	return since_us < length_us ? now_us + length_us - since_us : now_us;
}

int region_child_age(const struct region *r, const struct iin *child, int64_t now_us)
{
	int64_t local_us = now_us + r->offset_min * MINUTE_US;
	time_t local = (time_t)((local_us - of_day(local_us)) / 1000000);
	struct tm day;

	gmtime_r(&local, &day);
	struct iin_day on = {day.tm_year + 1900, day.tm_mon + 1, day.tm_mday};
	if (r->age_month) {
		on.month = r->age_month;
		on.day = r->age_day;
	}
	return iin_age(child, on);
}
