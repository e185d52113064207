/* clock: where time comes from. Passed as an argument, so that tests own it.
 * Wall time is Unix time in UTC; monotonic time has no meaning but its differences. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* A value; both functions answer microseconds. */
struct clock {
	int64_t (*mono_us)(void);
	int64_t (*wall_us)(void);
};

/* The machine's clock. */
extern const struct clock clock_real;

static inline int64_t clock_mono_ms(const struct clock *c)
{
	return c->mono_us() / 1000;
}

static inline int64_t clock_wall_ms(const struct clock *c)
{
	return c->wall_us() / 1000;
}

/* "2026-11-22T18:23:06.123Z"; returns text. text has room for 32 octets. */
char *clock_rfc3339(int64_t wall_us, char text[32]);
/* Reads RFC 3339 with a zone ("Z" or "+05:00"); -1 when it is none or before 1970. Microseconds of whole
 * milliseconds, which is what clock_rfc3339 shows: what was shown is the same when it comes back. */
int64_t clock_parse_rfc3339(const char *text);

#endif
