/* msisdn: a mobile number of Kazakhstan, a value that cannot hold anything else. +7 7XX XXX XX XX. */
#ifndef TEXT_MSISDN_H
#define TEXT_MSISDN_H

#include <stdint.h>

#include "base/result.h"

#define MSISDN_TEXT 13 /* "+77011234567" and NUL */

struct msisdn {
	uint64_t digits; /* 77000000000..77999999999 */
};

/* Why a text is not one: a stable code for APIs and a sentence with the remedy for people. */
struct msisdn_refusal {
	const char *code;   /* "empty", "not_digits", "too_short", "too_long", "foreign", "landline" */
	const char *remedy; /* static */
};

/* Accepts 8701..., 7701..., +7701... and 701... with spaces, hyphens, dots and parentheses between digits;
 * mobile ranges 70x, 77x and 747 only (ranges in one table). On KZ_INVALID *ret_why says why. */
enum kz msisdn_parse(const char *text, struct msisdn *ret, struct msisdn_refusal *ret_why) KZ_CHECK;
/* From the stored integer. */
enum kz msisdn_from_digits(uint64_t digits, struct msisdn *ret) KZ_CHECK;
/* "+77011234567"; returns text. */
char *msisdn_text(struct msisdn m, char text[MSISDN_TEXT]);
/* "+7701***4567": for logs; returns text. */
char *msisdn_masked(struct msisdn m, char text[MSISDN_TEXT]);

#endif
