/* template: named texts in Kazakh, Russian and English with {parameters}, from dialogs/sms.yaml. A template
 * that lacks a language or a parameter, or that takes more SMS than it declares with the longest value of
 * each parameter, does not load. */
#ifndef TEXT_TEMPLATE_H
#define TEXT_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/result.h"
#include "base/yaml.h"
#include "text/language.h"
#include "text/param.h"
#include "text/segment.h"
#include "text/words.h"

#define TEMPLATE_WHY 160 /* octets of a reason, with its NUL */

struct templates;
struct template;

struct template_param {
	const char *name, *value;
};

/* Always returns; what is wrong is in faults. */
struct templates *templates_load(const char *path, const struct words *w, struct faults *faults);
void templates_free(struct templates *t);
size_t templates_count(const struct templates *t);
/* Appends the filled text. KZ_NOT_FOUND: no such template; KZ_INVALID: a parameter is missing, unknown or not
 * of its type (its name in why, never its value); KZ_TOO_LONG: a value is longer than its type. Values are
 * taken as they are: no braces are read in them. */
enum kz template_fill(const struct templates *t, const char *name, enum language language,
    const struct template_param *params, size_t n, struct buf *out, char why[TEMPLATE_WHY]) KZ_CHECK;

/* As long as the templates live; NULL when there is none of the name. */
const struct template *template_find(const struct templates *t, const char *name);
bool template_has(const struct template *t, const char *param);
/* The name of its parameter i and its type; NULL when it has not so many. */
const char *template_param(const struct template *t, size_t i, struct param_type *ret);
/* How many SMS it takes at most, 1..SEGMENT_MAX_PARTS. */
unsigned template_segments(const struct template *t, enum language l);
/* Appends the text with values that are the caller's own, so not held against their types; each parameter of
 * the template must be among them, others may be. */
void template_fill_trusted(const struct template *t, enum language language,
    const struct template_param *params, size_t n, struct buf *out);
/* What a text that passed utf8_for_phone costs with the operator that makes most SMS of it; results as of
 * segment_cost. */
enum kz template_cost(const char *text, size_t n, struct text_cost *ret) KZ_CHECK;

#endif
