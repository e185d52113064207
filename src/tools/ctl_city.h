/* city: a city that nobody lives in, as lines for an import: 6 districts, 344 kindergartens with four groups
 * each, 3,471 free places, and as many applications as are asked for, some with a referral. Names and numbers
 * are invented. The same seed, day and number of applications give the same octets. Pure. */
#ifndef TOOLS_CTL_CITY_H
#define TOOLS_CTL_CITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define CITY_DISTRICTS     6
#define CITY_KINDERGARTENS 344
#define CITY_PLACES        3471
#define CITY_APPLICATIONS  108344
#define CITY_MAX           9000000 /* applications: each family has phones of its own */
#define CITY_DAY_MIN       19783   /* 2024-03-01 and up to 2098, as days since 1970 */
#define CITY_DAY_MAX       47000

struct city_options {
	uint64_t seed;
	uint32_t applications; /* 1..CITY_MAX */
	int32_t day;           /* since 1970: the morning on which it stands so */
};

/* Called with some lines at a time, whole; false ends it. */
typedef bool city_write_fn(void *arg, const char *lines, size_t len);

/* false when write was. */
bool city_make(const struct city_options *o, city_write_fn *write, void *arg);

#endif
