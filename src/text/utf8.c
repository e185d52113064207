/* Normalising costs an allocation and two walks inside utf8proc, and nearly no text needs it: keyboards write
 * composed letters. So a text made only of code points that are starters, are their own NFC and compose with
 * nothing before them (Unicode's "quick check") skips it. The only home of utf8proc. */
#include "text/utf8.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "text/gsm7.h"

/* What writing programs put in by themselves, and what a phone's own alphabet has for it. */
static const struct {
	uint32_t cp;
	const char *plain;
} utf8_plain[] = {
    {0x00a0, " "},
    {0x00ab, "\""},
    {0x00bb, "\""},
    {0x2007, " "},
    {0x2010, "-"},
    {0x2011, "-"},
    {0x2012, "-"},
    {0x2013, "-"},
    {0x2014, "-"},
    {0x2015, "-"},
    {0x2018, "'"},
    {0x2019, "'"},
    {0x201a, "'"},
    {0x201b, "'"},
    {0x201c, "\""},
    {0x201d, "\""},
    {0x201e, "\""},
    {0x201f, "\""},
    {0x2026, "..."},
    {0x202f, " "},
    {0x2039, "'"},
    {0x203a, "'"},
    {0x2212, "-"},
};

size_t utf8_next(const char *s, size_t n, uint32_t *ret_cp)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *p = (const uint8_t *)s;

	if (!n)
		return 0;
	if (p[0] < 0x80) {
		*ret_cp = p[0];
		return 1;
	}
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc0 || p[0] > 0xf7 || n < len)
		return 0;
	uint32_t cp = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3fu);
	}
	if (cp < least[len] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret_cp = cp;
	return len;
}

size_t utf8_cut(char *ret, size_t room, const char *text)
{
	size_t n = strnlen(text, room), at = 0, len;
	uint32_t cp;

	assert(room > 0);
	while (at < n && (len = utf8_next(text + at, n - at, &cp)) > 0 && at + len < room)
		at += len;
	memcpy(ret, text, at);
	ret[at] = '\0';
	return at;
}

void utf8_put(struct buf *out, uint32_t cp)
{
	assert(cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff));
	if (cp < 0x80) {
		buf_char(out, (char)cp);
	} else if (cp < 0x800) {
		buf_char(out, (char)(0xc0 | cp >> 6));
		buf_char(out, (char)(0x80 | (cp & 0x3f)));
	} else if (cp < 0x10000) {
		buf_char(out, (char)(0xe0 | cp >> 12));
		buf_char(out, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (cp & 0x3f)));
	} else {
		buf_char(out, (char)(0xf0 | cp >> 18));
		buf_char(out, (char)(0x80 | (cp >> 12 & 0x3f)));
		buf_char(out, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (cp & 0x3f)));
	}
}

/* Unicode promises that decimal digits stand in runs from 0 to 9 (its stability policy), so a table of the
 * scripts is not needed: runs that touch, as the mathematical ones do, are ten long each. */
int utf8_digit(uint32_t cp)
{
	utf8proc_int32_t c = (utf8proc_int32_t)cp;
	int before = 0;

	if (cp < 0x80)
		return cp >= '0' && cp <= '9' ? (int)cp - '0' : -1;
	if (utf8proc_category(c) != UTF8PROC_CATEGORY_ND)
		return -1;
	while (utf8proc_category(c - before - 1) == UTF8PROC_CATEGORY_ND)
		before++;
	return before % 10;
}

bool utf8_is_letter(uint32_t cp)
{
	utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)cp);

	return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_ME;
}

bool utf8_is_gap(uint32_t cp)
{
	if (cp == '\t' || cp == '\n' || cp == '\r')
		return true;
	switch (utf8proc_category((utf8proc_int32_t)cp)) {
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
	case UTF8PROC_CATEGORY_PD:
	case UTF8PROC_CATEGORY_CF:
		return true;
	default:
		return cp == 0x2212; /* the minus sign, which some keyboards have for a dash */
	}
}

enum kz utf8_check(const char *s, size_t n)
{
	uint32_t cp;

