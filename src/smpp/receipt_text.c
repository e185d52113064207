/* receipt_text: finds "name:" anywhere and takes what stands behind it. A format string in the manner of
 * Kannel was not taken: operators swap, drop, double and glue fields. What was sent may be quoted behind
 * "text:" and may itself look like a receipt (a person chooses it), so it is looked at last, and only for
 * what is missing. The first of a name wins. */
#include "smpp/receipt_text.h"

#include <string.h>
#include <time.h>

#include "base/secret.h"

#define PLAIN_MAX   512
#define UDHI        0x40
#define ZONE_S      (5 * 3600) /* Kazakhstan has one zone since 2024-03-01 */
#define DATE_DIGITS 14

enum field { FIELD_ID, FIELD_STAT, FIELD_ERR, FIELD_DONE, FIELD_TEXT, FIELD_OTHER, FIELD_NONE };

/* Names without blanks and underscores, which are skipped in the text. */
static const struct {
	const char *name;
	enum field field;
} names[] = {
    {"id", FIELD_ID},
    {"msgid", FIELD_ID},
    {"messageid", FIELD_ID},
    {"stat", FIELD_STAT},
    {"status", FIELD_STAT},
    {"state", FIELD_STAT},
    {"err", FIELD_ERR},
    {"error", FIELD_ERR},
    {"errcode", FIELD_ERR},
    {"errorcode", FIELD_ERR},
    {"donedate", FIELD_DONE},
    {"text", FIELD_TEXT},
    {"sub", FIELD_OTHER},
    {"dlvrd", FIELD_OTHER},
    {"submitdate", FIELD_OTHER},
};

struct plain {
	char at[PLAIN_MAX + 1];
	size_t len;
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '_';
}

/* Ends a value. */
static bool is_gap(char c)
{
	return c <= ' ' || c == ',' || c == ';' || c == 0x7f;
}

/* Skips a header of user data and a byte order mark. */
static struct pdu_tlvs plain_octets(const struct pdu_sm *m)
{
	const uint8_t *at = m->text;
	size_t len = m->text_len, skip = 0;

	if ((m->esm_class & UDHI) && len && at[0] < len)
		skip = (size_t)at[0] + 1;
	if (len - skip >= 2 &&
	    ((at[skip] == 0xFE && at[skip + 1] == 0xFF) || (at[skip] == 0xFF && at[skip + 1] == 0xFE)))
		skip += 2;
	return (struct pdu_tlvs){at + skip, len - skip};
}

/* The text as ASCII: UCS-2 of either order is folded, whatever is not ASCII becomes '?'. Receipts in UCS-2
 * come with data_coding 8 and with 0, so the octets decide. */
static void plain_read(const struct pdu_sm *m, struct plain *ret)
{
	*ret = (struct plain){.len = 0};
	if (!m->text_len)
		return;
	struct pdu_tlvs o = plain_octets(m);
	bool big = o.len >= 4 && !o.at[0] && o.at[1] && !o.at[2] && o.at[3];
	bool little = o.len >= 4 && o.at[0] && !o.at[1] && o.at[2] && !o.at[3];
	size_t step = big || little ? 2 : 1;

	for (size_t i = 0; i + step <= o.len && ret->len < PLAIN_MAX; i += step) {
		unsigned low = o.at[i + (big ? 1 : 0)], high = step == 1 ? 0 : o.at[i + (big ? 0 : 1)];

		ret->at[ret->len++] = low < 0x80 && !high ? (char)low : '?';
	}
}

/* Whether name stands at p, up to its colon; the octets it takes with the colon, else 0. */
static size_t name_at(const char *p, const char *name)
{
	const char *at = p;

	for (; *name; name++, at++) {
		while (at > p && is_blank(*at))
			at++;
		if (lower(*at) != *name)
			return 0;
	}
	while (*at == ' ')
		at++;
	return *at == ':' || *at == '=' ? (size_t)(at - p) + 1 : 0;
}

/* The field whose name begins at offset i: at the text's beginning, behind anything but a letter
 * ("err:000Text:" is seen), never within a word. */
static enum field field_at(const struct plain *t, size_t i, size_t *ret_len)
{
	if (!is_letter(t->at[i]) || (i && is_letter(t->at[i - 1])))
		return FIELD_NONE;
	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		size_t n = name_at(t->at + i, names[k].name);

		if (n) {
			*ret_len = n;
			return names[k].field;
		}
	}
	return FIELD_NONE;
}

/* The end of the value at `from`: a gap, or a digit beside the name of another field. */
static size_t value_end(const struct plain *t, size_t from)
{
	size_t i = from, n;

	for (; i < t->len && !is_gap(t->at[i]); i++)
		if (field_at(t, i, &n) != FIELD_NONE)
			break;
	return i;
}

static void value_copy(const struct plain *t, size_t from, size_t end, char *ret, size_t room)
{
	size_t n = end - from < room - 1 ? end - from : room - 1;

	memcpy(ret, t->at + from, n);
	ret[n] = '\0';
}

