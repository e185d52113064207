/* redis against a peer that is no Redis, or one gone wrong: whatever it says, the connection ends, what was
 * asked is lost once, and a good peer is found again. The peer lives on the same loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "store/redis.h"

/* What it says to the first command, and to what comes later. */
struct script {
	const char *greeting; /* before it was asked anything */
	const char *hello, *answer;
	const char *filler; /* behind the answer without end, until the connection is gone */
};

static const struct script good = {NULL, "+PONG\r\n", "+fine\r\n", NULL};

struct rig {
	struct loop *loop;
	struct redis *redis;
	struct script script;
	char folder[32], address[128];
	int listener, fd; /* fd: -1 without a connection */
	struct watch *door, *peer;
	int heard, hung_up; /* runs of octets on this connection; connections that kezek ended */
	int ups, downs;
	bool asks_when_up;
	int answered, lost; /* lost: without a reply */
};

static int64_t now_us;

static int64_t fake_now(void)
{
	return now_us;
}

static void peer_end(struct rig *g)
{
	watch_free(g->peer);
	g->peer = NULL;
	close(g->fd);
	g->fd = -1;
	g->hung_up++;
}

/* A connection that is gone is seen when it is read. */
static void peer_say(struct rig *g, const char *text)
{
	(void)!send(g->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void peer_on_event(void *arg, bool readable, bool writable)
{
	struct rig *g = arg;
	char heard[4096];

	if (readable && recv(g->fd, heard, sizeof heard, MSG_DONTWAIT) <= 0)
		return peer_end(g);
	if (readable && g->heard++ == 0)
		peer_say(g, g->script.hello);
	else if (readable)
		peer_say(g, g->script.answer);
	for (int i = 0; writable && i < 250; i++)
		peer_say(g, g->script.filler);
	watch_set(g->peer, true, g->script.filler && g->heard > 1);
}

static void peer_on_door(void *arg, bool readable, bool writable)
{
	struct rig *g = arg;

	(void)readable, (void)writable;
	assert_int_equal(g->fd, -1);
	g->fd = accept(g->listener, NULL, NULL);
	assert_true(g->fd >= 0);
	g->heard = 0;
	g->peer = watch_new(g->loop, g->fd, peer_on_event, g);
	watch_set(g->peer, true, false);
	if (g->script.greeting)
		peer_say(g, g->script.greeting);
}

static void rig_on_answer(void *arg, enum kz r, const struct redis_reply *reply)
{
	struct rig *g = arg;

	assert_int_equal(r, reply ? KZ_OK : KZ_LOST);
	g->answered += reply != NULL;
	g->lost += reply == NULL;
}

static void rig_ask(struct rig *g)
{
	assert_int_equal(
	    redis_ask(g->redis, 2, (const char *const[]){"GET", "key"}, NULL, rig_on_answer, g, NULL), KZ_OK);
}

static void rig_on_up(void *arg, bool up)
{
	struct rig *g = arg;

	g->ups += up;
	g->downs += !up;
	if (up && g->asks_when_up)
		rig_ask(g);
}

static int rig_setup(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct rig *g = calloc(1, sizeof *g);

	g->loop = loop_new(&(struct clock){fake_now, fake_now});
	g->fd = -1;
	g->script = good;
	strcpy(g->folder, "/tmp/kezek-test.XXXXXX");
	assert_non_null(mkdtemp(g->folder));
	snprintf(at.sun_path, sizeof at.sun_path, "%s/redis", g->folder);
	snprintf(g->address, sizeof g->address, "unix:%s", at.sun_path);
	g->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(g->listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(g->listener, 4), 0);
	g->door = watch_new(g->loop, g->listener, peer_on_door, g);
	watch_set(g->door, true, false);
	*state = g;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *g = *state;

	redis_free(g->redis);
	if (g->peer)
		peer_end(g);
	watch_free(g->door);
	close(g->listener);
	unlink(g->address + strlen("unix:"));
	rmdir(g->folder);
	loop_free(g->loop);
	free(g);
	return 0;
}

/* Every round is 1 ms by the clock; the deadlines are far beyond. */
static void rig_await(struct rig *g, const int *number, int reached)
{
	for (int i = 0; i < 5000 && *number < reached; i++) {
		now_us += 1000;
		loop_turn(g->loop, 0);
	}
	assert_int_equal(*number, reached);
}

static void rig_dial(struct rig *g, struct script script)
{
	struct redis_options o = {.address = g->address,
	    .connect_ms = 60000,
	    .command_ms = 60000,
	    .silent_ms = 60000,
	    .max_commands = 10};

	g->script = script;
	g->redis = redis_new(g->loop, &o, rig_on_up, g);
}

/* The connection was dropped for this reason; with a good peer all is well again, each command told once. */
static void rig_assert_recovers(struct rig *g, const char *why, int answered, int lost)
{
	int ups;

	rig_await(g, &g->hung_up, 1);
	ups = g->ups;
	assert_string_equal(redis_why_down(g->redis), why);
	assert_false(redis_is_up(g->redis));
	assert_int_equal(g->downs, ups);
	assert_int_equal(g->answered, answered);
	assert_int_equal(g->lost, lost);
	g->script = good;
	g->asks_when_up = false;
	rig_await(g, &g->ups, ups + 1);
	rig_ask(g);
	rig_await(g, &g->answered, answered + 1);
	assert_int_equal(g->lost, lost);
	assert_int_equal(g->hung_up, 1);
}

static const char surplus[] = "an answer to nothing that was asked";

static void surplus__before_the_first_answer__dropped_and_dialed_again(void **state)
{
	struct rig *g = *state;

	rig_dial(g, (struct script){.greeting = "+PONG\r\n+PONG\r\n", .hello = "+PONG\r\n"});
	rig_assert_recovers(g, surplus, 0, 0);
}

static void surplus__behind_the_first_answer__dropped_and_dialed_again(void **state)
{
	struct rig *g = *state;

	rig_dial(g, (struct script){.hello = "+PONG\r\n+PONG\r\n"});
	rig_assert_recovers(g, surplus, 0, 0);
}

static void surplus__in_one_read_with_the_answer_before__answers_no_command_put_since(void **state)
{
	struct rig *g = *state;

	g->asks_when_up = true;
	rig_dial(g, (struct script){.hello = "+PONG\r\n+secret\r\n+PONG\r\n"});
	rig_assert_recovers(g, surplus, 0, 1);
}

static void surplus__behind_the_last_answer__all_asked_are_answered_then_dropped(void **state)
{
	struct rig *g = *state;

	rig_dial(g, (struct script){.hello = "+PONG\r\n", .answer = "+1\r\n:2\r\n+3\r\n*1\r\n+4\r\n-5\r\n"});
	rig_await(g, &g->ups, 1);
	rig_ask(g);
	rig_ask(g);
	rig_assert_recovers(g, surplus, 2, 0);
}

static void surplus__out_of_the_blue__dropped_and_dialed_again(void **state)
{
	struct rig *g = *state;

	rig_dial(g, good);
	rig_await(g, &g->ups, 1);
	peer_say(g, ":1\r\n:2\r\n");
	rig_assert_recovers(g, surplus, 0, 0);
}

static void first_answer__of_another_service__dropped_and_dialed_again(void **state)
{
	struct rig *g = *state;

	rig_dial(g, (struct script){.hello = "HTTP/1.1 400 Bad Request\r\n\r\n"});
	rig_assert_recovers(g, "Protocol error, got \"H\" as reply type byte", 0, 0);
}

static void answer__absurd__lost_once_dropped_and_dialed_again(void **state)
{
	static const char octets[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const char large[] = "an answer too large", many[] = "an answer of too many items";
	static const struct {
		const char *answer, *filler, *why;
	} cases[] = {
	    {"\x01\xff\x7f", NULL, "Protocol error, got \"\\x01\" as reply type byte"},
	    {"$-2\r\n", NULL, "Bulk string length out of range"},
	    {"$99999999999999999999\r\n", NULL, "Bad bulk string length"},
	    {"$9223372036854775807\r\n", octets, large},
	    {"$900000000000\r\n", octets, large},
	    {"+", octets, large},
	    {"*", octets, large},
	    {"*60000\r\n", "$32\r\n0123456789abcdef0123456789abcdef\r\n", large},
	    {"*65537\r\n", NULL, many},
	    {"*2147483647\r\n", NULL, many},
	    {"*65536\r\n*1\r\n", NULL, many},
	    {"*2\r\n*30000\r\n", "*30000\r\n", many},
	    {"*99999999999\r\n", NULL, "Multi-bulk length out of range"},
	    {"*1\r\n", "*1\r\n", "No support for nested multi bulk replies with depth > 7"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rig *g = *state;

		rig_dial(g, (struct script){
		                .hello = "+PONG\r\n", .answer = cases[i].answer, .filler = cases[i].filler});
		rig_await(g, &g->ups, 1);
		rig_ask(g);
		rig_ask(g);
		rig_assert_recovers(g, cases[i].why, 0, 2);
		rig_teardown(state);
		rig_setup(state);
	}
}

/* The bounds are for one answer, not for the connection. */
static void answers__many_large_ones__all_taken(void **state)
{
	struct rig *g = *state;
	size_t len = 60000;
	char *text = malloc(len + 20);
	int head = snprintf(text, 20, "$%zu\r\n", len);

	memset(text + head, 'x', len);
	strcpy(text + head + (int)len, "\r\n");
	rig_dial(g, (struct script){.hello = "+PONG\r\n", .answer = text});
	rig_await(g, &g->ups, 1);
	for (int i = 1; i <= 40; i++) {
		rig_ask(g);
		rig_await(g, &g->answered, i);
	}
	len = (size_t)snprintf(text, 20, "*10000\r\n");
	for (int i = 0; i < 10000; i++, len += 4)
		strcpy(text + len, ":1\r\n");
	for (int i = 41; i <= 50; i++) {
		rig_ask(g);
		rig_await(g, &g->answered, i);
	}
	assert_int_equal(g->downs, 0);
	free(text);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(surplus__before_the_first_answer__dropped_and_dialed_again),
	    CASE(surplus__behind_the_first_answer__dropped_and_dialed_again),
	    CASE(surplus__in_one_read_with_the_answer_before__answers_no_command_put_since),
	    CASE(surplus__behind_the_last_answer__all_asked_are_answered_then_dropped),
	    CASE(surplus__out_of_the_blue__dropped_and_dialed_again),
	    CASE(first_answer__of_another_service__dropped_and_dialed_again),
	    CASE(answer__absurd__lost_once_dropped_and_dialed_again),
	    CASE(answers__many_large_ones__all_taken),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
