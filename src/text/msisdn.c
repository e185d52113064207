/* People write a number as they say it, so what separates digits is dropped before anything is judged, and
 * only then the digits are read: with the trunk prefix 8, the country's 7, or neither. Nothing is guessed: a
 * number that could be another country's is refused as foreign, since a code sent to a stranger is worse than
 * an error. */
#include "text/msisdn.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define MSISDN_TEXT_LONGEST   64 /* octets with separators */
#define MSISDN_DIGITS_LONGEST 15 /* E.164 */
#define MSISDN_NATIONAL       10
#define MSISDN_COUNTRY        70000000000

/* The first three national digits of mobile numbers. */
static const struct {
	uint16_t first, last;
} msisdn_mobile[] = {
    {700, 709},
    {747, 747},
    {770, 779},
};

static const struct msisdn_refusal msisdn_empty = {
    "empty", "Give a mobile number of Kazakhstan, like +7 701 123 45 67."};
static const struct msisdn_refusal msisdn_not_digits = {"not_digits",
    "Write the digits 0-9, with + in front if you like; only spaces, hyphens, dots and parentheses may "
    "stand between them, like +7 701 123 45 67."};
static const struct msisdn_refusal msisdn_too_short = {
    "too_short", "Digits are missing: a number has ten after +7 or 8, like +7 701 123 45 67."};
static const struct msisdn_refusal msisdn_too_long = {
    "too_long", "There are too many digits: a number has ten after +7 or 8, like +7 701 123 45 67."};
static const struct msisdn_refusal msisdn_foreign = {"foreign",
    "This is a number of another country; give a mobile number of Kazakhstan, like +7 701 123 45 67."};
static const struct msisdn_refusal msisdn_landline = {
    "landline", "This number is not a mobile one; give a number that starts with +7 70, +7 747 or +7 77."};

/* What was written, without separators. */
struct msisdn_spelling {
	bool plus;
	char digits[MSISDN_DIGITS_LONGEST + 1];
	size_t count;
};

static const struct msisdn_refusal *msisdn_read(const char *text, struct msisdn_spelling *s)
{
	if (!text[strspn(text, " ")])
		return &msisdn_empty;
	if (strnlen(text, MSISDN_TEXT_LONGEST + 1) > MSISDN_TEXT_LONGEST)
		return &msisdn_too_long;
	for (; *text; text++) {
		if (strchr(" -.()", *text))
			continue;
		if (*text == '+' && !s->plus && !s->count) {
			s->plus = true;
			continue;
		}
		if (*text < '0' || *text > '9')
			return &msisdn_not_digits;
		if (s->count == MSISDN_DIGITS_LONGEST)
			return &msisdn_too_long;
		s->digits[s->count++] = *text;
	}
	return s->count || s->plus ? NULL : &msisdn_not_digits;
}

/* The ten digits behind the country's or the trunk prefix. */
static const struct msisdn_refusal *msisdn_strip(const struct msisdn_spelling *s, const char **ret_national)
{
	char first = s->digits[0];
	bool ours = first == '7' || (first == '8' && !s->plus);
	bool bare = !s->plus && first == '7' && s->count == MSISDN_NATIONAL;

	if (!ours)
		return s->count < MSISDN_NATIONAL && !(s->plus && s->count) ? &msisdn_too_short
		                                                            : &msisdn_foreign;
	if (!bare && s->count <= MSISDN_NATIONAL)
		return &msisdn_too_short;
	if (s->count > MSISDN_NATIONAL + 1)
		return &msisdn_too_long;
	*ret_national = bare ? s->digits : s->digits + 1;
	return NULL;
}

static bool msisdn_is_mobile(uint64_t range)
{
	for (size_t i = 0; i < sizeof msisdn_mobile / sizeof *msisdn_mobile; i++)
		if (range >= msisdn_mobile[i].first && range <= msisdn_mobile[i].last)
			return true;
	return false;
}

/* +7 is shared: 7 behind it is Kazakhstan, the rest is Russia. */
static const struct msisdn_refusal *msisdn_judge(const char *national, struct msisdn *ret)
{
	uint64_t number = 0;

	if (*national != '7')
		return &msisdn_foreign;
	for (size_t i = 0; i < MSISDN_NATIONAL; i++)
		number = number * 10 + (uint64_t)(national[i] - '0');
	return msisdn_from_digits(MSISDN_COUNTRY + number, ret) == KZ_OK ? NULL : &msisdn_landline;
}

enum kz msisdn_parse(const char *text, struct msisdn *ret, struct msisdn_refusal *ret_why)
{
	struct msisdn_spelling s = {0};
	const char *national = NULL;
	const struct msisdn_refusal *why = msisdn_read(text, &s);

	if (!why)
		why = msisdn_strip(&s, &national);
	if (!why)
		why = msisdn_judge(national, ret);
	if (!why)
		return KZ_OK;
	*ret_why = *why;
	return KZ_INVALID;
}

enum kz msisdn_from_digits(uint64_t digits, struct msisdn *ret)
{
	if (digits < 77000000000 || digits > 77999999999 || !msisdn_is_mobile(digits / 10000000 % 1000))
		return KZ_INVALID;
	ret->digits = digits;
	return KZ_OK;
}

char *msisdn_text(struct msisdn m, char text[MSISDN_TEXT])
{
	uint64_t left = m.digits;

	text[MSISDN_TEXT - 1] = '\0';
	for (size_t i = MSISDN_TEXT - 2; i > 0; i--, left /= 10)
		text[i] = (char)('0' + left % 10);
	text[0] = '+';
	return text;
}

char *msisdn_masked(struct msisdn m, char text[MSISDN_TEXT])
{
	memset(msisdn_text(m, text) + 5, '*', 3);
	return text;
}
