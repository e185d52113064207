/* span: a length of time as the law of a region writes it: "7d", "3wd", "48h", "30m". What it comes to from a
 * given moment is the calendar's to say. */
#ifndef RULES_SPAN_H
#define RULES_SPAN_H

#include <stdint.h>

#include "base/result.h"

#define SPAN_MAX_DAYS 366 /* working days too */

enum span_unit { SPAN_MINUTES, SPAN_HOURS, SPAN_DAYS, SPAN_WORKING_DAYS };

/* n from 0 to SPAN_MAX_DAYS, in minutes and hours to as much. */
struct span {
	int64_t n;
	enum span_unit unit;
};

/* KZ_INVALID: not a whole number followed by m, h, d or wd; KZ_TOO_LONG: over the bound. */
enum kz span_parse(const char *text, struct span *ret) KZ_CHECK;

#endif
