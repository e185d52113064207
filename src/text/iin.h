/* iin: the number of a person in Kazakhstan (ЖСН, ИИН), a value that cannot hold anything else: YYMMDD, the
 * century and sex, four digits of a serial, a check digit. Some 9 of 100 single slips make another valid
 * number: nothing may be done on one alone. It never goes to a log, an error or an SMS but masked. The
 * functions take it by address, so that no copy is left to wipe: its owner does secret_wipe(&i, sizeof i). */
#ifndef TEXT_IIN_H
#define TEXT_IIN_H

#include <stddef.h>

#include "base/result.h"

#define IIN_DIGITS 12
#define IIN_REMEDY 96 /* the longest remedy and NUL */

struct iin {
	char digits[IIN_DIGITS + 1]; /* ASCII and NUL */
};

/* Why a text is not one: a stable code for APIs, a sentence for people, and the number in it for sentences in
 * their own language. Nothing of what was typed is in it. */
struct iin_refusal {
	const char *code; /* "empty", "not_digits", "too_short", "too_long", "bad_century", "bad_date",
	                   * "never_issued", "bad_check"; static */
	unsigned count;   /* of digits, when it is too short or too long; 0: over DIGITS_TYPED octets */
	char remedy[IIN_REMEDY]; /* "11 digits, need 12." */
};

/* A day of the calendar: month 1..12, day 1..31. */
struct iin_day {
	int year, month, day;
};

enum iin_sex { IIN_MALE, IIN_FEMALE };

/* The n octets at typed are UTF-8: digits of every script count, spaces and dashes are passed over, as in
 * digits_parse. Births of 1800 to 2099 on days that were; whether the day has come is the caller's to ask, by
 * iin_age. On KZ_INVALID *ret_why says why. */
enum kz iin_parse(const char *typed, size_t n, struct iin *ret, struct iin_refusal *ret_why) KZ_CHECK;
/* The number that begins with these eleven digits. KZ_INVALID: they are none, name no day, or nobody was ever
 * given it. */
enum kz iin_complete(const char *stem, struct iin *ret) KZ_CHECK;
struct iin_day iin_birth(const struct iin *i);
enum iin_sex iin_sex(const struct iin *i);
/* Full years on a day, -1 before the birth. Who was born on a 29 February is a year older on 1 March of a
 * common year. */
int iin_age(const struct iin *i, struct iin_day on);
/* The last four digits; returns text. */
char *iin_last_four(const struct iin *i, char text[5]);
/* "********0006": for logs; returns text. */
char *iin_masked(const struct iin *i, char text[IIN_DIGITS + 1]);

#endif
