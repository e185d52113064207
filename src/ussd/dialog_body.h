/* dialog_body: what the files that read a dialog share: src/ussd/dialog*.c and contract*.c only. Each reader
 * notes what is wrong and goes on, so that an author sees all of it at once. */
#ifndef USSD_DIALOG_BODY_H
#define USSD_DIALOG_BODY_H

#include "ussd/dialog.h"

#define DIALOG_TEXT 480 /* octets of one text */

/* One reading. */
struct dialog_reading {
	struct dialog *d;
	struct contracts *c;
	struct faults *faults;
	const char *screens[DIALOG_SCREENS]; /* names, for those that are nearly right */
};

/* dialog_part.c */
/* Whether node, which may be NULL, is of the kind; a fault at `of` or node when not, with what was expected
 * of `name`. */
bool dialog_is(const struct dialog_reading *r, const struct yaml_node *of, const struct yaml_node *node,
    enum yaml_kind kind, const char *name);
/* A fault for each key of map that is not among known, separated by spaces. */
void dialog_check_keys(const struct dialog_reading *r, const struct yaml_node *map, const char *known);
/* A name of at most DIALOG_NAME - 1 of a-z, 0-9 and _, a letter first; "" with a fault else. */
void dialog_read_name(
    const struct dialog_reading *r, const struct yaml_node *node, const char *text, char ret[DIALOG_NAME]);
/* yes or no; no when node is NULL. */
bool dialog_read_flag(const struct dialog_reading *r, const struct yaml_node *node);
unsigned dialog_read_number(
    const struct dialog_reading *r, const struct yaml_node *node, unsigned min, unsigned max);
/* The screen that node's text names, -1 with a fault when there is none. */
int dialog_read_screen(const struct dialog_reading *r, const struct yaml_node *node);
/* The value of contracts, -1 with a fault. */
int dialog_read_value(const struct dialog_reading *r, const struct yaml_node *node, const char *name);
/* "did you mean X?" or "", of a name among those separated by spaces. */
const char *dialog_hint(char room[80], const char *name, const char *among);

/* dialog_text.c */
/* The text called `name` of the map `of`: {kk: .., ru: .., en: ..} or {all: ..}; every language of ret is set
 * then, to "" in fault. names: what may stand in braces, separated by spaces; NULL: any value of contracts.
 */
void dialog_read_text(const struct dialog_reading *r, const struct yaml_node *of, const char *name,
    const char *names, struct dialog_text *ret);
void dialog_text_fini(struct dialog_text *t);
/* UTF-16 units of a text. */
unsigned dialog_text_units(const char *text);

/* dialog_head.c */
/* All of the file but its screens, which are named already. */
void dialog_read_head(const struct dialog_reading *r, const struct yaml_node *root);

/* dialog_screen.c */
void dialog_read_one_screen(
    const struct dialog_reading *r, const struct yaml_node *node, struct dialog_screen *s);
void dialog_screen_fini(struct dialog_screen *s);

/* contract_type.c */
void contract_read_types(const struct dialog_reading *r, const struct yaml_node *root);
const struct contract_type *contract_type_find(const struct contracts *c, const char *name);
void contract_type_fini(struct contract_type *t);

/* contract_service.c */
void contract_read_services(const struct dialog_reading *r, const struct yaml_node *root);
/* Says which type the name has; a fault when it had another. */
void contract_add_value(const struct dialog_reading *r, const struct yaml_node *node, const char *type);

#endif
