/* One JSON object of the portal: every member right and wrong, and the problem that each fault becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/record_wish.h"
#include "text/utf8.h"

#define NOW_US INT64_C(1790000000000000) /* 2026-09-21T14:13:20Z */

/* Of people born in 1800, and an invented child of 2021. */
#define FATHER "000101100006"
#define MOTHER "000101100016"
#define OTHER  "000101100026"

#define CHILD   "\"child\":{\"iin\":\"" FATHER "\",\"first_name\":\"Айгерім\",\"last_name\":\"Серікқызы\"}"
#define PARENTS "\"parents\":[{\"iin\":\"" MOTHER "\"},{\"iin\":\"" OTHER "\"}]"
#define PHONES                                                                                               \
	"\"phones\":[{\"number\":\"87011234567\",\"verified\":false},"                                       \
	"{\"number\":\"+77021234567\",\"verified\":true}]"
#define REST                                                                                                 \
	"\"district\":5,\"category\":\"general\",\"registered_at\":\"2026-09-01T09:00:00+05:00\","           \
	"\"language\":\"ru\""
#define APPLICATION "{" CHILD "," PARENTS "," PHONES "," REST "}"

static struct record record;
static struct problem problem;

static enum kz read_of(enum record_kind kind, const char *text)
{
	json_t *o = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

	if (!o)
		fail_msg("not JSON: %s", text);
	problem = (struct problem){0};
	enum kz r = record_wish_read(o, kind, 7, NOW_US, &record, &problem);
	json_decref(o);
	return r;
}

static enum kz line_of(const char *text)
{
	json_t *o = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

	assert_non_null(o);
	problem = (struct problem){0};
	enum kz r = record_wish_line(o, NOW_US, &record, &problem);
	json_decref(o);
	return r;
}

static void record_wish__district_and_kindergarten__as_said(void **state)
{
	(void)state;
	assert_int_equal(read_of(RECORD_DISTRICT,
	                     "{\"region\":\"sample\",\"names\":{\"kk\":\"Алмалы\",\"ru\":\"Алмалинский\","
	                     "\"en\":\"Almaly\"}}"),
	    KZ_OK);
	assert_int_equal(record.kind, RECORD_DISTRICT);
	assert_int_equal(record.id, 7);
	assert_string_equal(record.place.region, "sample");
	assert_string_equal(record.place.names[LANGUAGE_KK], "Алмалы");
	assert_string_equal(record.place.names[LANGUAGE_RU], "Алмалинский");
	assert_string_equal(record.place.names[LANGUAGE_EN], "Almaly");
	assert_int_equal(read_of(RECORD_KINDERGARTEN,
	                     "{\"district\":3,\"names\":{\"kk\":\"а\",\"ru\":\"б\",\"en\":\"c\"}}"),
	    KZ_OK);
	assert_int_equal(record.place.district, 3);
}

static void record_wish__group__as_said(void **state)
{
	(void)state;
	assert_int_equal(
	    read_of(RECORD_GROUP, "{\"kindergarten\":4,\"age_from\":3,\"age_to\":5,\"language\":\"kk\"}"),
	    KZ_OK);
	assert_int_equal(record.group.kindergarten, 4);
	assert_int_equal(record.group.age_from, 3);
	assert_int_equal(record.group.age_to, 5);
	assert_int_equal(record.group.language, LANGUAGE_KK);
}

static void record_wish__vacancy__three_ways_of_priority(void **state)
{
	(void)state;
	assert_int_equal(
	    read_of(RECORD_VACANCY, "{\"free\":2,\"released_at\":\"2026-09-21T09:00:00Z\"}"), KZ_OK);
	assert_int_equal(record.vacancy.free, 2);
	assert_true(record.vacancy.released_us == INT64_C(1789981200000000));
	assert_int_equal(record.vacancy.priority, RECORD_PRIORITY_BY_CLOCK);
	assert_true(record.vacancy.seq == 0);
	assert_int_equal(
	    read_of(RECORD_VACANCY,
	        "{\"free\":0,\"released_at\":\"2026-09-21T09:00:00Z\",\"priority_until\":null,\"seq\":12}"),
	    KZ_OK);
	assert_int_equal(record.vacancy.priority, RECORD_PRIORITY_NONE);
	assert_true(record.vacancy.seq == 12);
	assert_int_equal(read_of(RECORD_VACANCY, "{\"free\":1,\"released_at\":\"2026-09-21T09:00:00Z\","
	                                         "\"priority_until\":\"2026-09-21T10:00:00Z\"}"),
	    KZ_OK);
	assert_int_equal(record.vacancy.priority, RECORD_PRIORITY_UNTIL);
	assert_true(record.vacancy.priority_until_us == INT64_C(1789984800000000));
}