/* An id over its bound is nobody's: it is not cut. */
static void take_id(const struct plain *t, size_t from, struct receipt_text *ret)
{
	size_t end = value_end(t, from);

	if (!*ret->id && end - from < RECEIPT_ID)
		value_copy(t, from, end, ret->id, sizeof ret->id);
}

static void take_stat(const struct plain *t, size_t from, struct receipt_text *ret)
{
	size_t end = value_end(t, from), n = 0;

	if (*ret->stat)
		return;
	for (size_t i = from; i < end && n + 1 < sizeof ret->stat; i++)
		if (is_letter(t->at[i]))
			ret->stat[n++] = lower(t->at[i]);
	ret->stat[n] = '\0';
}

static void take_err(const struct plain *t, size_t from, struct receipt_text *ret)
{
	size_t end = from, limit = value_end(t, from);

	while (end < limit && (is_letter(t->at[end]) || is_digit(t->at[end]) || t->at[end] == '-'))
		end++;
	if (!*ret->err)
		value_copy(t, from, end, ret->err, sizeof ret->err);
}

static int two(const char *digits)
{
	return (digits[0] - '0') * 10 + digits[1] - '0';
}

/* YYMMDDhhmm[ss], YYYYMMDDhhmm[ss]; 0 when it is none. Twelve digits that begin with 20 are of four-digit
 * years: nothing is delivered in 2020 any more. */
static int64_t date_read(const char *digits, size_t n)
{
	bool century = n == DATE_DIGITS || (n == 12 && !strncmp(digits, "20", 2));
	const char *at = digits + (century ? 2 : 0);
	bool seconds = n == DATE_DIGITS || (n == 12 && !century);

	if (n != 10 && n != 12 && n != DATE_DIGITS)
		return 0;
	struct tm tm = {
	    .tm_year = (century ? two(digits) : 20) * 100 + two(at) - 1900,
	    .tm_mon = two(at + 2) - 1,
	    .tm_mday = two(at + 4),
	    .tm_hour = two(at + 6),
	    .tm_min = two(at + 8),
	    .tm_sec = seconds ? two(at + 10) : 0,
	};
	int day = tm.tm_mday;

	if (tm.tm_mon < 0 || tm.tm_mon > 11 || day < 1 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
		return 0;
	int64_t s = (int64_t)timegm(&tm);
	if (tm.tm_mday != day) /* 31 February was normalised away */
		return 0;
	s -= ZONE_S;
	return s > 0 ? s * 1000 : 0;
}

static bool is_between_digits(char c)
{
	return c == '-' || c == '/' || c == '.' || c == ':' || c == 'T' || c == ' ';
}

/* Digits, with what people put between those of a date and a time. */
static void take_done(const struct plain *t, size_t from, struct receipt_text *ret)
{
	char digits[DATE_DIGITS];
	size_t n = 0;

	if (ret->done_wall_ms)
		return;
	for (size_t i = from; i < t->len && (is_digit(t->at[i]) || is_between_digits(t->at[i])); i++) {
		if (!is_digit(t->at[i]))
			continue;
		if (n == sizeof digits)
			return;
		digits[n++] = t->at[i];
	}
	ret->done_wall_ms = date_read(digits, n);
}

static void take_field(const struct plain *t, enum field f, size_t from, struct receipt_text *ret)
{
	if (f == FIELD_ID)
		take_id(t, from, ret);
	else if (f == FIELD_STAT)
		take_stat(t, from, ret);
	else if (f == FIELD_ERR)
		take_err(t, from, ret);
	else if (f == FIELD_DONE)
		take_done(t, from, ret);
}

/* Reads fields from offset i on, up to the end or behind the first "text:"; where it stopped. */
static size_t text_scan(const struct plain *t, size_t i, struct receipt_text *ret)
{
	while (i < t->len) {
		size_t n = 1, value, next;
		enum field f = field_at(t, i, &n);

		i += n;
		if (f == FIELD_TEXT)
			return i;
		if (f == FIELD_NONE)
			continue;
		for (value = i; value < t->len && is_gap(t->at[value]);)
			value++;
		/* "err: text:": the value is empty */
		if (field_at(t, value, &next) == FIELD_NONE)
			take_field(t, f, value, ret);
	}
	return i;
}

void receipt_text_read(const struct pdu_sm *m, struct receipt_text *ret)
{
	struct plain t;
	size_t first = 0, n, quoted;

	*ret = (struct receipt_text){.id = ""};
	plain_read(m, &t);
	while (first < t.len && is_gap(t.at[first]))
		first++;
	ret->begins = field_at(&t, first, &n) != FIELD_NONE;
	quoted = text_scan(&t, first, ret);
	if (!*ret->id || !*ret->stat)
		text_scan(&t, quoted, ret);
	secret_wipe(t.at, t.len); /* what was sent may be quoted */
}
