/* One write(2) per line, so that lines of several processes never mix. No buffering: what was logged before a
 * crash is there. */
#include "base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static enum log_level log_limit = LOG_LEVEL_INFO;

static const char *const log_names[] = {"error", "warn", "info", "debug"};
static const char *const log_priorities[] = {"<3>", "<4>", "<6>", "<7>"};

void log_set_level(enum log_level level)
{
	log_limit = level;
}

/* A peer's words may stand in a line: no control octet gets through. */
static void log_clean(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			s[i] = '?';
}

void log_line(enum log_level level, const char *id, const char *fmt, ...)
{
	static int journal = -1;
	char line[1024], at[32];
	va_list ap;
	int n;

	if (level > log_limit)
		return;
	if (journal < 0)
		journal = getenv("JOURNAL_STREAM") != NULL;
	if (journal)
		n = snprintf(line, sizeof line, "%s%s: ", log_priorities[level], id);
	else
		n = snprintf(line, sizeof line, "%s %s %s: ", clock_rfc3339(clock_real.wall_us(), at),
		    log_names[level], id);
	if (n > (int)sizeof line / 2)
		n = (int)sizeof line / 2;
	va_start(ap, fmt);
	int more = vsnprintf(line + n, sizeof line - (size_t)n - 1, fmt, ap);
	va_end(ap);
	size_t len = (size_t)n + (size_t)(more > 0 ? more : 0);
	if (len > sizeof line - 2)
		len = sizeof line - 2;
	log_clean(line, len);
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nobody is left to be told */
}
