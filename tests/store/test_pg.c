/* pg against a real PostgreSQL: order, refusals, deaths and returns. */
#include "servers.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "store/pg.h"
#include "store/pg_array.h"

#define TYPES(...) ((const uint32_t[]){__VA_ARGS__})

static const struct pg_sql sql_echo_int = {"echo_int", "select $1", 1, TYPES(PG_INT8)};
static const struct pg_sql sql_echo_text = {"echo_text", "select $1, $1 is null", 1, TYPES(PG_TEXT)};
static const struct pg_sql sql_echo_bytes = {"echo_bytes", "select $1", 1, TYPES(PG_BYTEA)};
static const struct pg_sql sql_sleep = {"sleep", "select pg_sleep(30)", 0, NULL};
static const struct pg_sql sql_divide = {"divide", "select 1 / $1", 1, TYPES(PG_INT4)};
static const struct pg_sql sql_add = {"add", "insert into kept values ($1)", 1, TYPES(PG_INT8)};
static const struct pg_sql sql_kept = {"kept", "select n from kept order by n", 0, NULL};
static const struct pg_sql sql_put = {"put_rows",
    "insert into wide select * from unnest($1, $2, $3, $4, $5, $6, $7)", 7,
    TYPES(PG_INT8_ARRAY, PG_INT4_ARRAY, PG_INT2_ARRAY, PG_BOOL_ARRAY, PG_TEXT_ARRAY, PG_BYTEA_ARRAY,
        PG_TIMESTAMPTZ_ARRAY)};
static const struct pg_sql sql_cardinality = {
    "cardinality", "select cardinality($1)::int8 + 100", 1, TYPES(PG_TEXT_ARRAY)};
static const struct pg_sql sql_end = {"end", "select pg_terminate_backend($1)", 1, TYPES(PG_INT4)};

struct rig {
	struct loop *loop;
	struct pg *pg;
	int ups, downs;
	char conninfo[256];
	struct pg_options options;
};

/* One answer, as far as the tests look at it. */
struct answer {
	int count;
	enum kz r;
	bool never_sent;
	size_t rows;
	int64_t number;
	char sqlstate[6];
	int turn; /* which answer of all */
};

static int answers; /* in this test, those of rig_do left out */

static void rig_on_answer(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct answer *a = arg;

	a->count++;
	a->r = r;
	a->never_sent = pg_reply_never_sent(reply);
	a->rows = pg_rows(reply, 0);
	a->number = pg_int(reply, 0, 0, 0);
	snprintf(a->sqlstate, sizeof a->sqlstate, "%s", pg_sqlstate(reply));
	a->turn = answers++;
}

static void rig_on_up(void *arg, bool up)
{
	struct rig *g = arg;

	if (up)
		g->ups++;
	else
		g->downs++;
}

static int rig_setup(void **state)
{
	struct rig *g = calloc(1, sizeof *g);

	g->loop = loop_new(&clock_real);
	snprintf(g->conninfo, sizeof g->conninfo, "host=%s/s user=kezek dbname=kezek", servers_dir);
	g->options = (struct pg_options){.conninfo = g->conninfo,
	    .connections = 1,
	    .connect_ms = 5000,
	    .job_ms = 20000,
	    .statement_ms = 15000,
	    .max_jobs = 1000};
	answers = 0;
	*state = g;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *g = *state;

	pg_free(g->pg);
	loop_free(g->loop);
	free(g);
	return 0;
}

static void rig_dial(struct rig *g)
{
	g->pg = pg_new(g->loop, &g->options, rig_on_up, g);
}

static void rig_up(struct rig *g)
{
	rig_dial(g);
	servers_await(g->loop, &g->ups, 1);
}

static uint64_t rig_run(
    struct rig *g, struct answer *a, const struct pg_sql *sql, const struct pg_value *values)
{
	struct pg_job *j = pg_job_new(g->pg, rig_on_answer, a);
	uint64_t ticket = 0;

	pg_job_add(j, sql, values);
	assert_int_equal(pg_job_run(j, &ticket), KZ_OK);
	return ticket;
}