	for (size_t i = 0, len; i < n; i += len)
		if (!(len = utf8_next(s + i, n - i, &cp)))
			return KZ_INVALID;
	return KZ_OK;
}

static bool utf8_is_control(uint32_t cp)
{
	return cp < 0x20 ? cp != '\n' && cp != '\r' : cp >= 0x7f && cp <= 0x9f;
}

/* Latin up to the combining marks, Cyrillic without its own, dashes, quotes, the numero sign. */
static bool utf8_is_stable(uint32_t cp)
{
	return cp < 0x300 || (cp >= 0x400 && cp <= 0x482) || (cp >= 0x48a && cp <= 0x52f) ||
	       (cp >= 0x2010 && cp <= 0x2027) || cp == 0x2116;
}

/* Checks every code point; *ret_stable: the text is its own NFC. */
static enum kz utf8_scan(const char *s, size_t n, bool *ret_stable)
{
	bool stable = true;
	uint32_t cp;

	for (size_t i = 0, len; i < n; i += len) {
		if (!(len = utf8_next(s + i, n - i, &cp)) || utf8_is_control(cp))
			return KZ_INVALID;
		stable = stable && utf8_is_stable(cp);
	}
	*ret_stable = stable;
	return KZ_OK;
}

/* utf8proc_map would allocate by itself, and leave the text where it was. */
static enum kz utf8_compose(const char *s, size_t n, struct buf *out)
{
	const utf8proc_option_t how = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
	const utf8proc_uint8_t *octets = (const utf8proc_uint8_t *)s;
	struct buf room = {.wiped = true};
	utf8proc_ssize_t count = utf8proc_decompose(octets, (utf8proc_ssize_t)n, NULL, 0, how), len = count;

	if (count < 0)
		return KZ_INVALID;
	utf8proc_int32_t *points = (void *)buf_space(&room, (size_t)count * sizeof *points);
	count = utf8proc_decompose(octets, (utf8proc_ssize_t)n, points, count, how);
	if (count >= 0 && (len = utf8proc_reencode(points, count, how)) >= 0)
		buf_add(out, points, (size_t)len);
	buf_fini(&room);
	return count >= 0 && len >= 0 ? KZ_OK : KZ_INVALID;
}

static const char *utf8_plain_form(uint32_t cp)
{
	if (cp < 0xa0)
		return NULL;
	for (size_t i = 0; i < sizeof utf8_plain / sizeof *utf8_plain; i++)
		if (utf8_plain[i].cp == cp)
			return utf8_plain[i].plain;
	return NULL;
}

/* Whether plain forms make the whole text GSM 7-bit. */
static bool utf8_wants_plain(const char *s, size_t n)
{
	uint8_t septets[2];
	uint32_t cp;

	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_next(s + i, n - i, &cp);
		if (!gsm7_encode(cp, septets) && !utf8_plain_form(cp))
			return false;
	}
	return true;
}

/* Appends the checked octets with line ends as LF and, when plain, with plain forms. */
static void utf8_copy(const char *s, size_t n, bool plain, struct buf *out)
{
	uint32_t cp;

	for (size_t i = 0, len; i < n; i += len) {
		const char *form = NULL;

		len = utf8_next(s + i, n - i, &cp);
		if (cp == '\r')
			form = i + 1 < n && s[i + 1] == '\n' ? "" : "\n";
		else if (plain)
			form = utf8_plain_form(cp);
		if (form)
			buf_str(out, form);
		else
			buf_add(out, s + i, len);
	}
}

enum kz utf8_for_phone(const char *s, size_t n, struct buf *out)
{
	struct buf nfc = {.wiped = true};
	bool stable;
	enum kz r = utf8_scan(s, n, &stable);

	if (r == KZ_OK && !stable) {
		r = utf8_compose(s, n, &nfc);
		s = buf_text(&nfc);
		n = nfc.len;
	}
	if (r == KZ_OK)
		utf8_copy(s, n, utf8_wants_plain(s, n), out);
	buf_fini(&nfc);
	return r;
}
