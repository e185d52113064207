/* libcurl tells letters by its easy interface, which blocks, in threads: its multi interface, which the
 * http_client is made of, waits inside the call for the answer to the end of a letter (7.88), and a server
 * that looks for spam first would hold the whole loop up for seconds. An SMTP of our own on the loop was
 * written and not taken: the library's has met more servers.
 * A thread sees the client's constants, the lists under the lock and the letter that it took; all else,
 * callbacks and metrics too, is the loop's. */
#include "net/mail.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "net/mail_body.h"
#include "net/mail_text.h"

const char *mail_reason_name(enum mail_reason r)
{
	static const char *const names[MAIL_REASONS] = {"taken", "unreachable", "timeout", "no_tls", "server",
	    "login", "sender", "recipient", "content", "broken"};

	return names[r];
}

static void client_count(const struct mail_client *c)
{
	metric_set(metric_gauge("kezek_mail_open",
	               "Letters that the mail server is being told, or that wait for it.", ""),
	    (double)c->open);
}

static void talk_free(struct mail_talk *t)
{
	buf_wipe(&t->text);
	free(t->to);
	free(t);
}

static void talk_finish(struct mail_client *c, struct mail_talk *t)
{
	const struct mail_answer a = t->answer;
	mail_answer_fn *done = t->done;
	void *arg = t->arg;
	char label[64];

	snprintf(label, sizeof label, "result=\"%s\"", mail_reason_name(a.reason));
	metric_add(metric_counter("kezek_mail_total", "Letters, by what came of them.", label), 1);
	c->open--;
	client_count(c);
	talk_free(t);
	done(arg, &a);
}

static struct mail_talk *client_take_over(struct mail_client *c)
{
	pthread_mutex_lock(&c->lock);
	struct list_node *n = list_take_first(&c->over);
	pthread_mutex_unlock(&c->lock);
	return n ? list_entry(n, struct mail_talk, node) : NULL;
}

static void client_on_bell(void *arg, bool readable, bool writable)
{
	struct mail_client *c = arg;
	struct mail_talk *t;
	eventfd_t rings;

	(void)readable;
	(void)writable;
	eventfd_read(c->bell, &rings);
	while ((t = client_take_over(c)) != NULL)
		talk_finish(c, t);
}

static void *client_thread(void *arg)
{
	struct mail_client *c = arg;

	pthread_mutex_lock(&c->lock);
	while (!atomic_load(&c->stopping)) {
		struct list_node *n = list_take_first(&c->waiting);

		if (!n) {
			pthread_cond_wait(&c->work, &c->lock);
			continue;
		}
		pthread_mutex_unlock(&c->lock);
		mail_talk_run(c, list_entry(n, struct mail_talk, node));
		pthread_mutex_lock(&c->lock);
		list_append(&c->over, n);
		eventfd_write(c->bell, 1);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Signals are the loop's thread's. */
static int client_start_threads(struct mail_client *c, size_t n)
{
	sigset_t all, before;
	int error = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (!error && c->threads_n < n) {
		error = pthread_create(&c->threads[c->threads_n], NULL, client_thread, c);
		c->threads_n += !error;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

/* libcurl takes the name that it greets by from the path. */
static char *options_url(const struct mail_client_options *o)
{
	size_t n = strlen(o->url);

	return mem_printf("%.*s/%s", (int)(n - (o->url[n - 1] == '/')), o->url, strchr(o->from, '@') + 1);
}

struct mail_client *mail_client_new(struct loop *l, const struct mail_client_options *o, char why[256])
{
	struct mail_client *c = mem_new(sizeof *c);

	assert(!mail_client_fault(o, &(const char *){NULL}));
	curl_global_init(CURL_GLOBAL_DEFAULT);
	*c = (struct mail_client){.url = options_url(o),
	    .user = mem_str(o->user),
	    .password = mem_str(o->password),
	    .from = mem_str(o->from),
	    .from_name = mem_str(o->from_name),
	    .ca_path = mem_str(o->ca_path),
	    .starttls = o->starttls == MAIL_STARTTLS_REQUIRED,
	    .most = o->threads + o->waiting,
	    .timeout_ms = o->timeout_ms,
	    .loop = l,
	    .bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .work = PTHREAD_COND_INITIALIZER};
	list_init(&c->waiting);
	list_init(&c->over);
	int error = c->bell < 0 ? errno : client_start_threads(c, o->threads);
	if (error) {
		snprintf(why, 256, "no thread for mail: %s", strerror(error));
		mail_client_free(c);
		return NULL;
	}
	c->watch = watch_new(l, c->bell, client_on_bell, c);
	watch_set(c->watch, true, false);
	return c;
}

enum kz mail_client_send(struct mail_client *c, const struct mail *m, mail_answer_fn *done, void *arg)
{
	struct mail_talk *t;

	if (mail_fault(m))
		return KZ_INVALID;
	if (c->open >= c->most)
		return KZ_BUSY;
	t = mem_new(sizeof *t);
	*t = (struct mail_talk){.to = mem_str(m->to),
	    .text = {.wiped = true},
	    .until_us = clock_real.mono_us() + c->timeout_ms * 1000,
	    .done = done,
	    .arg = arg};
	mail_text_write(m, c->from, c->from_name, loop_clock(c->loop)->wall_us(), &t->text);
	c->open++;
	client_count(c);
	pthread_mutex_lock(&c->lock);
	list_append(&c->waiting, &t->node);
	pthread_cond_signal(&c->work);
	pthread_mutex_unlock(&c->lock);
	return KZ_OK;
}

size_t mail_client_open(const struct mail_client *c)
{
	return c->open;
}

static void list_free_talks(struct list *l)
{
	struct list_node *n;

	while ((n = list_take_first(l)) != NULL)
		talk_free(list_entry(n, struct mail_talk, node));
}

static void client_join(struct mail_client *c)
{
	pthread_mutex_lock(&c->lock);
	atomic_store(&c->stopping, true);
	pthread_cond_broadcast(&c->work);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < c->threads_n; i++)
		pthread_join(c->threads[i], NULL);
}

void mail_client_free(struct mail_client *c)
{
	if (!c)
		return;
	client_join(c);
	list_free_talks(&c->waiting);
	list_free_talks(&c->over);
	watch_free(c->watch);
	if (c->bell >= 0)
		close(c->bell);
	secret_wipe(c->password, strlen(c->password));
	free(c->password);
	free(c->url);
	free(c->user);
	free(c->from);
	free(c->from_name);
	free(c->ca_path);
	free(c);
	curl_global_cleanup();
}