static void rig_ask_int(struct rig *g, struct answer *a, int64_t v)
{
	uint8_t room[8];
	struct pg_value value = pg_int8(v, room);

	rig_run(g, a, &sql_echo_int, &value);
}

static void rig_divide(struct rig *g, struct answer *a, int32_t v)
{
	uint8_t room[4];
	struct pg_value value = pg_int4(v, room);

	rig_run(g, a, &sql_divide, &value);
}

/* Statements of this one moment, each under a name of its own. */
static void rig_do(struct rig *g, const char *text)
{
	static char names[64][16];
	static struct pg_sql made[64];
	static unsigned n;
	struct answer a = {0};

	assert_true(n < 64);
	snprintf(names[n], sizeof names[n], "once_%u", n);
	made[n] = (struct pg_sql){names[n], text, 0, NULL};
	rig_run(g, &a, &made[n++], NULL);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_OK);
	answers = 0;
}

static void rig_make_table(struct rig *g)
{
	rig_do(g, "drop table if exists kept");
	rig_do(g, "create table kept (n bigint unique deferrable initially deferred)");
}

static void jobs__many_in_one_pipeline__answered_once_in_order_after_the_return(void **state)
{
	struct rig *g = *state;
	static struct answer a[600];

	memset(a, 0, sizeof a);
	rig_up(g);
	for (int i = 0; i < 600; i++)
		rig_ask_int(g, &a[i], INT64_MIN + i);
	assert_int_equal(answers, 0);
	assert_int_equal(pg_jobs(g->pg), 600);
	assert_int_equal(pg_idle(g->pg), 0);
	servers_await(g->loop, &answers, 600);
	for (int i = 0; i < 600; i++) {
		assert_int_equal(a[i].r, KZ_OK);
		assert_int_equal(a[i].turn, i);
		assert_true(a[i].number == INT64_MIN + i);
		assert_int_equal(a[i].count, 1);
	}
	assert_int_equal(pg_jobs(g->pg), 0);
	assert_int_equal(pg_idle(g->pg), 1);
}

static void jobs__several_connections__share_the_work(void **state)
{
	struct rig *g = *state;
	struct answer slow[3] = {0}, quick = {0};
	static const struct pg_sql nap = {"nap", "select pg_sleep(2)", 0, NULL};

	g->options.connections = 4;
	rig_up(g);
	while (pg_idle(g->pg) < 4)
		loop_turn(g->loop, 50);
	for (int i = 0; i < 3; i++)
		rig_run(g, &slow[i], &nap, NULL);
	rig_ask_int(g, &quick, 7);
	servers_await(g->loop, &quick.count, 1);
	assert_int_equal(quick.turn, 0);
	servers_await(g->loop, &answers, 4);
}

static void jobs__megabytes_both_ways__neither_side_stalls(void **state)
{
	struct rig *g = *state;
	static struct answer a[64];
	size_t n = 1 << 20;
	char *text = malloc(n + 1);

	memset(a, 0, sizeof a);
	memset(text, 'x', n);
	text[n] = '\0';
	rig_up(g);
	for (int i = 0; i < 64; i++) {
		struct pg_value value = pg_string(text);

		rig_run(g, &a[i], &sql_echo_text, &value);
	}
	free(text);
	servers_await(g->loop, &answers, 64);
	for (int i = 0; i < 64; i++)
		assert_int_equal(a[i].r, KZ_OK);
}

