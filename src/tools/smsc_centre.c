#include "smsc_centre.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/stream.h"
#include "smsc_session.h"

struct smsc_centre {
	struct smsc_desk desk;
	struct listener *listener;
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

struct smsc_centre *smsc_centre_new(struct loop *l, const struct smsc_options *o)
{
	struct smsc_centre *c = mem_new(sizeof *c);
	char why[256];

	list_init(&c->sessions);
	c->desk.loop = l;
	c->desk.options = o;
	c->desk.next_number = o->id_first ? (uint64_t)o->id_first : (uint64_t)loop_clock(l)->wall_us();
	c->listener = listener_new(l, o->listen, centre_on_connection, c, why);
	if (!c->listener)
		fprintf(stderr, "kezek-smsc: %s\n", why);
	else
		c->desk.report = smsc_report_new(o, loop_clock(l));
	if (!c->desk.report) {
		listener_free(c->listener);
		free(c);
		return NULL;
	}
	c->desk.post = smsc_post_new(l, o, c->desk.report);
	c->desk.phone = smsc_phone_new(l, o, c->desk.report);
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
	smsc_post_free(c->desk.post);
	smsc_phone_free(c->desk.phone);
	smsc_report_free(c->desk.report);
	free(c);
}
