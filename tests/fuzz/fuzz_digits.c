/* What is typed where a code is asked for. What is read is digits and nothing else, reads the same again, and
 * nothing that a person does not see changes it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/digits.h"

#define FUZZ_DIGITS 10

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const char *digits)
{
	char again[FUZZ_DIGITS + 1];
	struct buf gaps = {0};

	for (const char *p = digits; *p; p++) {
		buf_char(&gaps, *p);
		buf_str(&gaps, "\xe2\x80\x8d -\xe3\x80\x80");
	}
	enum kz r = digits_parse(buf_text(&gaps), gaps.len, FUZZ_DIGITS, again);
	assert(r == KZ_OK && !strcmp(digits, again));
	buf_fini(&gaps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char digits[FUZZ_DIGITS + 1] = "", *typed = mem_strn((const char *)data, size);
	enum kz r = digits_parse(typed, size, FUZZ_DIGITS, digits);
	size_t n = strlen(digits);

	if (r == KZ_OK) {
		assert(n >= 1 && n <= FUZZ_DIGITS && strspn(digits, "0123456789") == n);
		check_again(digits);
	} else {
		assert(n == 0 && (r == KZ_TOO_LONG || r == KZ_INVALID));
		assert(size <= DIGITS_TYPED || r == KZ_TOO_LONG);
	}
	free(typed);
	return 0;
}