static void job__poisoned__fails_alone(void **state)
{
	struct rig *g = *state;
	struct answer a[5] = {0};

	rig_up(g);
	for (int i = 0; i < 5; i++)
		rig_divide(g, &a[i], i - 2);
	servers_await(g->loop, &answers, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(a[i].r, i == 2 ? KZ_REFUSED : KZ_OK);
	assert_string_equal(a[2].sqlstate, "22012");
	assert_int_equal(a[2].rows, 0);
	assert_int_equal(a[4].number, 0);
	assert_int_equal(a[3].number, 1);
}

static void job__last_statement_refused__nothing_of_it_is_kept(void **state)
{
	struct rig *g = *state;
	struct answer a = {0}, after = {0};
	struct pg_job *j;
	uint8_t eight[8], four[4];
	struct pg_value one = pg_int8(1, eight), zero = pg_int4(0, four);

	rig_up(g);
	rig_make_table(g);
	j = pg_job_new(g->pg, rig_on_answer, &a);
	pg_job_add(j, &sql_add, &one);
	pg_job_add(j, &sql_divide, &zero);
	assert_int_equal(pg_job_run(j, NULL), KZ_OK);
	rig_run(g, &after, &sql_kept, NULL);
	servers_await(g->loop, &after.count, 1);
	assert_int_equal(a.r, KZ_REFUSED);
	assert_string_equal(a.sqlstate, "22012");
	assert_int_equal(after.r, KZ_OK);
	assert_int_equal(after.rows, 0);
}

static void job__refused_at_the_commit__is_refused(void **state)
{
	struct rig *g = *state;
	struct answer a[3] = {0};
	uint8_t room[8];
	struct pg_value value = pg_int8(5, room);

	rig_up(g);
	rig_make_table(g);
	rig_run(g, &a[0], &sql_add, &value);
	rig_run(g, &a[1], &sql_add, &value); /* the unique constraint speaks at the commit only */
	rig_ask_int(g, &a[2], 9);
	servers_await(g->loop, &answers, 3);
	assert_int_equal(a[0].r, KZ_OK);
	assert_int_equal(a[1].r, KZ_REFUSED);
	assert_string_equal(a[1].sqlstate, "23505");
	assert_int_equal(a[2].r, KZ_OK);
	assert_int_equal(a[2].number, 9);
}

static void statement__cannot_be_prepared__each_user_is_refused_until_it_can(void **state)
{
	struct rig *g = *state;
	static const struct pg_sql later = {"later", "select count(*) from later", 0, NULL};
	struct answer a[4] = {0};

	rig_up(g);
	rig_do(g, "drop table if exists later");
	rig_run(g, &a[0], &later, NULL);
	rig_run(g, &a[1], &later, NULL); /* relies on the preparation that fails */
	rig_ask_int(g, &a[2], 3);
	servers_await(g->loop, &answers, 3);
	assert_int_equal(a[0].r, KZ_REFUSED);
	assert_string_equal(a[0].sqlstate, "42P01");
	assert_int_equal(a[1].r, KZ_REFUSED);
	assert_string_equal(a[1].sqlstate, "42P01");
	assert_int_equal(a[2].number, 3);
	rig_do(g, "create table later ()");
	rig_run(g, &a[3], &later, NULL);
	servers_await(g->loop, &a[3].count, 1);
	assert_int_equal(a[3].r, KZ_OK);
}

static void statement__gone_from_the_server__prepared_again_unseen(void **state)
{
	struct rig *g = *state;
	struct answer a[2] = {0};

	rig_up(g);
	rig_ask_int(g, &a[0], 1);
	servers_await(g->loop, &a[0].count, 1);
	rig_do(g, "deallocate all");
	rig_ask_int(g, &a[1], 2);
	servers_await(g->loop, &a[1].count, 1);
	assert_int_equal(a[1].r, KZ_OK);
	assert_int_equal(a[1].number, 2);
}

static void cancel__waiting_and_sent__silent_and_the_order_holds(void **state)
{
	struct rig *g = *state;
	struct answer waiting = {0}, sent = {0}, last = {0};
	uint8_t room[8];
	struct pg_value value = pg_int8(1, room);
	uint64_t ticket;

	rig_up(g);
	rig_make_table(g);
	pg_job_cancel(g->pg, rig_run(g, &waiting, &sql_add, &value));
	value = pg_int8(2, room);
	ticket = rig_run(g, &sent, &sql_add, &value);
	loop_turn(g->loop, 0);
	pg_job_cancel(g->pg, ticket);
	pg_job_cancel(g->pg, ticket); /* of something gone: nothing */
	rig_run(g, &last, &sql_kept, NULL);
	servers_await(g->loop, &last.count, 1);
	assert_int_equal(waiting.count + sent.count, 0);
	assert_int_equal(last.rows, 1); /* the one that was on its way */
	assert_int_equal(last.number, 2);
}

static void run__line_full__busy_and_not_called(void **state)
{
	struct rig *g = *state;
	struct answer a = {0}, over = {0};
	struct pg_job *j;

	g->options.max_jobs = 2;
	g->options.conninfo = "host=/nonexistent";
	rig_dial(g);
	rig_ask_int(g, &a, 1);
	rig_ask_int(g, &a, 2);
	j = pg_job_new(g->pg, rig_on_answer, &over);
	assert_int_equal(pg_job_run(j, NULL), KZ_BUSY);
	assert_int_equal(pg_jobs(g->pg), 2);
	loop_turn(g->loop, 0);
	assert_int_equal(over.count, 0);
}

/* Arrays of every type, 1,000 elements each with NULLs between, through a table and back. */

#define ROWS 1000

static void rows_on_answer(void *arg, enum kz r, const struct pg_reply *reply)
{
	int *seen = arg;
	char text[32];
	size_t len;

	assert_int_equal(r, KZ_OK);
	assert_int_equal(pg_rows(reply, 0), 0);
	assert_int_equal(pg_rows(reply, 1), ROWS);
	for (size_t i = 0; i < ROWS; i++) {
		assert_true(pg_int(reply, 1, i, 0) == INT64_C(1) << (i % 63));
		assert_int_equal(pg_int(reply, 1, i, 1), (int64_t)i - 500);
		assert_int_equal(pg_int(reply, 1, i, 2), -(int64_t)i);
		assert_int_equal(pg_int(reply, 1, i, 3), i % 2);
		assert_int_equal(pg_is_null(reply, 1, i, 4), i % 7 == 0);
		snprintf(text, sizeof text, "қатар %zu", i);
		assert_string_equal(pg_text(reply, 1, i, 4, NULL), i % 7 ? text : "");
		assert_memory_equal(pg_text(reply, 1, i, 5, &len), "\0\xff\x80", i % 4);
		assert_int_equal(len, i % 4);
		assert_true(
		    pg_wall_us(reply, 1, i, 6) == (i % 5 ? INT64_C(1795372986123456) + (int64_t)i : 0));
	}
	(*seen)++;
}

static void array__thousand_rows_of_every_type__come_back_equal(void **state)
{
	struct rig *g = *state;
	static const struct pg_sql get = {"get_rows", "select * from wide order by b", 0, NULL};
	static const enum pg_type types[7] = {
	    PG_INT8, PG_INT4, PG_INT2, PG_BOOL, PG_TEXT, PG_BYTEA, PG_TIMESTAMPTZ};
	struct pg_array arrays[7] = {0};
	struct pg_value values[7];
	struct pg_job *j;
	char text[32];
	int seen = 0;

	rig_up(g);
	rig_do(g, "drop table if exists wide");
	rig_do(g, "create table wide (a int8, b int4, c int2, d bool, e text, f bytea, g timestamptz)");
	for (size_t k = 0; k < 7; k++)
		pg_array_start(&arrays[k], types[k]);
	for (size_t i = 0; i < ROWS; i++) {
		pg_array_int(&arrays[0], INT64_C(1) << (i % 63));
		pg_array_int(&arrays[1], (int64_t)i - 500);
		pg_array_int(&arrays[2], -(int64_t)i);
		pg_array_int(&arrays[3], i % 2);
		snprintf(text, sizeof text, "қатар %zu", i);
		pg_array_text(&arrays[4], i % 7 ? text : NULL);
		pg_array_bytes(&arrays[5], "\0\xff\x80", i % 4);
		pg_array_wall_us(&arrays[6], i % 5 ? INT64_C(1795372986123456) + (int64_t)i : 0);
	}
	for (size_t k = 0; k < 7; k++)
		values[k] = pg_array_value(&arrays[k]);
	j = pg_job_new(g->pg, rows_on_answer, &seen);
	pg_job_add(j, &sql_put, values);
	pg_job_add(j, &get, NULL);
	for (size_t k = 0; k < 7; k++)
		pg_array_fini(&arrays[k]); /* values were copied */
	assert_int_equal(pg_job_run(j, NULL), KZ_OK);
	servers_await(g->loop, &seen, 1);
}

static void array__empty__is_an_array_without_elements(void **state)
{
	struct rig *g = *state;
	struct pg_array array = {0};
	struct pg_value value;
	struct answer a = {0};

	rig_up(g);
	pg_array_start(&array, PG_TEXT);
	value = pg_array_value(&array);
	rig_run(g, &a, &sql_cardinality, &value);
	pg_array_fini(&array);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_OK);
	assert_int_equal(a.number, 100);
}