static void record_wish__application__as_said_and_what_is_not_said(void **state)
{
	const struct record_application *a = &record.application;

	(void)state;
	assert_int_equal(read_of(RECORD_APPLICATION, APPLICATION), KZ_OK);
	assert_string_equal(a->applicant.child.digits, FATHER);
	assert_string_equal(a->applicant.first_name, "Айгерім");
	assert_string_equal(a->applicant.last_name, "Серікқызы");
	assert_int_equal(a->applicant.parents_n, 2);
	assert_string_equal(a->applicant.parents[1].digits, OTHER);
	assert_int_equal(a->applicant.phones_n, 2);
	assert_true(a->applicant.phones[0].digits == 77011234567);
	assert_int_equal(a->verified, 2);
	assert_int_equal(a->district, 5);
	assert_string_equal(a->category, "general");
	assert_true(a->registered_us == INT64_C(1788235200000000));
	assert_int_equal(a->language, LANGUAGE_RU);
	assert_int_equal(a->channel, NOTICE_SMS);
	assert_int_equal(a->groups, 0);
	assert_int_equal(a->status, APPLICATION_STATUSES);
	assert_int_equal(
	    read_of(RECORD_APPLICATION,
	        "{" CHILD "," PARENTS "," PHONES "," REST
	        ",\"email\":\"aigerim@example.kz\",\"channel\":\"email\",\"groups\":[\"kk\",\"ru\"],"
	        "\"status\":\"archived\"}"),
	    KZ_OK);
	assert_string_equal(a->applicant.email, "aigerim@example.kz");
	assert_int_equal(a->channel, NOTICE_EMAIL);
	assert_int_equal(a->groups, 1 << LANGUAGE_KK | 1 << LANGUAGE_RU);
	assert_int_equal(a->status, APPLICATION_ARCHIVED);
}

#define NAMES                              "\"names\":{\"kk\":\"а\",\"ru\":\"б\",\"en\":\"c\"}"
#define VACANCY(more)                      "{\"free\":1,\"released_at\":\"2026-09-21T09:00:00Z\"" more "}"
#define WITH(child, parents, phones, rest) "{" child "," parents "," phones "," rest "}"
#define ADDED(more)                        "{" CHILD "," PARENTS "," PHONES "," REST "," more "}"

