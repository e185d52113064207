/* kezekctl sample: the tool itself, and what its lines say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "rules/application.h"
#include "text/iin.h"
#include "text/msisdn.h"
#include "text/utf8.h"

#define FIRST_NUMBER 200001
#define MAX          10000

/* What the lines so far have. */
struct seen {
	unsigned districts, kindergartens, groups, vacancies, applications, referrals, free;
	unsigned open;
	unsigned char applied[MAX];
	uint64_t children[MAX]; /* numbers of children, to be sorted */
};

static int sample_code(const char *options, struct buf *ret)
{
	char *command = mem_printf(KEZEKCTL " sample %s 2>/dev/null", options);
	FILE *f = popen(command, "r");
	size_t n;

	free(command);
	assert_non_null(f);
	while ((n = fread(buf_space(ret, 65536), 1, 65536, f)) > 0)
		buf_wrote(ret, n);
	return WEXITSTATUS(pclose(f));
}

static void sample_hash(const char *options, char hex[2 * SECRET_HASH + 1])
{
	struct buf b = {0};
	uint8_t hash[SECRET_HASH];

	assert_int_equal(sample_code(options, &b), 0);
	secret_sha256(b.data, b.len, hash);
	secret_hex(hash, sizeof hash, hex);
	buf_fini(&b);
}

static unsigned number_of(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	assert_true(json_is_integer(v) && json_integer_value(v) >= 0);
	return (unsigned)json_integer_value(v);
}

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	assert_non_null(text);
	return text;
}

static struct iin iin_of(const json_t *o)
{
	struct iin i;
	struct iin_refusal why;
	const char *text = text_of(o, "iin");

	assert_int_equal(iin_parse(text, strlen(text), &i, &why), KZ_OK);
	assert_true(strncmp(text + 7, "5000", 4) >= 0);
	return i;
}

static void see_phones(const json_t *phones)
{
	struct msisdn_refusal why;
	struct msisdn m;
	json_t *p;
	size_t i;

	assert_in_range(json_array_size(phones), 1, 2);
	json_array_foreach(phones, i, p)
	{
		assert_int_equal(msisdn_parse(text_of(p, "number"), &m, &why), KZ_OK);
		assert_true(json_is_boolean(json_object_get(p, "verified")));
	}
}

static void see_application(struct seen *s, const json_t *o)
{
	const struct iin child = iin_of(json_object_get(o, "child"));
	const struct iin_day born = iin_birth(&child);
	const char *registered = text_of(o, "registered_at");
	enum application_status status;
	char day[48];
	json_t *p;
	size_t i;

	assert_int_equal(number_of(o, "number"), FIRST_NUMBER + s->applications);
	assert_in_range(number_of(o, "district"), 1, s->districts);
	json_array_foreach(json_object_get(o, "parents"), i, p)(void) iin_of(p);
	assert_in_range(i, 1, 2);
	see_phones(json_object_get(o, "phones"));
	snprintf(day, sizeof day, "%d-%02d-%02d", born.year, born.month, born.day);
	assert_true(strcmp(day, registered) < 0 && clock_parse_rfc3339(registered) > 0);
	assert_int_equal(application_status_parse(text_of(o, "status"), &status), KZ_OK);
	s->open += status == APPLICATION_WAITING;
	s->applied[s->applications] = status == APPLICATION_WAITING;
	s->children[s->applications++] = strtoull(child.digits, NULL, 10);
}

static void see_referral(struct seen *s, const json_t *o)
{
	const unsigned at = number_of(o, "application") - FIRST_NUMBER;

	assert_true(at < s->applications && s->applied[at]);
	assert_true(clock_parse_rfc3339(text_of(o, "to")) - clock_parse_rfc3339(text_of(o, "from")) ==
	            INT64_C(7) * 86400 * 1000000);
	s->applied[at] = 0; /* no second one */
	s->referrals++;
}

/* What it speaks of came before it. */
static void see_line(struct seen *s, const char *text, size_t len)
{
	json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *kind = text_of(o, "kind");

	if (!strcmp(kind, "district"))
		assert_int_equal(number_of(o, "id"), ++s->districts);
	else if (!strcmp(kind, "kindergarten")) {
		assert_in_range(number_of(o, "district"), 1, s->districts);
		assert_int_equal(number_of(o, "id"), ++s->kindergartens);
	} else if (!strcmp(kind, "group")) {
		assert_in_range(number_of(o, "kindergarten"), 1, s->kindergartens);
		assert_true(number_of(o, "age_from") < number_of(o, "age_to"));
		s->groups++;
	} else if (!strcmp(kind, "vacancy")) {
		s->free += number_of(o, "free");
		s->vacancies++;
	} else if (!strcmp(kind, "application"))
		see_application(s, o);
	else
		see_referral(s, o);
	json_decref(o);
}