/* What was sent, compared with what came. */
struct echo {
	struct buf sent;
	int count;
	bool equal, is_null;
};

static void echo_on_answer(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct echo *e = arg;
	size_t len;
	const char *text = pg_text(reply, 0, 0, 0, &len);

	e->is_null = pg_is_null(reply, 0, 0, 0);
	e->equal =
	    r == KZ_OK && len == e->sent.len && memcmp(text, buf_text(&e->sent), len) == 0 && !text[len];
	e->count++;
}

static void rig_echo(struct rig *g, struct echo *e, const struct pg_sql *sql, bool null)
{
	struct pg_job *j = pg_job_new(g->pg, echo_on_answer, e);
	struct pg_value value = {null ? NULL : buf_text(&e->sent), e->sent.len};

	pg_job_add(j, sql, &value);
	assert_int_equal(pg_job_run(j, NULL), KZ_OK);
	servers_await(g->loop, &e->count, 1);
}

static void buf_add_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_char(b, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_char(b, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_char(b, (char)(0xe0 | c >> 12));
		} else {
			buf_char(b, (char)(0xf0 | c >> 18));
			buf_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_char(b, (char)(0x80 | (c & 0x3f)));
}

static void text__every_character__comes_back_equal(void **state)
{
	struct rig *g = *state;
	struct echo e = {0};

	rig_up(g);
	for (uint32_t c = 1; c <= 0x10ffff; c += c < 0x20000 ? 1 : 97)
		if (c < 0xd800 || c > 0xdfff)
			buf_add_utf8(&e.sent, c);
	rig_echo(g, &e, &sql_echo_text, false);
	assert_true(e.equal);
	buf_fini(&e.sent);
}

static void bytes__every_octet__come_back_equal(void **state)
{
	struct rig *g = *state;
	struct echo e = {0};

	rig_up(g);
	for (int i = 0; i < 256; i++)
		buf_char(&e.sent, (char)i);
	rig_echo(g, &e, &sql_echo_bytes, false);
	assert_true(e.equal);
	buf_fini(&e.sent);
}

static void text__empty_or_null__are_told_apart(void **state)
{
	struct rig *g = *state;
	struct echo empty = {0}, null = {0};

	rig_up(g);
	rig_echo(g, &empty, &sql_echo_text, false);
	assert_true(empty.equal);
	assert_false(empty.is_null);
	rig_echo(g, &null, &sql_echo_text, true);
	assert_true(null.is_null);
}

static void text__not_utf8__is_refused(void **state)
{
	struct rig *g = *state;
	struct answer a = {0};
	struct pg_value value = {"\xc3(", 2};

	rig_up(g);
	rig_run(g, &a, &sql_echo_text, &value);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_REFUSED);
	assert_string_equal(a.sqlstate, "22021");
}

