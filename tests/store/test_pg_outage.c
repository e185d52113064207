/* pg against a PostgreSQL that dies, stops, is silent, cannot write, and comes back. */
#include "pg_rig.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/metrics.h"

static void job__server_silent_past_the_deadline__lost_and_dialed_anew(void **state)
{
	struct rig *g = *state;
	struct answer a = {0}, b = {0};

	g->options.job_ms = 400;
	rig_up(g);
	rig_run(g, &a, &sql_sleep, NULL);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_LOST);
	assert_false(a.never_sent);
	servers_await(g->loop, &g->ups, 2);
	rig_ask_int(g, &b, 4);
	servers_await(g->loop, &b.count, 1);
	assert_int_equal(b.number, 4);
	assert_int_equal(a.count, 1);
}

static void job__slow_server_that_speaks__late_jobs_lost_and_the_connection_kept(void **state)
{
	struct rig *g = *state;
	static const struct pg_sql nap = {"two_seconds", "select pg_sleep(2)", 0, NULL};
	struct answer a[3] = {0}, after = {0};

	g->options.job_ms = 3000;
	rig_up(g);
	for (int i = 0; i < 3; i++)
		rig_run(g, &a[i], &nap, NULL);
	servers_await(g->loop, &answers, 3);
	assert_int_equal(a[0].r, KZ_OK);
	assert_int_equal(a[1].r, KZ_LOST);
	assert_int_equal(a[2].r, KZ_LOST);
	/* The emptied slots keep their turn: it may be late itself. */
	for (int tries = 1; tries <= 3 && after.number != 8; tries++) {
		rig_ask_int(g, &after, 8);
		servers_await(g->loop, &after.count, tries);
	}
	assert_int_equal(after.number, 8);
	assert_int_equal(g->downs, 0);
	assert_int_equal(a[1].count + a[2].count, 2);
}

static void job__no_connection_until_the_deadline__lost_and_never_sent(void **state)
{
	struct rig *g = *state;
	struct answer a = {0};

	g->options.job_ms = 200;
	g->options.conninfo = "host=/nonexistent password=topsecret";
	rig_dial(g);
	rig_ask_int(g, &a, 4);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_LOST);
	assert_true(a.never_sent);
	assert_false(pg_is_up(g->pg));
	assert_non_null(strstr(pg_why_down(g->pg), "No such file"));
	assert_null(strchr(pg_why_down(g->pg), '\n'));
	assert_null(strstr(pg_why_down(g->pg), "topsecret"));
}

static void conninfo__unreadable__reason_without_the_secret(void **state)
{
	struct rig *g = *state;
	struct answer a = {0};

	g->options.job_ms = 200;
	g->options.conninfo = "host=/tmp password=top secret";
	rig_dial(g);
	rig_ask_int(g, &a, 4);
	servers_await(g->loop, &a.count, 1);
	assert_string_equal(pg_why_down(g->pg), "the connection string cannot be read");
}

static void server__killed_in_mid_flight__lost_then_back_by_itself(void **state)
{
	struct rig *g = *state;
	struct answer a[3] = {0}, after = {0};
	struct metric *lost =
	    metric_counter("kezek_pg_lost_total", "Ready database connections that broke.", "");
	double before = metric_value(lost);

	rig_up(g);
	for (int i = 0; i < 3; i++)
		rig_run(g, &a[i], &sql_sleep, NULL);
	loop_turn(g->loop, 0);
	loop_turn(g->loop, 0);
	servers_do("kill-pg");
	servers_await(g->loop, &g->downs, 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(a[i].count, 1);
		assert_int_equal(a[i].r, KZ_LOST);
		assert_false(a[i].never_sent);
	}
	assert_true(metric_value(lost) == before + 1);
	assert_false(pg_is_up(g->pg));
	assert_true(pg_why_down(g->pg)[0] != '\0');
	rig_ask_int(g, &after, 11); /* waits for the return */
	servers_do("restart-pg");
	servers_await(g->loop, &after.count, 1);
	assert_int_equal(after.r, KZ_OK);
	assert_int_equal(after.number, 11);
	assert_int_equal(g->ups, 2);
	assert_string_equal(pg_why_down(g->pg), "");
}

