/* redis against a real Redis, and against peers that stay mute. */
#include "servers.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "store/redis.h"

struct rig {
	struct loop *loop;
	struct redis *redis;
	struct redis_options options;
	char address[128];
	int ups, downs;
};

struct answer {
	int count, turn;
	enum kz r;
	int64_t number;
	size_t items, len;
	bool nil, no_reply;
	char text[300];
};

static int answers; /* in this test */

static void rig_on_up(void *arg, bool up)
{
	struct rig *g = arg;

	if (up)
		g->ups++;
	else
		g->downs++;
}

static void rig_on_answer(void *arg, enum kz r, const struct redis_reply *reply)
{
	struct answer *a = arg;

	a->count++;
	a->turn = answers++;
	a->r = r;
	a->no_reply = !reply;
	if (!reply)
		return;
	a->number = redis_int(reply);
	a->nil = redis_is_nil(reply);
	a->items = redis_count(reply);
	if (a->items)
		reply = redis_item(reply, a->items - 1);
	memcpy(a->text, redis_text(reply, &a->len), 1);
	if (a->len < sizeof a->text)
		memcpy(a->text, redis_text(reply, NULL), a->len + 1);
}

static int rig_setup(void **state)
{
	struct rig *g = calloc(1, sizeof *g);

	g->loop = loop_new(&clock_real);
	snprintf(g->address, sizeof g->address, "unix:%s/s/redis", servers_dir);
	g->options = (struct redis_options){.address = g->address,
	    .connect_ms = 5000,
	    .command_ms = 5000,
	    .silent_ms = 5000,
	    .max_commands = 1000};
	answers = 0;
	*state = g;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *g = *state;

	redis_free(g->redis);
	loop_free(g->loop);
	free(g);
	return 0;
}

static void rig_dial(struct rig *g)
{
	g->redis = redis_new(g->loop, &g->options, rig_on_up, g);
}

static void rig_up(struct rig *g)
{
	rig_dial(g);
	servers_await(g->loop, &g->ups, 1);
}

/* Up to three words. */
static uint64_t rig_ask(struct rig *g, struct answer *a, const char *one, const char *two, const char *three)
{
	const char *words[] = {one, two, three};
	uint64_t ticket = 0;

	assert_int_equal(redis_ask(g->redis,
	                     three ? 3
	                     : two ? 2
	                           : 1,
	                     words, NULL, rig_on_answer, a, &ticket),
	    KZ_OK);
	return ticket;
}

static void commands__many_at_once__answered_once_in_order_after_the_return(void **state)
{
	struct rig *g = *state;
	static struct answer a[1000];
	struct answer over = {0};

	memset(a, 0, sizeof a);
	rig_up(g);
	rig_ask(g, &over, "DEL", "count", NULL);
	servers_await(g->loop, &over.count, 1);
	for (int i = 0; i < 1000; i++)
		rig_ask(g, &a[i], "INCR", "count", NULL);
	assert_int_equal(
	    redis_ask(g->redis, 1, (const char *const[]){"PING"}, NULL, rig_on_answer, &over, NULL), KZ_BUSY);
	assert_int_equal(metrics_total("kezek_redis_pending"), 1000);
	assert_int_equal(answers, 1);
	servers_await(g->loop, &answers, 1001);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(a[i].count, 1);
		assert_int_equal(a[i].r, KZ_OK);
		assert_int_equal(a[i].turn, i + 1);
		assert_int_equal(a[i].number, i + 1);
	}
	assert_int_equal(over.count, 1);
}

static void value__every_octet__comes_back_equal(void **state)
{
	struct rig *g = *state;
	struct answer set = {0}, got = {0};
	char value[256];
	const char *words[] = {"SET", "octets", value};
	size_t lens[] = {3, 6, sizeof value};

	for (int i = 0; i < 256; i++)
		value[i] = (char)i;
	rig_up(g);
	assert_int_equal(redis_ask(g->redis, 3, words, lens, rig_on_answer, &set, NULL), KZ_OK);
	rig_ask(g, &got, "GET", "octets", NULL);
	servers_await(g->loop, &got.count, 1);
	assert_int_equal(got.len, sizeof value);
	assert_memory_equal(got.text, value, sizeof value);
	assert_string_equal(set.text, "OK");
}

static void replies__of_every_kind__are_told_apart(void **state)
{
	struct rig *g = *state;
	struct answer nil = {0}, list = {0}, text = {0};

	rig_up(g);
	rig_ask(g, &nil, "GET", "absent", NULL);
	rig_ask(g, &list, "EVAL", "return {1, 'two', 'three'}", "0");
	rig_ask(g, &text, "ECHO", "-17", NULL);
	servers_await(g->loop, &answers, 3);
	assert_true(nil.nil);
	assert_string_equal(nil.text, "");
	assert_int_equal(list.items, 3);
	assert_string_equal(list.text, "three");
	assert_int_equal(text.number, -17);
	assert_int_equal(text.items, 0);
}