static void absent_on_answer(void *arg, enum kz r, const struct pg_reply *reply)
{
	int *count = arg;

	assert_int_equal(r, KZ_OK);
	assert_int_equal(pg_rows(reply, 1), 0);
	assert_true(pg_is_null(reply, 0, 1, 0));
	assert_true(pg_is_null(reply, 0, 0, 2));
	assert_true(pg_is_null(reply, 0, 0, -1));
	assert_string_equal(pg_text(reply, 0, 0, 1, NULL), ""); /* a truth value is no text */
	assert_int_equal(pg_int(reply, 0, 0, 0), 0);            /* nor a text a number */
	assert_int_equal(pg_wall_us(reply, 0, 0, 0), 0);
	assert_string_equal(pg_sqlstate(reply), "");
	(*count)++;
}

static void reply__what_is_not_there__reads_as_null(void **state)
{
	struct rig *g = *state;
	struct pg_value value = pg_string("42");
	struct pg_job *j;
	int count = 0;

	rig_up(g);
	j = pg_job_new(g->pg, absent_on_answer, &count);
	pg_job_add(j, &sql_echo_text, &value);
	assert_int_equal(pg_job_run(j, NULL), KZ_OK);
	servers_await(g->loop, &count, 1);
}

static void statement__over_its_timeout__is_refused(void **state)
{
	struct rig *g = *state;
	struct answer a = {0}, b = {0};

	g->options.statement_ms = 200;
	rig_up(g);
	rig_run(g, &a, &sql_sleep, NULL);
	rig_ask_int(g, &b, 4);
	servers_await(g->loop, &answers, 2);
	assert_int_equal(a.r, KZ_REFUSED);
	assert_string_equal(a.sqlstate, "57014");
	assert_int_equal(b.number, 4);
}

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

