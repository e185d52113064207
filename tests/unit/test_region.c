/* region: what is shipped, what a broken file is told, and quiet hours to the minute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "rules/region.h"

#define SHIPPED KEZEK_SOURCE_DIR "/config/regions"
#define MANUAL  KEZEK_SOURCE_DIR "/docs/kezek.yaml.5"

#define NAMES     "names: {kk: Қала, ru: Город, en: City}\n"
#define CLOCKS    "clocks: {priority: 3wd, accept: 7d, documents: 5wd, extension: 30d, stop_list: 240h}\n"
#define GENERAL   "{id: general, names: {kk: Жалпы, ru: Общая, en: General}}"
#define FIRST     NAMES CLOCKS "decline: annuls\n"
#define LEAST     FIRST "categories: [" GENERAL "]\n"
#define ONE(keys) FIRST "categories:\n  - {names: {kk: А, ru: Б, en: C}, " keys "}\n"

static char folder[] = "/tmp/kezek-region-XXXXXX";

static int folder_make(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
	(void)state;
	return rmdir(folder);
}

static void file_write(const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", folder, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static void file_remove(const char *name)
{
	char *path = mem_printf("%s/%s", folder, name);

	assert_int_equal(unlink(path), 0);
	free(path);
}

static struct regions *load(const char *yaml, struct faults *faults)
{
	file_write("one.yaml", yaml);
	struct regions *r = regions_load(folder, faults);
	file_remove("one.yaml");
	assert_non_null(r);
	return r;
}

static struct regions *load_good(const char *yaml)
{
	struct faults faults = {0};
	struct regions *r = load(yaml, &faults);

	assert_string_equal(buf_text(&faults.text), "");
	return r;
}

static void load_bad(const char *yaml, const char *place, const char *words)
{
	struct faults faults = {0};

	regions_free(load(yaml, &faults));
	if (faults.count != 1 || !strstr(buf_text(&faults.text), place) ||
	    !strstr(buf_text(&faults.text), words))
		fail_msg("want one fault at %s with \"%s\", have %d:\n%s", place, words, faults.count,
		    buf_text(&faults.text));
	faults_fini(&faults);
}

static void assert_clock(const struct region *r, enum region_clock clock, int64_t n, enum span_unit unit)
{
	assert_int_equal(r->clocks[clock].n, n);
	assert_int_equal(r->clocks[clock].unit, unit);
}

static void regions_load__least_file__sane_defaults(void **state)
{
	struct regions *all = load_good(LEAST);
	const struct region *r = region_find(all, "one");

	(void)state;
	assert_int_equal(regions_count(all), 1);
	assert_ptr_equal(regions_at(all, 0), r);
	assert_string_equal(r->id, "one");
	assert_string_equal(r->names[LANGUAGE_KK], "Қала");
	assert_string_equal(r->names[LANGUAGE_RU], "Город");
	assert_string_equal(r->names[LANGUAGE_EN], "City");
	assert_int_equal(r->offset_min, 300);
	assert_clock(r, REGION_PRIORITY, 3, SPAN_WORKING_DAYS);
	assert_clock(r, REGION_ACCEPT, 7, SPAN_DAYS);
	assert_clock(r, REGION_DOCUMENTS, 5, SPAN_WORKING_DAYS);
	assert_clock(r, REGION_EXTENSION, 30, SPAN_DAYS);
	assert_clock(r, REGION_STOP_LIST, 240, SPAN_HOURS);
	assert_int_equal(r->decline, REGION_DECLINE_ANNULS);
	assert_int_equal(r->age_month, 0);
	assert_int_equal(r->age_day, 0);
	assert_int_equal(r->quiet_from, r->quiet_until);
	assert_int_equal(r->categories_n, 1);
	assert_int_equal(r->categories[0].tier, 1);
	assert_int_equal(r->categories[0].share, 1);
	assert_false(r->categories[0].privileged);
	regions_free(all);
}

static void regions_load__every_key__as_said(void **state)
{
	struct regions *all = load_good(
	    NAMES "utc_offset: -720\n"
	          "clocks: {priority: 0d, accept: 30m, documents: 1wd, extension: 0m, stop_list: 0wd}\n"
	          "decline: keeps\nage_on: 12-31\nquiet: 22:30-08:05\ncategories:\n"
	          "  - {id: large_family, names: {kk: Көп, ru: Много, en: Large}, tier: 9, share: 100, "
	          "privileged: yes}\n"
	          "  - " GENERAL "\n");
	const struct region *r = regions_at(all, 0);

	(void)state;
	assert_int_equal(r->offset_min, -720);
	assert_clock(r, REGION_PRIORITY, 0, SPAN_DAYS);
	assert_clock(r, REGION_ACCEPT, 30, SPAN_MINUTES);
	assert_int_equal(r->decline, REGION_DECLINE_KEEPS);
	assert_int_equal(r->age_month, 12);
	assert_int_equal(r->age_day, 31);
	assert_int_equal(r->quiet_from, 22 * 60 + 30);
	assert_int_equal(r->quiet_until, 8 * 60 + 5);
	assert_int_equal(r->categories_n, 2);
	assert_ptr_equal(region_category_find(r, "large_family"), &r->categories[0]);
	assert_ptr_equal(region_category_find(r, "general"), &r->categories[1]);
	assert_null(region_category_find(r, "unknown"));
	assert_string_equal(r->categories[0].names[LANGUAGE_KK], "Көп");
	assert_string_equal(r->categories[0].names[LANGUAGE_RU], "Много");
	assert_string_equal(r->categories[0].names[LANGUAGE_EN], "Large");
	assert_int_equal(r->categories[0].tier, 9);
	assert_int_equal(r->categories[0].share, 100);
	assert_true(r->categories[0].privileged);
	regions_free(all);
}

static void regions_load__files_of_a_folder__each_yaml_by_name(void **state)
{
	static const char *const names[] = {
	    "b-2.yaml", "a_1.yaml", ".hidden.yaml", "c.yaml.disabled", "notes.txt", ".yaml"};
	struct faults faults = {0};

	(void)state;
	for (size_t i = 0; i < 6; i++)
		file_write(names[i], i < 2 ? LEAST : "no region");
	struct regions *all = regions_load(folder, &faults);
	for (size_t i = 0; i < 6; i++)
		file_remove(names[i]);
	assert_string_equal(buf_text(&faults.text), "");
	assert_int_equal(regions_count(all), 2);
	assert_string_equal(regions_at(all, 0)->id, "a_1");
	assert_string_equal(regions_at(all, 1)->id, "b-2");
	assert_ptr_equal(region_find(all, "b-2"), regions_at(all, 1));
	assert_null(region_find(all, "c"));
	regions_free(all);
}

static void regions_load__no_files__none(void **state)
{
	struct faults faults = {0};
	struct regions *all = regions_load(folder, &faults);

	(void)state;
	assert_int_equal(faults.count, 0);
	assert_int_equal(regions_count(all), 0);
	assert_null(region_find(all, "one"));
	regions_free(all);
	regions_free(NULL);
}

static void regions_load__no_folder__fault(void **state)
{
	struct faults faults = {0};
	struct regions *all = regions_load("/nonexistent/regions", &faults);

	(void)state;
	assert_string_equal(
	    buf_text(&faults.text), "/nonexistent/regions: cannot be read: No such file or directory\n");
	assert_int_equal(regions_count(all), 0);
	regions_free(all);
	faults_fini(&faults);
}

static void regions_load__file_that_cannot_be_read__fault(void **state)
{
	struct faults faults = {0};
	char *path = mem_printf("%s/folder.yaml", folder);

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	regions_free(regions_load(folder, &faults));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(faults.count, 1);
	assert_non_null(strstr(buf_text(&faults.text), "folder.yaml"));
	faults_fini(&faults);
	free(path);
}

static void regions_load__bad_file_name__fault(void **state)
{
	static const char *const names[] = {
	    "Almaty.yaml", "a.b.yaml", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.yaml"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct faults faults = {0};

		file_write(names[i], LEAST);
		regions_free(regions_load(folder, &faults));
		file_remove(names[i]);
		assert_int_equal(faults.count, 1);
		assert_non_null(strstr(buf_text(&faults.text), ":1:1: a region's file is called by its id"));
		faults_fini(&faults);
	}
}

static void folder_fill(int n)
{
	for (int i = 0; i < n; i++) {
		char name[24];

		snprintf(name, sizeof name, "r%02d.yaml", i);
		file_write(name, LEAST);
	}
}

static void folder_empty(int n)
{
	for (int i = 0; i < n; i++) {
		char name[24];

		snprintf(name, sizeof name, "r%02d.yaml", i);
		file_remove(name);
	}
}

static void regions_load__too_many_files__fault(void **state)
{
	struct faults faults = {0};

	(void)state;
	folder_fill(REGION_MAX);
	struct regions *all = regions_load(folder, &faults);
	assert_int_equal(faults.count, 0);
	assert_int_equal(regions_count(all), REGION_MAX);
	regions_free(all);
	folder_fill(REGION_MAX + 1);
	all = regions_load(folder, &faults);
	folder_empty(REGION_MAX + 1);
	assert_int_equal(faults.count, 1);
	assert_non_null(strstr(buf_text(&faults.text), ": more than 64 regions"));
	assert_int_equal(regions_count(all), 0);
	regions_free(all);
	faults_fini(&faults);
}

static void regions_load__wrong_clocks__one_fault_with_its_place(void **state)
{
	(void)state;
	load_bad(NAMES "decline: keeps\nclocks: {priority: 3wd, accept: 7d, documents: 5wd, extension: 30d}\n"
	               "categories: [" GENERAL "]\n",
	    ":1:1: ", "clocks.stop_list: this key is required");
	load_bad(NAMES "decline: keeps\ncategories: [" GENERAL "]\n"
	               "clocks: {priority: 3, accept: 7d, documents: 5wd, extension: 30d, stop_list: 10d}\n",
	    ":4:20: ", "clocks.priority: \"3\" is no span: write 30m, 48h, 7d or 3wd");
	load_bad(NAMES
	    "decline: keeps\ncategories: [" GENERAL "]\n"
	    "clocks: {priority: 3d, accept: 367d, documents: 5wd, extension: 30d, stop_list: 10d}\n",
	    ":4:32: ", "clocks.accept: longer than 366 days");
	load_bad(NAMES "decline: keeps\ncategories: [" GENERAL "]\n"
	               "clocks: {priority: 3d, accept: 0h, documents: 5wd, extension: 30d, stop_list: 10d}\n",
	    ":4:32: ", "clocks.accept: a span over 0");
	load_bad(NAMES "decline: keeps\ncategories: [" GENERAL "]\n"
	               "clocks: {priority: 3d, accept: 1h, documents: 0d, extension: 30d, stop_list: 10d}\n",
	    ":4:47: ", "clocks.documents: a span over 0");
	load_bad(NAMES
	    "decline: keeps\ncategories: [" GENERAL "]\n"
	    "clocks: {priority: 3d, accept: 1h, documents: 1d, extension: 30d, stop_list: 10d, appeal: 1d}\n",
	    ":4:83: ", "clocks.appeal: no such key");
}

static void regions_load__wrong_values__one_fault_with_its_place(void **state)
{
	(void)state;
	load_bad("- a\n", ":1:1: ", "a map of keys");
	load_bad(NAMES CLOCKS "categories: [" GENERAL "]\n", ":1:1: ", "decline: this key is required");
	load_bad(NAMES CLOCKS "decline: yes\ncategories: [" GENERAL "]\n", ":3:10: ", "annuls, keeps");
	load_bad(LEAST "colour: red\n", ":5:1: ", "colour: no such key");
	load_bad(LEAST "utc_offset: 841\n", ":5:13: ", "-720 to 840");
	load_bad(LEAST "utc_offset: +05:00\n", ":5:13: ", "not a whole number");
	load_bad("names: {kk: A, ru: B}\n" CLOCKS "decline: keeps\ncategories: [" GENERAL "]\n",
	    ":1:1: ", "names.en: this key is required");
	load_bad("names: {kk: A, ru: B, en: ''}\n" CLOCKS "decline: keeps\ncategories: [" GENERAL "]\n",
	    ":1:27: ", "names.en: wanted is a name");
	load_bad("names: {kk: A, ru: \"B\\nC\", en: D}\n" CLOCKS "decline: keeps\ncategories: [" GENERAL
	         "]\n",
	    ":1:20: ", "names.ru: wanted is a name");
	load_bad("names: {kk: \"A\\e\", ru: C, en: D}\n" CLOCKS "decline: keeps\ncategories: [" GENERAL "]\n",
	    ":1:13: ", "names.kk: wanted is a name");
	load_bad("names: {kk: A, ru: B, en: Parents’ House}\n" CLOCKS "decline: keeps\ncategories: [" GENERAL
	         "]\n",
	    ":1:27: ", "names.en: wanted is a name");
}

static void regions_load__wrong_age_day_or_quiet_hours__one_fault_with_its_place(void **state)
{
	static const char *const days[] = {"02-29", "02-30", "13-01", "00-10", "9-1", "09.01", "1 Sep"};
	static const char *const hours[] = {
	    "22:00", "22-08", "22:00-24:00", "22:60-08:00", "22:00-22:00", "22:00_08:00", "22:00-8:00"};

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		char *age = mem_printf(LEAST "age_on: \"%s\"\n", days[i]);
		char *quiet = mem_printf(LEAST "quiet: \"%s\"\n", hours[i]);

		load_bad(age, ":5:9: age_on: ", "is no day of every year: write 09-01");
		load_bad(quiet,
		    ":5:8: quiet: ", "is not from one minute of the day to another: write 22:00-08:00");
		free(age);
		free(quiet);
	}
	load_bad(LEAST "age_on: 09-01-\n", ":5:9: ", "longer than 5 characters");
	load_bad(LEAST "quiet: 22:00-08:00:00\n", ":5:8: ", "longer than 11 characters");
}

static void regions_load__wrong_categories__one_fault_with_its_place(void **state)
{
	(void)state;
	load_bad(FIRST, ":1:1: ", "categories: a list of at least one");
	load_bad(FIRST "categories: []\n", ":4:13: ", "categories: a list of at least one");
	load_bad(FIRST "categories: {general: 3}\n", ":4:13: ", "categories: a list of at least one");
	load_bad(FIRST "categories: [general]\n", ":4:14: ", "a map of keys");
	load_bad(ONE("tier: 1"), ":5:5: ", "id: this key is required");
	load_bad(ONE("id: General"), ":5:40: ", "id: at most 32 of a-z, 0-9, _ and -");
	load_bad(ONE("id: ''"), ":5:40: ", "id: at most 32 of a-z, 0-9, _ and -");
	load_bad(ONE("id: a, tier: 0"), ":5:49: ", "1 to 9");
	load_bad(ONE("id: a, tier: 10"), ":5:49: ", "1 to 9");
	load_bad(ONE("id: a, share: 0"), ":5:50: ", "1 to 100");
	load_bad(ONE("id: a, share: 101"), ":5:50: ", "1 to 100");
	load_bad(ONE("id: a, privileged: often"), ":5:55: ", "not yes or no");
	load_bad(ONE("id: a, ratio: 3"), ":5:43: ", "ratio: no such key");
	load_bad(FIRST "categories: [{id: a, names: {kk: A, ru: '', en: C}}]\n",
	    ":4:41: ", "names.ru: wanted is a name");
	load_bad(FIRST "categories:\n  - " GENERAL "\n  - " GENERAL "\n",
	    ":6:10: ", "\"general\" is a category already");
}

static void regions_load__too_many_categories__fault_at_the_first_too_many(void **state)
{
	struct buf yaml = {0};

	(void)state;
	buf_str(&yaml, FIRST "categories:\n");
	for (int i = 0; i < REGION_CATEGORIES; i++)
		buf_printf(&yaml, "  - {id: c%d, names: {kk: A, ru: B, en: C}}\n", i);
	regions_free(load_good(buf_text(&yaml)));
	buf_str(&yaml, "  - " GENERAL "\n");
	load_bad(buf_text(&yaml), ":37:5: ", "more than 32 categories");
	buf_fini(&yaml);
}

static int64_t almaty(const char *local)
{
	char *text = mem_printf("%.10sT%s+05:00", local, local + 11);
	int64_t us = clock_parse_rfc3339(text);

	assert_true(us >= 0);
	free(text);
	return us;
}

static void assert_quiet(const struct region *r, const char *now, const char *until)
{
	char have[32];
	int64_t us = region_quiet_until(r, almaty(now));

	if (us != almaty(until))
		fail_msg("%s: %s, want %s+05:00", now, clock_rfc3339(us, have), until);
}

static void region_quiet_until__over_midnight__until_the_morning(void **state)
{
	struct regions *all = load_good(LEAST "quiet: 22:00-08:00\n");
	const struct region *r = regions_at(all, 0);

	(void)state;
	assert_quiet(r, "2026-12-31 21:59:59.999999", "2026-12-31 21:59:59.999999");
	assert_quiet(r, "2026-12-31 22:00:00", "2027-01-01 08:00:00");
	assert_quiet(r, "2026-12-31 23:59:59.5", "2027-01-01 08:00:00");
	assert_quiet(r, "2027-01-01 00:00:00", "2027-01-01 08:00:00");
	assert_quiet(r, "2027-01-01 07:59:59.999999", "2027-01-01 08:00:00");
	assert_quiet(r, "2027-01-01 08:00:00", "2027-01-01 08:00:00");
	assert_quiet(r, "2027-01-01 12:34:56", "2027-01-01 12:34:56");
	assert_quiet(r, "1970-01-01 05:00:00", "1970-01-01 08:00:00");
	regions_free(all);
}

static void region_quiet_until__within_a_day__until_its_end(void **state)
{
	struct regions *all = load_good(LEAST "quiet: 12:30-14:00\n");
	const struct region *r = regions_at(all, 0);

	(void)state;
	assert_quiet(r, "2028-02-29 12:29:00", "2028-02-29 12:29:00");
	assert_quiet(r, "2028-02-29 12:30:00", "2028-02-29 14:00:00");
	assert_quiet(r, "2028-02-29 13:59:00", "2028-02-29 14:00:00");
	assert_quiet(r, "2028-02-29 14:00:00", "2028-02-29 14:00:00");
	assert_quiet(r, "2028-02-29 00:00:00", "2028-02-29 00:00:00");
	regions_free(all);
}

static void region_quiet_until__other_time_zone__its_own_hours(void **state)
{
	struct regions *all = load_good(LEAST "utc_offset: -180\nquiet: 00:00-06:00\n");

	(void)state;
	assert_quiet(regions_at(all, 0), "2026-05-01 07:59:00", "2026-05-01 07:59:00"); /* 23:59 there */
	assert_quiet(regions_at(all, 0), "2026-05-01 08:00:00", "2026-05-01 14:00:00");
	regions_free(all);
}

