/* The journey of notices on a real PostgreSQL, by a clock that is put forward. The operator is out of reach:
 * what it did with a message is written by the test's own hand. */
#include "records_rig.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow/notices.h"
#include "rules/notice_text.h"

#define MINUTE_US INT64_C(60000000)
#define HOUR_US   (60 * MINUTE_US)
#define DAY_US    (24 * HOUR_US)
#define PLUS5_US  (5 * HOUR_US)

struct daemon {
	struct store_rig *rig;
	struct conf conf;
	struct regions *regions;
	struct templates *templates;
	struct emails *emails;
	struct messages *messages;
	struct events *events;
	struct receipts *receipts;
	struct codes *codes;
	struct send *send;
	struct notices *notices;
};

/* So that it is so many hours and minutes past local midnight: the last time that it was so, at any time of
 * day behind the clock of the database, which is not to judge what is due. */
static void clock_set(int hours, int minutes)
{
	int64_t local_us = clock_real.wall_us() + PLUS5_US;
	int64_t wanted_us = local_us / DAY_US * DAY_US + hours * HOUR_US + minutes * MINUTE_US;

	store_wall_skip_us = wanted_us - local_us - (wanted_us > local_us ? DAY_US : 0);
}

static struct profile **operator_load(const char *yaml)
{
	char folder[] = "/tmp/kezek-test-XXXXXX", path[64];
	struct faults faults = {0};
	struct profile **list = malloc(sizeof *list);

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/one.yaml", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(yaml, f);
	fclose(f);
	list[0] = profile_load(path, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	unlink(path);
	rmdir(folder);
	return list;
}

static void daemon_up_with(struct daemon *d, struct store_rig *g, struct mail_client *mail)
{
	static const char yaml[] = "prefixes: [\"7701\"]\nsender: {default: kezek}\n"
	                           "links: [{host: 127.0.0.1, port: 9, system_id: kezek}]\n";
	struct faults faults = {0};

	*d = (struct daemon){.rig = g,
	    .conf = {.message_max_parts = 10,
	        .message_life_code_ms = 300000,
	        .message_life_notice_ms = 86400000,
	        .message_life_bulk_ms = 86400000,
	        .message_attempts = 8,
	        .message_retry_min_ms = 5000,
	        .message_retry_max_ms = 600000,
	        .message_in_doubt_ms = 60000,
	        .message_receipt_wait_ms = 259200000,
	        .queue_max_messages = 1000,
	        .queue_max_age_ms = 900000000,
	        .notice_number_wait_ms = 180000,
	        .notice_receipt_wait_ms = 21600000},
	    .regions = regions_load(KEZEK_SOURCE_DIR "/config/regions", &faults),
	    .templates = templates_load(KEZEK_SOURCE_DIR "/dialogs/sms.yaml", &words_usual, &faults),
	    .emails = emails_load(KEZEK_SOURCE_DIR "/dialogs/mail.yaml", &words_usual, &faults)};
	assert_string_equal(buf_text(&faults.text), "");
	store_hold_feed_slot(g);
	d->messages = messages_new(g->loop, g->pg, g->feed, g->keyring, &g->limits);
	d->events = events_new(g->loop, g->pg, g->feed, &g->limits);
	d->receipts = receipts_new(g->loop, g->pg, &g->limits);
	d->codes = codes_new(g->loop, g->pg, g->feed, &g->limits);
	d->send = send_new(&(struct send_base){g->loop, g->pg, g->lease, d->messages, g->feed, d->events,
	                       d->receipts, g->keyring, d->codes},
	    &d->conf);
	send_set_profiles(d->send, operator_load(yaml), 1);
	send_set_own(d->send, 0);
	send_take_slot(d->send, 0, 0, 0);
	d->notices = notices_new(&(struct notices_base){g->loop, g->pg, g->feed, d->send, g->keyring, mail},
	    &(struct notices_files){&d->conf, d->regions, d->templates, d->emails}, &g->limits);
	notices_take_slot(d->notices, 0);
}

static void daemon_up(struct daemon *d, struct store_rig *g)
{
	daemon_up_with(d, g, NULL);
}

static void daemon_end(struct daemon *d)
{
	struct store_rig *g = d->rig;

	notices_stop(d->notices);
	send_stop(d->send);
	pg_stop(g->pg);
	messages_fail_waiting(d->messages);
	notices_free(d->notices);
	codes_free(d->codes);
	send_free(d->send);
	messages_free(d->messages);
	events_free(d->events);
	receipts_free(d->receipts);
	regions_free(d->regions);
	templates_free(d->templates);
	emails_free(d->emails);
}

/* A second of the clock, and all that it makes happen. */
static void seconds_pass(struct daemon *d, int seconds)
{
	for (int i = 0; i < 2 * seconds; i++) {
		store_skip_us += 500000;
		for (int turn = 0; turn < 2; turn++) {
			loop_turn(d->rig->loop, 1);
			store_drain(d->rig);
			store_settle(d->rig);
		}
	}
}

/* So far at once. */
static void clock_pass(struct daemon *d, int64_t us)
{
	store_skip_us += us;
	seconds_pass(d, 2);
}

static struct ids notice_ids;

static void put(struct store_rig *g, uint64_t application, enum notice_kind k, int64_t subject, bool alarm)
{
	uint64_t id = ids_next(&notice_ids, store_wall_us() / 1000);

	store_sql(g,
	    "select notice_put(%llu, %llu, %d, %lld, to_timestamp(%lld / 1e6), null,"
	    " case when %s then to_timestamp(%lld / 1e6) end, null, null, 1)",
	    (unsigned long long)id, (unsigned long long)application, k, (long long)subject,
	    (long long)store_wall_us(), alarm ? "true" : "false",
	    (long long)(store_wall_us() + 12 * MINUTE_US));
}

static void city(struct store_rig *g)
{
	records_put_group(g, 1, "sample", 3);
	records_put_application(g, &(struct records_application){.number = 1, .language = LANGUAGE_RU});
	records_put_application(
	    g, &(struct records_application){
	           .number = 2, .language = LANGUAGE_KK, .phones = {77012220001, 77012220002}});
	records_put_application(
	    g, &(struct records_application){.number = 3, .language = LANGUAGE_EN, .phones = {77770000003}});
}

static long long state_of(struct store_rig *g, uint64_t application)
{
	return store_int(
	    g, "select state from notice where application = %llu", (unsigned long long)application);
}

static uint64_t message_of(struct store_rig *g, uint64_t application)
{
	return (uint64_t)store_int(g, "select coalesce(message, 0) from notice where application = %llu",
	    (unsigned long long)application);
}

static void text_is(struct store_rig *g, uint64_t application, uint64_t to, const char *text)
{
	struct buf room = {0};
	const struct person p = store_person(g, message_of(g, application), &room);

	assert_string_equal(p.text, text);
	assert_true(p.to.digits == to);
	buf_fini(&room);
}

static void event_put(struct store_rig *g, uint64_t message, int kind, bool final, int state)
{
	store_sql(g,
	    "insert into message_event (message_id, at, kind, final, state, part, parts, carrier, link)"
	    " values (%llu, to_timestamp(%lld / 1e6), %d, %s, %d, 1, 1, 'one', 'one.1')",
	    (unsigned long long)message, (long long)store_wall_us(), kind, final ? "true" : "false", state);
}

static void number__application_in_the_queue__told_its_place_within_a_second(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	clock_set(23, 0); /* quiet, but for numbers */
	city(g);
	daemon_up(&d, g);
	put(g, 1, NOTICE_NUMBER, 0, true);
	put(g, 2, NOTICE_NUMBER, 0, true);
	seconds_pass(&d, 1);
	assert_int_equal(state_of(g, 1), NOTICE_SENT);
	text_is(g, 1, 77010000001, "Заявление №1 принято. Очередь №1. Проверить: *1234#");
	text_is(g, 2, 77012220001, "Өтініш №2 тіркелді. Кезек №2. Тексеру: *1234#");
	assert_int_equal(store_int(g, "select class from message limit 1"), MESSAGE_NOTICE);
	event_put(g, message_of(g, 1), 1, false, MESSAGE_SUBMITTED);
	event_put(g, message_of(g, 1), 4, true, MESSAGE_DELIVERED);
	clock_pass(&d, 3 * MINUTE_US);
	assert_int_equal(state_of(g, 1), NOTICE_DELIVERED);
	assert_string_equal(
	    store_sql(g, "select look_at is null and alarm_at is null from notice where application = 1"),
	    "t");
	assert_int_equal(store_int(g, "select count(*) from message where api_key = 1"), 3);
	text_is(g, 2, 77012220002, "Өтініш №2 тіркелді. Кезек №2. Тексеру: *1234#"); /* nobody took it */
	daemon_end(&d);
}

static void number__not_in_the_queue__told_without_a_place(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	clock_set(12, 0);
	city(g);
	store_sql(g, "update application set status = 4 where number = 1");
	daemon_up(&d, g);
	put(g, 1, NOTICE_NUMBER, 0, true);
	seconds_pass(&d, 1);
	text_is(g, 1, 77010000001, "Заявление №1 принято. Проверить: *1234#");
	daemon_end(&d);
}

static void number__not_delivered_by_minute_12__alarmed_once_and_tried_on(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;
	double before = metrics_total("kezek_notices_late_total");

	clock_set(12, 0);
	city(g);
	daemon_up(&d, g);
	put(g, 1, NOTICE_NUMBER, 0, true); /* silent */
	put(g, 3, NOTICE_NUMBER, 0, true); /* nobody serves it */
	seconds_pass(&d, 1);
	event_put(g, message_of(g, 1), 1, false, MESSAGE_SUBMITTED);
	assert_int_equal(state_of(g, 3), NOTICE_WAITING);
	clock_pass(&d, 11 * MINUTE_US + 50000000);
	assert_int_equal(store_int(g, "select count(*) from news"), 0);
	seconds_pass(&d, 10);
	assert_int_equal(store_int(g, "select count(*) from news where kind = 9 and via = 2"), 2);
	assert_true(metrics_total("kezek_notices_late_total") == before + 2);
	clock_pass(&d, 5 * MINUTE_US);
	assert_int_equal(store_int(g, "select count(*) from news"), 2);
	event_put(g, message_of(g, 1), 4, true, MESSAGE_DELIVERED);
	clock_pass(&d, 5 * MINUTE_US);
	assert_int_equal(state_of(g, 1), NOTICE_DELIVERED);
	assert_int_equal(state_of(g, 3), NOTICE_WAITING);
	daemon_end(&d);
}

static void daemon__dead_over_minute_12__alarmed_by_the_next(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	clock_set(12, 0);
	city(g);
	put(g, 1, NOTICE_NUMBER, 0, true);
	store_skip_us += 13 * MINUTE_US;
	daemon_up(&d, g);
	seconds_pass(&d, 2);
	assert_int_equal(store_int(g, "select count(*) from news where kind = 9"), 1);
	assert_int_equal(state_of(g, 1), NOTICE_SENT);
	daemon_end(&d);
}

static void bad_end__heard_of__second_phone_at_once(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	clock_set(12, 0);
	city(g);
	daemon_up(&d, g);
	put(g, 2, NOTICE_NUMBER, 0, true);
	seconds_pass(&d, 1);
	uint64_t first = message_of(g, 2);
	event_put(g, first, 1, false, MESSAGE_SUBMITTED);
	event_put(g, first, 4, true, MESSAGE_UNDELIVERABLE);
	notices_hear_lost(d.notices, first + 1); /* no notice */
	notices_hear_lost(d.notices, first);
	seconds_pass(&d, 2);
	assert_true(message_of(g, 2) != first);
	text_is(g, 2, 77012220002, "Өтініш №2 тіркелді. Кезек №2. Тексеру: *1234#");
	uint64_t second = message_of(g, 2);
	event_put(g, second, 1, false, MESSAGE_SUBMITTED);
	event_put(g, second, 4, true, MESSAGE_REJECTED);
	notices_hear_lost(d.notices, second);
	seconds_pass(&d, 2);
	assert_int_equal(state_of(g, 2), NOTICE_FAILED);
	assert_int_equal(store_int(g, "select count(*) from message"), 2);
	clock_pass(&d, 12 * MINUTE_US);
	assert_int_equal(store_int(g, "select count(*) from news where kind = 9"), 1);
	daemon_end(&d);
}

static void quiet_hours__others_than_numbers__told_at_their_end(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	clock_set(3, 0);
	city(g);
	daemon_up(&d, g);
	put(g, 1, NOTICE_PHONE, 1, false);
	put(g, 2, NOTICE_PHONE, 1, false);
	seconds_pass(&d, 2);
	assert_int_equal(state_of(g, 1), NOTICE_WAITING);
	clock_pass(&d, 5 * HOUR_US);
	assert_int_equal(state_of(g, 1), NOTICE_SENT);
	text_is(g, 1, 77010000001, "Заявление №1: телефон изменён. Не вы? Наберите *1234#");
	assert_int_equal(store_int(g, "select count(*) from message"), 2);
	daemon_end(&d);
}

static void deed__by_the_second_phone_at_night__told_there_by_sms_at_once(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	clock_set(3, 0);
	city(g);
	store_sql(g, "update application set channel = 1 where number = 2");
	store_sql(g,
	    "insert into referral (number, application, play_group, status, extended, from_at, to_at, seq)"
	    " values (48872, 2, 1, 2, false, now(), now(), 1)");
	daemon_up(&d, g);
	put(g, 2, NOTICE_DECLINED, 48872, false);
	store_sql(g, "update notice set caller = (select phone2 from application where number = 2)");
	seconds_pass(&d, 2);
	assert_int_equal(state_of(g, 2), NOTICE_SENT);
	struct buf room = {0};
	const struct person p = store_person(g, message_of(g, 2), &room);
	assert_true(p.to.digits == 77012220002);
	buf_fini(&room);
	daemon_end(&d);
}

static void referral__over_before_it_is_told__dropped(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	clock_set(12, 0);
	city(g);
	store_sql(g,
	    "insert into referral (number, application, play_group, status, extended, from_at, to_at, seq)"
	    " values (48871, 1, 1, 3, false, now(), now(), 1), (48872, 2, 1, 0, false, now(),"
	    " to_timestamp(%lld / 1e6), 1)",
	    (long long)(store_wall_us() + 7 * DAY_US));
	daemon_up(&d, g);
	put(g, 1, NOTICE_OFFERED, 48871, false);
	put(g, 2, NOTICE_OFFERED, 48872, false);
	seconds_pass(&d, 1);
	assert_int_equal(state_of(g, 1), NOTICE_DROPPED);
	assert_int_equal(state_of(g, 2), NOTICE_SENT);
	struct buf room = {0};
	const struct person p = store_person(g, message_of(g, 2), &room);
	assert_non_null(strstr(p.text, "Жолдама №48872: Айгөлек. Мерзімі "));
	assert_non_null(strstr(p.text, " 12:00. Көру: *1234*4#"));
	buf_fini(&room);
	daemon_end(&d);
}

/* A watch ends when it was told, and not before. */
static void place__taken_before_it_is_told__dropped_and_watched_on(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	clock_set(12, 0);
	city(g);
	records_put_group(g, 2, "sample", 0);
	put(g, 1, NOTICE_PLACE, 1, false);
	put(g, 2, NOTICE_PLACE, 2, false);
	store_sql(g, "insert into watcher select application, subject, now(), id from notice");
	daemon_up(&d, g);
	seconds_pass(&d, 1);
	assert_int_equal(state_of(g, 1), NOTICE_SENT);
	assert_int_equal(state_of(g, 2), NOTICE_DROPPED);
	assert_int_equal(store_int(g, "select application from watcher"), 2);
	daemon_end(&d);
}

/* "1 day left" of an end that is a month ahead now; of two words about its moving the last one. */
static void referral__end_moved_before_it_is_told__told_of_the_last_alone(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;
	long long end_us = (long long)(store_wall_us() + 30 * DAY_US);

	clock_set(12, 0);
	city(g);
	store_sql(g,
	    "insert into referral (number, application, play_group, status, extended, from_at, to_at, seq)"
	    " values (48872, 2, 1, 0, true, now(), to_timestamp(%lld / 1e6), 3)",
	    end_us);
	daemon_up(&d, g);
	put(g, 2, NOTICE_REMIND, 48872, false);
	store_sql(g, "update notice set until_at = to_timestamp(%lld / 1e6)", end_us - 30 * DAY_US);
	put(g, 2, NOTICE_EXTENDED, 48872, false);
	store_sql(g, "update notice set until_at = to_timestamp(%lld / 1e6) where kind = 6", end_us - DAY_US);
	put(g, 2, NOTICE_EXTENDED, 48872, false);
	store_sql(g, "update notice set until_at = to_timestamp(%lld / 1e6) where until_at is null", end_us);
	seconds_pass(&d, 1);
	assert_int_equal(store_int(g, "select count(*) from notice where state = 4"), 2);
	assert_int_equal(store_int(g, "select count(*) from message"), 1);
	assert_int_equal(store_int(g, "select count(*) from notice where kind = 6 and state = 1"), 1);
	daemon_end(&d);
}

static void sealed_number__of_the_notice__told_there(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;
	struct buf sealed = {0};
	char hex[512];

	clock_set(12, 0);
	city(g);
	put(g, 1, NOTICE_PHONE, 1, false);
	applicant_seal_phone(g->keyring, (uint64_t)store_int(g, "select id from notice"),
	    (struct msisdn){77015550000}, &sealed);
	secret_hex(sealed.data, sealed.len, hex);
	store_sql(g, "update notice set sealed = '\\x%s'", hex);
	buf_fini(&sealed);
	daemon_up(&d, g);
	seconds_pass(&d, 1);
	text_is(g, 1, 77015550000, "Заявление №1: телефон изменён. Не вы? Наберите *1234#");
	daemon_end(&d);
}

static void person__not_to_be_opened__failed(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	clock_set(12, 0);
	city(g);
	put(g, 2, NOTICE_EXPIRED, 1, false);
	store_sql(g, "update application set sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) where "
	             "number = 2");
	daemon_up(&d, g);
	seconds_pass(&d, 1);
	assert_int_equal(state_of(g, 2), NOTICE_FAILED);
	assert_int_equal(store_int(g, "select count(*) from notice where look_at is not null"), 0);
	daemon_end(&d);
}

static void slot__left__its_notices_wait_for_whoever_takes_it(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	clock_set(12, 0);
	city(g);
	daemon_up(&d, g);
	seconds_pass(&d, 1);
	assert_int_equal(notices_leave_slot(d.notices, 0), 0);
	put(g, 1, NOTICE_NUMBER, 0, true);
	seconds_pass(&d, 3);
	assert_int_equal(state_of(g, 1), NOTICE_WAITING);
	notices_take_slot(d.notices, 0);
	seconds_pass(&d, 1);
	assert_int_equal(state_of(g, 1), NOTICE_SENT);
	daemon_end(&d);
}

/* A server that takes connections and says nothing; its socket. */
static int silent_server(char url[64])
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	snprintf(url, 64, "smtp://127.0.0.1:%u", ntohs(at.sin_port));
	return fd;
}

