/* engine: one step of a dialog, pure: a session and what came in, out comes the session with its next page,
 * or with a question to a service. Whatever a person, a network or a kept session says, there is a page. */
#ifndef USSD_ENGINE_H
#define USSD_ENGINE_H

#include "ussd/answer.h"
#include "ussd/dialog.h"
#include "ussd/session.h"

enum engine_does {
	ENGINE_SAY, /* session.page; the last one when session.ended */
	ENGINE_ASK, /* a service; its answer is brought by engine_give */
};

/* What happened on the screen that was left, for counters. */
enum engine_event {
	ENGINE_OPENED, /* dialled */
	ENGINE_OPTION,
	ENGINE_TYPED,
	ENGINE_PICKED,
	ENGINE_NEXT,
	ENGINE_BACK,
	ENGINE_HOME,
	ENGINE_WRONG_KEY,
	ENGINE_WRONG_INPUT,
	ENGINE_ANSWERED,
	ENGINE_RESUMED,
	ENGINE_EVENTS
};

struct engine_step {
	enum engine_does does;
	enum service service; /* ENGINE_ASK */
	enum engine_event event;
	int from; /* screen that was left; -1: none */
};

const char *engine_event_name(enum engine_event e);

/* What stands behind the code that was dialled: "2" of "*123*2#", "" of "*123#" and of what is longer than
 * any shortcut. */
void engine_path(const char *code, char ret[DIALOG_PATH]);
/* A new session, s started and its language set when it is known. path: the digits behind the code, "2" of
 * *123*2#, "" for none; an unknown one is as none. */
struct engine_step engine_dial(const struct dialog *d, struct session *s, const char *path);
/* A dropped session of this dialog: offers to continue where it was. */
struct engine_step engine_resume(const struct dialog *d, struct session *s);
/* What was typed, n octets of UTF-8, any. s shows a page that is not the last. */
struct engine_step engine_type(const struct dialog *d, struct session *s, const char *typed, size_t n);
/* What the service said; s awaits it. A result that the dialog has no branch for is "down". */
struct engine_step engine_give(const struct dialog *d, struct session *s, const struct answer *a);
/* Whether the screen where s is may be pushed to a phone that did not dial. */
bool engine_is_pushed(const struct dialog *d, const struct session *s);
/* That screen as a text without keys, for a network that takes no more; the call that s was is over. */
void engine_tell(const struct dialog *d, struct session *s);
/* Whether a session that was kept fits the dialog: its indexes are within it. */
bool engine_fits(const struct dialog *d, const struct session *s);

#endif