static void job__leaves_a_transaction_open__lost_and_rolled_back(void **state)
{
	struct rig *g = *state;
	static const struct pg_sql begin = {"begin", "begin", 0, NULL};
	struct answer a = {0}, b = {0};

	rig_up(g);
	rig_run(g, &a, &begin, NULL);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_LOST);
	rig_ask_int(g, &b, 1);
	servers_await(g->loop, &b.count, 1);
	assert_int_equal(b.r, KZ_OK);
	assert_int_equal(g->ups, 2);
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

static void rig_count(void *arg)
{
	int *n = arg;

	(*n)++;
}

struct watch_session {
	struct pg_session *session;
	int ready, lost;
};

static void session_on_ready(void *arg)
{
	struct watch_session *w = arg;

	rig_count(&w->ready);
}

static void session_on_lost(void *arg)
{
	struct watch_session *w = arg;

	rig_count(&w->lost);
}

static const struct pg_sql sql_lock = {"lock", "select pg_try_advisory_lock(77)", 0, NULL};
static const struct pg_sql sql_pid = {"pid", "select pg_backend_pid()", 0, NULL};

static void watch_session_up(struct rig *g, struct watch_session *w)
{
	w->session = pg_session_new(g->loop, &g->options, session_on_ready, session_on_lost, w);
	servers_await(g->loop, &w->ready, 1);
}

static int64_t watch_session_ask(struct rig *g, struct watch_session *w, const struct pg_sql *sql)
{
	struct answer a = {0};

	assert_int_equal(pg_session_ask(w->session, sql, NULL, rig_on_answer, &a), KZ_OK);
	assert_int_equal(a.count, 0);
	assert_int_equal(pg_session_ask(w->session, sql, NULL, rig_on_answer, &a), KZ_BUSY);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_OK);
	return a.number;
}

static void session__backend_terminated__lock_free_and_owner_told(void **state)
{
	struct rig *g = *state;
	struct watch_session a = {0}, b = {0};
	struct answer ended = {0};
	uint8_t room[4];
	struct pg_value pid;

	rig_up(g);
	watch_session_up(g, &a);
	watch_session_up(g, &b);
	assert_int_equal(watch_session_ask(g, &a, &sql_lock), 1);
	assert_int_equal(watch_session_ask(g, &b, &sql_lock), 0);
	pid = pg_int4((int32_t)watch_session_ask(g, &a, &sql_pid), room);
	rig_run(g, &ended, &sql_end, &pid);
	servers_await(g->loop, &a.lost, 1);
	servers_await(g->loop, &a.ready, 2);
	assert_int_equal(b.lost, 0);
	assert_int_equal(watch_session_ask(g, &b, &sql_lock), 1);
	assert_int_equal(watch_session_ask(g, &a, &sql_lock), 0);
	pg_session_free(a.session);
	pg_session_free(b.session);
}

