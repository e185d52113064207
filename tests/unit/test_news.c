#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/news.h"

static void news_names__each__its_word(void **state)
{
	static const char *const kinds[] = {"referral.taken", "referral.accepted", "referral.declined",
	    "referral.extended", "referral.expired", "referral.cancelled", "phone.changed",
	    "application.requested", "watcher.added", "notice.late", "unknown"};
	static const char *const vias[] = {"portal", "ussd", "clock", "unknown"};

	(void)state;
	for (unsigned k = 0; k <= NEWS_KINDS; k++)
		assert_string_equal(news_kind_name((enum news_kind)k), kinds[k]);
	for (unsigned v = 0; v <= NEWS_VIAS; v++)
		assert_string_equal(news_via_name((enum news_via)v), vias[v]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(news_names__each__its_word)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
