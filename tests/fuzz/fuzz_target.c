/* The address of a request, behind the fence: path and query as the server hands them to handlers. */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/http_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_escapes(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += text[0] == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2]);
	return n;
}

static void check_path(const char *text)
{
	char *path = path_decode(text);

	assert(strlen(path) <= strlen(text));
	if (!count_escapes(text))
		assert(!strcmp(path, text));
	free(path);
}

static void check_query(const char *text)
{
	struct parameter *all = query_read(text);
	const char *a = query_find(all, "client_ref"), *none = query_find(all, "\x01 no such name");

	assert(!all == !*text || !all);
	assert(!all == !query_stranger(all, NULL, 0));
	assert(!a || strlen(a) <= strlen(text));
	assert(!none || strchr(text, '%') || strchr(text, '\x01'));
	query_free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = mem_strn((const char *)data, size);
	char *query = strchr(text, '?');

	if (query)
		*query++ = '\0';
	check_path(text);
	if (query)
		check_query(query);
	free(text);
	return 0;
}
