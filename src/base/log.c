/* One write(2) per line, so that lines of several processes never mix. No buffering: what was logged before a
 * crash is there. */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_bound.h"

static enum log_level log_limit = LOG_LEVEL_INFO;

static const char *const log_names[] = {"error", "warn", "info", "debug"};
static const char *const log_priorities[] = {"<3>", "<4>", "<6>", "<7>"};

void log_set_level(enum log_level level)
{
	log_limit = level;
}

/* Octets of the printable character that s begins with, 0 when it does not (RFC 3629; C0, DEL and C1 are
 * controls). */
static size_t log_char(const unsigned char *s, size_t n)
{
	unsigned char a = s[0], b = n > 1 ? s[1] : 0;
	size_t len = a < 0x80 ? 1 : a < 0xc2 ? 0 : a < 0xe0 ? 2 : a < 0xf0 ? 3 : a < 0xf5 ? 4 : 0;

	if (len > n || a < 0x20 || a == 0x7f)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	bool control = a == 0xc2 && b < 0xa0;
	bool overlong = (a == 0xe0 && b < 0xa0) || (a == 0xf0 && b < 0x90);
	bool beyond = (a == 0xed && b >= 0xa0) || (a == 0xf4 && b >= 0x90);
	return control || overlong || beyond ? 0 : len;
}

/* A peer's words may stand in a line: no control octet gets through, and the journal keeps no line with
 * broken UTF-8 as text. */
static void log_clean(char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t len = log_char((unsigned char *)s + i, n - i);

		if (!len)
			s[i] = '?';
		i += len ? len : 1;
	}
}

/* The variable is inherited; only when it names this very stream does the journal read it (systemd.exec(5)).
 */
static bool log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static void log_write(enum log_level level, const char *id, const char *text)
{
	static int journal = -1;
	char line[1024], at[32];
	int n;

	if (journal < 0)
		journal = log_is_journal();
	if (journal)
		n = snprintf(line, sizeof line, "%s%s: ", log_priorities[level], id);
	else
		n = snprintf(line, sizeof line, "%s %s %s: ", clock_rfc3339(clock_real.wall_us(), at),
		    log_names[level], id);
	if (n > (int)sizeof line / 2)
		n = (int)sizeof line / 2;
	int more = snprintf(line + n, sizeof line - (size_t)n - 1, "%s", text);
	size_t len = (size_t)n + (size_t)(more > 0 ? more : 0);
	if (len > sizeof line - 2)
		len = sizeof line - 2;
	log_clean(line, len);
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nobody is left to be told */
}

static void log_tell_left_out(struct log_bound *b, int64_t now_us)
{
	char about[48], text[80];
	unsigned n;

	while ((n = log_bound_take(b, now_us, about)) > 0) {
		snprintf(text, sizeof text, "%u more lines of one kind were left out", n);
		log_write(LOG_LEVEL_WARN, *about ? about : "log", text);
	}
}

void log_line(enum log_level level, const char *id, const char *fmt, ...)
{
	static struct log_bound bound;
	int64_t now_us = clock_real.mono_us();
	char text[1024];
	va_list ap;

	if (level > log_limit)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	log_tell_left_out(&bound, now_us);
	/* debug is asked for by a person, who wants all of it */
	if (level == LOG_LEVEL_DEBUG ||
	    log_bound_admits(&bound, fmt, id, level == LOG_LEVEL_ERROR ? text : NULL, now_us))
		log_write(level, id, text);
}
