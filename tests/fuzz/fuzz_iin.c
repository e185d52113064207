/* What is typed where an IIN is asked for. What is read reads the same again between gaps, is of a day that a
 * second reading knows too, and bears no other check digit; what is refused is named, and nothing of it is
 * told. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/digits.h"
#include "text/iin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct iin *i)
{
	struct buf gaps = {0};
	struct iin again;
	struct iin_refusal why;

	for (const char *p = i->digits; *p; p++) {
		buf_char(&gaps, *p);
		buf_str(&gaps, "\xe2\x80\x8d -\xe3\x80\x80");
	}
	enum kz r = iin_parse(buf_text(&gaps), gaps.len, &again, &why);
	assert(r == KZ_OK && !strcmp(i->digits, again.digits));
	buf_fini(&gaps);
}

static void check_day(const struct iin *i)
{
	struct iin_day d = iin_birth(i);
	struct tm tm = {.tm_year = d.year - 1900, .tm_mon = d.month - 1, .tm_mday = d.day};

	assert(d.year >= 1800 && d.year <= 2099);
	timegm(&tm); /* moves a day that is not to one that is */
	assert(tm.tm_year == d.year - 1900 && tm.tm_mon == d.month - 1 && tm.tm_mday == d.day);
	assert(iin_age(i, d) == 0);
	d.year -= 1;
	assert(iin_age(i, d) == -1);
	d.year += 201;
	assert(iin_age(i, d) == 200);
}

static void check_other_digits(const struct iin *i)
{
	struct iin other = *i, read;
	struct iin_refusal why;

	for (char c = '0'; c <= '9'; c++) {
		other.digits[IIN_DIGITS - 1] = c;
		enum kz r = iin_parse(other.digits, IIN_DIGITS, &read, &why);
		assert((r == KZ_OK) == (c == i->digits[IIN_DIGITS - 1]));
		assert(r == KZ_OK || !strcmp(why.code, "bad_check"));
	}
}

static void check_refusal(const struct iin_refusal *why, size_t size)
{
	size_t run = 0;

	assert(size <= DIGITS_TYPED || (!strcmp(why->code, "too_long") && why->count == 0));
	assert(why->count <= DIGITS_TYPED && strlen(why->remedy) > 10);
	for (const char *p = why->remedy; *p; p++) {
		run = strchr("0123456789", *p) ? run + 1 : 0;
		assert(run <= 3);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *typed = mem_strn((const char *)data, size), masked[IIN_DIGITS + 1], four[5];
	struct iin i = {""};
	struct iin_refusal why = {0};
	enum kz r = iin_parse(typed, size, &i, &why);

	if (r == KZ_OK) {
		assert(strspn(i.digits, "0123456789") == IIN_DIGITS && !i.digits[IIN_DIGITS]);
		assert(!strncmp(iin_masked(&i, masked), "********", 8));
		assert(!strcmp(masked + 8, iin_last_four(&i, four)) && !strcmp(four, i.digits + 8));
		check_again(&i);
		check_day(&i);
		check_other_digits(&i);
	} else {
		assert(r == KZ_INVALID && !*i.digits);
		check_refusal(&why, size);
	}
	free(typed);
	return 0;
}
