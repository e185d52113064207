/* template_body: the inside of a template, shared by its files only: template.c (finding and filling),
 * template_load.c (reading and proving), email.c (the same of subjects and long texts). */
#ifndef TEXT_TEMPLATE_BODY_H
#define TEXT_TEMPLATE_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "text/param.h"
#include "text/template.h"

#define TEMPLATE_MAX_NAME   32
#define TEMPLATE_MAX_TEXT   2000
#define TEMPLATE_MAX_PARAMS 16
#define TEMPLATE_MAX_PIECES 64

/* A literal of len octets at from in the text, or the value of a parameter. */
struct template_piece {
	bool is_param;
	uint8_t param;
	uint16_t from, len;
};

struct template_text {
	char *text;
	struct template_piece pieces[TEMPLATE_MAX_PIECES];
	size_t count;
	uint32_t used;     /* a bit for each parameter it has */
	unsigned segments; /* that it takes at most, as declared and proved */
};

struct template
{
	struct map_node node;
	char *name;
	char *params[TEMPLATE_MAX_PARAMS];
	struct param_type types[TEMPLATE_MAX_PARAMS];
	size_t count;
	struct template_text texts[LANGUAGES];
};

struct templates {
	struct map by_name; /* owns them */
};

/* At most 32 of a-z, 0-9 and _, a letter first. */
bool template_name_is_good(const char *s);
/* Octets of s that make a name. */
size_t template_name_span(const char *s);
/* The number of the parameter, t->count when there is none. */
size_t template_param_number(const struct template *t, const char *name, size_t len);
struct templates *templates_new(void);
/* One without parameters and texts, of the node's name. */
struct template *template_add(struct templates *all, const struct yaml_node *node, struct faults *faults);
/* node: NULL for none. */
void template_load_params(struct template *t, const struct yaml_node *node, struct faults *faults);
void template_load_text(
    struct template *t, struct template_text *x, const struct yaml_node *node, struct faults *faults);
/* A fault for each parameter that the text has not. */
void template_prove_params(
    const struct template *t, enum language l, const struct yaml_node *node, struct faults *faults);
/* Appends the text with values[i] for parameter i. */
void template_put(const struct template *t, enum language l, const char *const values[TEMPLATE_MAX_PARAMS],
    struct buf *out);

#endif
