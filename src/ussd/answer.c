#include "ussd/answer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "text/utf8.h"

void answer_start(struct answer *a, const char *result)
{
	answer_wipe(a);
	a->result = result;
}

void answer_set(struct answer *a, const char *field, const char *text)
{
	size_t i = 0;

	while (i < a->fields_n && strcmp(a->fields[i].name, field) != 0)
		i++;
	assert(i < ANSWER_FIELDS);
	a->fields[i].name = field;
	utf8_cut(a->fields[i].text, SESSION_VALUE, text);
	if (i == a->fields_n)
		a->fields_n++;
}

void answer_set_number(struct answer *a, const char *field, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)n);
	answer_set(a, field, text);
}

bool answer_add(struct answer *a, const char *const *texts, size_t n)
{
	assert(n <= SESSION_ITEM);
	a->rest = a->items_n == SESSION_ITEMS;
	if (a->rest)
		return false;
	for (size_t i = 0; i < n; i++)
		utf8_cut(a->items[a->items_n].fields[i], SESSION_VALUE, texts[i]);
	a->items_n++;
	return true;
}

static const struct answer_field *answer_find(const struct answer *a, const char *name, size_t n)
{
	for (size_t i = 0; i < a->fields_n; i++)
		if (strlen(a->fields[i].name) == n && memcmp(a->fields[i].name, name, n) == 0)
			return &a->fields[i];
	return NULL;
}

const char *answer_field(const struct answer *a, const char *name, size_t n)
{
	const struct answer_field *f = answer_find(a, name, n);

	return f ? f->text : "";
}

bool answer_is_whole(const struct answer *a, enum service service)
{
	int r = service_result_find(service, a->result);
	const struct service_result *shape = &service_shape(service)->results[r < 0 ? 0 : r];
	const char *names = shape->fields, *name;
	bool whole = r >= 0 && (!shape->items || a->items_n > 0);
	size_t n;

	while ((name = service_next_name(&names, &n)) != NULL)
		whole = whole && answer_find(a, name, n);
	return whole;
}

void answer_wipe(struct answer *a)
{
	secret_wipe(a, sizeof *a);
}
