/* A letter whose every part comes from a stranger, six of them with NUL between: what has no fault is written
 * as the headers that it should have, each once and in order, and a text in base64, in lines that no server
 * refuses and that end nothing early. */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/mail_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const headers[] = {
    "Date: ", "From: ", "To: ", "Subject: ", "Message-ID: ", "List-Unsubscribe: ", "Auto-Submitted: ",
    "Content-Language: ", "MIME-Version: ", "Content-Type: ", "Content-Transfer-Encoding: "};

/* The next part, "" when there is none. */
static char *part_take(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size ? memchr(*data, 0, *size) : NULL;
	size_t n = end ? (size_t)(end - *data) : *size;
	char *part = mem_strn((const char *)*data, n);

	n += end != NULL;
	*data += n;
	*size -= n;
	return part;
}

/* Octets of the line without its CR LF. */
static size_t line_check(const char *line)
{
	size_t n = strcspn(line, "\r\n");

	assert(line[n] == '\r' && line[n + 1] == '\n' && n <= 998 && *line != '.');
	for (size_t i = 0; i < n; i++)
		assert(isprint((unsigned char)line[i]));
	return n;
}

static const char *headers_check(const char *line, bool unsubscribe)
{
	size_t at = 0, n;

	for (; (n = line_check(line)) > 0; line += n + 2) {
		if (*line == ' ')
			continue; /* of the one before */
		at += at == 5 && !unsubscribe;
		assert(at < sizeof headers / sizeof *headers &&
		       !strncmp(line, headers[at], strlen(headers[at])));
		at++;
	}
	assert(at == sizeof headers / sizeof *headers);
	return line + 2;
}

static void letter_check(const struct mail *m)
{
	struct buf out = {.wiped = true};

	mail_text_write(m, "queue@example.kz", "Кезек", 1769918706000000, &out);
	assert(strlen(buf_text(&out)) == out.len);
	const char *line = headers_check(buf_text(&out), m->unsubscribe && *m->unsubscribe);
	while (*line) {
		size_t n = line_check(line);

		assert(n > 0 && n <= 76);
		line += n + 2;
	}
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *parts[6];

	for (size_t i = 0; i < 6; i++)
		parts[i] = part_take(&data, &size);
	const struct mail m = {parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]};
	if (!mail_fault(&m))
		letter_check(&m);
	for (size_t i = 0; i < 6; i++)
		free(parts[i]);
	return 0;
}
