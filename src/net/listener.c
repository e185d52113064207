#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/stream.h"

/* Taken in one round, so that a flood of callers does not starve those who are connected. */
#define LISTENER_BATCH 64
/* Without a free descriptor the socket stays readable: look away for a while instead of spinning. */
#define LISTENER_PAUSE_MS 100

struct listener {
	struct watch *watch;
	struct timer *pause;
	listener_fn *fn;
	void *arg;
	int fd;
	bool *freed; /* set while fn runs */
};

static void listener_resume(void *arg)
{
	struct listener *li = arg;

	watch_set(li->watch, true, false);
}

static void listener_pause(struct listener *li)
{
	log_warn("listener", "no descriptor for a new connection; port %u waits %d ms", listener_port(li),
	    LISTENER_PAUSE_MS);
	watch_set(li->watch, false, false);
	timer_start(li->pause, LISTENER_PAUSE_MS);
}

static void listener_on_ready(void *arg, bool readable, bool writable)
{
	struct listener *li = arg;
	bool freed = false;

	(void)readable;
	(void)writable;
	li->freed = &freed;
	for (int i = 0; i < LISTENER_BATCH && !freed; i++) {
		int fd = accept4(li->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			li->fn(li->arg, fd);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno != EAGAIN)
			listener_pause(li);
		break;
	}
	if (!freed)
		li->freed = NULL;
}

struct listener *listener_new(struct loop *l, const char *address, listener_fn *fn, void *arg, char why[256])
{
	int fd = address_listen(address, why);

	if (fd < 0)
		return NULL;
	struct listener *li = mem_new(sizeof *li);
	*li = (struct listener){.fn = fn, .arg = arg, .fd = fd};
	li->watch = watch_new(l, fd, listener_on_ready, li);
	li->pause = timer_new(l, listener_resume, li);
	watch_set(li->watch, true, false);
	return li;
}

uint16_t listener_port(const struct listener *li)
{
	return address_bound_port(li->fd);
}

void listener_free(struct listener *li)
{
	if (!li)
		return;
	if (li->freed)
		*li->freed = true;
	watch_free(li->watch);
	timer_free(li->pause);
	close(li->fd);
	free(li);
}
