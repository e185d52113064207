/* The client and a server in the loop that answers by a list, whatever it is told: peers that are worse than
 * any real one. What real ones say is in tests/net. By the machine's clock, since libcurl has its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/metrics.h"
#include "net/mail.h"
#include "net/stream.h"

/* Found before the C library's: so many threads more than there are may be made. */
static atomic_int threads_left = INT_MAX;

#pragma GCC visibility push(default)
int pthread_create(pthread_t *ret, const pthread_attr_t *how, void *(*run)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
	    (__typeof__(real))dlsym(RTLD_NEXT, "pthread_create");

	return threads_left-- > 0 ? real(ret, how, run, arg) : EAGAIN;
}
#pragma GCC visibility pop

#define PEERS    4
#define HANGS_UP "" /* as an answer */

struct peer {
	struct stream *stream;
	struct rig *rig;
	size_t said;
	bool in_text;
};

struct heard {
	int count;
	struct mail_answer answer;
};

struct rig {
	struct loop *loop;
	struct listener *listener;
	struct peer peers[PEERS];
	int accepted;
	const char *const *says; /* the greeting, then an answer a line; NULL: silence from there on */
	struct buf got;          /* by all peers */
	struct mail_client *client;
	struct mail_client_options options;
	char url[64];
	struct heard heard;
};

static void peer_say(struct peer *p)
{
	const char *text = p->rig->says[p->said];

	if (!text)
		return;
	p->said++;
	if (!*text)
		stream_finish(p->stream);
	else
		assert_int_equal(stream_write(p->stream, text, strlen(text)), KZ_OK);
	p->in_text = strncmp(text, "354", 3) == 0;
}

static void peer_on_open(void *arg)
{
	peer_say(arg);
}

/* A line, or a text with its dot. */
static size_t peer_on_bytes(void *arg, const uint8_t *bytes, size_t len)
{
	struct peer *p = arg;
	const char *end = memmem(bytes, len, p->in_text ? "\r\n.\r\n" : "\r\n", p->in_text ? 5 : 2);
	size_t used = end ? (size_t)(end - (const char *)bytes) + (p->in_text ? 5 : 2) : 0;

	if (!end)
		return 0;
	buf_add(&p->rig->got, bytes, used);
	peer_say(p);
	return used;
}

static void peer_on_close(void *arg, enum kz r, const char *reason)
{
	struct peer *p = arg;

	(void)r;
	(void)reason;
	stream_free(p->stream);
	p->stream = NULL;
}

static const struct stream_events peer_events = {peer_on_open, peer_on_bytes, peer_on_close};

static void rig_on_accept(void *arg, int fd)
{
	const struct stream_options o = {
	    .open_ms = 5000, .stall_ms = 5000, .max_out = 300000, .max_in = 300000};
	struct rig *g = arg;
	struct peer *p = &g->peers[g->accepted++];

	assert_true(g->accepted <= PEERS);
	p->rig = g;
	p->stream = stream_accept(g->loop, fd, &o, &peer_events, p);
}

static void rig_client(struct rig *g)
{
	char why[256];

	mail_client_free(g->client);
	g->client = mail_client_new(g->loop, &g->options, why);
	assert_non_null(g->client);
}

static int rig_setup(void **state)
{
	struct rig *g = calloc(1, sizeof *g);
	char why[256];

	g->loop = loop_new(&clock_real);
	g->listener = listener_new(g->loop, "127.0.0.1:0", rig_on_accept, g, why);
	assert_non_null(g->listener);
	snprintf(g->url, sizeof g->url, "smtp://127.0.0.1:%u", listener_port(g->listener));
	g->options = (struct mail_client_options){.url = g->url,
	    .starttls = MAIL_STARTTLS_OFF,
	    .ca_path = "",
	    .user = "",
	    .password = "",
	    .from = "queue@example.kz",
	    .from_name = "",
	    .threads = 2,
	    .waiting = 1,
	    .timeout_ms = 10000};
	rig_client(g);
	*state = g;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *g = *state;

	mail_client_free(g->client);
	for (int i = 0; i < PEERS; i++)
		stream_free(g->peers[i].stream);
	listener_free(g->listener);
	buf_fini(&g->got);
	loop_free(g->loop);
	free(g);
	return 0;
}

static void on_answer(void *arg, const struct mail_answer *a)
{
	struct heard *h = arg;

	h->count++;
	h->answer = *a;
}

static const struct mail letter = {"n1", "ana@example.kz", "s", "t", "en", NULL};

static void send_letter(struct rig *g, const char *const *says)
{
	int before = g->heard.count;

	g->says = says;
	assert_int_equal(mail_client_send(g->client, &letter, on_answer, &g->heard), KZ_OK);
	assert_int_equal(g->heard.count, before);
}

