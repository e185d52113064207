/* audit_body: what the files of the proof share: src/ussd/audit*.c only. A dialog is a graph: screens, and
 * the ways between them, of which some want a key and some a service's answer. */
#ifndef USSD_AUDIT_BODY_H
#define USSD_AUDIT_BODY_H

#include "ussd/audit.h"

enum audit_by {
	AUDIT_BY_OPTION, /* at: which one */
	AUDIT_BY_INPUT,
	AUDIT_BY_PICK,
	AUDIT_BY_RESULT, /* at: of service_shape; no key is pressed */
};

struct audit_way {
	int from, to;
	enum audit_by by;
	size_t at;
};

/* One proof. */
struct audit {
	const struct dialog *d;
	const char *file; /* of the dialog, as named in faults */
	struct faults *faults;
	struct audit_way *ways;
	size_t ways_n;
};

enum audit_text_kind { AUDIT_TEXT, AUDIT_OPTION, AUDIT_ITEM, AUDIT_ERROR, AUDIT_NEXT, AUDIT_BACK, AUDIT_OWN };

/* s: the screen, NULL for the dialog's own texts. */
typedef void audit_text_fn(struct audit *p, const struct dialog_screen *s, const struct dialog_text *t,
    enum audit_text_kind kind, void *arg);

/* audit.c */
void audit_fault(struct audit *p, int line, int column, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Each text of the screen that its kind has. */
void audit_screen_texts(struct audit *p, const struct dialog_screen *s, audit_text_fn *each, void *arg);
/* Steps to the next {name} of a text, of *ret_n octets; NULL when there is no more. */
const char *audit_next_param(const char **text, size_t *ret_n);
/* Whether the text has {name}, of n octets. */
bool audit_has_param(const char *text, const char *name, size_t n);
/* The result of a list's service that brings the items; -1 when it is no list. */
int audit_items_result(const struct dialog_screen *s);

/* audit_way.c: reachable, ends, branches, cycles, tasks, turns, seconds. */
void audit_check_ways(struct audit *p);
/* audit_value.c: what is shown or asked with is set, secrets, confirmations. */
void audit_check_values(struct audit *p);
/* audit_text.c: keys, languages, scripts, endings. */
void audit_check_texts(struct audit *p);
/* audit_page.c */
void audit_check_pages(struct audit *p);

#endif
