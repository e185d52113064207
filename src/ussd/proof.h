/* proof: whether a dialog that could be loaded is fit for parents: everything is reachable and ends, every
 * result has its branch, every page fits the phone with the widest values in every language, nothing secret
 * is shown, dangerous services stand behind a confirmation, tasks are short. Pure. */
#ifndef USSD_PROOF_H
#define USSD_PROOF_H

#include "base/buf.h"
#include "ussd/dialog.h"

/* Notes a line with file, line, column and remedy for each fault; true when there was none. */
bool proof_check(const struct dialog *d, const struct dialog_source *s, struct faults *faults);

/* Every page that there can be, with the widest values: for the table of `kezekctl dialog pages` and for the
 * proof itself. text lives during the callback. */
struct proof_page {
	const char *screen, *form; /* "first", "wrong key", "length", "list" */
	enum language language;
	const char *text;
	bool gsm7;
	unsigned units, room;
};
typedef void proof_page_fn(void *arg, const struct proof_page *p);
void proof_pages(const struct dialog *d, proof_page_fn *each, void *arg);

#endif