#define TURN_UNTIL(g, cond)                                                                                  \
	do {                                                                                                 \
		int64_t give_up_ = clock_real.mono_us() + 20000000;                                          \
		while (!(cond)) {                                                                            \
			assert_true(clock_real.mono_us() < give_up_);                                        \
			loop_turn((g)->loop, 10);                                                            \
		}                                                                                            \
	} while (0)

static void expect(struct rig *g, enum mail_outcome outcome, enum mail_reason reason, int code, bool in_doubt)
{
	TURN_UNTIL(g, g->heard.count > 0);
	assert_int_equal(g->heard.count, 1);
	assert_int_equal(g->heard.answer.outcome, outcome);
	assert_string_equal(mail_reason_name(g->heard.answer.reason), mail_reason_name(reason));
	assert_int_equal(g->heard.answer.code, code);
	assert_int_equal(g->heard.answer.in_doubt, in_doubt);
	assert_int_equal(mail_client_open(g->client), 0);
	g->heard.count = 0;
}

static const char *const takes_all[] = {"220 hi\r\n", "250-mail\r\n250 AUTH PLAIN\r\n", "250 2.1.0 ok\r\n",
    "251 2.1.5 ok\r\n", "354 go\r\n", "250 2.0.0 queued\r\n", HANGS_UP};

/* By the peers; then there is room for others. */
static void let_peers_go(struct rig *g)
{
	for (int i = 0; i < g->accepted; i++)
		TURN_UNTIL(g, !g->peers[i].stream);
	memset(g->peers, 0, sizeof g->peers);
	g->accepted = 0;
}

static double letters(const char *result)
{
	return metric_value(metric_counter("kezek_mail_total", "Letters, by what came of them.", result));
}

static void send__taken__every_word_in_its_order(void **state)
{
	struct rig *g = *state;
	double taken = letters("result=\"taken\"");

	send_letter(g, takes_all);
	assert_true(metrics_total("kezek_mail_open") == 1);
	expect(g, MAIL_ACCEPTED, MAIL_TAKEN, 250, false);
	assert_string_equal(g->heard.answer.enhanced, "2.0.0");
	assert_true(metrics_total("kezek_mail_open") == 0);
	assert_true(letters("result=\"taken\"") == taken + 1);
	let_peers_go(g);
	assert_int_equal(strncmp(g->got.data,
	                     "EHLO example.kz\r\nMAIL FROM:<queue@example.kz>\r\n"
	                     "RCPT TO:<ana@example.kz>\r\nDATA\r\nDate: ",
	                     strlen("EHLO example.kz\r\nMAIL FROM:<queue@example.kz>\r\n"
	                            "RCPT TO:<ana@example.kz>\r\nDATA\r\nDate: ")),
	    0);
	assert_string_equal(strstr(g->got.data, "\r\n\r\n"), "\r\n\r\ndA==\r\n.\r\nQUIT\r\n");
}

/* Whatever the step: 4xx and 5xx, what is no answer to it, and the end of the connection. */
static void send__refused_at_each_step__permanent_only_from_the_recipient_on(void **state)
{
	static const enum mail_reason reasons[] = {
	    MAIL_SERVER, MAIL_SERVER, MAIL_SENDER, MAIL_RECIPIENT, MAIL_CONTENT, MAIL_CONTENT};
	struct rig *g = *state;

	for (size_t step = 0; step < 6; step++) {
		const char *says[12] = {0};
		bool text = step == 5;

		memcpy(says, takes_all, step * sizeof *says);
		/* a refused EHLO is followed by HELO */
		says[step] = says[step + 1] = "450-4.7.1 later\r\n450 4.7.1 later\r\n";
		send_letter(g, says);
		expect(g, MAIL_TEMPORARY, reasons[step], 450, false);
		assert_string_equal(g->heard.answer.enhanced, "4.7.1");
		says[step] = says[step + 1] = "554 5.7.1 <ana@example.kz> no\r\n";
		send_letter(g, says);
		expect(g, step < 3 ? MAIL_TEMPORARY : MAIL_PERMANENT, reasons[step], 554, false);
		assert_string_equal(g->heard.answer.enhanced, "5.7.1");
		says[step + 1] = NULL;
		says[step] = HANGS_UP;
		send_letter(g, says);
		expect(g, MAIL_TEMPORARY, MAIL_BROKEN, 0, text);
		let_peers_go(g);
	}
}

static void send__silent_at_each_step__timeout_and_in_doubt_behind_the_text(void **state)
{
	struct rig *g = *state;

	g->options.timeout_ms = 300;
	rig_client(g);
	for (size_t step = 0; step < 6; step++) {
		const char *says[7] = {0};

		memcpy(says, takes_all, step * sizeof *says);
		send_letter(g, says);
		expect(g, MAIL_TEMPORARY, MAIL_TIMEOUT, 0, step == 5);
		let_peers_go(g);
	}
}

