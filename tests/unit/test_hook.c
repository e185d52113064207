#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/ids.h"
#include "rules/hook.h"

#define AT_US INT64_C(1795371786123000) /* 2026-11-22T18:23:06.123Z */

static struct hook_event event_make(void)
{
	return (struct hook_event){.feed = ids_floor(AT_US / 1000) + 5,
	    .id = ids_floor(AT_US / 1000),
	    .at_us = AT_US,
	    .state = MESSAGE_DELIVERED,
	    .class = MESSAGE_CODE,
	    .parts = 2,
	    .client_ref = "",
	    .purpose = "",
	    .status = "",
	    .detail = ""};
}

static struct hook_event news_make(enum news_kind k)
{
	struct hook_event e = event_make();

	e.about = HOOK_NEWS;
	e.id = e.feed;
	e.news = (struct hook_news){.kind = k, .via = NEWS_BY_USSD, .application = 108344, .seq = 17};
	return e;
}

/* The example of the Standard Webhooks' own libraries. */
static void sign__known_answer(void **state)
{
	static const uint8_t secret[] = {0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08,
	    0xd4, 0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0};
	static const char body[] = "{\"test\": 2432232314}";
	char signature[HOOK_SIGNATURE];

	(void)state;
	hook_sign(
	    secret, sizeof secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, strlen(body), signature);
	assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	assert_int_equal(strlen(signature) + 1, HOOK_SIGNATURE);
}

