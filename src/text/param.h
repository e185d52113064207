/* param: the types of what is filled into templates: which values there may be, and the widest of them, with
 * which a template is proved to fit. A value is one line of what a phone can show. */
#ifndef TEXT_PARAM_H
#define TEXT_PARAM_H

#include "base/buf.h"
#include "base/result.h"

#define PARAM_TEXT_MAX 160 /* characters of a text or name; octets of a value: three times as many */
#define PARAM_TYPE     20  /* octets of a type as it is written, with its NUL */

enum param_kind {
	PARAM_DIGITS, /* digits(n): 1..n digits */
	PARAM_NUMBER, /* number(n): the same without zeros before it */
	PARAM_LATIN, /* latin(n): letters, digits and marks of ASCII, one septet each on every operator's wire
	              */
	PARAM_TEXT,  /* text(n): any, but no emoji and other signs that are two units of UCS-2 */
	PARAM_NAME,  /* name(n): letters, spaces, hyphens, apostrophes: of a person, so that it cannot be a
	                link */
	PARAM_TIME,  /* time: 17:02 */
	PARAM_DAY,   /* day: 19.09 */
	PARAM_DATE,  /* date: 19.09.2026 */
	PARAM_MOMENT, /* moment: 19.09 17:02 */
	PARAM_KINDS
};

struct param_type {
	enum param_kind kind;
	unsigned max; /* n; 0 where the kind has none */
};

/* "digits(6)", "time"; KZ_INVALID with the remedy in *ret_why. */
enum kz param_parse(const char *text, struct param_type *ret, const char **ret_why) KZ_CHECK;
/* As it is written; returns text. */
char *param_name(struct param_type t, char text[PARAM_TYPE]);
/* Appends a value than which no other takes more of an SMS, wherever it stands and whatever the other text
 * is. */
void param_widest(struct param_type t, struct buf *out);
/* Whether value is one of the type; "" is none. KZ_INVALID, KZ_TOO_LONG. */
enum kz param_check(struct param_type t, const char *value) KZ_CHECK;

#endif