/* Its threads are with a silent server, and the rest waits for them. */
static void send__server_is_silent__those_that_wait_are_told_in_time_too(void **state)
{
	static const char *const silent[] = {NULL};
	struct rig *g = *state;
	int64_t from_us = clock_real.mono_us();

	g->options.timeout_ms = 300;
	rig_client(g);
	for (int i = 0; i < 3; i++)
		send_letter(g, silent);
	TURN_UNTIL(g, g->heard.count == 3);
	assert_int_equal(g->heard.answer.reason, MAIL_TIMEOUT);
	assert_true(clock_real.mono_us() - from_us < 5000000);
	assert_int_equal(mail_client_open(g->client), 0);
}

static void send__code_is_no_number_or_has_an_odd_status__no_code_and_no_status(void **state)
{
	static const char *const statuses[] = {"554 5.7 no\r\n", "554 4.7.1 no\r\n", "554 5..71 no\r\n",
	    "554 5.7.1234567890 no\r\n", "554 5.7. no\r\n", "554 no\r\n", "554\r\n", "554 5.7.1.1 no\r\n"};
	const char *says[] = {"220 hi\r\n", "250 mail\r\n", "250 ok\r\n", NULL, HANGS_UP};
	struct rig *g = *state;

	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
		says[3] = statuses[i];
		send_letter(g, says);
		expect(g, MAIL_PERMANENT, MAIL_RECIPIENT, 554, false);
		assert_string_equal(g->heard.answer.enhanced, "");
		let_peers_go(g);
	}
	says[3] = "999 9.9.9 no\r\n";
	send_letter(g, says);
	expect(g, MAIL_TEMPORARY, MAIL_BROKEN, 0, false);
}

static void send__what_comes_is_no_smtp__timeout(void **state)
{
	static const char *const none[] = {"SSH-2.0-OpenSSH_9.2\r\n", NULL};
	struct rig *g = *state;

	g->options.timeout_ms = 300;
	rig_client(g);
	send_letter(g, none);
	expect(g, MAIL_TEMPORARY, MAIL_TIMEOUT, 0, false);
}

static void send__endless_answer__left(void **state)
{
	size_t n = 200000;
	char *line = malloc(n);
	const char *says[] = {line, NULL};
	struct rig *g = *state;

	memset(line, 'x', n - 1);
	memcpy(line, "220-", 4);
	line[n - 1] = '\0';
	g->options.timeout_ms = 500;
	rig_client(g);
	send_letter(g, says);
	TURN_UNTIL(g, g->heard.count > 0);
	assert_int_equal(g->heard.answer.outcome, MAIL_TEMPORARY);
	assert_int_equal(g->heard.answer.code, 0);
	free(line);
}

static void send__nobody_listens__unreachable(void **state)
{
	struct rig *g = *state;

	g->options.url = "smtp://127.0.0.1:1";
	rig_client(g);
	send_letter(g, takes_all);
	expect(g, MAIL_TEMPORARY, MAIL_UNREACHABLE, 0, false);
}

static void send__no_such_name__unreachable(void **state)
{
	struct rig *g = *state;

	g->options.url = "smtp://nowhere.invalid";
	rig_client(g);
	send_letter(g, takes_all);
	expect(g, MAIL_TEMPORARY, MAIL_UNREACHABLE, 0, false);
}

/* Nobody waits for what a server says to QUIT. */
static void send__taken_and_silent_from_then_on__taken_at_once(void **state)
{
	static const char *const silent_end[] = {"220 hi\r\n", "250 mail\r\n", "250 ok\r\n", "250 ok\r\n",
	    "354 go\r\n", "250 2.0.0 queued\r\n", NULL};
	struct rig *g = *state;
	int64_t from_us = clock_real.mono_us();

	send_letter(g, silent_end);
	expect(g, MAIL_ACCEPTED, MAIL_TAKEN, 250, false);
	assert_true(clock_real.mono_us() - from_us < 5000000);
}

static void starttls__not_offered__nothing_is_said_in_clear(void **state)
{
	struct rig *g = *state;

	g->options.starttls = MAIL_STARTTLS_REQUIRED;
	rig_client(g);
	send_letter(g, takes_all);
	expect(g, MAIL_TEMPORARY, MAIL_NO_TLS, 0, false);
	let_peers_go(g);
	assert_null(strstr(buf_text(&g->got), "MAIL"));
}