/* What the answers promised, against what the table has. */
#define LEDGER 20000
struct ledger {
	struct answer answers[LEDGER];
	bool kept[LEDGER];
	int n, read;
};

static void ledger_fill(struct ledger *all, struct rig *g)
{
	uint8_t room[8];

	while (pg_jobs(g->pg) < 200 && all->n < LEDGER) {
		struct pg_value value = pg_int8(all->n, room);

		rig_run(g, &all->answers[all->n++], &sql_add, &value);
	}
}

static void ledger_on_kept(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct ledger *all = arg;

	assert_int_equal(r, KZ_OK);
	for (size_t i = 0; i < pg_rows(reply, 0); i++)
		all->kept[pg_int(reply, 0, i, 0)] = true;
	all->read = 1;
}

static void ledger_check(const struct ledger *all)
{
	int ok = 0;

	for (int i = 0; i < all->n; i++) {
		const struct answer *a = &all->answers[i];

		assert_int_equal(a->count, 1);
		assert_true(a->r == KZ_OK ? all->kept[i] : a->r == KZ_LOST);
		assert_false(a->never_sent && all->kept[i]);
		ok += a->r == KZ_OK;
	}
	assert_in_range(ok, 1, all->n - 1); /* both ends were seen */
}

static void server__killed_again_and_again_under_load__ok_means_kept(void **state)
{
	struct rig *g = *state;
	static struct ledger all;
	struct pg_job *j;

	g->options.connections = 4;
	rig_up(g);
	rig_make_table(g);
	for (int kill = 1; kill <= 3; kill++) {
		FILE *killer = servers_begin("kill-pg");

		while (g->downs < kill) {
			ledger_fill(&all, g);
			loop_turn(g->loop, 5);
		}
		servers_end(killer);
		servers_do("restart-pg");
		servers_await(g->loop, &g->ups, kill + 1);
	}
	servers_await(g->loop, &answers, all.n);
	j = pg_job_new(g->pg, ledger_on_kept, &all);
	pg_job_add(j, &sql_kept, NULL);
	assert_int_equal(pg_job_run(j, NULL), KZ_OK);
	servers_await(g->loop, &all.read, 1);
	ledger_check(&all);
}

static void server__absent_at_the_start__connected_when_it_comes(void **state)
{
	struct rig *g = *state;
	struct answer a = {0};

	servers_do("kill-pg");
	rig_dial(g);
	rig_ask_int(g, &a, 12);
	while (strcmp(pg_why_down(g->pg), "not connected yet") == 0)
		loop_turn(g->loop, 50);
	assert_int_equal(g->ups + g->downs, 0);
	servers_do("restart-pg");
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.number, 12);
	assert_int_equal(g->ups, 1);
}

static void server__told_to_stop__says_why_and_is_found_again(void **state)
{
	struct rig *g = *state;

	rig_up(g);
	servers_do("restart-pg");
	servers_await(g->loop, &g->downs, 1);
	assert_non_null(strstr(pg_why_down(g->pg), "terminating connection due to administrator command"));
	servers_await(g->loop, &g->ups, 2);
}

static void job__on_a_read_only_server__lost_and_dialed_anew(void **state)
{
	struct rig *g = *state;
	static const struct pg_sql read_only = {"read_only", "set transaction read only", 0, NULL};
	uint8_t room[8];
	struct pg_value value = pg_int8(1, room);
	struct answer a = {0};
	struct pg_job *j;

	rig_up(g);
	rig_make_table(g);
	j = pg_job_new(g->pg, rig_on_answer, &a);
	pg_job_add(j, &read_only, NULL);
	pg_job_add(j, &sql_add, &value);
	assert_int_equal(pg_job_run(j, NULL), KZ_OK);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_LOST);
	assert_string_equal(a.sqlstate, "25006");
	servers_await(g->loop, &g->ups, 2);
}

