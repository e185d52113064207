#include "smsc_block.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "text/utf8.h"

/* A frame with a left side only: a right side would need the width of every character in the reader's font.
 */

#define COLUMNS      64
#define SIDE         "    │ "
#define FRAME_TOP    "    ╭──────────────────────────────────\n"
#define FRAME_END    "    ╰──────────────────────────────────\n"
#define BINARY_SHOWN 140

char *smsc_block_time(int64_t wall_us, char text[SMSC_BLOCK_TIME])
{
	time_t s = (time_t)(wall_us / 1000000);
	struct tm tm;

	localtime_r(&s, &tm);
	snprintf(text, SMSC_BLOCK_TIME, "%02u:%02u:%02u.%03u", (unsigned)tm.tm_hour % 24,
	    (unsigned)tm.tm_min % 60, (unsigned)tm.tm_sec % 61, (unsigned)(wall_us / 1000 % 1000) % 1000);
	return text;
}

/* The next character as it may be shown; how many octets of the input it took. */
static size_t plain_next(const char *text, size_t n, uint32_t *ret_cp)
{
	size_t took = utf8_next(text, n, ret_cp);

	if (!took)
		*ret_cp = 0xB7;
	else if ((*ret_cp < 0x20 && *ret_cp != '\n') || (*ret_cp >= 0x7F && *ret_cp < 0xA0))
		*ret_cp = 0xB7;
	else if ((*ret_cp >= 0x200E && *ret_cp <= 0x200F) || (*ret_cp >= 0x2028 && *ret_cp <= 0x202E) ||
	         (*ret_cp >= 0x2066 && *ret_cp <= 0x2069))
		*ret_cp = 0xB7; /* direction overrides: a text may not rewrite its line */
	return took ? took : 1;
}

void smsc_block_plain(const char *text, struct buf *out)
{
	size_t n = strlen(text);
	uint32_t cp;

	while (n) {
		size_t took = plain_next(text, n, &cp);

		utf8_put(out, cp == '\n' ? 0xB7 : cp);
		text += took;
		n -= took;
	}
}

/* Where the line that begins at text ends, broken at a space when it is over COLUMNS characters. */
static size_t line_end(const char *text, size_t n)
{
	size_t at = 0, space = 0;
	uint32_t cp;

	for (unsigned column = 0; at < n; column++) {
		if (column == COLUMNS)
			return space ? space : at;
		size_t took = plain_next(text + at, n - at, &cp);
		if (cp == '\n')
			return at;
		at += took;
		if (cp == ' ')
			space = at;
	}
	return n;
}

static void block_text(const char *text, size_t n, struct buf *out)
{
	size_t end;
	uint32_t cp;

	do {
		end = line_end(text, n);
		buf_str(out, SIDE);
		for (size_t at = 0; at < end;) {
			at += plain_next(text + at, end - at, &cp);
			utf8_put(out, cp);
		}
		buf_char(out, '\n');
		if (end < n && text[end] == '\n')
			end++;
		text += end;
		n -= end;
	} while (n);
}

static void block_binary(const struct smsc_sms *sms, struct buf *out)
{
	size_t n = sms->bytes_len < BINARY_SHOWN ? sms->bytes_len : BINARY_SHOWN;

	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%02x", i % 20 ? " " : i ? "\n" SIDE : SIDE, sms->bytes[i]);
	buf_str(out, n < sms->bytes_len ? " ...\n" : "\n");
}

static const char *alphabet_words(const char *alphabet)
{
	static const char *const words[][2] = {{"gsm7", "GSM 7-bit"}, {"ucs2", "UCS-2"},
	    {"latin1", "Latin-1"}, {"ascii", "ASCII"}, {"binary", "binary"}};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(words[i][0], alphabet))
			return words[i][1];
	return alphabet;
}

static void block_frame(const char *text, struct buf *out)
{
	buf_str(out, FRAME_TOP);
	block_text(text, strlen(text), out);
	buf_str(out, FRAME_END);
}

void smsc_block_page(const struct smsc_page *page, int64_t wall_us, struct buf *out)
{
	char at[SMSC_BLOCK_TIME];

	buf_printf(out, "%s  ", smsc_block_time(wall_us, at));
	smsc_block_plain(page->from, out);
	buf_str(out, " → ");
	smsc_block_plain(page->phone, out);
	buf_printf(out, "  USSD %s, %zu %s\n", smsc_page_how_name(page->how), page->units,
	    !strcmp(page->alphabet, "ucs2") ? "units of UCS-2" : "septets");
	block_frame(page->text, out);
}

void smsc_block_sms(const struct smsc_sms *sms, int64_t wall_us, struct buf *out)
{
	char at[SMSC_BLOCK_TIME];

	buf_printf(out, "%s  ", smsc_block_time(wall_us, at));
	smsc_block_plain(sms->from, out);
	buf_str(out, " → ");
	smsc_block_plain(sms->to, out);
	buf_printf(
	    out, "  %u part%s, %s\n", sms->parts, sms->parts == 1 ? "" : "s", alphabet_words(sms->alphabet));
	if (sms->text) {
		block_frame(sms->text, out);
		return;
	}
	buf_str(out, FRAME_TOP);
	block_binary(sms, out);
	buf_str(out, FRAME_END);
}
