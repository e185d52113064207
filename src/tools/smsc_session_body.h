/* smsc_session_body: what smsc_session.c (its life and what it writes) and smsc_serve.c (what it answers)
 * share. */
#ifndef TOOLS_SMSC_SESSION_BODY_H
#define TOOLS_SMSC_SESSION_BODY_H

#include "net/stream.h"
#include "smsc_session.h"

enum session_state { SESSION_OPEN, SESSION_BOUND, SESSION_UNBINDING, SESSION_FINISHING, SESSION_GONE };

struct smsc_session {
	struct list_node node;
	struct list *list;
	struct smsc_desk *desk;
	struct stream *stream;
	enum session_state state;
	uint32_t mode; /* the bind's command; 0 before */
	struct smsc_receiver receiver;
	struct list answers;
	struct timer *answer_timer, *state_timer;
	struct defer ending;
	struct buf out;
	int64_t submissions;
	bool frozen;              /* half open: nothing is read or said */
	bool wrong_length;        /* said; what comes is ignored */
	struct timer *read_timer; /* reads on when it fires */
	smsc_session_fn *on_end;
	void *arg;
};

bool smsc_session_is_bound(const struct smsc_session *s);
/* Whether its PDUs are still answered. */
bool smsc_session_listens(const struct smsc_session *s);
/* It was bound and joined. */
void smsc_session_bound(struct smsc_session *s);
/* Writes out what is in out. */
void smsc_session_flush(struct smsc_session *s);
/* What was said goes out, then the connection closes. */
void smsc_session_finish(struct smsc_session *s, const char *why);
/* Reads and says nothing any more, and leaves the connection open. */
void smsc_session_freeze(struct smsc_session *s);
/* The response of a submission, now or late by option. */
void smsc_session_answer(
    struct smsc_session *s, uint32_t command, uint32_t sequence, const struct smsc_taken *taken);
/* The late ones that are due by now_ms (INT64_MAX: all) into out. */
void smsc_session_answer_due(struct smsc_session *s, int64_t now_ms);
/* smsc_serve.c: one whole PDU of the client; what there is to say is in out then. */
void smsc_serve(struct smsc_session *s, const uint8_t *frame);

#endif