static struct seen *see(const char *options)
{
	struct seen *s = mem_new(sizeof *s);
	struct buf b = {0};

	assert_int_equal(sample_code(options, &b), 0);
	assert_int_equal(utf8_check(b.data, b.len), KZ_OK);
	assert_true(b.data[b.len - 1] == '\n');
	for (const char *at = b.data; *at; at += strcspn(at, "\n") + 1)
		see_line(s, at, strcspn(at, "\n"));
	buf_fini(&b);
	return s;
}

static int before(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The lines that begin so. */
static unsigned lines_of(const struct buf *b, const char *kind)
{
	char *head = mem_printf("{\"kind\":\"%s\",", kind);
	unsigned n = 0;

	for (const char *at = b->data; *at; at += strcspn(at, "\n") + 1)
		n += !strncmp(at, head, strlen(head));
	free(head);
	return n;
}

static void sample__no_options__a_city_of_the_size_of_a_real_one(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(sample_code("", &b), 0);
	assert_int_equal(lines_of(&b, "district"), 6);
	assert_int_equal(lines_of(&b, "kindergarten"), 344);
	assert_int_equal(lines_of(&b, "group"), 4 * 344);
	assert_int_equal(lines_of(&b, "vacancy"), 4 * 344);
	assert_int_equal(lines_of(&b, "application"), 108344);
	assert_in_range(lines_of(&b, "referral"), 400, 800);
	buf_fini(&b);
}

static void sample__any_line__of_whole_values_and_of_what_came_before(void **state)
{
	struct seen *s = see("--applications 9000");

	(void)state;
	assert_int_equal(s->free, 3471);
	assert_int_equal(s->applications, 9000);
	assert_in_range(s->open, 8500, 8999);
	assert_in_range(s->referrals, 20, 100);
	qsort(s->children, s->applications, sizeof *s->children, before);
	for (unsigned i = 1; i < s->applications; i++)
		assert_true(s->children[i - 1] < s->children[i]);
	free(s);
}

static void sample__fewer_applications__the_same_places(void **state)
{
	struct seen *s = see("--applications 1 --seed 18446744073709551615 --day 2098-01-01");

	(void)state;
	assert_int_equal(s->applications, 1);
	assert_int_equal(s->free, 3471);
	free(s);
}

static void sample__same_options__the_same_octets_on_every_machine(void **state)
{
	char first[2 * SECRET_HASH + 1], again[2 * SECRET_HASH + 1];

	(void)state;
	sample_hash("--seed 7 --applications 3000 --day 2026-11-29", first);
	sample_hash("--applications 3000 --day 2026-11-29 --seed 7", again);
	assert_string_equal(first, again);
	assert_string_equal(first, "57e3516cce51cd6555eed03bdaabd7dda997c7cbb5388fede27748ef01e4fe83");
}

static void sample__another_seed_or_day__another_city(void **state)
{
	char one[2 * SECRET_HASH + 1], other[2 * SECRET_HASH + 1];

	(void)state;
	sample_hash("--applications 100 --day 2026-09-01", one);
	sample_hash("--applications 100 --seed 1 --day 2026-09-01", other);
	assert_string_equal(one, other);
	sample_hash("--applications 100 --seed 2 --day 2026-09-01", other);
	assert_string_not_equal(one, other);
	sample_hash("--applications 100 --day 2026-09-02", other);
	assert_string_not_equal(one, other);
}

static void sample__wrong_options__says_so_and_writes_nothing(void **state)
{
	static const char *const wrong[] = {"--applications 0", "--applications 9000001", "--applications x",
	    "--applications -1", "--seed 1x", "--seed ''", "--day 2026-02-30", "--day 2026-9-1",
	    "--day 2020-01-01", "--day 2099-01-01", "--day ''", "more"};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct buf b = {0};

		if (sample_code(wrong[i], &b) != 2 || b.len)
			fail_msg("%s is taken", wrong[i]);
		buf_fini(&b);
	}
}

static void sample__nobody_reads_on__ends_with_a_failure(void **state)
{
	(void)state;
	/* The shell's status is that of the last of the line: the tool's, whose output is full. */
	assert_int_equal(WEXITSTATUS(system(KEZEKCTL " sample > /dev/full 2>/dev/null")), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sample__no_options__a_city_of_the_size_of_a_real_one),
	    cmocka_unit_test(sample__any_line__of_whole_values_and_of_what_came_before),
	    cmocka_unit_test(sample__fewer_applications__the_same_places),
	    cmocka_unit_test(sample__same_options__the_same_octets_on_every_machine),
	    cmocka_unit_test(sample__another_seed_or_day__another_city),
	    cmocka_unit_test(sample__wrong_options__says_so_and_writes_nothing),
	    cmocka_unit_test(sample__nobody_reads_on__ends_with_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
