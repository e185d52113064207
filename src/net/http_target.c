/* evhttp's own query reader was not taken: it gives up the whole query for one name without "=". */
#include "net/http_target.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct parameter {
	struct parameter *next;
	char *name, *value;
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char *text_decode(const char *text, size_t len, bool plus)
{
	char *decoded = mem_strn(text, len), *to = decoded;

	for (size_t i = 0; i < len; i++) {
		int high = text[i] == '%' && i + 2 < len ? hex_value(text[i + 1]) : -1;
		int low = high >= 0 ? hex_value(text[i + 2]) : -1;

		if (low >= 0) {
			*to++ = (char)(high << 4 | low);
			i += 2;
		} else {
			*to++ = text[i] == '+' && plus ? ' ' : text[i];
		}
	}
	*to = '\0';
	return decoded;
}

char *path_decode(const char *path)
{
	return text_decode(path, strlen(path), false);
}

struct parameter *query_read(const char *query)
{
	struct parameter *first = NULL, **end = &first;

	while (*query) {
		size_t len = strcspn(query, "&");
		const char *equals = memchr(query, '=', len);
		size_t name_len = equals ? (size_t)(equals - query) : len;

		if (len) {
			struct parameter *p = mem_new(sizeof *p);

			p->name = text_decode(query, name_len, true);
			p->value = equals ? text_decode(equals + 1, len - name_len - 1, true) : mem_str("");
			*end = p;
			end = &p->next;
		}
		query += len + (query[len] == '&');
	}
	return first;
}

const char *query_find(const struct parameter *first, const char *name)
{
	for (const struct parameter *p = first; p; p = p->next)
		if (!strcmp(p->name, name))
			return p->value;
	return NULL;
}

const char *query_stranger(const struct parameter *first, const char *const *known, size_t n)
{
	for (const struct parameter *p = first; p; p = p->next) {
		size_t i = 0;

		while (i < n && strcmp(known[i], p->name) != 0)
			i++;
		if (i == n)
			return p->name;
	}
	return NULL;
}

void query_free(struct parameter *first)
{
	while (first) {
		struct parameter *p = first;

		first = p->next;
		free(p->name);
		free(p->value);
		free(p);
	}
}