static const struct {
	enum record_kind kind;
	const char *text, *code, *field;
} refused[] = {
    {RECORD_DISTRICT, "[]", "wrong_type", ""},
    {RECORD_DISTRICT, "{}", "missing_field", "region"},
    {RECORD_DISTRICT, "{\"region\":\"sample\"}", "missing_field", "names"},
    {RECORD_DISTRICT, "{\"region\":7," NAMES "}", "wrong_type", "region"},
    {RECORD_DISTRICT, "{\"region\":\"\"," NAMES "}", "invalid_value", "region"},
    {RECORD_DISTRICT, "{\"region\":\"a\",\"names\":{\"kk\":\"а\",\"ru\":\"б\"}}", "missing_field",
        "names.en"},
    {RECORD_DISTRICT, "{\"region\":\"a\",\"names\":{\"kk\":\"\",\"ru\":\"б\",\"en\":\"c\"}}", "invalid_value",
        "names.kk"},
    {RECORD_DISTRICT, "{\"region\":\"a\",\"names\":{\"kk\":\"а\\nб\",\"ru\":\"б\",\"en\":\"c\"}}",
        "invalid_value", "names.kk"},
    {RECORD_DISTRICT, "{\"region\":\"a\",\"names\":{\"kk\":\"а\",\"ru\":5,\"en\":\"c\"}}", "wrong_type",
        "names.ru"},
    {RECORD_DISTRICT, "{\"region\":\"a\",\"names\":{\"de\":\"a\"}}", "unknown_field", "names.de"},
    {RECORD_DISTRICT, "{\"region\":\"a\"," NAMES ",\"id\":7}", "unknown_field", "id"},
    {RECORD_KINDERGARTEN, "{\"district\":0," NAMES "}", "invalid_value", "district"},
    {RECORD_KINDERGARTEN, "{\"district\":1000000000," NAMES "}", "invalid_value", "district"},
    {RECORD_KINDERGARTEN, "{\"district\":1.5," NAMES "}", "wrong_type", "district"},
    {RECORD_GROUP, "{\"kindergarten\":4,\"age_from\":5,\"age_to\":5,\"language\":\"kk\"}", "invalid_value",
        "age_to"},
    {RECORD_GROUP, "{\"kindergarten\":4,\"age_from\":-1,\"age_to\":5,\"language\":\"kk\"}", "invalid_value",
        "age_from"},
    {RECORD_GROUP, "{\"kindergarten\":4,\"age_from\":1,\"age_to\":19,\"language\":\"kk\"}", "invalid_value",
        "age_to"},
    {RECORD_GROUP, "{\"kindergarten\":4,\"age_from\":1,\"age_to\":2,\"language\":\"de\"}", "invalid_value",
        "language"},
    {RECORD_VACANCY, "{\"free\":-1,\"released_at\":\"2026-09-21T09:00:00Z\"}", "invalid_value", "free"},
    {RECORD_VACANCY, "{\"free\":10001,\"released_at\":\"2026-09-21T09:00:00Z\"}", "invalid_value", "free"},
    {RECORD_VACANCY, "{\"free\":1,\"released_at\":\"yesterday\"}", "invalid_value", "released_at"},
    {RECORD_VACANCY, "{\"free\":1,\"released_at\":\"1999-12-31T23:59:59Z\"}", "invalid_value", "released_at"},
    {RECORD_VACANCY, "{\"free\":1,\"released_at\":\"2028-09-21T09:00:00Z\"}", "invalid_value", "released_at"},
    {RECORD_VACANCY, VACANCY(",\"priority_until\":\"2026-09-21T09:00:00Z\""), "invalid_value",
        "priority_until"},
    {RECORD_VACANCY, VACANCY(",\"priority_until\":7"), "wrong_type", "priority_until"},
    {RECORD_VACANCY, VACANCY(",\"seq\":0"), "invalid_value", "seq"},
    {RECORD_APPLICATION, "{}", "missing_field", "child"},
    {RECORD_APPLICATION,
        WITH("\"child\":{\"iin\":\"000101100007\",\"first_name\":\"А\"}", PARENTS, PHONES, REST),
        "invalid_iin", "child.iin"},
    {RECORD_APPLICATION,
        WITH("\"child\":{\"iin\":\"990231500000\",\"first_name\":\"А\"}", PARENTS, PHONES, REST),
        "invalid_iin", "child.iin"},
    {RECORD_APPLICATION, WITH("\"child\":{\"iin\":12,\"first_name\":\"А\"}", PARENTS, PHONES, REST),
        "wrong_type", "child.iin"},
    {RECORD_APPLICATION, WITH("\"child\":{\"iin\":\"" FATHER "\"}", PARENTS, PHONES, REST), "missing_field",
        "child.first_name"},
    {RECORD_APPLICATION,
        WITH("\"child\":{\"iin\":\"" FATHER "\",\"first_name\":\"www.example.kz\"}", PARENTS, PHONES, REST),
        "invalid_value", "child.first_name"},
    {RECORD_APPLICATION, WITH(CHILD, "\"parents\":[]", PHONES, REST), "invalid_value", "parents"},
    {RECORD_APPLICATION, WITH(CHILD, "\"parents\":[{},{},{}]", PHONES, REST), "invalid_value", "parents"},
    {RECORD_APPLICATION, WITH(CHILD, "\"parents\":[7]", PHONES, REST), "wrong_type", "parents[0]"},
    {RECORD_APPLICATION, WITH(CHILD, "\"parents\":[{\"iin\":\"1\"}]", PHONES, REST), "invalid_iin",
        "parents[0].iin"},
    {RECORD_APPLICATION, WITH(CHILD, "\"parents\":[{\"iin\":\"" FATHER "\"}]", PHONES, REST), "invalid_value",
        "parents"},
    {RECORD_APPLICATION,
        WITH(CHILD, "\"parents\":[{\"iin\":\"" OTHER "\"},{\"iin\":\"" OTHER "\"}]", PHONES, REST),
        "invalid_value", "parents"},
    {RECORD_APPLICATION,
        WITH(CHILD, PARENTS, "\"phones\":[{\"number\":\"87172123456\",\"verified\":true}]", REST),
        "invalid_number", "phones[0].number"},
    {RECORD_APPLICATION,
        WITH(CHILD, PARENTS,
            "\"phones\":[{\"number\":\"87011234567\",\"verified\":true},"
            "{\"number\":\"87172123456\",\"verified\":true}]",
            REST),
        "invalid_number", "phones[1].number"},
    {RECORD_APPLICATION,
        WITH(CHILD, PARENTS, "\"phones\":[{\"number\":\"87011234567\",\"verified\":true,\"x\":1}]", REST),
        "unknown_field", "phones[0].x"},
    {RECORD_APPLICATION, WITH(CHILD, PARENTS, "\"phones\":[{\"number\":\"87011234567\"}]", REST),
        "missing_field", "phones[0].verified"},
    {RECORD_APPLICATION,
        WITH(CHILD, PARENTS,
            "\"phones\":[{\"number\":\"87011234567\",\"verified\":true},"
            "{\"number\":\"+77011234567\",\"verified\":true}]",
            REST),
        "invalid_value", "phones"},
    {RECORD_APPLICATION, ADDED("\"email\":\"nobody\""), "invalid_value", "email"},
    {RECORD_APPLICATION, ADDED("\"email\":\"a@example.kz\\r\\nBcc: b@example.kz\""), "invalid_value",
        "email"},
    {RECORD_APPLICATION, ADDED("\"channel\":\"email\""), "missing_field", "email"},
    {RECORD_APPLICATION, ADDED("\"channel\":\"pigeon\""), "invalid_value", "channel"},
    {RECORD_APPLICATION, ADDED("\"groups\":[\"de\"]"), "invalid_value", "groups"},
    {RECORD_APPLICATION, ADDED("\"groups\":[\"kk\",\"ru\",\"en\",\"kk\"]"), "invalid_value", "groups"},
    {RECORD_APPLICATION, ADDED("\"groups\":[1]"), "invalid_value", "groups"},
    {RECORD_APPLICATION, ADDED("\"status\":\"referred\""), "invalid_value", "status"},
    {RECORD_APPLICATION, ADDED("\"status\":\"gone\""), "invalid_value", "status"},
    {RECORD_APPLICATION, ADDED("\"address\":\"Abay 1\""), "unknown_field", "address"},
    {RECORD_APPLICATION,
        WITH(CHILD, PARENTS, PHONES,
            "\"district\":5,\"category\":\"general\",\"registered_at\":\"2026-09-22T00:00:00Z\",\"language\":"
            "\"ru\""),
        "invalid_value", "registered_at"},
};

