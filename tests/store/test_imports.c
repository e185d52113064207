/* imports in a real PostgreSQL: begun, gone on with, read back. */
#include "store_rig.h"

#include "store/imports.h"

struct told {
	int count;
	enum kz r;
	struct import_state state;
	struct buf faults;
};

static void on_fault(void *arg, const struct import_fault *f)
{
	struct told *t = arg;

	buf_printf(&t->faults, "%llu:%s:%s:%s ", (unsigned long long)f->line, f->field, f->code, f->detail);
}

static void on_state(void *arg, enum kz r, const struct import_state *s)
{
	struct told *t = arg;

	t->count++;
	t->r = r;
	t->state = *s;
}

static struct import_state begin(struct store_rig *g, const char *client, const char *id)
{
	struct told t = {0};
	char *copy = strdup(id);

	assert_int_equal(imports_begin(g->pg, &(struct import_name){client, copy}, on_state, &t), KZ_OK);
	free(copy);
	assert_int_equal(t.count, 0);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_OK);
	return t.state;
}

/* faults: of lines first to last, as on_fault writes them. */
static struct import_state reads(struct store_rig *g, const struct import_name *name, uint64_t first,
    uint64_t last, enum kz r, const char *faults)
{
	struct told t = {0};

	assert_int_equal(imports_read(g->pg, name, first, last, on_fault, on_state, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, r);
	if (faults)
		assert_string_equal(buf_text(&t.faults), faults);
	buf_fini(&t.faults);
	return t.state;
}

static void on_written(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct told *t = arg;

	t->count++;
	t->r = r;
	if (r != KZ_OK)
		buf_str(&t->faults, pg_sqlstate(reply));
}

/* From the line on so many good ones, then so many bad ones; another row in the same transaction. */
static void advance(struct store_rig *g, const struct import_name *name, uint64_t from, unsigned good,
    unsigned bad, const char *refused)
{
	static const struct pg_sql sql_row = {"test_row",
	    "insert into district values ((select coalesce(max(id), 0) + 1 from district), 'r', 'a', 'b', "
	    "'c')",
	    0, NULL};
	struct import_step s = {0};
	struct told t = {0};
	struct pg_job *job = pg_job_new(g->pg, on_written, &t);

	import_step_start(&s, 99);
	import_step_fault(&s, &(struct import_fault){99, "x", "forgotten", "by the next start"});
	import_step_start(&s, from);
	s.to = from + good + bad;
	s.good = good;
	for (unsigned i = 0; i < bad; i++)
		import_step_fault(&s, &(struct import_fault){from + good + i, i ? "iin" : "", "bad", "why"});
	pg_job_add(job, &sql_row, NULL);
	import_step_write(&s, name, job);
	import_step_fini(&s);
	assert_int_equal(pg_job_run(job, NULL), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, refused ? KZ_REFUSED : KZ_OK);
	assert_string_equal(buf_text(&t.faults), refused ? refused : "");
	buf_fini(&t.faults);
}

static void import_id_check__what_it_may_have__nothing_else(void **state)
{
	char id[IMPORT_ID + 2];

	(void)state;
	assert_int_equal(import_id_check("2026-11-29_night.Z"), KZ_OK);
	assert_int_equal(import_id_check(""), KZ_INVALID);
	assert_int_equal(import_id_check("a b"), KZ_INVALID);
	assert_int_equal(import_id_check("a/b"), KZ_INVALID);
	memset(id, 'a', sizeof id);
	id[IMPORT_ID + 1] = '\0';
	assert_int_equal(import_id_check(id), KZ_TOO_LONG);
	id[IMPORT_ID] = '\0';
	assert_int_equal(import_id_check(id), KZ_OK);
}

static void imports_begin__new__line_1_and_again_where_it_is(void **state)
{
	struct store_rig *g = *state;
	const struct import_name name = {"portal", "night"};
	struct import_state s = begin(g, "portal", "night");

	assert_int_equal(s.next_line, 1);
	assert_int_equal(s.good + s.bad, 0);
	assert_true(llabs(s.begun_us - store_wall_us()) < INT64_C(60000000));
	advance(g, &name, 1, 3, 0, NULL);
	s = begin(g, "portal", "night");
	assert_int_equal(s.next_line, 4);
	assert_int_equal(s.good, 3);
	assert_int_equal(begin(g, "another", "night").next_line, 1);
	assert_int_equal(begin(g, NULL, "night").next_line, 1);
	assert_int_equal(store_int(g, "select count(*) from import"), 3);
}

static void imports_read__unknown_or_anothers__not_found(void **state)
{
	struct store_rig *g = *state;

	begin(g, "portal", "night");
	reads(g, &(struct import_name){"portal", "day"}, 1, IMPORT_LINES, KZ_NOT_FOUND, "");
	reads(g, &(struct import_name){"another", "night"}, 1, IMPORT_LINES, KZ_NOT_FOUND, "");
	reads(g, &(struct import_name){NULL, "night"}, 1, IMPORT_LINES, KZ_NOT_FOUND, "");
}

static void import_step__next_lines__counted_and_their_faults_kept(void **state)
{
	struct store_rig *g = *state;
	const struct import_name name = {"portal", "night"};

	begin(g, "portal", "night");
	advance(g, &name, 1, 2, 2, NULL);
	advance(g, &name, 5, 0, 1, NULL);
	struct import_state s =
	    reads(g, &name, 1, IMPORT_LINES, KZ_OK, "3::bad:why 4:iin:bad:why 5::bad:why ");
	assert_int_equal(s.next_line, 6);
	assert_int_equal(s.good, 2);
	assert_int_equal(s.bad, 3);
	reads(g, &name, 4, 4, KZ_OK, "4:iin:bad:why ");
	reads(g, &name, 6, IMPORT_LINES, KZ_OK, "");
}

static void import_step__other_lines_than_the_next__nothing_of_the_transaction(void **state)
{
	struct store_rig *g = *state;
	const struct import_name name = {"portal", "night"};

	begin(g, "portal", "night");
	advance(g, &name, 1, 2, 0, NULL);
	advance(g, &name, 1, 2, 1, IMPORT_ELSEWHERE); /* its answer was lost, so it came again */
	advance(g, &name, 4, 2, 1, IMPORT_ELSEWHERE);
	advance(g, &(struct import_name){"portal", "day"}, 1, 1, 0, IMPORT_ELSEWHERE);
	assert_int_equal(reads(g, &name, 1, IMPORT_LINES, KZ_OK, "").next_line, 3);
	assert_int_equal(store_int(g, "select count(*) from district"), 1);
}

static void import_step__too_many_faults__the_first_are_kept_and_all_counted(void **state)
{
	struct store_rig *g = *state;
	const struct import_name name = {"portal", "night"};

	begin(g, "portal", "night");
	store_sql(g, "update import set bad = %d", IMPORT_FAULTS - 2);
	advance(g, &name, 1, 0, 3, NULL);
	advance(g, &name, 4, 0, 1, NULL);
	assert_int_equal(
	    reads(g, &name, 1, IMPORT_LINES, KZ_OK, "1::bad:why 2:iin:bad:why ").bad, IMPORT_FAULTS + 2);
}

static void imports_read__more_than_a_page__the_first(void **state)
{
	struct store_rig *g = *state;
	struct told t = {0};
	const struct import_name name = {"portal", "night"};

	begin(g, "portal", "night");
	store_sql(g,
	    "insert into import_fault select 'portal', 'night', n, '', 'x', 'y' from generate_series(1, %d) "
	    "n",
	    IMPORT_PAGE + 1);
	assert_int_equal(imports_read(g->pg, &name, 1, IMPORT_LINES, on_fault, on_state, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	assert_null(strstr(buf_text(&t.faults), "1001:"));
	assert_non_null(strstr(buf_text(&t.faults), "1000:"));
	buf_fini(&t.faults);
}

static void imports_begin__another__what_is_old_or_too_many_is_forgotten(void **state)
{
	struct store_rig *g = *state;

	store_sql(g,
	    "insert into import (client, id, changed_at) select 'portal', n::text, now() - n * interval '1 "
	    "minute'"
	    " from generate_series(1, %d) n;"
	    " insert into import_fault values ('portal', '%d', 1, '', 'x', 'y');"
	    " insert into import (client, id, changed_at) values ('another', 'old', now() - interval '31 "
	    "days'),"
	    "  ('another', 'new', now() - interval '29 days')",
	    IMPORTS_KEPT, IMPORTS_KEPT);
	begin(g, "portal", "1");
	assert_int_equal(store_int(g, "select count(*) from import"), IMPORTS_KEPT + 2);
	begin(g, "portal", "night");
	assert_int_equal(
	    store_int(g, "select count(*) from import where client = 'portal' and id <> '%d'", IMPORTS_KEPT),
	    IMPORTS_KEPT);
	assert_int_equal(store_int(g, "select count(*) from import"), IMPORTS_KEPT + 1);
	assert_string_equal(store_sql(g, "select id from import where client = 'another'"), "new");
	assert_int_equal(store_int(g, "select count(*) from import_fault"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(import_id_check__what_it_may_have__nothing_else),
	    STORE_CASE(imports_begin__new__line_1_and_again_where_it_is),
	    STORE_CASE(imports_read__unknown_or_anothers__not_found),
	    STORE_CASE(import_step__next_lines__counted_and_their_faults_kept),
	    STORE_CASE(import_step__other_lines_than_the_next__nothing_of_the_transaction),
	    STORE_CASE(import_step__too_many_faults__the_first_are_kept_and_all_counted),
	    STORE_CASE(imports_read__more_than_a_page__the_first),
	    STORE_CASE(imports_begin__another__what_is_old_or_too_many_is_forgotten),
	};

	return store_main("imports", tests, sizeof tests / sizeof *tests);
}
