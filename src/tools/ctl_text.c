/* The JSON library guarantees valid UTF-8, so decoding here needs no second check; it also rejects U+0000 by
 * default. Escaping for a shell or a pager is not tried: a replaced character shows that something was there.
 */
#include "ctl_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define NUMBER_MOST 1e15

/* Octets of the character at s, and its number. s is valid UTF-8 and not at its end. */
static size_t text_decode(const unsigned char *s, uint32_t *ret_rune)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t rune = n == 1 ? s[0] : s[0] & (0x7fU >> n);
	size_t i = 1;

	for (; i < n && (s[i] & 0xc0) == 0x80; i++)
		rune = rune << 6 | (s[i] & 0x3fU);
	*ret_rune = rune;
	return i;
}

static bool rune_is_control(uint32_t r)
{
	return r < 0x20 || (r >= 0x7f && r < 0xa0);
}

/* Marks that turn the direction of what follows, and line or paragraph separators: they can make a line lie.
 */
static bool rune_is_hidden(uint32_t r)
{
	return (r >= 0x200b && r <= 0x200f) || (r >= 0x2028 && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) ||
	       r == 0x061c || r == 0xfeff;
}

void ctl_text_clean(struct buf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t rune;

	while (*s != 0) {
		size_t n = text_decode(s, &rune);

		if (rune_is_control(rune) || rune_is_hidden(rune))
			buf_str(out, "\xef\xbf\xbd");
		else
			buf_add(out, s, n);
		s += n;
	}
}

void ctl_text_age(struct buf *out, int64_t ms)
{
	long long s = ms / 1000;

	if (s < 60)
		buf_printf(out, "%lld s", s);
	else if (s < 3600)
		buf_printf(out, "%lld min %lld s", s / 60, s % 60);
	else if (s < 86400)
		buf_printf(out, "%lld h %lld min", s / 3600, s / 60 % 60);
	else
		buf_printf(out, "%lld d %lld h", s / 86400, s / 3600 % 24);
}

void ctl_text_duration(struct buf *out, int64_t ms)
{
	if (ms < 1000)
		buf_printf(out, "%lld ms", (long long)ms);
	else if (ms < 60000)
		buf_printf(out, "%lld.%03lld s", (long long)(ms / 1000), (long long)(ms % 1000));
	else
		ctl_text_age(out, ms);
}

void ctl_text_time(struct buf *out, const char *rfc3339, bool date)
{
	int64_t us = clock_parse_rfc3339(rfc3339);
	time_t s = (time_t)(us / 1000000);
	int ms = (int)(us / 1000 % 1000);
	char head[32], zone[16];
	struct tm tm;

	if (us < 0 || localtime_r(&s, &tm) == NULL) {
		ctl_text_clean(out, rfc3339);
		return;
	}
	strftime(head, sizeof(head), date ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), " %z", &tm);
	buf_printf(out, "%s.%03d%s", head, ms, date ? zone : "");
}

static void text_add_list(struct buf *out, const json_t *list)
{
	size_t i;
	json_t *item;

	json_array_foreach(list, i, item)
	{
		buf_str(out, i > 0 ? ", " : "");
		if (!json_is_array(item))
			ctl_text_value(out, item);
	}
}

void ctl_text_value(struct buf *out, const json_t *value)
{
	if (value == NULL)
		return;
	switch (json_typeof(value)) {
	case JSON_STRING:
		ctl_text_clean(out, json_string_value(value));
		break;
	case JSON_INTEGER:
		buf_printf(out, "%lld", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		ctl_text_rate(out, json_real_value(value));
		break;
	case JSON_TRUE:
		buf_str(out, "yes");
		break;
	case JSON_FALSE:
		buf_str(out, "no");
		break;
	case JSON_ARRAY:
		text_add_list(out, value);
		break;
	default:
		break;
	}
}

void ctl_text_rate(struct buf *out, double per_second)
{
	char text[64];
	size_t n = (size_t)snprintf(text, sizeof(text), "%.1f", per_second);

	if (n > 2 && n < sizeof(text) && strcmp(text + n - 2, ".0") == 0)
		text[n - 2] = '\0';
	buf_str(out, text);
}

void ctl_text_json(struct buf *out, const json_t *value)
{
	char *dump = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
	const unsigned char *s = (const unsigned char *)dump;
	uint32_t rune;

	while (s != NULL && *s != 0) {
		size_t n = text_decode(s, &rune);

		/* Line breaks are jansson's own indentation; inside strings it has escaped them. */
		if ((rune_is_control(rune) && rune != '\n') || rune_is_hidden(rune))
			buf_printf(out, "\\u%04X", rune);
		else
			buf_add(out, s, n);
		s += n;
	}
	free(dump);
}

const char *ctl_text_field(const json_t *object, const char *name, const char *fallback)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : fallback;
}

int64_t ctl_number_field(const json_t *object, const char *name)
{
	double v = json_number_value(json_object_get(object, name));

	return (int64_t)(v > NUMBER_MOST ? NUMBER_MOST : v < -NUMBER_MOST ? -NUMBER_MOST : v);
}

double ctl_real_field(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}