static void command__wrong__is_refused_alone(void **state)
{
	struct rig *g = *state;
	struct answer bad = {0}, good = {0};

	rig_up(g);
	rig_ask(g, &bad, "NONSENSE", NULL, NULL);
	rig_ask(g, &good, "ECHO", "hi", NULL);
	servers_await(g->loop, &answers, 2);
	assert_int_equal(bad.r, KZ_REFUSED);
	assert_memory_equal(bad.text, "ERR unknown command", 19);
	assert_int_equal(good.r, KZ_OK);
	assert_string_equal(good.text, "hi");
}

static void server__cannot_serve__lost_with_its_words(void **state)
{
	struct rig *g = *state;
	struct answer a = {0};

	rig_up(g);
	rig_ask(g, &a, "EVAL", "return redis.error_reply('LOADING the data')", "0");
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_LOST);
	assert_string_equal(a.text, "LOADING the data");
	assert_true(redis_is_up(g->redis));
}

static void cancel__sent__silent_and_the_order_holds(void **state)
{
	struct rig *g = *state;
	struct answer cancelled = {0}, next = {0};

	rig_up(g);
	redis_cancel(g->redis, rig_ask(g, &cancelled, "ECHO", "one", NULL));
	rig_ask(g, &next, "ECHO", "two", NULL);
	servers_await(g->loop, &next.count, 1);
	assert_int_equal(cancelled.count, 0);
	assert_string_equal(next.text, "two");
}

static void command__past_its_deadline__lost_with_all_behind_and_dialed_anew(void **state)
{
	struct rig *g = *state;
	struct answer a = {0}, b = {0}, c = {0};

	g->options.command_ms = 200;
	rig_up(g);
	rig_ask(g, &a, "BLPOP", "nobody", "0");
	rig_ask(g, &b, "ECHO", "late", NULL);
	servers_await(g->loop, &answers, 2);
	assert_int_equal(a.r, KZ_LOST);
	assert_int_equal(b.r, KZ_LOST);
	assert_true(a.no_reply);
	assert_int_equal(g->downs, 1);
	servers_await(g->loop, &g->ups, 2);
	rig_ask(g, &c, "ECHO", "again", NULL);
	servers_await(g->loop, &c.count, 1);
	assert_string_equal(c.text, "again");
	assert_int_equal(a.count + b.count, 2);
}

static void server__killed__lost_then_back_by_itself(void **state)
{
	struct rig *g = *state;
	struct answer a = {0}, b = {0};

	rig_up(g);
	rig_ask(g, &a, "BLPOP", "nobody", "0");
	loop_turn(g->loop, 10);
	servers_do("kill-redis");
	servers_await(g->loop, &g->downs, 1);
	assert_int_equal(a.r, KZ_LOST);
	assert_int_equal(a.count, 1);
	assert_false(redis_is_up(g->redis));
	assert_true(redis_why_down(g->redis)[0] != '\0');
	assert_int_equal(
	    redis_ask(g->redis, 1, (const char *const[]){"PING"}, NULL, rig_on_answer, &b, NULL), KZ_LOST);
	servers_do("restart-redis");
	servers_await(g->loop, &g->ups, 2);
	assert_string_equal(redis_why_down(g->redis), "");
	rig_ask(g, &b, "ECHO", "back", NULL);
	servers_await(g->loop, &b.count, 1);
	assert_string_equal(b.text, "back");
}

static void server__absent_at_the_start__connected_when_it_comes(void **state)
{
	struct rig *g = *state;

	servers_do("kill-redis");
	rig_dial(g);
	while (strcmp(redis_why_down(g->redis), "not connected yet") == 0)
		loop_turn(g->loop, 50);
	servers_do("restart-redis");
	servers_await(g->loop, &g->ups, 1);
	assert_int_equal(g->downs, 0);
}

static void server__mute__given_up_and_tried_again(void **state)
{
	struct rig *g = *state;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), first, second = 0;

	snprintf(at.sun_path, sizeof at.sun_path, "%s/mute", servers_dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 4), 0);
	snprintf(g->address, sizeof g->address, "unix:%s", at.sun_path);
	g->options.connect_ms = 100;
	rig_dial(g);
	while (strcmp(redis_why_down(g->redis), "connecting takes too long") != 0)
		loop_turn(g->loop, 50);
	first = accept(fd, NULL, NULL);
	for (char c; read(first, &c, 1) == 1;) /* it asked, and left */
		second++;
	assert_true(second > 0);
	close(first);
	close(fd);
	unlink(at.sun_path);
}

