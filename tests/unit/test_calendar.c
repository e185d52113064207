/* calendar: spans over holidays, moved days, midnight and the year's end; what is shipped, and what a broken
 * file is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rules/calendar.h"

#define SHIPPED KEZEK_SOURCE_DIR "/config/holidays.yaml"
#define ALMATY  300

static struct calendar *shipped;

static int shipped_load(void **state)
{
	struct faults faults = {0};

	(void)state;
	shipped = calendar_load(SHIPPED, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	return 0;
}

static int shipped_free(void **state)
{
	(void)state;
	calendar_free(shipped);
	return 0;
}

static struct calendar *load(const char *yaml, struct faults *faults)
{
	char path[] = "/tmp/kezek-calendar-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
	close(fd);
	struct calendar *c = calendar_load(path, faults);
	unlink(path);
	assert_non_null(c);
	return c;
}

static struct calendar *load_good(const char *yaml)
{
	struct faults faults = {0};
	struct calendar *c = load(yaml, &faults);

	assert_string_equal(buf_text(&faults.text), "");
	return c;
}

static void load_bad(const char *yaml, const char *place, const char *words)
{
	struct faults faults = {0};

	calendar_free(load(yaml, &faults));
	if (faults.count != 1 || !strstr(buf_text(&faults.text), place) ||
	    !strstr(buf_text(&faults.text), words))
		fail_msg("want one fault at %s with \"%s\", have %d:\n%s", place, words, faults.count,
		    buf_text(&faults.text));
	faults_fini(&faults);
}

/* "2026-03-20 17:02" in the zone. */
static int64_t moment(const char *local, const char *zone)
{
	char text[40];

	snprintf(
	    text, sizeof text, "%.10sT%s%s%s", local, local + 11, strlen(local) == 16 ? ":00" : "", zone);
	int64_t us = clock_parse_rfc3339(text);
	assert_true(us >= 0);
	return us;
}

static void assert_add(const struct calendar *c, const char *from, const char *written, const char *want,
    const char *zone, int64_t offset)
{
	struct span span;
	char have[32];

	assert_int_equal(span_parse(written, &span), KZ_OK);
	int64_t us = calendar_add(c, moment(from, zone), span, offset);
	if (us != moment(want, zone))
		fail_msg("%s and %s: %s, want %s%s", from, written, clock_rfc3339(us, have), want, zone);
}

static void assert_shipped(const char *from, const char *written, const char *want)
{
	assert_add(shipped, from, written, want, "+05:00", ALMATY);
}

static void calendar_add__minutes_and_hours__added_up(void **state)
{
	(void)state;
	assert_shipped("2026-12-31 23:45", "30m", "2027-01-01 00:15");
	assert_shipped("2026-03-20 17:02", "48h", "2026-03-22 17:02");
	assert_shipped("2026-03-20 17:02", "527040m", "2027-03-21 17:02");
	assert_shipped("2026-03-20 17:02", "8784h", "2027-03-21 17:02");
}

static void calendar_add__days__same_local_minute(void **state)
{
	(void)state;
	assert_shipped("2025-09-12 17:02", "7d", "2025-09-19 17:02");
	assert_shipped("2026-12-28 00:00", "7d", "2027-01-04 00:00");
	assert_shipped("2028-02-22 23:59", "7d", "2028-02-29 23:59");
	assert_shipped("2027-02-22 23:59", "7d", "2027-03-01 23:59");
	assert_shipped("2026-03-20 17:02", "366d", "2027-03-21 17:02");
	assert_shipped("2026-03-20 17:02:35.250001", "1d", "2026-03-21 17:02:35.250001");
}

static void calendar_add__nothing__same_moment_also_on_a_day_off(void **state)
{
	static const char *const spans[] = {"0m", "0h", "0d", "0wd"};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_shipped("2026-03-22 03:04", spans[i], "2026-03-22 03:04");
}

static void calendar_add__working_days__over_weekends_and_holidays(void **state)
{
	(void)state;
	assert_shipped("2026-11-16 09:30", "3wd", "2026-11-19 09:30"); /* Monday to Thursday */
	assert_shipped("2026-11-20 09:30", "1wd", "2026-11-23 09:30"); /* Friday to Monday */
	assert_shipped("2026-11-21 09:30", "1wd", "2026-11-23 09:30"); /* from a Saturday */
	assert_shipped("2026-11-22 09:30", "1wd", "2026-11-23 09:30"); /* from a Sunday */
	assert_shipped("2026-11-16 09:30", "5wd", "2026-11-23 09:30");
	assert_shipped("2026-12-15 09:30", "1wd", "2026-12-17 09:30"); /* Independence Day between */
}

static void calendar_add__nauryz__five_days_off_with_the_moved(void **state)
{
	(void)state;
	assert_shipped("2026-03-20 17:02", "1wd", "2026-03-26 17:02"); /* 24 and 25 for Saturday and Sunday */
	assert_shipped("2026-03-20 17:02", "3wd", "2026-03-30 17:02");
	assert_shipped("2026-03-22 17:02", "1wd", "2026-03-26 17:02"); /* from a holiday */
	assert_shipped("2025-03-20 17:02", "1wd", "2025-03-26 17:02"); /* 21 is a Friday */
	assert_shipped("2027-03-19 17:02", "1wd", "2027-03-25 17:02");
}

