#include "base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Counts while the machine sleeps: what ran out meanwhile elsewhere has run out here. */
static int64_t clock_real_mono(void)
{
	return clock_read(CLOCK_BOOTTIME);
}

static int64_t clock_real_wall(void)
{
	return clock_read(CLOCK_REALTIME);
}

const struct clock clock_real = {clock_real_mono, clock_real_wall};

char *clock_rfc3339(int64_t wall_us, char text[32])
{
	time_t s = (time_t)(wall_us / 1000000);
	struct tm tm;

	gmtime_r(&s, &tm);
	size_t n = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, 32 - n, ".%03dZ", (int)(wall_us / 1000 % 1000));
	return text;
}

/* Exactly n digits into *ret; moves *at. */
static int clock_digits(const char **at, int n, int *ret)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (!isdigit((unsigned char)**at))
			return 0;
		v = v * 10 + *(*at)++ - '0';
	}
	*ret = v;
	return 1;
}

static int clock_char(const char **at, char c)
{
	if (**at != c)
		return 0;
	(*at)++;
	return 1;
}

/* Offset in seconds at *at, "Z" or "+hh:mm" to the end of the text. */
static int clock_zone(const char *at, int *ret_s)
{
	int h, m, sign = *at == '-' ? -1 : 1;

	if ((*at == 'Z' || *at == 'z') && !at[1]) {
		*ret_s = 0;
		return 1;
	}
	if (*at != '+' && *at != '-')
		return 0;
	at++;
	if (!clock_digits(&at, 2, &h) || !clock_char(&at, ':') || !clock_digits(&at, 2, &m) || *at ||
	    h > 23 || m > 59)
		return 0;
	*ret_s = sign * (h * 3600 + m * 60);
	return 1;
}

int64_t clock_parse_rfc3339(const char *text)
{
	const char *at = text;
	struct tm tm = {0};
	int year, month, second, zone_s;
	int64_t us = 0, scale = 100000;

	if (!clock_digits(&at, 4, &year) || !clock_char(&at, '-') || !clock_digits(&at, 2, &month) ||
	    !clock_char(&at, '-') || !clock_digits(&at, 2, &tm.tm_mday))
		return -1;
	if (*at != 'T' && *at != 't' && *at != ' ')
		return -1;
	at++;
	if (!clock_digits(&at, 2, &tm.tm_hour) || !clock_char(&at, ':') ||
	    !clock_digits(&at, 2, &tm.tm_min) || !clock_char(&at, ':') || !clock_digits(&at, 2, &second))
		return -1;
	if (*at == '.' && isdigit((unsigned char)at[1]))
		for (at++; isdigit((unsigned char)*at); at++, scale /= 10)
			us += (*at - '0') * scale;
	if (!clock_zone(at, &zone_s) || month < 1 || month > 12 || tm.tm_hour > 23 || tm.tm_min > 59 ||
	    second > 60)
		return -1;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	int day = tm.tm_mday;
	int64_t s = (int64_t)timegm(&tm);
	if (tm.tm_mday != day) /* 31 February was normalised away */
		return -1;
	s += second - zone_s; /* a leap second is the next one, and may be of the next day */
	return s < 0 ? -1 : s * 1000000 + us / 1000 * 1000;
}
