/* screen: a page of a dialog as text, and how wide it is. */
#ifndef USSD_SCREEN_H
#define USSD_SCREEN_H

#include "ussd/dialog.h"
#include "ussd/session.h"

/* What is shown of a screen. */
enum screen_form {
	SCREEN_FIRST,       /* its text and options */
	SCREEN_WRONG_KEY,   /* which keys there are, and the options */
	SCREEN_WRONG_INPUT, /* an error of what was typed: of enum input_error */
	SCREEN_TOLD,        /* what is pushed of it as a text: nothing can be pressed */
};

/* The units of a text as a page: septets when all of it is in GSM 7-bit (extension characters are two), else
 * UTF-16 units. */
struct screen_width {
	bool gsm7;
	unsigned units;
};
struct screen_width screen_measure(const char *text);
bool screen_fits(const struct dialog_limits *l, struct screen_width w);

/* Writes s->page from where s is. Of a list: from s->item_first as many items as fit, *ret_items of them
 * (may be NULL). error: of SCREEN_WRONG_INPUT. False when it does not fit: a fault of the dialog that the
 * proof had let pass, or a list without room for one item; the page is then cut. */
bool screen_render(
    const struct dialog *d, struct session *s, enum screen_form form, int error, size_t *ret_items);
/* A text of the dialog with {names} filled from the session; appended. Words of enums in its language; n2 is
 * the count of digits typed wrongly, kept in the session's value of that name. */
void screen_fill(const struct dialog *d, const struct session *s, const char *text, struct buf *out);
/* text cut to max units at a letter, with a full stop when something was cut; written to ret. */
void screen_cut(const char *text, unsigned max, char ret[SESSION_VALUE]);

#endif
