/* The question owns an evdns base of its own. libevent may answer inside evdns_getaddrinfo (a line in
 * /etc/hosts), so the answer is kept and handed on by a deferred call; and it answers a cancelled question
 * too, later, so what it answers to (struct question) outlives the owner's handle. */
#include "net/resolve.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct question {
	struct resolve *owner; /* NULL: nobody waits any more */
	struct event_base *base;
	struct evdns_base *dns;
};

struct resolve {
	struct loop *loop;
	resolve_fn *done;
	void *arg;
	struct question *question; /* NULL: answered */
	struct evdns_getaddrinfo_request *request;
	struct defer defer;
	struct address addresses[RESOLVE_MAX];
	size_t count;
	char why[128];
};

static void question_free(evutil_socket_t fd, short what, void *arg)
{
	struct question *q = arg;

	(void)fd;
	(void)what;
	if (q->dns)
		evdns_base_free(q->dns, 0);
	free(q);
}

static void resolve_keep(struct resolve *r, const struct evutil_addrinfo *found)
{
	for (; found && r->count < RESOLVE_MAX; found = found->ai_next) {
		struct address *a = &r->addresses[r->count];

		if (found->ai_addrlen > sizeof a->room)
			continue;
		memcpy(&a->room, found->ai_addr, found->ai_addrlen);
		a->len = found->ai_addrlen;
		r->count++;
	}
}

static void resolve_tell(void *arg)
{
	struct resolve *r = arg;

	r->done(r->arg, r->addresses, r->count, r->why);
}

static void resolve_on_answer(int error, struct evutil_addrinfo *found, void *arg)
{
	static const struct timeval at_once = {0, 0};
	struct question *q = arg;
	struct resolve *r = q->owner;

	if (r) {
		r->question = NULL;
		r->request = NULL;
		if (!error)
			resolve_keep(r, found);
		if (!r->count)
			snprintf(r->why, sizeof r->why, "name not resolved: %s",
			    error ? evutil_gai_strerror(error) : "no address");
		loop_defer(r->loop, &r->defer, resolve_tell, r);
	}
	if (found)
		evutil_freeaddrinfo(found);
	/* Not from inside the base's own call. */
	event_base_once(q->base, -1, EV_TIMEOUT, question_free, q, &at_once);
}

static struct question *question_new(struct resolve *owner, struct event_base *base)
{
	struct question *q = mem_new(sizeof *q);

	*q = (struct question){.owner = owner, .base = base};
	q->dns = evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS);
	/* Some servers of operators answer with the case they like, and random case is then taken for a
	 * forgery. */
	if (q->dns)
		evdns_base_set_option(q->dns, "randomize-case:", "0");
	return q;
}

struct resolve *resolve_ask(struct loop *l, const char *host, uint16_t port, resolve_fn *done, void *arg)
{
	struct resolve *r = mem_new(sizeof *r);
	struct evutil_addrinfo hints = {
	    .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
	struct question *q = question_new(r, loop_base(l));
	char service[8];

	r->loop = l;
	r->done = done;
	r->arg = arg;
	if (!q->dns) {
		question_free(-1, 0, q);
		snprintf(r->why, sizeof r->why, "name not resolved: no usable /etc/resolv.conf");
		loop_defer(l, &r->defer, resolve_tell, r);
		return r;
	}
	r->question = q;
	snprintf(service, sizeof service, "%u", port);
	struct evdns_getaddrinfo_request *request =
	    evdns_getaddrinfo(q->dns, host, service, &hints, resolve_on_answer, q);
	if (r->question)
		r->request = request;
	return r;
}

void resolve_free(struct resolve *r)
{
	if (!r)
		return;
	defer_cancel(&r->defer);
	if (r->question) {
		r->question->owner = NULL;
		evdns_getaddrinfo_cancel(r->request);
	}
	free(r);
}