static void calendar_add__moved_days__worked_and_off_as_said(void **state)
{
	(void)state;
	assert_shipped(
	    "2025-01-02 10:00", "1wd", "2025-01-05 10:00"); /* a Sunday worked for Friday 3 January */
	assert_shipped("2025-01-02 10:00", "2wd", "2025-01-06 10:00");
	assert_shipped("2025-01-05 10:00", "1wd", "2025-01-06 10:00");
	assert_shipped(
	    "2026-03-06 10:00", "1wd", "2026-03-10 10:00"); /* Monday for Women's Day on a Sunday */
	assert_shipped("2026-05-08 10:00", "1wd", "2026-05-12 10:00");
	assert_shipped("2025-05-30 10:00", "5wd", "2025-06-09 10:00"); /* Kurban ait on a Friday */
}

static void calendar_add__constitution_day__15_march_from_2027(void **state)
{
	(void)state;
	assert_shipped("2025-08-29 10:00", "1wd", "2025-09-02 10:00");
	assert_shipped("2026-08-28 10:00", "1wd", "2026-08-31 10:00");
	assert_shipped("2026-03-13 10:00", "1wd", "2026-03-16 10:00");
	assert_shipped("2027-03-12 10:00", "1wd", "2027-03-16 10:00");
}

static void calendar_add__years_end__over_new_year(void **state)
{
	(void)state;
	assert_shipped("2025-12-31 23:59", "1wd", "2026-01-05 23:59");
	assert_shipped("2026-12-31 00:00", "1wd", "2027-01-05 00:00");
	assert_shipped("2026-12-30 12:00", "5wd", "2027-01-11 12:00"); /* Christmas between */
}

static void calendar_add__leap_day__is_a_day_like_others(void **state)
{
	(void)state;
	assert_shipped("2028-02-28 08:00", "1wd", "2028-02-29 08:00");
	assert_shipped("2028-02-29 08:00", "1wd", "2028-03-01 08:00");
}

/* 19:00 UTC is the next day in Almaty: the day that counts is the local one. */
static void calendar_add__midnight__day_of_the_local_time(void **state)
{
	(void)state;
	assert_add(shipped, "2026-11-19 18:59", "1wd", "2026-11-20 18:59", "Z", ALMATY);
	assert_add(shipped, "2026-11-19 19:00", "1wd", "2026-11-22 19:00", "Z", ALMATY);
	assert_shipped("2026-11-19 23:59", "1wd", "2026-11-20 23:59");
	assert_shipped("2026-11-20 00:00", "1wd", "2026-11-23 00:00");
	assert_add(
	    shipped, "2026-11-20 02:00", "1wd", "2026-11-21 02:00", "Z", -180); /* still Thursday there */
}

/* Before 1970 there: what the local day is must not round to zero. */
static void calendar_add__first_hour_of_1970_west_of_utc__day_before(void **state)
{
	(void)state;
	assert_add(shipped, "1970-01-02 00:00", "2wd", "1970-01-06 00:00", "Z", 0);
	assert_add(
	    shipped, "1970-01-01 00:00", "3wd", "1970-01-06 00:00", "Z", -60); /* Wednesday to Monday */
}

static void calendar_add__greatest_working_days__every_one_counted(void **state)
{
	struct calendar *c = load_good("");

	(void)state;
	/* 73 weeks and a day, without a holiday */
	assert_add(c, "2026-11-16 09:30", "366wd", "2028-04-11 09:30", "Z", 0);
	calendar_free(c);
}

static void calendar_load__dates_in_any_order__found(void **state)
{
	struct calendar *c = load_good("work: {2026-11-22: swap}\noff:\n  2026-11-24: b\n  2026-11-20: c\n"
	                               "  2026-11-23: a\n");

	(void)state;
	assert_add(c, "2026-11-19 00:00", "1wd", "2026-11-22 00:00", "Z", 0);
	assert_add(c, "2026-11-19 00:00", "2wd", "2026-11-25 00:00", "Z", 0);
	calendar_free(c);
	calendar_free(NULL);
}

static void calendar_load__nothing_said__monday_to_friday(void **state)
{
	struct calendar *c = load_good("off:\nwork: {}\n");

	(void)state;
	assert_add(c, "2026-03-20 00:00", "1wd", "2026-03-23 00:00", "Z", 0);
	calendar_free(c);
}