static void region_quiet_until__none__always_now(void **state)
{
	struct regions *all = load_good(LEAST "quiet: ''\n");

	(void)state;
	assert_quiet(regions_at(all, 0), "2026-05-01 00:00:00", "2026-05-01 00:00:00");
	assert_quiet(regions_at(all, 0), "2026-05-01 03:00:00", "2026-05-01 03:00:00");
	regions_free(all);
}

/* A child of 2021-09-02. */
static void assert_age(const struct region *r, const char *now, int age)
{
	struct iin child;
	struct iin_refusal why;
	char number[IIN_DIGITS + 1];

	for (int check = 0; check < 10; check++) {
		snprintf(number, sizeof number, "21090251234%d", check);
		if (iin_parse(number, IIN_DIGITS, &child, &why) == KZ_OK)
			break;
	}
	assert_int_equal(region_child_age(r, &child, clock_parse_rfc3339(now)), age);
}

static void region_child_age__no_day_said__on_the_local_day(void **state)
{
	struct regions *all = load_good(LEAST);

	(void)state;
	assert_age(regions_at(all, 0), "2024-09-01T18:59:59Z", 2);
	assert_age(regions_at(all, 0), "2024-09-01T19:00:00Z", 3);
	assert_age(regions_at(all, 0), "2021-09-01T18:59:59Z", -1);
	regions_free(all);
}