static void secret_text__prefix_and_base64(void **state)
{
	uint8_t secret[HOOK_SECRET] = {0xfb, 0xff};
	char text[HOOK_SECRET_TEXT];

	(void)state;
	hook_secret_text(secret, text);
	assert_string_equal(text, "whsec_+/8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	assert_int_equal(strlen(text) + 1, HOOK_SECRET_TEXT);
}

static void id__of_the_message_alone__same_for_each_telling(void **state)
{
	struct hook_event e = event_make();
	char first[HOOK_ID], again[HOOK_ID], message[IDS_TEXT];

	(void)state;
	hook_id(&e, first);
	e.feed += 1000;
	e.state = MESSAGE_EXPIRED;
	assert_string_equal(hook_id(&e, again), first);
	assert_string_equal(first + strlen("end_"), ids_text(e.id, message));
	assert_null(strchr(first, '.')); /* it stands before one in what is signed */
}

static void id__of_a_code__not_that_of_the_end_of_its_first_message(void **state)
{
	struct hook_event e = event_make();
	char end[HOOK_ID], code[HOOK_ID], message[IDS_TEXT];

	(void)state;
	hook_id(&e, end);
	e.about = HOOK_CODE;
	hook_id(&e, code);
	assert_string_not_equal(code, end);
	assert_memory_equal(code, "code_", 5);
	assert_string_equal(code + 5, ids_text(e.id, message));
	assert_int_equal(strlen(code) + 1, HOOK_ID);
	assert_null(strchr(code, '.'));
}

static void id__of_news__by_their_number_in_the_feed(void **state)
{
	const struct hook_event e = news_make(NEWS_TAKEN);
	char id[HOOK_ID], feed[IDS_TEXT];

	(void)state;
	hook_id(&e, id);
	assert_memory_equal(id, "news_", 5);
	assert_string_equal(id + 5, ids_text(e.feed, feed));
}

static void body__of_news__the_application_and_what_there_is(void **state)
{
	struct hook_event e = news_make(NEWS_WATCHED);
	struct buf b = {0};
	char seq[IDS_TEXT], wanted[512];

	(void)state;
	e.news.kindergarten = 321;
	hook_body(&e, &b);
	snprintf(wanted, sizeof wanted,
	    "{\"type\":\"watcher.added\",\"timestamp\":\"2026-11-22T18:23:06.123Z\",\"seq\":\"%s\",\"data\":{"
	    "\"application\":108344,\"seq\":17,\"via\":\"ussd\",\"kindergarten\":321}}",
	    ids_text(e.feed, seq));
	assert_string_equal(buf_text(&b), wanted);
	buf_fini(&b);
}

static void body__of_a_request__its_id_and_no_application(void **state)
{
	struct hook_event e = news_make(NEWS_REQUESTED);
	struct buf b = {0};
	char seq[IDS_TEXT], wanted[512];

	(void)state;
	e.id = e.feed;
	e.news.application = e.news.seq = 0;
	hook_body(&e, &b);
	ids_text(e.feed, seq);
	snprintf(wanted, sizeof wanted,
	    "{\"type\":\"application.requested\",\"timestamp\":\"2026-11-22T18:23:06.123Z\",\"seq\":\"%s\","
	    "\"data\":{\"request\":\"%s\",\"seq\":0,\"via\":\"ussd\"}}",
	    seq, seq);
	assert_string_equal(buf_text(&b), wanted);
	buf_fini(&b);
}

static void body__of_news_of_a_referral__its_number_group_and_end(void **state)
{
	struct hook_event e = news_make(NEWS_EXPIRED);
	struct buf b = {0};

	(void)state;
	e.news.via = NEWS_BY_CLOCK;
	e.news.referral = 48871;
	e.news.play_group = 12;
	e.news.until_us = AT_US;
	e.detail = "x\"y";
	hook_body(&e, &b);
	assert_non_null(strstr(buf_text(&b), "{\"type\":\"referral.expired\","));
	assert_non_null(strstr(buf_text(&b),
	    "\"data\":{\"application\":108344,\"seq\":17,\"via\":\"clock\",\"group\":12,\"referral\":"
	    "{\"number\":48871,\"until\":\"2026-11-22T18:23:06.123Z\"},\"detail\":\"x\\\"y\"}}"));
	buf_fini(&b);
}

static void body__least__no_empty_field(void **state)
{
	struct hook_event e = event_make();
	struct buf b = {0};
	char id[IDS_TEXT], seq[IDS_TEXT], wanted[512];

	(void)state;
	hook_body(&e, &b);
	snprintf(wanted, sizeof wanted,
	    "{\"type\":\"message.delivered\",\"timestamp\":\"2026-11-22T18:23:06.123Z\",\"seq\":\"%s\","
	    "\"data\":{"
	    "\"id\":\"%s\",\"state\":\"delivered\",\"class\":\"code\",\"segments\":2,\"possible_duplicate\":"
	    "false,"
	    "\"ended_at\":\"2026-11-22T18:23:06.123Z\"}}",
	    ids_text(e.feed, seq), ids_text(e.id, id));
	assert_string_equal(buf_text(&b), wanted);
	buf_fini(&b);
}

static void body__odd_texts__escaped(void **state)
{
	struct hook_event e = event_make();
	struct buf b = {0};

	(void)state;
	e.state = MESSAGE_REJECTED;
	e.resent = true;
	e.client_ref = "a\"b\\c\nd\x7f"
	               "қ";
	e.status = "ESME_RINVDSTADR";
	e.detail = "err 011";
	hook_body(&e, &b);
	assert_non_null(strstr(buf_text(&b), "{\"type\":\"message.rejected\","));
	assert_non_null(
	    strstr(buf_text(&b), ",\"client_ref\":\"a\\\"b\\\\c\\u000ad\\u007fқ\",\"state\":\"rejected\","));
	assert_non_null(strstr(buf_text(&b), ",\"possible_duplicate\":true,"));
	assert_non_null(strstr(buf_text(&b), ",\"status\":\"ESME_RINVDSTADR\",\"detail\":\"err 011\"}}"));
	buf_fini(&b);
}

static void body__message_that_brought_a_code__names_the_code_and_its_purpose(void **state)
{
	struct hook_event e = event_make();
	struct buf b = {0};
	char code[IDS_TEXT], wanted[128];

	(void)state;
	e.code = e.id - 77;
	e.purpose = "login";
	hook_body(&e, &b);
	snprintf(wanted, sizeof wanted, ",\"code\":\"%s\",\"purpose\":\"login\",\"state\":\"delivered\",",
	    ids_text(e.code, code));
	assert_non_null(strstr(buf_text(&b), wanted));
	buf_fini(&b);
}

static void body__of_a_code__nothing_of_its_messages(void **state)
{
	struct hook_event e = event_make();
	struct buf b = {0};
	char id[IDS_TEXT], pair[IDS_TEXT], seq[IDS_TEXT], wanted[512];

	(void)state;
	e.about = HOOK_CODE;
	e.verdict = CODE_EXHAUSTED;
	e.pair = e.id - 5;
	e.purpose = "phone";
	e.client_ref = "7";
	hook_body(&e, &b);
	snprintf(wanted, sizeof wanted,
	    "{\"type\":\"code.exhausted\",\"timestamp\":\"2026-11-22T18:23:06.123Z\",\"seq\":\"%s\",\"data\":"
	    "{"
	    "\"id\":\"%s\",\"client_ref\":\"7\",\"pair\":\"%s\",\"purpose\":\"phone\",\"state\":"
	    "\"exhausted\","
	    "\"ended_at\":\"2026-11-22T18:23:06.123Z\"}}",
	    ids_text(e.feed, seq), ids_text(e.id, id), ids_text(e.pair, pair));
	assert_string_equal(buf_text(&b), wanted);
	buf_fini(&b);
}

static void wait__of_each_attempt__grows_over_three_days_then_none(void **state)
{
	int64_t sum = 0, last = 0;

	(void)state;
	for (unsigned i = 1; i < HOOK_ATTEMPTS; i++) {
		int64_t wait_ms = hook_wait_ms(i, 5000);

		assert_true(wait_ms >= last);
		last = wait_ms;
		sum += wait_ms;
	}
	assert_int_equal(hook_wait_ms(1, 5000), 5000);
	assert_int_equal(last, 86400000);
	assert_in_range(sum, INT64_C(70) * 3600000, INT64_C(72) * 3600000);
	assert_int_equal(hook_wait_ms(HOOK_ATTEMPTS, 5000), -1);
}

static void wait__whatever_the_first__a_day_at_most(void **state)
{
	int64_t sum = 0;

	(void)state;
	for (unsigned i = 1; i < HOOK_ATTEMPTS; i++) {
		assert_true(hook_wait_ms(i, 3600000) <= 86400000);
		assert_true(hook_probe_ms(i, 3600000) <= 86400000);
		sum += hook_wait_ms(i, 3600000);
	}
	assert_in_range(sum, INT64_C(8) * 86400000, INT64_C(9) * 86400000);
	assert_int_equal(hook_wait_ms(10, 10), 172800);
}

static void probe__however_many__ten_minutes_at_most(void **state)
{
	(void)state;
	assert_int_equal(hook_probe_ms(1, 5000), 5000);
	assert_int_equal(hook_probe_ms(2, 5000), 30000);
	assert_int_equal(hook_probe_ms(4, 5000), 600000);
	assert_int_equal(hook_probe_ms(4000000000, 5000), 600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sign__known_answer),
	    cmocka_unit_test(secret_text__prefix_and_base64),
	    cmocka_unit_test(id__of_the_message_alone__same_for_each_telling),
	    cmocka_unit_test(id__of_a_code__not_that_of_the_end_of_its_first_message),
	    cmocka_unit_test(id__of_news__by_their_number_in_the_feed),
	    cmocka_unit_test(body__of_news__the_application_and_what_there_is),
	    cmocka_unit_test(body__of_a_request__its_id_and_no_application),
	    cmocka_unit_test(body__of_news_of_a_referral__its_number_group_and_end),
	    cmocka_unit_test(body__least__no_empty_field),
	    cmocka_unit_test(body__odd_texts__escaped),
	    cmocka_unit_test(body__message_that_brought_a_code__names_the_code_and_its_purpose),
	    cmocka_unit_test(body__of_a_code__nothing_of_its_messages),
	    cmocka_unit_test(wait__of_each_attempt__grows_over_three_days_then_none),
	    cmocka_unit_test(wait__whatever_the_first__a_day_at_most),
	    cmocka_unit_test(probe__however_many__ten_minutes_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