static void mail__no_room_for_more_letters__a_number_goes_by_sms_and_others_wait(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;
	char url[64], why[256];
	int fd = silent_server(url);
	struct mail_client *mail = mail_client_new(g->loop,
	    &(struct mail_client_options){.url = url,
	        .starttls = MAIL_STARTTLS_OFF,
	        .ca_path = "",
	        .user = "",
	        .password = "",
	        .from = "queue@example.kz",
	        .from_name = "",
	        .threads = 1,
	        .timeout_ms = 300000},
	    why);

	clock_set(12, 0);
	city(g);
	for (uint64_t n = 11; n <= 13; n++)
		records_put_application(
		    g, &(struct records_application){
		           .number = n, .channel = NOTICE_EMAIL, .email = "ana@example.kz"});
	daemon_up_with(&d, g, mail);
	put(g, 11, NOTICE_NUMBER, 0, true); /* is told to the server, without end */
	seconds_pass(&d, 1);
	put(g, 12, NOTICE_NUMBER, 0, true);
	put(g, 13, NOTICE_PLACE, 1, false);
	for (int i = 0; i < 4; i++)
		clock_pass(&d, MINUTE_US);
	assert_int_equal(state_of(g, 12), NOTICE_SENT);
	assert_int_equal(store_int(g, "select mails from notice where application = 12"), -1);
	assert_int_equal(state_of(g, 13), NOTICE_WAITING);
	assert_int_equal(store_int(g, "select mails from notice where application = 13"), 0);
	mail_client_free(mail);
	daemon_end(&d);
	close(fd);
}

