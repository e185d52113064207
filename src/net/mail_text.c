#include "net/mail_text.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"

/* Octets of a line of base64 (76 characters, RFC 2045, 6.8) and of an encoded word: with "Subject: " before
 * it its line stays within 76 characters too (RFC 2047, 2). */
#define LINE_OCTETS 57
#define WORD_OCTETS 39

/* How many octets the next word takes: no character is parted between two. */
static size_t word_octets(const char *text, size_t len)
{
	size_t n = WORD_OCTETS;

	if (len <= WORD_OCTETS)
		return len;
	while (n > WORD_OCTETS - 4 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void text_put_words(struct buf *out, const char *text)
{
	char word[(WORD_OCTETS + 2) / 3 * 4 + 1];
	size_t len = strlen(text);

	for (size_t at = 0, n; at < len; at += n) {
		n = word_octets(text + at, len - at);
		secret_base64(text + at, n, word);
		buf_printf(out, "%s=?UTF-8?B?%s?=", at ? "\r\n " : "", word);
	}
}

/* The names are English whatever the locale. */
static void text_put_date(struct buf *out, int64_t wall_us)
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t s = (time_t)(wall_us / 1000000);
	struct tm t;

	gmtime_r(&s, &t);
	buf_printf(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[t.tm_wday], t.tm_mday,
	    months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static void text_put_from(struct buf *out, const char *from, const char *from_name)
{
	buf_str(out, "From: ");
	text_put_words(out, from_name);
	buf_printf(out, "%s<%s>\r\n", *from_name ? "\r\n " : "", from);
}

/* A text's lines end by CR LF before it is encoded (RFC 2045, 6.8). */
static void text_put_body(struct buf *out, const char *text)
{
	struct buf lines = {.wiped = true};
	char line[(LINE_OCTETS + 2) / 3 * 4 + 1];

	for (const char *p = text; *p; p++) {
		if (*p == '\n' && (p == text || p[-1] != '\r'))
			buf_char(&lines, '\r');
		buf_char(&lines, *p);
	}
	for (size_t at = 0; at < lines.len; at += LINE_OCTETS) {
		size_t left = lines.len - at;

		secret_base64(lines.data + at, left < LINE_OCTETS ? left : LINE_OCTETS, line);
		buf_printf(out, "%s\r\n", line);
	}
	secret_wipe(line, sizeof line);
	buf_fini(&lines);
}

void mail_text_write(
    const struct mail *m, const char *from, const char *from_name, int64_t wall_us, struct buf *out)
{
	assert(!mail_fault(m));
	text_put_date(out, wall_us);
	text_put_from(out, from, from_name);
	buf_printf(out, "To: <%s>\r\nSubject: ", m->to);
	text_put_words(out, m->subject);
	buf_printf(out, "\r\nMessage-ID: <%s%s>\r\n", m->id, strchr(from, '@'));
	if (m->unsubscribe && *m->unsubscribe)
		buf_printf(out, "List-Unsubscribe: <%s>\r\n", m->unsubscribe);
	buf_printf(out, "Auto-Submitted: auto-generated\r\nContent-Language: %s\r\n", m->language);
	buf_str(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	             "Content-Transfer-Encoding: base64\r\n\r\n");
	text_put_body(out, m->text);
}
