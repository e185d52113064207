/* template: named texts in Kazakh, Russian and English with {parameters}, from dialogs/sms.yaml. A template
 * that lacks a language, or whose languages disagree on the parameters, does not load. */
#ifndef TEXT_TEMPLATE_H
#define TEXT_TEMPLATE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/yaml.h"
#include "text/language.h"

#define TEMPLATE_WHY 160 /* octets of a reason, with its NUL */

struct templates;

struct template_param {
	const char *name, *value;
};

/* Always returns; what is wrong is in faults. */
struct templates *templates_load(const char *path, struct faults *faults);
void templates_free(struct templates *t);
size_t templates_count(const struct templates *t);
/* Appends the filled text. KZ_NOT_FOUND: no such template; KZ_INVALID: a parameter is missing or unknown (its
 * name in why); KZ_TOO_LONG: a value is over 200 octets. Values are taken as they are: no braces are read in
 * them. */
enum kz template_fill(const struct templates *t, const char *name, enum language language,
    const struct template_param *params, size_t n, struct buf *out, char why[TEMPLATE_WHY]) KZ_CHECK;

#endif