static void calendar_load__wrong_values__one_fault_with_its_place(void **state)
{
	(void)state;
	load_bad("- a\n", ":1:1: ", "a map of keys");
	load_bad("of: {}\n", ":1:1: ", "did you mean off");
	load_bad("off: [2026-01-01]\n", ":1:6: ", "off: a map of dates");
	load_bad("work: soon\n", ":1:7: ", "work: a map of dates");
	load_bad("off:\n  2026-01-01:\n", ":2:14: ", "what day it is");
	load_bad("off:\n  2026-01-01: {a: b}\n", ":2:15: ", "what day it is");
	load_bad("off:\n  2026-02-29: a\n", ":2:3: ", "\"2026-02-29\" is no date");
	load_bad("off:\n  2026-1-1: a\n", ":2:3: ", "is no date: write 2026-03-21");
	load_bad("off:\n  01.01.2026: a\n", ":2:3: ", "is no date");
	load_bad("off:\n  1969-12-31: a\n", ":2:3: ", "is no date");
	load_bad("off:\n  2026-01-01T00:00:00Z: a\n", ":2:3: ", "is no date");
	load_bad("off:\n  2026-01-01: a\n  2026-01-02: b\n  2026-01-01: c\n", ":4:3: ", "the same key twice");
	load_bad("off: {2026-01-03: a}\nwork: {2026-01-03: b}\n",
	    ":2:8: ", "2026-01-03 is under off and under work");
	load_bad("work:\n  2026-01-02: a\n", ":2:3: ", "2026-01-02 is worked anyway");
}

static void calendar_load__too_many_dates__fault_at_the_first_too_many(void **state)
{
	struct buf yaml = {0};

	(void)state;
	buf_str(&yaml, "off:\n");
	for (int i = 0; i < CALENDAR_MAX; i++)
		buf_printf(&yaml, "  %04d-%02d-01: a\n", 2000 + i / 12, 1 + i % 12);
	calendar_free(load_good(buf_text(&yaml)));
	buf_str(&yaml, "  2100-01-01: a\n");
	load_bad(buf_text(&yaml), ":1026:3: ", "more than 1024 dates");
	buf_fini(&yaml);
}

static void calendar_load__no_such_file__fault(void **state)
{
	struct faults faults = {0};

	(void)state;
	calendar_free(calendar_load("/nonexistent/holidays.yaml", &faults));
	assert_int_equal(faults.count, 1);
	faults_fini(&faults);
}

/* 2025 as published; 2026 with 31 August, which was off when its calendar was published; 2027 by the law. */
static void shipped_holidays__each_year__as_many_working_days_as_counted(void **state)
{
	static const struct {
		const char *last, *next;
		int64_t days;
	} years[] = {{"2024-12-31 12:00", "2026-01-01 12:00", 246},
	    {"2025-12-31 12:00", "2027-01-01 12:00", 247}, {"2026-12-31 12:00", "2028-01-01 12:00", 247}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		int64_t from = moment(years[i].last, "+05:00"), until = moment(years[i].next, "+05:00"), at;
		int64_t n = 0;

		while ((at = calendar_add(shipped, from, (struct span){n + 1, SPAN_WORKING_DAYS}, ALMATY)) <
		       until)
			n++;
		if (n != years[i].days)
			fail_msg("from %s: %lld working days, want %lld", years[i].last, (long long)n,
			    (long long)years[i].days);
	}
}

static void calendar_end_us__last_date__end_of_its_year(void **state)
{
	struct calendar *c = load_good("off:\n  2027-01-02: x\n  2026-12-16: y\nwork:\n  2026-12-19: z\n");
	struct calendar *none = load_good("off:\n");

	(void)state;
	assert_true(calendar_end_us(c) == clock_parse_rfc3339("2028-01-01T00:00:00Z"));
	assert_true(calendar_end_us(none) == 0);
	calendar_free(c);
	calendar_free(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(calendar_add__minutes_and_hours__added_up),
	    cmocka_unit_test(calendar_add__days__same_local_minute),
	    cmocka_unit_test(calendar_add__nothing__same_moment_also_on_a_day_off),
	    cmocka_unit_test(calendar_add__working_days__over_weekends_and_holidays),
	    cmocka_unit_test(calendar_add__nauryz__five_days_off_with_the_moved),
	    cmocka_unit_test(calendar_add__moved_days__worked_and_off_as_said),
	    cmocka_unit_test(calendar_add__constitution_day__15_march_from_2027),
	    cmocka_unit_test(calendar_add__years_end__over_new_year),
	    cmocka_unit_test(calendar_add__leap_day__is_a_day_like_others),
	    cmocka_unit_test(calendar_add__midnight__day_of_the_local_time),
	    cmocka_unit_test(calendar_add__first_hour_of_1970_west_of_utc__day_before),
	    cmocka_unit_test(calendar_add__greatest_working_days__every_one_counted),
	    cmocka_unit_test(calendar_load__dates_in_any_order__found),
	    cmocka_unit_test(calendar_load__nothing_said__monday_to_friday),
	    cmocka_unit_test(calendar_load__wrong_values__one_fault_with_its_place),
	    cmocka_unit_test(calendar_load__too_many_dates__fault_at_the_first_too_many),
	    cmocka_unit_test(calendar_load__no_such_file__fault),
	    cmocka_unit_test(calendar_end_us__last_date__end_of_its_year),
	    cmocka_unit_test(shipped_holidays__each_year__as_many_working_days_as_counted),
	};

	return cmocka_run_group_tests(tests, shipped_load, shipped_free);
}
