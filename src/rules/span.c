#include "rules/span.h"

#include <string.h>

#define DIGITS_MAX 6 /* of the minutes of a year; none that does not fit is ever added up */

enum kz span_parse(const char *text, struct span *ret)
{
	static const struct {
		const char *name;
		int64_t a_day;
	} units[] = {[SPAN_MINUTES] = {"m", 1440},
	    [SPAN_HOURS] = {"h", 24},
	    [SPAN_DAYS] = {"d", 1},
	    [SPAN_WORKING_DAYS] = {"wd", 1}};
	size_t digits = strspn(text, "0123456789");
	int64_t n = 0;

	for (size_t i = 0; i < digits && i <= DIGITS_MAX; i++)
		n = n * 10 + (text[i] - '0');
	for (enum span_unit u = SPAN_MINUTES; digits && u <= SPAN_WORKING_DAYS; u++) {
		if (strcmp(text + digits, units[u].name) != 0)
			continue;
		if (digits > DIGITS_MAX || n > SPAN_MAX_DAYS * units[u].a_day)
			return KZ_TOO_LONG;
		*ret = (struct span){n, u};
		return KZ_OK;
	}
	return KZ_INVALID;
}