/* A host that takes connections and never says a word. */
static int mute_host(const char *dir)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(mkdir(dir, 0700), 0);
	snprintf(at.sun_path, sizeof at.sun_path, "%s/.s.PGSQL.5432", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static void hosts__first_is_mute__the_second_is_reached(void **state)
{
	struct rig *g = *state;
	char dir[64];
	int fd;

	snprintf(dir, sizeof dir, "%s/mute", servers_dir);
	fd = mute_host(dir);
	snprintf(g->conninfo, sizeof g->conninfo, "host=%s,%s/s user=kezek dbname=kezek", dir, servers_dir);
	g->options.connect_ms = 200;
	rig_up(g);
	assert_true(pg_is_up(g->pg));
	close(fd);
}

static int64_t fake_us;

static int64_t fake_now_us(void)
{
	return fake_us;
}

/* All who wait for the database wait on the slowest of its connections. */
static void dial__refused_again_and_again__tried_once_a_second_at_least(void **state)
{
	static const struct clock fake = {fake_now_us, fake_now_us};
	struct rig *g = *state;
	char dir[64];
	int64_t last_us = 0;

	snprintf(dir, sizeof dir, "%s/closing", servers_dir);
	int fd = mute_host(dir);
	loop_free(g->loop);
	g->loop = loop_new(&fake);
	snprintf(g->conninfo, sizeof g->conninfo, "host=%s user=kezek dbname=kezek", dir);
	rig_dial(g);
	for (int dials = 0; dials < 15; fake_us += 10000) {
		struct pollfd coming = {.fd = fd, .events = POLLIN};

		loop_turn(g->loop, 1);
		assert_true(fake_us - last_us <= 1100000);
		if (poll(&coming, 1, 0) != 1)
			continue;
		close(accept(fd, NULL, NULL));
		last_us = fake_us;
		dials++;
	}
	close(fd);
}

#define OUTAGE_OURS "select count(*) from pg_stat_activity where usename = 'kezek'"

static void conn__given_up_in_a_commit_that_hangs__no_other_until_that_has_ended(void **state)
{
	struct rig *g = *state;
	struct answer a = {0}, b = {0};
	uint8_t room[8];
	struct pg_value value = pg_int8(7, room);

	g->options.job_ms = 400;
	rig_up(g);
	rig_make_table(g);
	servers_set_standby("nobody");
	rig_run(g, &a, &sql_add, &value);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_LOST);
	servers_await(g->loop, &g->downs, 1);
	for (int64_t end = loop_now_ms(g->loop) + 1500; loop_now_ms(g->loop) < end;) {
		loop_turn(g->loop, 20);
		assert_true(servers_ask(OUTAGE_OURS) <= 2); /* it, and the one that looks after it */
	}
	assert_int_equal(g->ups, 1);
	assert_non_null(strstr(pg_why_down(g->pg), "commits hang"));
	servers_set_standby("");
	servers_await(g->loop, &g->ups, 2);
	rig_run(g, &b, &sql_kept, NULL);
	servers_await(g->loop, &b.count, 1);
	assert_int_equal(b.number, 7);
}

static void conn__given_up_in_a_statement__it_is_ended_at_the_server(void **state)
{
	struct rig *g = *state;
	struct answer a = {0};

	g->options.job_ms = 400;
	rig_up(g);
	rig_run(g, &a, &sql_sleep, NULL);
	servers_await(g->loop, &g->ups, 2);
	while (servers_ask(OUTAGE_OURS) > 1)
		loop_turn(g->loop, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PG_CASE(job__server_silent_past_the_deadline__lost_and_dialed_anew),
	    PG_CASE(job__slow_server_that_speaks__late_jobs_lost_and_the_connection_kept),
	    PG_CASE(job__no_connection_until_the_deadline__lost_and_never_sent),
	    PG_CASE(conninfo__unreadable__reason_without_the_secret),
	    PG_CASE(server__killed_in_mid_flight__lost_then_back_by_itself),
	    PG_CASE(server__killed_again_and_again_under_load__ok_means_kept),
	    PG_CASE(server__absent_at_the_start__connected_when_it_comes),
	    PG_CASE(server__told_to_stop__says_why_and_is_found_again),
	    PG_CASE(job__on_a_read_only_server__lost_and_dialed_anew),
	    PG_CASE(hosts__first_is_mute__the_second_is_reached),
	    PG_CASE(dial__refused_again_and_again__tried_once_a_second_at_least),
	    PG_CASE(conn__given_up_in_a_commit_that_hangs__no_other_until_that_has_ended),
	    PG_CASE(conn__given_up_in_a_statement__it_is_ended_at_the_server),
	};

	return rig_main(tests, sizeof tests / sizeof *tests);
}
