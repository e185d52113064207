/* session: where a parent is in a dialog: a small versioned value, that its owner keeps between the turns as
 * octets. Holds what was typed, so it is sealed by whoever keeps it and wiped by whoever had it. */
#ifndef USSD_SESSION_H
#define USSD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "ussd/dialog.h"

#define SESSION_VALUE  96    /* octets of a value, with its NUL */
#define SESSION_PAGE   640   /* octets of a page in UTF-8, with its NUL */
#define SESSION_ITEMS  20    /* of a list */
#define SESSION_ITEM   4     /* fields of one */
#define SESSION_BACK   16    /* screens that 0 leads back over */
#define SESSION_UNDO   12    /* values written over on that way */
#define SESSION_OCTETS 14336 /* of a packed one at most */

struct session_item {
	char fields[SESSION_ITEM][SESSION_VALUE];
};

/* What a value was on the pages before back[depth]. */
struct session_undo {
	uint8_t depth, value; /* depth: 1..back_n */
	char text[SESSION_VALUE];
};

struct session {
	uint8_t dialog[DIALOG_HASH]; /* it ends on the dialog that it began with */
	uint64_t uid;                /* random; the same when it was continued after a drop */
	uint32_t turn;               /* of answers taken, also after a continuation */
	enum language language;
	int screen;         /* what is shown or asked now */
	int dropped_screen; /* with the offer to continue: where the call was dropped */
	bool asks;          /* a service's answer is awaited: nothing is shown */
	bool ended;         /* the page is the last one */
	bool typed;         /* something was typed or picked that would be lost */
	uint8_t back[SESSION_BACK];
	size_t back_n;
	struct session_undo undo[SESSION_UNDO];
	size_t undo_n;
	char values[CONTRACT_VALUES][SESSION_VALUE]; /* "" not set */
	struct session_item items[SESSION_ITEMS];
	size_t items_n, item_first; /* first item of the page that is shown */
	bool rest;                  /* the list has more than are kept here */
	char page[SESSION_PAGE];    /* as it was shown last */
};

/* Zeroed, on that dialog. */
void session_start(struct session *s, const struct dialog *d, uint64_t uid);
/* "" when it is not set or there is no such value. */
const char *session_value(const struct session *s, const struct dialog *d, const char *name);
/* Appends it. */
void session_pack(const struct session *s, struct buf *out);
/* KZ_INVALID: not what session_pack of this version wrote; *ret is wiped then. That its screens and values
 * are the dialog's is engine's to check. */
enum kz session_unpack(const void *bytes, size_t n, struct session *ret) KZ_CHECK;
/* The hash alone, to find the dialog before the session is looked at; false: not a session. */
bool session_dialog(const void *bytes, size_t n, uint8_t ret[DIALOG_HASH]);
void session_wipe(struct session *s);

#endif
