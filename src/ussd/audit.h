/* audit: the proof of a dialog: whether one that could be loaded is fit for parents. Everything is reachable
 * and ends, every result has its branch, every page fits the phone with the widest values in every language,
 * nothing secret is shown, dangerous services stand behind a confirmation, tasks are short. Pure. */
#ifndef USSD_AUDIT_H
#define USSD_AUDIT_H

#include "base/buf.h"
#include "ussd/dialog.h"

/* Notes a line with file, line, column and remedy for each fault; true when there was none. */
bool audit_check(const struct dialog *d, const struct dialog_source *s, struct faults *faults);

/* Each page in each form and language as wide as it can be: for the table of `kezekctl dialog pages` and for
 * the proof itself. text lives during the callback; longer than SESSION_PAGE octets it is cut. */
struct audit_page {
	const char *screen; /* "down", "over", "hidden" for the engine's own */
	const char *form; /* "first", "wrong key", "length", "checksum", "told", "last", "last, wrong key" */
	enum language language;
	const char *text;
	bool gsm7;
	unsigned units, room;
	size_t items, min_items; /* of a list: how many stand on it, how many must; else 0 */
	int line, column;
};
typedef void audit_page_fn(void *arg, const struct audit_page *p);
void audit_pages(const struct dialog *d, audit_page_fn *each, void *arg);

#endif
