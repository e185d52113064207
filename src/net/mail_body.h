/* mail_body: the inside of a mail client, shared by its files only: mail.c (its life, its threads and what
 * passes between them and the loop), mail_talk.c (one letter, told in a thread) and mail_check.c (what a
 * letter may be made of). */
#ifndef NET_MAIL_BODY_H
#define NET_MAIL_BODY_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/list.h"
#include "net/mail.h"

/* One letter. In a list of its client's, or a thread's own while it is told. */
struct mail_talk {
	struct list_node node;
	char *to;
	struct buf text;  /* as it goes over the wire, up to the dot */
	int64_t until_us; /* monotonic, by the machine's clock */
	struct mail_answer answer;
	mail_answer_fn *done;
	void *arg;
};

struct mail_client {
	/* the same for its life */
	char *url, *user, *password, *from, *from_name, *ca_path;
	bool starttls;
	size_t most;
	int64_t timeout_ms;
	/* the loop's */
	struct loop *loop;
	struct watch *watch;
	size_t open;
	pthread_t threads[MAIL_THREADS];
	size_t threads_n;
	/* shared */
	int bell; /* eventfd: rings when there is something in over */
	atomic_bool stopping;
	pthread_mutex_t lock;      /* of the lists */
	pthread_cond_t work;       /* something waits, or it is over */
	struct list waiting, over; /* struct mail_talk */
};

/* mail_talk.c */
/* Tells it, in a thread of the client's, and writes its answer. Comes back soon when the client is stopping.
 */
void mail_talk_run(const struct mail_client *c, struct mail_talk *t);

/* mail_check.c */
bool mail_host_fits(const char *name);
/* A subject, or the name of the sender, which may be "". */
bool mail_name_fits(const char *name);

#endif
