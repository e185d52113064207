/* A number is judged from what a person sees to what only arithmetic sees: how many digits, the century, the
 * day, the check digit, so that the refusal names the first thing that she can mend. The check digit is the
 * sum of digit i times i, for i = 1..11, mod 11; where that is 10, the sum once more with the weights 3..11,
 * 1, 2; where that is 10 too, the number was never given to anybody. A weight of 11 counts for nothing, so
 * that the first sum does not see digit 11: that is most of what passes. */
#include "text/iin.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "text/digits.h"
#include "text/utf8.h"

#define IIN_WEIGHTS 11
#define IIN_NOBODY  10 /* a check digit that cannot be written */

/* Without the count of digits, which is only known when a text is judged. */
struct iin_wrong {
	const char *code, *remedy;
};

static const struct iin_wrong iin_empty = {"empty", "Nothing was given, need an IIN of 12 digits."};
static const struct iin_wrong iin_not_digits = {
    "not_digits", "Something is no digit, need 12 digits; spaces and hyphens may stand between."};
static const struct iin_wrong iin_too_short = {"too_short", NULL};
static const struct iin_wrong iin_too_long = {"too_long", NULL};
static const struct iin_wrong iin_bad_century = {
    "bad_century", "Digit 7 tells no century, need 1 to 6: check the first seven digits."};
static const struct iin_wrong iin_bad_date = {
    "bad_date", "No such day of birth, need a real one as YYMMDD: check the first seven digits."};
static const struct iin_wrong iin_never_issued = {
    "never_issued", "Nobody was given this number, need that of a document: check each digit."};
static const struct iin_wrong iin_bad_check = {
    "bad_check", "The last digit does not fit the others, need a number without a slip: check each digit."};

static bool iin_is_blank(const char *typed, size_t n)
{
	uint32_t cp;

	for (size_t i = 0, len; i < n; i += len)
		if (!(len = utf8_next(typed + i, n - i, &cp)) || !utf8_is_gap(cp))
			return false;
	return true;
}

static const struct iin_wrong *iin_read(const char *typed, size_t n, struct iin *ret, unsigned *ret_count)
{
	char found[DIGITS_TYPED + 1];
	const struct iin_wrong *wrong = NULL;
	enum kz r = digits_parse(typed, n, DIGITS_TYPED, found);
	size_t count = r == KZ_OK ? strlen(found) : 0;

	if (r == KZ_TOO_LONG || count > IIN_DIGITS)
		wrong = &iin_too_long;
	else if (r != KZ_OK)
		wrong = iin_is_blank(typed, n) ? &iin_empty : &iin_not_digits;
	else if (count < IIN_DIGITS)
		wrong = &iin_too_short;
	else
		memcpy(ret->digits, found, IIN_DIGITS + 1);
	*ret_count = (unsigned)count;
	secret_wipe(found, sizeof found);
	return wrong;
}

static int iin_digit(const struct iin *i, size_t at)
{
	return i->digits[at] - '0';
}

static int iin_pair(const struct iin *i, size_t at)
{
	return iin_digit(i, at) * 10 + iin_digit(i, at + 1);
}

static int iin_sum(const struct iin *i, unsigned first_weight)
{
	int sum = 0;

	for (unsigned at = 0; at < IIN_DIGITS - 1; at++)
		sum += iin_digit(i, at) * (int)((first_weight - 1 + at) % IIN_WEIGHTS + 1);
	return sum % IIN_WEIGHTS;
}

/* 0..9, or IIN_NOBODY. */
static int iin_check(const struct iin *i)
{
	int check = iin_sum(i, 1);

	return check == IIN_NOBODY ? iin_sum(i, 3) : check;
}

static bool iin_is_day(struct iin_day d)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = d.year % 4 == 0 && (d.year % 100 != 0 || d.year % 400 == 0);

	if (d.month < 1 || d.month > 12 || d.day < 1)
		return false;
	return d.day <= days[d.month - 1] + (leap && d.month == 2);
}

static const struct iin_wrong *iin_judge(const struct iin *i)
{
	int century = iin_digit(i, 6), check = iin_check(i);

	if (century < 1 || century > 6)
		return &iin_bad_century;
	if (!iin_is_day(iin_birth(i)))
		return &iin_bad_date;
	if (check == IIN_NOBODY)
		return &iin_never_issued;
	return check == iin_digit(i, IIN_DIGITS - 1) ? NULL : &iin_bad_check;
}

static void iin_explain(const struct iin_wrong *wrong, unsigned count, struct iin_refusal *ret)
{
	bool counts = wrong == &iin_too_short || wrong == &iin_too_long;

	ret->code = wrong->code;
	ret->count = counts ? count : 0;
	if (!counts)
		snprintf(ret->remedy, sizeof ret->remedy, "%s", wrong->remedy);
	else if (!count)
		snprintf(ret->remedy, sizeof ret->remedy, "Over %d octets, need %d digits.", DIGITS_TYPED,
		    IIN_DIGITS);
	else
		snprintf(ret->remedy, sizeof ret->remedy, "%u digit%s, need %d.", count,
		    count == 1 ? "" : "s", IIN_DIGITS);
}

enum kz iin_parse(const char *typed, size_t n, struct iin *ret, struct iin_refusal *ret_why)
{
	struct iin i;
	unsigned count;
	const struct iin_wrong *wrong = iin_read(typed, n, &i, &count);

	if (!wrong)
		wrong = iin_judge(&i);
	if (wrong)
		iin_explain(wrong, count, ret_why);
	else
		*ret = i;
	secret_wipe(&i, sizeof i);
	return wrong ? KZ_INVALID : KZ_OK;
}

enum kz iin_complete(const char *stem, struct iin *ret)
{
	struct iin i;

	if (strspn(stem, "0123456789") != IIN_DIGITS - 1 || stem[IIN_DIGITS - 1])
		return KZ_INVALID;
	memcpy(i.digits, stem, IIN_DIGITS - 1);
	i.digits[IIN_DIGITS - 1] = (char)('0' + iin_check(&i));
	i.digits[IIN_DIGITS] = '\0';
	bool good = !iin_judge(&i);
	if (good)
		*ret = i;
	secret_wipe(&i, sizeof i);
	return good ? KZ_OK : KZ_INVALID;
}

struct iin_day iin_birth(const struct iin *i)
{
	int century = (iin_digit(i, 6) - 1) / 2;

	return (struct iin_day){1800 + 100 * century + iin_pair(i, 0), iin_pair(i, 2), iin_pair(i, 4)};
}

enum iin_sex iin_sex(const struct iin *i)
{
	return iin_digit(i, 6) % 2 ? IIN_MALE : IIN_FEMALE;
}

int iin_age(const struct iin *i, struct iin_day on)
{
	struct iin_day born = iin_birth(i);
	bool to_come = on.month < born.month || (on.month == born.month && on.day < born.day);
	int years = on.year - born.year - to_come;

	return years < 0 ? -1 : years;
}

char *iin_last_four(const struct iin *i, char text[5])
{
	memcpy(text, i->digits + IIN_DIGITS - 4, 5);
	return text;
}

char *iin_masked(const struct iin *i, char text[IIN_DIGITS + 1])
{
	memset(text, '*', IIN_DIGITS - 4);
	iin_last_four(i, text + IIN_DIGITS - 4);
	return text;
}
