/* smsc_session: one connection of a client, from its bind to its end. Owns its stream and the responses that
 * are late by option. What a client does wrong ends at worst its own session. */
#ifndef TOOLS_SMSC_SESSION_H
#define TOOLS_SMSC_SESSION_H

#include "base/list.h"
#include "smsc_desk.h"

struct smsc_session;

/* The session's end, once, from the loop; it has freed itself when this returns. */
typedef void smsc_session_fn(void *arg);

/* Takes fd. list: where it links itself until its end. */
struct smsc_session *smsc_session_new(
    struct smsc_desk *d, int fd, struct list *list, smsc_session_fn *on_end, void *arg);
/* Sends unbind when bound and waits for the response for a short time; else ends. */
void smsc_session_unbind(struct smsc_session *s);
/* At once and without the callback. */
void smsc_session_free(struct smsc_session *s);
/* The session at that node of the list. */
struct smsc_session *smsc_session_at(struct list_node *n);

#endif
