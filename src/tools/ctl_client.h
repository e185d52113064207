/* ctl_client: one question to the daemon over its control socket, HTTP with JSON both ways. Blocks, at most
 * 30 s. */
#ifndef TOOLS_CTL_CLIENT_H
#define TOOLS_CTL_CLIENT_H

#include <jansson.h>

#include "base/buf.h"
#include "ctl_command.h"

struct ctl_question {
	const char *method;          /* "GET", "POST", "DELETE" */
	const char *path;            /* "/control/status", with what stands behind '?' already escaped */
	const json_t *body;          /* NULL: none */
	const char *idempotency_key; /* NULL: none */
	const struct buf *lines;     /* instead of body: JSON objects, one a line; NULL: none */
	bool quiet;                  /* that no answer came is for the asker to say */
};

/* A value; json is the caller's to json_decref, NULL when the body was empty or no JSON. */
struct ctl_answer {
	long status;
	json_t *json;
};

/* CTL_DONE when an answer came, whatever its status; CTL_UNREACHABLE, after saying why on standard error,
 * when none. */
int ctl_client_call(const struct ctl *c, const struct ctl_question *q, struct ctl_answer *ret);
/* Says what the daemon refused and why; with --json the problem goes to standard output. Returns CTL_FAILED.
 * Lets go of the answer. */
int ctl_client_refused(const struct ctl *c, struct ctl_answer *a);
/* Both: CTL_DONE and the JSON of a 2xx answer (NULL for 204) in *ret, the caller's; else the exit code, all
 * said. */
int ctl_client_ask(const struct ctl *c, const struct ctl_question *q, json_t **ret);
/* text as it stands in a path or behind '?'; free(). */
char *ctl_client_escape(const char *text);
/* Prints JSON to standard output. */
void ctl_client_print(const json_t *value);

#endif