static void region_child_age__day_said__that_of_the_local_year(void **state)
{
	struct regions *first = load_good(LEAST "age_on: '09-01'\n");
	struct regions *second = load_good(LEAST "age_on: '09-02'\n");

	(void)state;
	assert_age(regions_at(first, 0), "2024-12-31T18:59:59Z", 2);
	assert_age(regions_at(first, 0), "2024-12-31T19:00:00Z", 3); /* 2025 there */
	assert_age(regions_at(second, 0), "2024-01-01T00:00:00Z", 3);
	assert_age(regions_at(second, 0), "2024-12-31T18:59:59Z", 3);
	regions_free(first);
	regions_free(second);
}

static void shipped_regions__sample__one_with_privilege_to_three_general(void **state)
{
	struct faults faults = {0};
	struct regions *all = regions_load(SHIPPED, &faults);
	const struct region *r = region_find(all, "sample");

	(void)state;
	assert_string_equal(buf_text(&faults.text), "");
	assert_int_equal(regions_count(all), 1);
	assert_int_equal(r->offset_min, 300);
	assert_int_equal(r->quiet_from, 22 * 60);
	assert_int_equal(r->age_month, 9);
	assert_int_equal(r->age_day, 1);
	assert_int_equal(region_category_find(r, "privileged")->share, 1);
	assert_int_equal(region_category_find(r, "general")->share, 3);
	assert_int_equal(
	    region_category_find(r, "privileged")->tier, region_category_find(r, "general")->tier);
	assert_false(region_category_find(r, "general")->privileged);
	regions_free(all);
}