static void starttls__refused_or_answers_hidden_behind_it__nothing_is_said_in_clear(void **state)
{
	static const char *const refuses[] = {
	    "220 hi\r\n", "250-x\r\n250 STARTTLS\r\n", "454 4.7.0 not now\r\n", NULL};
	static const char *const injects[] = {
	    "220 hi\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n250 injected\r\n", NULL};
	struct rig *g = *state;

	g->options.starttls = MAIL_STARTTLS_REQUIRED;
	rig_client(g);
	send_letter(g, refuses);
	expect(g, MAIL_TEMPORARY, MAIL_NO_TLS, 454, false);
	send_letter(g, injects);
	expect(g, MAIL_TEMPORARY, MAIL_BROKEN, 0, false);
	let_peers_go(g);
	assert_null(strstr(buf_text(&g->got), "MAIL"));
}

static void tls__server_speaks_in_clear__no_tls(void **state)
{
	struct rig *g = *state;

	snprintf(g->url, sizeof g->url, "smtps://127.0.0.1:%u", listener_port(g->listener));
	rig_client(g);
	send_letter(g, takes_all);
	expect(g, MAIL_TEMPORARY, MAIL_NO_TLS, 0, false);
}

static void send__too_many_open__busy_until_one_is_over(void **state)
{
	static const char *const silent[] = {NULL};
	struct rig *g = *state;

	g->options.timeout_ms = 500;
	rig_client(g);
	for (int i = 0; i < 3; i++)
		send_letter(g, silent);
	assert_int_equal(mail_client_open(g->client), 3);
	assert_int_equal(mail_client_send(g->client, &letter, on_answer, &g->heard), KZ_BUSY);
	TURN_UNTIL(g, g->heard.count > 0);
	send_letter(g, takes_all);
	TURN_UNTIL(g, g->heard.count == 4);
}

static void send__letter_with_a_fault__invalid(void **state)
{
	struct rig *g = *state;
	struct mail m = letter;

	m.to = "ana@example.kz>\r\nRCPT TO:<all@example.kz";
	assert_int_equal(mail_client_send(g->client, &m, on_answer, &g->heard), KZ_INVALID);
	assert_int_equal(mail_client_open(g->client), 0);
}

/* One is told, two wait; the free comes back long before their time is over. */
static void free__with_open_ones__no_callback_and_soon(void **state)
{
	static const char *const silent[] = {"220 hi\r\n", NULL};
	struct rig *g = *state;
	int64_t from_us;

	g->options.threads = 1;
	g->options.waiting = 2;
	g->options.timeout_ms = 60000;
	rig_client(g);
	for (int i = 0; i < 3; i++)
		send_letter(g, silent);
	TURN_UNTIL(g, g->got.len > 0);
	from_us = clock_real.mono_us();
	mail_client_free(g->client);
	g->client = NULL;
	assert_true(clock_real.mono_us() - from_us < 10000000);
	let_peers_go(g);
	assert_int_equal(g->heard.count, 0);
	mail_client_free(NULL);
}

static void client__no_descriptor_is_left__none_and_why(void **state)
{
	struct rig *g = *state;
	struct rlimit before, none;
	char why[256] = "";

	getrlimit(RLIMIT_NOFILE, &before);
	none = (struct rlimit){0, before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
	struct mail_client *c = mail_client_new(g->loop, &g->options, why);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_null(c);
	assert_string_equal(why, "no thread for mail: Too many open files");
}

static void client__second_thread_is_not_given__none_and_why(void **state)
{
	struct rig *g = *state;
	char why[256] = "";

	threads_left = 1;
	struct mail_client *c = mail_client_new(g->loop, &g->options, why);
	threads_left = INT_MAX;
	assert_null(c);
	assert_string_equal(why, "no thread for mail: Resource temporarily unavailable");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(send__taken__every_word_in_its_order),
	    CASE(send__refused_at_each_step__permanent_only_from_the_recipient_on),
	    CASE(send__silent_at_each_step__timeout_and_in_doubt_behind_the_text),
	    CASE(send__server_is_silent__those_that_wait_are_told_in_time_too),
	    CASE(send__code_is_no_number_or_has_an_odd_status__no_code_and_no_status),
	    CASE(send__what_comes_is_no_smtp__timeout),
	    CASE(send__endless_answer__left),
	    CASE(send__nobody_listens__unreachable),
	    CASE(send__no_such_name__unreachable),
	    CASE(send__taken_and_silent_from_then_on__taken_at_once),
	    CASE(starttls__not_offered__nothing_is_said_in_clear),
	    CASE(starttls__refused_or_answers_hidden_behind_it__nothing_is_said_in_clear),
	    CASE(tls__server_speaks_in_clear__no_tls),
	    CASE(send__too_many_open__busy_until_one_is_over),
	    CASE(send__letter_with_a_fault__invalid),
	    CASE(free__with_open_ones__no_callback_and_soon),
	    CASE(client__no_descriptor_is_left__none_and_why),
	    CASE(client__second_thread_is_not_given__none_and_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
