#include "text/digits.h"

#include <string.h>

#include "base/secret.h"
#include "text/utf8.h"

static enum kz digits_read(
    const char *typed, size_t n, size_t max, char found[DIGITS_TYPED], size_t *ret_count)
{
	size_t count = 0;
	uint32_t cp;

	for (size_t i = 0, len; i < n; i += len) {
		if (!(len = utf8_next(typed + i, n - i, &cp)))
			return KZ_INVALID;
		int digit = utf8_digit(cp);

		if (digit >= 0)
			found[count++] = (char)('0' + digit);
		else if (!utf8_is_gap(cp))
			return KZ_INVALID;
	}
	*ret_count = count;
	return !count ? KZ_INVALID : count > max ? KZ_TOO_LONG : KZ_OK;
}

enum kz digits_parse(const char *typed, size_t n, size_t max, char *ret)
{
	char found[DIGITS_TYPED];
	size_t count = 0;

	if (n > DIGITS_TYPED)
		return KZ_TOO_LONG;
	enum kz r = digits_read(typed, n, max, found, &count);
	if (r == KZ_OK) {
		memcpy(ret, found, count);
		ret[count] = '\0';
	}
	secret_wipe(found, sizeof found);
	return r;
}