static char *read_file(const char *path)
{
	struct buf text = {0};
	FILE *f = fopen(path, "re");
	size_t n;

	assert_non_null(f);
	while ((n = fread(buf_space(&text, 4096), 1, 4096, f)) > 0)
		buf_wrote(&text, n);
	fclose(f);
	return buf_take(&text);
}

/* One entry of the help: its name in the sample's head, step before it, and its facts in the manual. */
static void assert_documented(
    const char *name, const char *facts, const char *step, const char *sample, const char *manual)
{
	char *key = mem_printf("\n# %s%s:", step, name), *head = mem_printf("\n.B %s\n", name);
	char *tail = mem_printf("\n%s.\n", facts);
	const char *at = strstr(manual, head);

	if (!strstr(sample, key))
		fail_msg("%s is not in the head of %s/sample.yaml", name, SHIPPED);
	if (!at || !strstr(at, tail))
		fail_msg("%s is not in %s, or not with its facts:%s", name, MANUAL, tail);
	free(key);
	free(head);
	free(tail);
}

static void shipped_sample_and_manual__against_the_tables__every_key(void **state)
{
	char *sample = read_file(SHIPPED "/sample.yaml"), *manual = read_file(MANUAL), *rest, *line;
	const char *step = "  ", *section = strstr(manual, ".SH REGIONS");
	struct buf help = {0};
	int keys = 0;

	(void)state;
	assert_non_null(section);
	region_help(&help);
	rest = help.data;
	while ((line = strsep(&rest, "\n"))) {
		if (!strcmp(line, "categories, each:")) {
			step = "    ";
			section = strstr(section, "\\fBcategories\\fR");
		} else if (*line) {
			strsep(&rest, "\n");
			assert_documented(
			    line, strsep(&rest, "\n") + 4, *line == 'n' ? "  " : step, sample, section);
			keys++;
		}
	}
	assert_int_equal(keys, 12 + 7);
	buf_fini(&help);
	free(sample);
	free(manual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(regions_load__least_file__sane_defaults),
	    cmocka_unit_test(regions_load__every_key__as_said),
	    cmocka_unit_test(regions_load__files_of_a_folder__each_yaml_by_name),
	    cmocka_unit_test(regions_load__no_files__none),
	    cmocka_unit_test(regions_load__no_folder__fault),
	    cmocka_unit_test(regions_load__file_that_cannot_be_read__fault),
	    cmocka_unit_test(regions_load__bad_file_name__fault),
	    cmocka_unit_test(regions_load__too_many_files__fault),
	    cmocka_unit_test(regions_load__wrong_clocks__one_fault_with_its_place),
	    cmocka_unit_test(regions_load__wrong_values__one_fault_with_its_place),
	    cmocka_unit_test(regions_load__wrong_age_day_or_quiet_hours__one_fault_with_its_place),
	    cmocka_unit_test(regions_load__wrong_categories__one_fault_with_its_place),
	    cmocka_unit_test(regions_load__too_many_categories__fault_at_the_first_too_many),
	    cmocka_unit_test(region_quiet_until__over_midnight__until_the_morning),
	    cmocka_unit_test(region_quiet_until__within_a_day__until_its_end),
	    cmocka_unit_test(region_quiet_until__other_time_zone__its_own_hours),
	    cmocka_unit_test(region_quiet_until__none__always_now),
	    cmocka_unit_test(region_child_age__no_day_said__on_the_local_day),
	    cmocka_unit_test(region_child_age__day_said__that_of_the_local_year),
	    cmocka_unit_test(shipped_regions__sample__one_with_privilege_to_three_general),
	    cmocka_unit_test(shipped_sample_and_manual__against_the_tables__every_key),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
