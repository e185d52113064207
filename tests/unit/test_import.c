/* import: which lines of a piece go together, and what is said of those that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/import_body.h"
#include "base/mem.h"

#define NOW_US INT64_C(1796000000000000)
#define DISTRICT(n)                                                                                          \
	"{\"kind\":\"district\",\"id\":" #n                                                                  \
	",\"region\":\"r\",\"names\":{\"kk\":\"a\",\"ru\":\"b\",\"en\":\"c\"}}"
#define REFERRAL(n, of)                                                                                      \
	"{\"kind\":\"referral\",\"number\":" #n ",\"application\":" #of                                      \
	",\"group\":1,\"status\":\"offered\",\"from\":\"2026-11-01T00:00:00Z\",\"to\":\"2026-11-08T00:00:"   \
	"00Z\"}"

struct rig {
	struct import_chunk chunk;
	struct buf text;
	size_t at; /* of the text, where the next chunk begins */
	uint64_t line;
};

static int rig_setup(void **state)
{
	static const struct records_base base;
	struct rig *g = mem_new(sizeof *g);

	g->chunk.records = records_new(&base, CHUNK_RECORDS);
	g->chunk.now_us = NOW_US;
	g->line = 1;
	*state = g;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *g = *state;

	records_free(g->chunk.records);
	buf_fini(&g->text);
	free(g);
	return 0;
}

/* The next chunk has so many records, referrals and bad lines, and ends before that line. */
static void next_has(struct rig *g, size_t records, size_t referrals, size_t bad, uint64_t to)
{
	struct import_chunk *k = &g->chunk;
	const char *text = buf_text(&g->text);

	import_chunk_read(k, text + g->at, text + g->text.len, g->line, CHUNK_RECORDS);
	assert_int_equal(records_count(k->records), records);
	assert_int_equal(k->referrals_n, referrals);
	assert_int_equal(k->bad_n, bad);
	assert_int_equal(k->from, g->line);
	assert_int_equal(k->to, to);
	g->at = (size_t)(k->next - text);
	g->line = to;
}

static void is_at_end(const struct rig *g)
{
	assert_int_equal(g->at, g->text.len);
}

static void bad_is(const struct rig *g, size_t i, uint64_t line, const char *code, const char *field)
{
	assert_int_equal(g->chunk.bad[i].line, line);
	assert_string_equal(g->chunk.bad[i].why.code, code);
	assert_string_equal(g->chunk.bad[i].why.field, field);
}

static void read__blank_lines_and_no_end_of_the_last__each_is_a_line(void **state)
{
	struct rig *g = *state;

	buf_str(&g->text, "\n" DISTRICT(1) "\r\n \t\r\n\n" DISTRICT(2));
	next_has(g, 2, 0, 0, 6);
	is_at_end(g);
	assert_int_equal(g->chunk.lines[0], 2);
	assert_int_equal(g->chunk.lines[1], 5);
}

static void read__bad_lines__named_and_the_others_taken(void **state)
{
	struct rig *g = *state;

	buf_str(&g->text,
	    "rubbish\n" DISTRICT(1) "\n{\"kind\":\"district\",\"id\":0}\n{\"kind\":\"referral\"}\n\"x\"\n");
	buf_add(&g->text, "{\"a\":\"\0\"}\n", 10);
	for (int i = 0; i <= LINE_OCTETS; i++)
		buf_char(&g->text, ' ' + (i == 0));
	buf_str(&g->text, "\n");
	next_has(g, 1, 0, 6, 8);
	is_at_end(g);
	bad_is(g, 0, 1, "malformed_json", "");
	bad_is(g, 1, 3, "invalid_value", "id");
	bad_is(g, 2, 4, "missing_field", "number");
	bad_is(g, 3, 5, "malformed_json", "");
	bad_is(g, 4, 6, "malformed_json", "");
	bad_is(g, 5, 7, "invalid_value", "");
}

