/* Why one widest value is enough. A text that is cut greedily never takes more parts when characters go or
 * become smaller, so of one alphabet the longest value of the widest character is the widest. And when a
 * narrower value makes the text GSM 7-bit, it takes no more parts than it did as UCS-2: 67 units are at most
 * 134 septets of 153. What would break this is kept out of values: characters of two units, of two septets,
 * or that only some operators' wires carry as one, and plain forms (an ellipsis becomes three dots), which
 * are counted as they will be. */
#include "text/param.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/gsm7.h"
#include "text/utf8.h"

#define VALUE_MAX (3 * PARAM_TEXT_MAX)

static const struct {
	const char *name;
	unsigned max;        /* greatest n, 0: none is given */
	const char *pattern; /* where none is given: 0 stands for a digit */
	const char *widest;  /* character, else */
} kinds[PARAM_KINDS] = {
    [PARAM_DIGITS] = {"digits", 32, NULL, "0"},
    [PARAM_NUMBER] = {"number", 18, NULL, "9"},
    [PARAM_LATIN] = {"latin", PARAM_TEXT_MAX, NULL, "W"},
    [PARAM_TEXT] = {"text", PARAM_TEXT_MAX, NULL, "Ж"},
    [PARAM_NAME] = {"name", PARAM_TEXT_MAX, NULL, "Ж"},
    [PARAM_TIME] = {"time", 0, "00:00", NULL},
    [PARAM_DAY] = {"day", 0, "00.00", NULL},
    [PARAM_DATE] = {"date", 0, "00.00.0000", NULL},
    [PARAM_MOMENT] = {"moment", 0, "00.00 00:00", NULL},
};

/* "(6)", 1..max. */
static bool max_parse(const char *text, unsigned max, unsigned *ret)
{
	size_t digits = *text == '(' ? strspn(text + 1, "0123456789") : 0;

	if (digits < 1 || digits > 3 || strcmp(text + 1 + digits, ")") != 0)
		return false;
	*ret = (unsigned)strtoul(text + 1, NULL, 10);
	return *ret >= 1 && *ret <= max;
}

enum kz param_parse(const char *text, struct param_type *ret, const char **ret_why)
{
	size_t name = strcspn(text, "(");

	for (enum param_kind k = 0; k < PARAM_KINDS; k++) {
		struct param_type t = {k, 0};

		if (strlen(kinds[k].name) != name || strncmp(text, kinds[k].name, name) != 0)
			continue;
		if (kinds[k].max ? max_parse(text + name, kinds[k].max, &t.max) : !text[name]) {
			*ret = t;
			return KZ_OK;
		}
		*ret_why = kinds[k].max == PARAM_TEXT_MAX
		               ? "its length belongs into the parentheses: 1 to 160"
		           : kinds[k].max == 32 ? "its length belongs into the parentheses: 1 to 32"
		           : kinds[k].max       ? "its length belongs into the parentheses: 1 to 18"
		                                : "nothing follows this word";
		return KZ_INVALID;
	}
	*ret_why = "known are digits(n), number(n), latin(n), text(n), name(n), time, day, date and moment";
	return KZ_INVALID;
}

char *param_name(struct param_type t, char text[PARAM_TYPE])
{
	if (t.max)
		snprintf(text, PARAM_TYPE, "%s(%u)", kinds[t.kind].name, t.max);
	else
		snprintf(text, PARAM_TYPE, "%s", kinds[t.kind].name);
	return text;
}

void param_widest(struct param_type t, struct buf *out)
{
	if (!t.max)
		buf_str(out, kinds[t.kind].pattern);
	for (unsigned i = 0; i < t.max; i++)
		buf_str(out, kinds[t.kind].widest);
}

static bool follows_pattern(const char *value, const char *pattern)
{
	for (; *pattern; pattern++, value++)
		if (*pattern == '0' ? *value < '0' || *value > '9' : *value != *pattern)
			return false;
	return !*value;
}

static bool character_fits(enum param_kind kind, uint32_t cp)
{
	uint8_t septets[2];

	switch (kind) {
	case PARAM_DIGITS:
	case PARAM_NUMBER:
		return cp >= '0' && cp <= '9';
	case PARAM_LATIN:
		return cp >= ' ' && cp <= '~' && gsm7_encode(cp, septets) == 1;
	case PARAM_NAME:
		return cp <= 0xffff &&
		       (utf8_is_letter(cp) || cp == ' ' || cp == '-' || cp == '\'' || cp == 0x2019);
	default:
		return cp <= 0xffff && cp != '\n';
	}
}

/* Of a text as it will be for the phone. */
static enum kz characters_check(struct param_type t, const char *value, size_t n)
{
	size_t count = 0;
	uint32_t cp;

	for (size_t i = 0; i < n; count++) {
		size_t len = utf8_next(value + i, n - i, &cp);

		assert(len);
		if (!character_fits(t.kind, cp))
			return KZ_INVALID;
		i += len;
	}
	if (!count || (t.kind == PARAM_NUMBER && count > 1 && *value == '0'))
		return KZ_INVALID;
	return count > t.max ? KZ_TOO_LONG : KZ_OK;
}

enum kz param_check(struct param_type t, const char *value)
{
	size_t n = strnlen(value, VALUE_MAX + 1);
	struct buf text = {.wiped = true};

	if (!t.max)
		return follows_pattern(value, kinds[t.kind].pattern) ? KZ_OK : KZ_INVALID;
	if (n > VALUE_MAX)
		return KZ_TOO_LONG;
	enum kz r = utf8_for_phone(value, n, &text);
	if (r == KZ_OK)
		r = characters_check(t, buf_text(&text), text.len);
	buf_fini(&text);
	return r;
}
