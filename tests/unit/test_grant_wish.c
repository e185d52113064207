/* grant_wish: a referral as the portal's records say it, member by member. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/grant_wish.h"
#include "base/clock.h"

#define WHOLE                                                                                                \
	"\"application\": 1048871, \"group\": 1203, \"from\": \"2026-09-12T17:02:00.1234567+05:00\","        \
	" \"status\": \"accepted\""
#define TO ", \"to\": \"2026-09-19T12:02:00Z\""

static enum kz read_text(const char *text, struct places_put *ret, struct problem *why)
{
	json_t *o = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(o);
	enum kz r = grant_wish_read(o, ret, why);
	json_decref(o);
	return r;
}

static void assert_refused(const char *text, const char *code, const char *field)
{
	struct places_put wish = {.referral = 5};
	struct problem why;

	assert_int_equal(read_text(text, &wish, &why), KZ_INVALID);
	assert_string_equal(why.code, code);
	assert_string_equal(why.field, field);
}

static void grant_wish_read__whole__as_said_in_milliseconds(void **state)
{
	struct places_put wish = {.referral = 5};
	struct problem why;

	(void)state;
	assert_int_equal(read_text("{" WHOLE TO ", \"held\": true}", &wish, &why), KZ_OK);
	assert_int_equal(wish.referral, 5);
	assert_int_equal(wish.application, 1048871);
	assert_int_equal(wish.play_group, 1203);
	assert_int_equal(wish.status, REFERRAL_ACCEPTED);
	assert_true(wish.held);
	assert_true(wish.from_us == clock_parse_rfc3339("2026-09-12T12:02:00.123Z"));
	assert_true(wish.to_us == clock_parse_rfc3339("2026-09-19T12:02:00Z"));
	assert_int_equal(read_text("{" WHOLE TO "}", &wish, &why), KZ_OK);
	assert_false(wish.held);
}

static void grant_wish_read__wrong__field_and_code(void **state)
{
	(void)state;
	assert_refused("[]", "wrong_type", "");
	assert_refused("7", "wrong_type", "");
	assert_refused("{}", "missing_field", "application");
	assert_refused("{" WHOLE "}", "missing_field", "to");
	assert_refused("{" WHOLE TO ", \"iin\": 1}", "unknown_field", "iin");
	assert_refused("{" WHOLE TO ", \"held\": null}", "wrong_type", "held");
	assert_refused("{\"application\": \"7\"}", "wrong_type", "application");
	assert_refused("{\"application\": 0}", "invalid_value", "application");
	assert_refused("{\"group\": 1000000000}", "invalid_value", "group");
	assert_refused("{\"group\": 1.5}", "wrong_type", "group");
	assert_refused("{\"status\": \"taken\"}", "invalid_value", "status");
	assert_refused("{\"from\": \"1969-12-31T23:59:59Z\"}", "invalid_value", "from");
	assert_refused("{\"from\": 5}", "wrong_type", "from");
	assert_refused("{" WHOLE ", \"to\": \"2026-09-12T12:02:00.123Z\"}", "invalid_value", "to");
}

static void grant_number__texts__numbers_or_none(void **state)
{
	static const char *const bad[] = {"", "0", "07", "+7", "-7", "7 ", "7x", "1000000",
	    "18446744073709551617", "99999999999999999999999999999999"};
	uint64_t n = 0;

	(void)state;
	assert_int_equal(grant_number("1", 999999, &n), KZ_OK);
	assert_int_equal(n, 1);
	assert_int_equal(grant_number("999999", 999999, &n), KZ_OK);
	assert_int_equal(n, 999999);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(grant_number(bad[i], 999999, &n), KZ_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grant_wish_read__whole__as_said_in_milliseconds),
	    cmocka_unit_test(grant_wish_read__wrong__field_and_code),
	    cmocka_unit_test(grant_number__texts__numbers_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