static void read__same_record_again__for_the_next_chunk(void **state)
{
	struct rig *g = *state;

	buf_str(&g->text, DISTRICT(1) "\n" DISTRICT(2) "\n" DISTRICT(1) "\n" DISTRICT(2) "\n");
	next_has(g, 2, 0, 0, 3);
	next_has(g, 2, 0, 0, 5);
	is_at_end(g);
}

static void read__referrals__apart_from_records_and_one_of_an_application(void **state)
{
	struct rig *g = *state;

	buf_str(&g->text, DISTRICT(1) "\n" REFERRAL(1, 1) "\n" REFERRAL(2, 2) "\nrubbish\n" REFERRAL(
	                      3, 1) "\n" REFERRAL(3, 4) "\n" DISTRICT(2) "\n");
	next_has(g, 1, 0, 0, 2);
	next_has(g, 0, 2, 1, 5);
	next_has(g, 0, 1, 0, 6);
	next_has(g, 0, 1, 0, 7);
	next_has(g, 1, 0, 0, 8);
	is_at_end(g);
}

static void read__more_than_fit__in_chunks(void **state)
{
	struct rig *g = *state;

	for (int i = 1; i <= CHUNK_RECORDS + 1; i++)
		buf_printf(&g->text,
		    "{\"kind\":\"district\",\"id\":%d,\"region\":\"r\",\"names\":{\"kk\":\"a\",\"ru\":\"b\","
		    "\"en\":\"c\"}}\n",
		    i);
	for (int i = 0; i < CHUNK_FAULTS + 2; i++)
		buf_str(&g->text, "x\n");
	next_has(g, CHUNK_RECORDS, 0, 0, CHUNK_RECORDS + 1);
	next_has(g, 1, 0, CHUNK_FAULTS, CHUNK_RECORDS + 2 + CHUNK_FAULTS);
	next_has(g, 0, 0, 2, CHUNK_RECORDS + 4 + CHUNK_FAULTS);
	is_at_end(g);
}

static void read__blank_lines_without_end__some_at_a_time(void **state)
{
	struct rig *g = *state;

	for (int i = 0; i < CHUNK_LINES + 7; i++)
		buf_char(&g->text, '\n');
	next_has(g, 0, 0, 0, CHUNK_LINES + 1);
	next_has(g, 0, 0, 0, CHUNK_LINES + 8);
	is_at_end(g);
}

static void step__referrals_refused__counted_as_bad(void **state)
{
	struct rig *g = *state;
	struct import_step step = {0};
	const struct problem why = problem_make(PROBLEM_INVALID_VALUE, "x", "y");

	buf_str(&g->text, REFERRAL(1, 1) "\nrubbish\n" REFERRAL(2, 2) "\n" REFERRAL(3, 3) "\n");
	next_has(g, 0, 3, 1, 5);
	import_chunk_refuse_referral(&g->chunk, 1, &why);
	import_chunk_step(&g->chunk, &step);
	assert_int_equal(step.from, 1);
	assert_int_equal(step.to, 5);
	assert_int_equal(step.good, 2);
	assert_int_equal(step.bad, 2);
	bad_is(g, 1, 3, "invalid_value", "x");
	import_step_fini(&step);
}

static void step__record_that_the_database_refused__bad(void **state)
{
	struct rig *g = *state;
	struct import_step step = {0};

	buf_str(&g->text, DISTRICT(1) "\n");
	next_has(g, 1, 0, 0, 2);
	import_chunk_refuse(&g->chunk);
	import_chunk_step(&g->chunk, &step);
	assert_int_equal(step.good, 0);
	assert_int_equal(step.bad, 1);
	assert_int_equal(step.to, 2);
	bad_is(g, 0, 1, "internal_error", "");
	import_step_fini(&step);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(read__blank_lines_and_no_end_of_the_last__each_is_a_line),
	    CASE(read__bad_lines__named_and_the_others_taken),
	    CASE(read__same_record_again__for_the_next_chunk),
	    CASE(read__referrals__apart_from_records_and_one_of_an_application),
	    CASE(read__more_than_fit__in_chunks),
	    CASE(read__blank_lines_without_end__some_at_a_time),
	    CASE(step__referrals_refused__counted_as_bad),
	    CASE(step__record_that_the_database_refused__bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