/* Whoever takes the slot tells them: read here before, they would be two letters. */
static void slot__left_while_its_page_is_read__nothing_of_it_is_begun(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	clock_set(12, 0);
	city(g);
	daemon_up(&d, g);
	store_settle(g);
	store_drain(g);
	put(g, 1, NOTICE_NUMBER, 0, true);
	store_sql(g, "begin; lock table kindergarten in access exclusive mode");
	store_skip_us += 500000;
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	assert_int_equal(notices_leave_slot(d.notices, 0), 0);
	store_sql(g, "commit");
	seconds_pass(&d, 2);
	assert_int_equal(state_of(g, 1), NOTICE_WAITING);
	assert_int_equal(store_int(g, "select count(*) from message"), 0);
	notices_take_slot(d.notices, 0);
	seconds_pass(&d, 2);
	assert_int_equal(state_of(g, 1), NOTICE_SENT);
	daemon_end(&d);
}

static void page__more_than_one__all_of_them_once(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	clock_set(12, 0);
	city(g);
	daemon_up(&d, g);
	for (int i = 0; i < 300; i++)
		put(g, 1, NOTICE_PHONE, i, false);
	seconds_pass(&d, 5);
	assert_int_equal(store_int(g, "select count(*) from notice where state = 1"), 300);
	assert_int_equal(store_int(g, "select count(*) from message"), 300);
	daemon_end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(number__application_in_the_queue__told_its_place_within_a_second),
	    STORE_CASE(number__not_in_the_queue__told_without_a_place),
	    STORE_CASE(number__not_delivered_by_minute_12__alarmed_once_and_tried_on),
	    STORE_CASE(daemon__dead_over_minute_12__alarmed_by_the_next),
	    STORE_CASE(bad_end__heard_of__second_phone_at_once),
	    STORE_CASE(quiet_hours__others_than_numbers__told_at_their_end),
	    STORE_CASE(deed__by_the_second_phone_at_night__told_there_by_sms_at_once),
	    STORE_CASE(referral__over_before_it_is_told__dropped),
	    STORE_CASE(place__taken_before_it_is_told__dropped_and_watched_on),
	    STORE_CASE(referral__end_moved_before_it_is_told__told_of_the_last_alone),
	    STORE_CASE(sealed_number__of_the_notice__told_there),
	    STORE_CASE(person__not_to_be_opened__failed),
	    STORE_CASE(slot__left__its_notices_wait_for_whoever_takes_it),
	    STORE_CASE(mail__no_room_for_more_letters__a_number_goes_by_sms_and_others_wait),
	    STORE_CASE(slot__left_while_its_page_is_read__nothing_of_it_is_begun),
	    STORE_CASE(page__more_than_one__all_of_them_once),
	};

	return store_main("notices", tests, sizeof tests / sizeof *tests);
}
