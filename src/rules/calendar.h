/* calendar: which days are worked, from config/holidays.yaml: Monday to Friday, less the days off of the
 * file, more the Saturdays and Sundays that it says are worked instead. Read whole, then never changed. */
#ifndef RULES_CALENDAR_H
#define RULES_CALENDAR_H

#include "base/yaml.h"
#include "rules/span.h"

#define CALENDAR_MAX 1024 /* dates in one file */

struct calendar;

/* Always returns; what is wrong is in faults. */
struct calendar *calendar_load(const char *path, struct faults *faults);
void calendar_free(struct calendar *c);

/* The moment a span after from_us, which is Unix time in microseconds, of the years 1970 to 9999.
 *   offset_min   minutes by which the local time is before UTC
 * Minutes, hours and days are added up: the offset is the same all year, so days keep the local time. Working
 * days lead to the same local time of the n-th day after that of from_us that is worked; none leads nowhere,
 * also on a day off. Days that no file speaks of are worked from Monday to Friday. */
int64_t calendar_add(const struct calendar *c, int64_t from_us, struct span span, int64_t offset_min);

/* The end of the last year, in UTC, of which the file says anything; 0: it says nothing. After it holidays
 * pass for working days. */
int64_t calendar_end_us(const struct calendar *c);

#endif
