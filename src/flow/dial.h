/* dial: journey 2, a USSD turn: what was dialled or typed -> the session from Redis -> a step of the engine
 * -> (a service's answer) -> the session kept -> the page, on the link that it came by. A deadline always
 * runs: when it passes the parent gets a closing page, and the answer later by SMS. */
#ifndef FLOW_DIAL_H
#define FLOW_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/keyring.h"
#include "flow/places.h"
#include "flow/send.h"
#include "flow/verify.h"
#include "rules/calendar.h"
#include "rules/region.h"
#include "smpp/ussd.h"
#include "store/limits.h"
#include "store/sessions.h"
#include "text/template.h"
#include "ussd/dialog.h"

struct dial;

/* All outlive it. */
struct dial_base {
	struct loop *loop;
	struct pg *pg;
	struct redis *redis; /* NULL: none is configured */
	struct feed *feed;
	struct send *send;
	struct verify *verify;
	struct places *places;
	struct limits *limits;
	const struct keyring *keyring;
};

/* The snapshot in force; lives until dial_set_files gives another. dialog NULL: there is no menu, and what is
 * dialled is refused. Dialogs are dial's own from then on: sessions end on the one that they began with. */
struct dial_files {
	const struct conf *conf;
	const struct templates *templates;
	const struct regions *regions;
	const struct calendar *calendar;
	struct dialog *dialog;
	struct dialog_source *source; /* of dialog; owned */
};

struct dial *dial_new(const struct dial_base *base, struct dial_files *files);
void dial_set_files(struct dial *d, struct dial_files *files);

/* Holds the SMS that follow from what the menu asks against the templates. path: as these are named in
 * faults. */
void dial_check_texts(
    const struct dialog *d, const struct templates *t, const char *path, struct faults *faults);

bool dial_has_menu(const struct dial *d);
/* What came from an operator (send's on_ussd). */
void dial_hear(struct dial *d, struct carrier *c, const struct ussd_in *in);

/* A page for somebody who is not a phone: kezekctl dial. phone speaks, text is the code at first. Answers
 * once, later; "" at once when there is no menu. */
typedef void dial_page_fn(void *arg, const char *page, bool end);
void dial_terminal(struct dial *d, struct msisdn phone, enum ussd_said said, const char *text,
    dial_page_fn *done, void *arg);

/* An offer of a referral was told by SMS: it is pushed too where the operator's profile allows it. */
void dial_push(struct dial *d, struct msisdn phone, uint64_t application);

/* Watches for dropped calls and owed answers while a slot is held. */
void dial_start(struct dial *d);
/* Turns under way get their closing page; nothing begins. */
void dial_stop(struct dial *d);
/* NULL is fine. */
void dial_free(struct dial *d);

#endif