static void session__lost_under_a_question__answered_before_the_owner_is_told(void **state)
{
	struct rig *g = *state;
	struct watch_session w = {0};
	struct answer a = {0};

	watch_session_up(g, &w);
	assert_int_equal(pg_session_ask(w.session, &sql_sleep, NULL, rig_on_answer, &a), KZ_OK);
	loop_turn(g->loop, 0);
	servers_do("restart-pg");
	servers_await(g->loop, &a.count, 1);
	servers_await(g->loop, &w.lost, 1);
	assert_int_equal(a.r, KZ_LOST);
	assert_int_equal(pg_session_ask(w.session, &sql_lock, NULL, rig_on_answer, &a), KZ_BUSY);
	servers_await(g->loop, &w.ready, 2);
	pg_session_free(w.session);
}

static void session__script__whole_or_not_at_all(void **state)
{
	struct rig *g = *state;
	struct watch_session w = {0};
	struct answer good = {0}, bad = {0};
	static const struct pg_sql count = {"count_scripted", "select count(*) from scripted", 0, NULL};

	watch_session_up(g, &w);
	assert_int_equal(
	    pg_session_script(w.session,
	        "drop table if exists scripted; create table scripted (n int); insert into scripted "
	        "values (1), (2);",
	        rig_on_answer, &good),
	    KZ_OK);
	servers_await(g->loop, &good.count, 1);
	assert_int_equal(good.r, KZ_OK);
	assert_int_equal(watch_session_ask(g, &w, &count), 2);
	assert_int_equal(pg_session_script(
	                     w.session, "insert into scripted values (3); select 1 / 0", rig_on_answer, &bad),
	    KZ_OK);
	servers_await(g->loop, &bad.count, 1);
	assert_int_equal(bad.r, KZ_REFUSED);
	assert_string_equal(bad.sqlstate, "22012");
	assert_int_equal(watch_session_ask(g, &w, &count), 2);
	pg_session_free(w.session);
}

static void free__jobs_open__forgotten_without_a_callback(void **state)
{
	struct rig *g = *state;
	struct answer a = {0};

	rig_up(g);
	rig_run(g, &a, &sql_sleep, NULL);
	loop_turn(g->loop, 0);
	rig_run(g, &a, &sql_sleep, NULL);
	pg_free(g->pg);
	g->pg = NULL;
	assert_int_equal(a.count, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(jobs__many_in_one_pipeline__answered_once_in_order_after_the_return),
	    CASE(jobs__several_connections__share_the_work),
	    CASE(jobs__megabytes_both_ways__neither_side_stalls),
	    CASE(job__poisoned__fails_alone),
	    CASE(job__last_statement_refused__nothing_of_it_is_kept),
	    CASE(job__refused_at_the_commit__is_refused),
	    CASE(statement__cannot_be_prepared__each_user_is_refused_until_it_can),
	    CASE(statement__gone_from_the_server__prepared_again_unseen),
	    CASE(cancel__waiting_and_sent__silent_and_the_order_holds),
	    CASE(run__line_full__busy_and_not_called),
	    CASE(array__thousand_rows_of_every_type__come_back_equal),
	    CASE(array__empty__is_an_array_without_elements),
	    CASE(text__every_character__comes_back_equal),
	    CASE(bytes__every_octet__come_back_equal),
	    CASE(text__empty_or_null__are_told_apart),
	    CASE(text__not_utf8__is_refused),
	    CASE(reply__what_is_not_there__reads_as_null),
	    CASE(statement__over_its_timeout__is_refused),
	    CASE(job__server_silent_past_the_deadline__lost_and_dialed_anew),
	    CASE(job__no_connection_until_the_deadline__lost_and_never_sent),
	    CASE(conninfo__unreadable__reason_without_the_secret),
	    CASE(server__killed_in_mid_flight__lost_then_back_by_itself),
	    CASE(server__absent_at_the_start__connected_when_it_comes),
	    CASE(server__told_to_stop__says_why_and_is_found_again),
	    CASE(job__on_a_read_only_server__lost_and_dialed_anew),
	    CASE(job__leaves_a_transaction_open__lost_and_rolled_back),
	    CASE(hosts__first_is_mute__the_second_is_reached),
	    CASE(session__backend_terminated__lock_free_and_owner_told),
	    CASE(session__lost_under_a_question__answered_before_the_owner_is_told),
	    CASE(session__script__whole_or_not_at_all),
	    CASE(free__jobs_open__forgotten_without_a_callback),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, servers_setup, servers_teardown);
}
