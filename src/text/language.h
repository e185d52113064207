/* language: the three languages every text for a parent exists in. */
#ifndef TEXT_LANGUAGE_H
#define TEXT_LANGUAGE_H

#include "base/result.h"

enum language { LANGUAGE_KK, LANGUAGE_RU, LANGUAGE_EN, LANGUAGES };

/* "kk", "ru", "en". */
const char *language_name(enum language l);
/* KZ_INVALID when text is none of the three names. */
enum kz language_parse(const char *text, enum language *ret) KZ_CHECK;

#endif
