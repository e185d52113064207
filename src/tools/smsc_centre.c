#include "smsc_centre.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/stream.h"
#include "smsc_control.h"
#include "smsc_session.h"

struct smsc_centre {
	struct smsc_desk desk;
	struct listener *listener;
	struct smsc_control *control; /* NULL: no socket for phones */
	struct list sessions;
	bool stopping, crowded;
};

static void centre_on_session_end(void *arg)
{
	struct smsc_centre *c = arg;

	if (c->stopping && !c->sessions.count)
		loop_stop(c->desk.loop);
}

static void centre_on_connection(void *arg, int fd)
{
	struct smsc_centre *c = arg;
	bool full = c->sessions.count >= SMSC_SESSIONS;

	if (full && !c->crowded)
		smsc_report_odd(
		    c->desk.report, "listener", "over %d connections: more are closed", SMSC_SESSIONS);
	c->crowded = full;
	if (full)
		close(fd);
	else
		smsc_session_new(&c->desk, fd, &c->sessions, centre_on_session_end, c);
}

/* The address with the port that was really taken. */
static void centre_report(struct smsc_centre *c)
{
	const char *asked = c->desk.options->listen, *colon = strrchr(asked, ':');
	int host = colon ? (int)(colon - asked) : (int)strlen(asked);
	char *address = mem_printf("%.*s:%u", host, asked, (unsigned)listener_port(c->listener));

	smsc_report_listen(c->desk.report, address, listener_port(c->listener));
	free(address);
}

static void centre_on_owed(void *arg, const char *system_id, const struct smsc_receipt *r)
{
	struct smsc_centre *c = arg;

	smsc_post_owe(c->desk.post, system_id, r);
}

static uint64_t centre_first_number(const struct smsc_centre *c)
{
	const struct smsc_options *o = c->desk.options;
	uint64_t first = o->id_first ? (uint64_t)o->id_first : (uint64_t)loop_clock(c->desk.loop)->wall_us();
	uint64_t next = c->desk.journal ? smsc_journal_next(c->desk.journal) : 0;

	return next > first ? next : first;
}

/* What can fail. */
static bool centre_open(struct smsc_centre *c)
{
	const struct smsc_options *o = c->desk.options;
	char why[256];

	if (*o->journal && !(c->desk.journal = smsc_journal_open(o->journal)))
		return false;
	if (!(c->listener = listener_new(c->desk.loop, o->listen, centre_on_connection, c, why))) {
		fprintf(stderr, "kezek-smsc: %s\n", why);
		return false;
	}
	if (!(c->desk.report = smsc_report_new(o, loop_clock(c->desk.loop))))
		return false;
	return !o->ussd || (c->control = smsc_control_new(&c->desk)) != NULL;
}

struct smsc_centre *smsc_centre_new(struct loop *l, const struct smsc_options *o)
{
	struct smsc_centre *c = mem_new(sizeof *c);

	list_init(&c->sessions);
	c->desk.loop = l;
	c->desk.options = o;
	if (!centre_open(c)) {
		smsc_centre_free(c);
		return NULL;
	}
	c->desk.next_number = centre_first_number(c);
	c->desk.post = smsc_post_new(l, o, c->desk.report, c->desk.journal);
	c->desk.phone = smsc_phone_new(l, o, c->desk.report);
	if (c->desk.journal)
		smsc_journal_owed(c->desk.journal, centre_on_owed, c);
	centre_report(c);
	return c;
}

void smsc_centre_stop(struct smsc_centre *c)
{
	bool again = c->stopping;

	c->stopping = true;
	listener_free(c->listener);
	c->listener = NULL;
	list_each(&c->sessions, n, next) smsc_session_unbind(smsc_session_at(n));
	if (again || !c->sessions.count)
		loop_stop(c->desk.loop);
}

void smsc_centre_free(struct smsc_centre *c)
{
	struct list_node *n;

	if (!c)
		return;
	listener_free(c->listener);
	while ((n = list_first(&c->sessions)))
		smsc_session_free(smsc_session_at(n));
	smsc_control_free(c->control);
	smsc_post_free(c->desk.post);
	smsc_phone_free(c->desk.phone);
	smsc_report_free(c->desk.report);
	smsc_journal_free(c->desk.journal);
	free(c);
}
