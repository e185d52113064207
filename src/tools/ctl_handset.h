/* ctl_handset: a phone and a dialog without a daemon: the same engine, with services that answer what they
 * are told to. */
#ifndef TOOLS_CTL_HANDSET_H
#define TOOLS_CTL_HANDSET_H

#include "ussd/engine.h"

#define HANDSET_ASKS 8 /* services in a row without a page: the proof lets none be so */

/* What a service says now: the handset's owner fills a. false: it does not know what, and the walk ends. */
typedef bool handset_answer_fn(void *arg, enum service service, struct answer *a);
/* A service was answered on the screen, which is a do or a list. */
typedef void handset_answered_fn(void *arg, int screen, const char *result);

struct handset {
	const struct dialog *dialog;
	handset_answer_fn *answer;
	handset_answered_fn *answered; /* may be NULL */
	void *arg;
	struct session session;
	struct answer given;
};

/* Each leaves a page in session.page; false: a service's answer is not known, or services ask each other
 * without an end. code: "*123*2#", as it is dialled. language: LANGUAGES when nobody knows it. */
bool handset_dial(struct handset *h, const char *code, enum language language);
/* The call was dropped, and the code is dialled again. */
bool handset_redial(struct handset *h);
/* *ret: what it was to the dialog; may be NULL. */
bool handset_type(struct handset *h, const char *typed, struct engine_step *ret);
/* An answer of the service with the samples of the contracts: the result of that name, NULL: its first.
 * false: it has no such result. */
bool handset_sample(const struct dialog *d, enum service service, const char *result, struct answer *a);

#endif