static void record_wish__a_fault__its_code_and_field_and_nothing_of_the_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		enum kz r = read_of(refused[i].kind, refused[i].text);

		if (r != KZ_INVALID || strcmp(problem.code, refused[i].code) != 0 ||
		    strcmp(problem.field, refused[i].field) != 0)
			fail_msg("%s: %s in '%s'", refused[i].text, r == KZ_OK ? "taken" : problem.code,
			    problem.field);
		assert_null(strstr(problem.detail, "0001011"));
		assert_null(strstr(problem.detail, "1234567"));
		assert_null(strstr(problem.detail, "Айгерім"));
		assert_int_equal(utf8_check(problem.detail, strlen(problem.detail)), KZ_OK);
	}
}

static void record_wish__a_child_not_yet_born__refused(void **state)
{
	char text[1024];
	struct iin child;
	struct iin_refusal why;
	bool found = false;

	(void)state;
	for (unsigned n = 0; n < 100000 && !found; n++) {
		snprintf(text, sizeof text, "2609235%05u", n);
		found = iin_parse(text, IIN_DIGITS, &child, &why) == KZ_OK;
	}
	assert_true(found);
	snprintf(text, sizeof text, "{\"child\":{\"iin\":\"%s\",\"first_name\":\"А\"}}", child.digits);
	assert_int_equal(read_of(RECORD_APPLICATION, text), KZ_INVALID);
	assert_string_equal(problem.code, "invalid_iin");
}

static void record_wish__names__as_long_as_there_is_room(void **state)
{
	char text[512], name[256] = "";

	(void)state;
	for (int i = 0; i < RECORD_NAME_LETTERS; i++)
		strcat(name, "Қ");
	snprintf(text, sizeof text, "{\"region\":\"a\",\"names\":{\"kk\":\"%s\",\"ru\":\"б\",\"en\":\"c\"}}",
	    name);
	assert_int_equal(read_of(RECORD_DISTRICT, text), KZ_OK);
	assert_string_equal(record.place.names[LANGUAGE_KK], name);
	strcat(name, "Қ");
	snprintf(text, sizeof text, "{\"region\":\"a\",\"names\":{\"kk\":\"%s\",\"ru\":\"б\",\"en\":\"c\"}}",
	    name);
	assert_int_equal(read_of(RECORD_DISTRICT, text), KZ_INVALID);
}