static void pings_on_answer(void *arg, enum kz r, const struct redis_reply *reply)
{
	static const char row[] = "cmdstat_ping:calls=";
	const char *at = reply ? strstr(redis_text(reply, NULL), row) : NULL;
	int *pings = arg;

	assert_int_equal(r, KZ_OK);
	*pings = at ? atoi(at + sizeof row - 1) : 0;
}

static void connection__silent__is_kept_alive_by_pings(void **state)
{
	struct rig *g = *state, quiet = {0};
	struct answer reset = {0};
	int pings = 0;

	rig_up(g);
	quiet.loop = g->loop;
	quiet.options = g->options;
	quiet.options.silent_ms = 20;
	rig_up(&quiet);
	rig_ask(g, &reset, "CONFIG", "RESETSTAT", NULL);
	servers_await(g->loop, &reset.count, 1);
	while (pings < 3) {
		assert_int_equal(redis_ask(g->redis, 2, (const char *const[]){"INFO", "commandstats"}, NULL,
		                     pings_on_answer, &pings, NULL),
		    KZ_OK);
		loop_turn(g->loop, 10);
	}
	assert_int_equal(quiet.ups, 1);
	assert_int_equal(quiet.downs, 0);
	redis_free(quiet.redis);
}

static void password__wanted__taken_or_the_reason_told(void **state)
{
	struct rig *g = *state, other = {0};
	struct answer a = {0};

	rig_up(g);
	other.loop = g->loop;
	other.options = g->options;
	rig_ask(g, &a, "CONFIG", "SET", "requirepass");
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_REFUSED); /* one word short: the server is as it was */
	assert_int_equal(
	    redis_ask(g->redis, 4, (const char *const[]){"CONFIG", "SET", "requirepass", "open sesame"}, NULL,
	        rig_on_answer, &a, NULL),
	    KZ_OK);
	servers_await(g->loop, &a.count, 2);
	other.options.password = "wrong";
	rig_dial(&other);
	while (!strstr(redis_why_down(other.redis), "WRONGPASS"))
		loop_turn(g->loop, 50);
	redis_free(other.redis);
	other.options.password = NULL;
	rig_dial(&other);
	while (!strstr(redis_why_down(other.redis), "NOAUTH"))
		loop_turn(g->loop, 50);
	assert_int_equal(other.ups, 0);
	redis_free(other.redis);
	other.options.password = "open sesame";
	rig_up(&other);
	redis_free(other.redis);
	assert_int_equal(redis_ask(g->redis, 4, (const char *const[]){"CONFIG", "SET", "requirepass", ""},
	                     NULL, rig_on_answer, &a, NULL),
	    KZ_OK);
	servers_await(g->loop, &a.count, 3);
}

static void address__a_name__is_not_looked_up(void **state)
{
	struct rig *g = *state;

	g->options.address = "localhost:6379";
	rig_dial(g);
	while (strcmp(redis_why_down(g->redis), "not connected yet") == 0)
		loop_turn(g->loop, 50);
	assert_string_equal(redis_why_down(g->redis), "the address is neither unix:/path nor numeric");
}

static void free__commands_open__forgotten_without_a_callback(void **state)
{
	struct rig *g = *state;
	struct answer a = {0};

	rig_up(g);
	rig_ask(g, &a, "ECHO", "x", NULL);
	loop_turn(g->loop, 0);
	rig_ask(g, &a, "BLPOP", "nobody", "0");
	redis_free(g->redis);
	g->redis = NULL;
	assert_true(a.count <= 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(commands__many_at_once__answered_once_in_order_after_the_return),
	    CASE(value__every_octet__comes_back_equal),
	    CASE(replies__of_every_kind__are_told_apart),
	    CASE(command__wrong__is_refused_alone),
	    CASE(server__cannot_serve__lost_with_its_words),
	    CASE(cancel__sent__silent_and_the_order_holds),
	    CASE(command__past_its_deadline__lost_with_all_behind_and_dialed_anew),
	    CASE(server__killed__lost_then_back_by_itself),
	    CASE(server__absent_at_the_start__connected_when_it_comes),
	    CASE(server__mute__given_up_and_tried_again),
	    CASE(connection__silent__is_kept_alive_by_pings),
	    CASE(password__wanted__taken_or_the_reason_told),
	    CASE(address__a_name__is_not_looked_up),
	    CASE(free__commands_open__forgotten_without_a_callback),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}
