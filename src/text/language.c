#include "text/language.h"

#include <assert.h>
#include <string.h>

static const char *const language_names[LANGUAGES] = {"kk", "ru", "en"};

const char *language_name(enum language l)
{
	assert((unsigned)l < LANGUAGES);
	return language_names[l];
}

enum kz language_parse(const char *text, enum language *ret)
{
	for (unsigned i = 0; i < LANGUAGES; i++)
		if (!strcmp(text, language_names[i])) {
			*ret = (enum language)i;
			return KZ_OK;
		}
	return KZ_INVALID;
}