static void record_wish_line__each_kind__by_its_own_id(void **state)
{
	(void)state;
	assert_int_equal(line_of("{\"kind\":\"district\",\"id\":3,\"region\":\"a\"," NAMES "}"), KZ_OK);
	assert_int_equal(record.kind, RECORD_DISTRICT);
	assert_int_equal(record.id, 3);
	assert_int_equal(
	    line_of("{\"kind\":\"vacancy\",\"group\":8,\"free\":1,\"released_at\":\"2026-09-21T09:00:00Z\"}"),
	    KZ_OK);
	assert_int_equal(record.kind, RECORD_VACANCY);
	assert_int_equal(record.id, 8);
	assert_int_equal(
	    line_of("{\"number\":9,\"kind\":\"application\"," CHILD "," PARENTS "," PHONES "," REST "}"),
	    KZ_OK);
	assert_int_equal(record.kind, RECORD_APPLICATION);
	assert_int_equal(record.id, 9);
}

static void record_wish_line__no_kind_or_no_id__refused(void **state)
{
	static const char *const bad[][3] = {{"[]", "wrong_type", ""}, {"7", "wrong_type", ""},
	    {"{}", "missing_field", "kind"}, {"{\"kind\":7}", "invalid_value", "kind"},
	    {"{\"kind\":\"cat\"}", "invalid_value", "kind"}, {"{\"kind\":\"group\"}", "missing_field", "id"},
	    {"{\"kind\":\"group\",\"id\":\"7\"}", "wrong_type", "id"},
	    {"{\"kind\":\"application\",\"number\":0}", "invalid_value", "number"},
	    {"{\"kind\":\"vacancy\",\"group\":1,\"kinds\":2}", "unknown_field", "kinds"}};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(line_of(bad[i][0]), KZ_INVALID);
		assert_string_equal(problem.code, bad[i][1]);
		assert_string_equal(problem.field, bad[i][2]);
	}
}

static void record_wish_documents__place_and_time__or_a_problem(void **state)
{
	static const char *const bad[][3] = {{"{}", "missing_field", "place"},
	    {"{\"place\":\"\",\"until\":\"2026-10-01T10:00:00Z\"}", "invalid_value", "place"},
	    {"{\"place\":\"ЦОН 3\",\"until\":\"2026-09-01T10:00:00Z\"}", "invalid_value", "until"},
	    {"{\"place\":\"ЦОН 3\",\"until\":\"soon\"}", "invalid_value", "until"}};
	struct record_documents d;
	json_t *o = json_pack("{s:s, s:s}", "place", "ЦОН 3", "until", "2026-10-01T10:00:00Z");

	(void)state;
	assert_int_equal(record_wish_documents(o, NOW_US, &d, &problem), KZ_OK);
	assert_string_equal(d.place, "ЦОН 3");
	assert_true(d.until_us == INT64_C(1790848800000000));
	json_decref(o);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		o = json_loads(bad[i][0], 0, NULL);
		assert_int_equal(record_wish_documents(o, NOW_US, &d, &problem), KZ_INVALID);
		assert_string_equal(problem.code, bad[i][1]);
		assert_string_equal(problem.field, bad[i][2]);
		json_decref(o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(record_wish__district_and_kindergarten__as_said),
	    cmocka_unit_test(record_wish__group__as_said),
	    cmocka_unit_test(record_wish__vacancy__three_ways_of_priority),
	    cmocka_unit_test(record_wish__application__as_said_and_what_is_not_said),
	    cmocka_unit_test(record_wish__a_fault__its_code_and_field_and_nothing_of_the_value),
	    cmocka_unit_test(record_wish__a_child_not_yet_born__refused),
	    cmocka_unit_test(record_wish__names__as_long_as_there_is_room),
	    cmocka_unit_test(record_wish_line__each_kind__by_its_own_id),
	    cmocka_unit_test(record_wish_line__no_kind_or_no_id__refused),
	    cmocka_unit_test(record_wish_documents__place_and_time__or_a_problem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
