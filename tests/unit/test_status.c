/* status: the default table of the reference, row by row, and overrides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smpp/status.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void defaults__each_row__class(void **state)
{
	static const uint32_t slow[] = {0x58, 0x14};
	static const uint32_t temporary[] = {0x05, 0x08, 0x45, 0x64, 0x67, 0xFE, 0xFF, 0x102, 0x400, 0x455,
	    0x4FF,
	    /* unknown */ 0x09, 0x10, 0x59, 0x55F, 0x100, 0xFFFFFFFFu, 0x80000000u};
	static const uint32_t final[] = {0x01, 0x06, 0x07, 0x0A, 0x0C, 0x15, 0x33, 0x34, 0x40, 0x41, 0x42,
	    0x43, 0x44, 0x48, 0x49, 0x50, 0x51, 0x54, 0x55, 0x61, 0x62, 0x63, 0x65, 0x66, 0xC0, 0xC1, 0xC2,
	    0xC3, 0xC4};
	static const uint32_t link[] = {0x04, 0x0D, 0x0E, 0x0F, 0x53};
	static const uint32_t bug[] = {0x02, 0x03};

	(void)state;
#define ALL(array, want)                                                                                     \
	for (size_t i = 0; i < COUNT(array); i++)                                                            \
	assert_int_equal(status_class((array)[i], NULL, 0), want)
	ALL(slow, STATUS_SLOW);
	ALL(temporary, STATUS_TEMPORARY);
	ALL(final, STATUS_FINAL);
	ALL(link, STATUS_LINK);
	ALL(bug, STATUS_BUG);
#undef ALL
	assert_int_equal(status_class(0, NULL, 0), STATUS_OK);
	assert_int_equal(status_class(0x0B, NULL, 0), STATUS_REROUTE);
}

static void rules__first_fit__before_the_defaults(void **state)
{
	static const struct status_rule rules[] = {
	    {0x420, 0x420, STATUS_REROUTE},
	    {0x400, 0x4FF, STATUS_FINAL},
	    {0x14, 0x14, STATUS_TEMPORARY},
	};

	(void)state;
	assert_int_equal(status_class(0x420, rules, 3), STATUS_REROUTE);
	assert_int_equal(status_class(0x421, rules, 3), STATUS_FINAL);
	assert_int_equal(status_class(0x3FF, rules, 3), STATUS_TEMPORARY);
	assert_int_equal(status_class(0x14, rules, 3), STATUS_TEMPORARY);
	assert_int_equal(status_class(0x58, rules, 3), STATUS_SLOW);
	assert_int_equal(status_class(0x14, rules, 2), STATUS_SLOW);
}

static void class_names__every_class__parses_back(void **state)
{
	enum status_class c = STATUS_OK;

	(void)state;
	for (unsigned i = 0; i < STATUS_CLASSES; i++) {
		assert_int_equal(status_class_parse(status_class_name((enum status_class)i), &c), KZ_OK);
		assert_int_equal(c, i);
	}
	assert_int_equal(status_class_parse("SLOW", &c), KZ_OK);
	assert_int_equal(c, STATUS_SLOW);
	assert_int_equal(status_class_parse("slowly", &c), KZ_INVALID);
	assert_int_equal(status_class_parse("", &c), KZ_INVALID);
	assert_int_equal(c, STATUS_SLOW);
}

static void status_name__known_and_vendor__text(void **state)
{
	char room[12];

	(void)state;
	assert_string_equal(status_name(0x58, room), "ESME_RTHROTTLED");
	assert_string_equal(status_name(0, room), "ESME_ROK");
	assert_string_equal(status_name(0xFF, room), "ESME_RUNKNOWNERR");
	assert_string_equal(status_name(0x55f, room), "0x0000055f");
	assert_string_equal(status_name(0xffffffffu, room), "0xffffffff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults__each_row__class),
	    cmocka_unit_test(rules__first_fit__before_the_defaults),
	    cmocka_unit_test(class_names__every_class__parses_back),
	    cmocka_unit_test(status_name__known_and_vendor__text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
