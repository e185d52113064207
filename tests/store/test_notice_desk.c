/* Notices as they are read, sent, decided and alarmed about, on a real PostgreSQL. */
#include "messages_rig.h"
#include "records_rig.h"

#include "store/notice_desk.h"

#define SLOT 3

struct seen {
	int count, done;
	bool more;
	enum kz r;
	uint64_t ids[16];
	struct notice_due last; /* without its texts */
	char kindergarten[64], link[32], phone[MSISDN_TEXT];
};

static void on_due(void *arg, const struct notice_due *d)
{
	struct seen *s = arg;

	assert_true(s->count < 16);
	s->ids[s->count++] = d->id;
	s->last = *d;
	snprintf(s->kindergarten, sizeof s->kindergarten, "%s",
	    d->kindergarten[LANGUAGE_RU] ? d->kindergarten[LANGUAGE_RU] : "");
	snprintf(s->link, sizeof s->link, "%s", d->link);
}

static void on_read(void *arg, enum kz r, bool more)
{
	struct seen *s = arg;

	s->done++;
	s->r = r;
	s->more = more;
}

static struct seen desk_read(struct store_rig *g, const uint64_t *busy, size_t busy_n, int most)
{
	static const bool held[IDS_SLOTS] = {[SLOT] = true, [SLOT + 1] = true};
	const struct notice_page p = {held, store_wall_us(), most, most, busy, busy_n};
	struct seen s = {0};
	uint64_t ticket;

	assert_int_equal(notice_desk_read(g->pg, &p, on_due, on_read, &s, &ticket), KZ_OK);
	servers_await(g->loop, &s.done, 1);
	assert_int_equal(s.r, KZ_OK);
	return s;
}

static struct ids notice_ids = {.slot = SLOT};

/* look_s: when it is looked at, in seconds from now; alarm_s 0: none. */
static uint64_t notice_put(
    struct store_rig *g, uint64_t application, enum notice_kind k, int64_t subject, int look_s, int alarm_s)
{
	uint64_t id = ids_next(&notice_ids, store_wall_us() / 1000);

	store_sql(g,
	    "select notice_put(%llu, %llu, %d, %lld, now() + %d * interval '1 s', null,"
	    " case when %d <> 0 then now() + %d * interval '1 s' end, null, null, 1)",
	    (unsigned long long)id, (unsigned long long)application, k, (long long)subject, look_s, alarm_s,
	    alarm_s);
	return id;
}

static void city(struct store_rig *g)
{
	records_put_group(g, 1, "sample", 3);
	for (uint64_t i = 1; i <= 3; i++)
		records_put_application(g, &(struct records_application){.number = i, .language = 1});
}

static void put__twice__one_notice(void **state)
{
	struct store_rig *g = *state;

	city(g);
	notice_put(g, 1, NOTICE_PLACE, 1, 0, 0);
	notice_put(g, 1, NOTICE_PLACE, 1, 0, 0);
	assert_int_equal(store_int(g, "select count(*) from notice"), 1);
}

/* One that has gone makes room where it may be told of again. */
static void put__again_after_it_was_told__another_notice_of_a_place_or_a_phone(void **state)
{
	struct store_rig *g = *state;

	city(g);
	for (int i = 0; i < 2; i++) {
		notice_put(g, 1, NOTICE_PLACE, 1, 0, 0);
		notice_put(g, 1, NOTICE_PHONE, 1, 0, 0);
		notice_put(g, 1, NOTICE_OFFERED, 1, 0, 0);
		store_sql(g, "update notice set state = %d", 1 - i);
	}
	assert_string_equal(
	    store_sql(g, "select string_agg(concat(kind, state), ' ' order by kind) from notice"),
	    "10 90 110");
}

/* A referral that was extended is reminded of twice. */
static void put__another_end__another_notice(void **state)
{
	struct store_rig *g = *state;

	city(g);
	for (int i = 0; i < 4; i++)
		store_sql(g,
		    "select notice_put(%d, 1, 3, 48871, now(), timestamptz '2026-12-0%d 12:00Z', null, "
		    "null, null, 1)",
		    i + 1, 1 + i % 2);
	assert_int_equal(store_int(g, "select count(*) from notice"), 2);
}

static void read__due_of_a_held_slot__with_all_that_its_text_needs(void **state)
{
	struct store_rig *g = *state;

	city(g);
	store_sql(g, "insert into referral (number, application, play_group, status, extended, from_at, "
	             "to_at, seq)"
	             " values (48871, 2, 1, 0, false, now(), now() + interval '7 days', 1)");
	uint64_t place = notice_put(g, 1, NOTICE_PLACE, 1, -3, 0);
	uint64_t offered = notice_put(g, 2, NOTICE_OFFERED, 48871, -2, 0);
	notice_put(g, 3, NOTICE_PHONE, 1, 60, 0);
	store_sql(g, "select notice_put(7, 3, 11, 2, now(), null, null, null, null, 1)"); /* slot 0 */
	struct seen s = desk_read(g, NULL, 0, 10);
	assert_int_equal(s.count, 2);
	assert_true(s.ids[0] == place && s.ids[1] == offered);
	assert_false(s.more);
	assert_string_equal(s.kindergarten, "Айголек");
	assert_true(s.last.has_referral && s.last.referral == REFERRAL_OFFERED && s.last.referral_to_us);
	assert_int_equal(s.last.application, 2);
	assert_int_equal(s.last.language, LANGUAGE_RU);
	assert_int_equal(s.last.message, 0);
	assert_false(s.last.arrived);
	s = desk_read(g, &place, 1, 10);
	assert_int_equal(s.count, 1);
	assert_true(desk_read(g, NULL, 0, 1).more);
}

/* As many as become due when the quiet hours end. */
static void read__a_number_behind_thousands__in_the_first_page(void **state)
{
	struct store_rig *g = *state;

	city(g);
	store_sql(g,
	    "select notice_put((%llu + i) << 22 | (%d << 14), 1, 11, i, now() - interval '1 hour', null, "
	    "null, null, null, 1) from generate_series(1, 2000) i",
	    (unsigned long long)1, SLOT);
	uint64_t number = notice_put(g, 2, NOTICE_NUMBER, 0, 0, 720);
	struct seen s = desk_read(g, NULL, 0, 5);
	assert_int_equal(s.count, 6);
	assert_true(s.more);
	assert_true(s.ids[0] == number || s.ids[5] == number);
}

static void read__two_slots_and_a_page_for_one__the_longest_due_first(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {.slot = SLOT + 1};

	city(g);
	for (int i = 0; i < 3; i++)
		notice_put(g, 1, NOTICE_PHONE, i, -60, 0);
	notice_put(g, 1, NOTICE_NUMBER, 0, -60, 0);
	uint64_t number = ids_next(&ids, store_wall_us() / 1000), phone = ids_next(&ids, 0);
	store_sql(g,
	    "select notice_put(%llu, 2, 0, 0, now() - interval '1 hour', null, null, null, null, 1),"
	    " notice_put(%llu, 2, 11, 0, now() - interval '1 hour', null, null, null, null, 1)",
	    (unsigned long long)number, (unsigned long long)phone);
	struct seen s = desk_read(g, NULL, 0, 1);
	assert_int_equal(s.count, 2);
	assert_true(s.ids[0] == number && s.ids[1] == phone);
}

static void keep(struct wishes *w, int i, struct notice_row *row, unsigned n)
{
	*row = (struct notice_row){row->notice, w->rows[i].id, n, store_wall_us() + 180000000};
	w->all[i].wish.notices = row;
	w->all[i].wish.notices_n = 1;
	wishes_keep(w, i);
}

static void keep__message_of_a_notice__marked_with_it_once(void **state)
{
	struct store_rig *g = *state;
	struct wishes *w = calloc(1, sizeof *w);
	struct notice_row first, second, stranger;

	city(g);
	wishes_start(w, g, 4);
	first.notice = second.notice = notice_put(g, 1, NOTICE_NUMBER, 0, 0, 720);
	stranger.notice = notice_put(g, 2, NOTICE_NUMBER, 0, 0, 720);
	keep(w, 0, &first, 1);
	wishes_await(w, 1);
	assert_int_equal(w->all[0].r, KZ_OK);
	keep(w, 1, &second, 1); /* the same number from somebody who read before */
	keep(w, 2, &stranger, 1);
	wishes_await(w, 3);
	assert_int_equal(w->all[1].r, KZ_REFUSED);
	assert_int_equal(w->all[2].r, KZ_OK);
	assert_int_equal(store_int(g, "select count(*) from message"), 2);
	assert_int_equal(store_int(g, "select sends from notice where application = 1"), 1);
	assert_true(
	    store_int(g, "select message from notice where application = 1") == (long long)w->rows[0].id);
	assert_int_equal(store_int(g, "select state from notice where application = 1"), NOTICE_SENT);
	keep(w, 3, &second, 2);
	wishes_await(w, 4);
	assert_int_equal(w->all[3].r, KZ_OK);
	assert_true(
	    store_int(g, "select earlier[1] from notice where application = 1") == (long long)w->rows[0].id);
	wishes_end(w);
	free(w);
}

static void keep__again_since_its_commit_was_lost__the_same_stands(void **state)
{
	struct store_rig *g = *state;
	struct wishes *w = calloc(1, sizeof *w);
	struct notice_row row;

	city(g);
	wishes_start(w, g, 1);
	row.notice = notice_put(g, 1, NOTICE_NUMBER, 0, 0, 720);
	keep(w, 0, &row, 1);
	wishes_await(w, 1);
	memset(&w->all[0].wish.item, 0, sizeof w->all[0].wish.item);
	wishes_keep(w, 0);
	wishes_await(w, 2);
	assert_int_equal(w->all[0].r, KZ_CONFLICT); /* of its Idempotency-Key: the first one stood */
	assert_int_equal(store_int(g, "select sends from notice"), 1);
	wishes_end(w);
	free(w);
}

static void on_done(void *arg, enum kz r)
{
	assert_int_equal(r, KZ_OK);
	++*(int *)arg;
}

static void hear__newest_message_ended_badly__its_notice_is_due(void **state)
{
	struct store_rig *g = *state;
	struct ids ids = {0};
	int done = 0;
	uint64_t ticket;

	city(g);
	uint64_t message = store_put_message(g, &ids, 1, 77010000001), other = message + 1;
	uint64_t notice = notice_put(g, 1, NOTICE_NUMBER, 0, 60, 720);
	store_sql(g, "update notice set state = 1, sends = 1, message = %llu", (unsigned long long)message);
	store_put_event(g, message, 0, 1, false, 1, 1, 1, "kcell", "77");
	store_sql(g, "update message_event set link = 'kcell.1'");
	store_put_event(g, message, 9, 4, true, MESSAGE_UNDELIVERABLE, 1, 1, "kcell", NULL);
	assert_int_equal(desk_read(g, NULL, 0, 10).count, 0);
	const uint64_t heard[] = {other, message};
	assert_int_equal(notice_desk_hear(g->pg, heard, 2, on_done, &done, &ticket), KZ_OK);
	servers_await(g->loop, &done, 1);
	struct seen s = desk_read(g, NULL, 0, 10);
	assert_int_equal(s.count, 1);
	assert_true(s.ids[0] == notice);
	assert_int_equal(s.last.message_state, MESSAGE_UNDELIVERABLE);
	assert_string_equal(s.link, "kcell.1");
	assert_false(s.last.to_second);
	store_sql(g, "update application set phone2 = phone1");
	store_put_event(g, other, 9, 4, true, MESSAGE_DELIVERED, 1, 1, "kcell", NULL);
	store_sql(g, "update notice set earlier = array[%llu]", (unsigned long long)other);
	s = desk_read(g, NULL, 0, 10);
	assert_true(s.last.arrived && s.last.to_second);
}

static int ruled;

static void on_ruled(struct notice_ruling *r, enum kz result)
{
	(void)r;
	assert_int_equal(result, KZ_OK);
	ruled++;
}

static void rule(struct store_rig *g, struct notice_desk *d, struct notice_ruling r)
{
	int before = ruled;

	r.done = on_ruled;
	notice_desk_rule(d, &r);
	servers_await(g->loop, &ruled, before + 1);
}

static void rule__as_it_was_seen__written_and_never_behind_its_alarm(void **state)
{
	struct store_rig *g = *state;
	struct notice_desk *d = notice_desk_new(g->loop, g->pg, &g->limits);

	city(g);
	uint64_t id = notice_put(g, 1, NOTICE_NUMBER, 0, 0, 720);
	struct notice_ruling r = {.id = id, .sends = 1, .was = NOTICE_WAITING, .becomes = NOTICE_DROPPED};
	rule(g, d, r);
	assert_int_equal(store_int(g, "select state from notice"), NOTICE_WAITING);
	r.sends = 0;
	r.becomes = NOTICE_FAILED;
	r.mails = -1;
	rule(g, d, r);
	assert_int_equal(store_int(g, "select state from notice"), NOTICE_FAILED);
	assert_int_equal(store_int(g, "select mails from notice"), -1);
	assert_string_equal(store_sql(g, "select look_at = alarm_at from notice"), "t");
	r.was = NOTICE_FAILED;
	r.becomes = NOTICE_DELIVERED;
	r.look_at_us = store_wall_us();
	rule(g, d, r);
	assert_string_equal(store_sql(g, "select look_at is null and alarm_at is null from notice"), "t");
	notice_desk_free(d);
}

#define LOOKED                                                                                               \
	"select string_agg(play_group::text, ' ' order by play_group) from vacancy where watch_at <= now()"

/* The clock passed the watcher over as long as the notice was not dropped. */
static void rule__notice_of_a_place_dropped__what_is_free_there_is_looked_at_once_more(void **state)
{
	struct store_rig *g = *state;
	struct notice_desk *d = notice_desk_new(g->loop, g->pg, &g->limits);
	struct notice_ruling r = {.was = NOTICE_WAITING, .becomes = NOTICE_DROPPED};

	city(g);
	records_put_group(g, 2, "sample", 1);
	records_put_group(g, 3, "sample", 0);
	store_sql(g, "update play_group set kindergarten = 3 where id = 2");
	store_sql(g, "update vacancy set watch_at = now() + interval '1 hour'");
	r.id = notice_put(g, 1, NOTICE_PLACE, 3, 0, 0);
	rule(g, d, r);
	assert_string_equal(store_sql(g, LOOKED), "2");
	r.id = notice_put(g, 1, NOTICE_PLACE, 1, 0, 0);
	rule(g, d, r);
	assert_string_equal(store_sql(g, LOOKED), "1 2");
	notice_desk_free(d);
}

struct alarmed {
	int count, found;
	enum kz r;
};

static void on_alarm(void *arg, enum kz r, bool found, const char *sqlstate)
{
	struct alarmed *a = arg;

	(void)sqlstate;
	a->count++;
	a->found += found;
	a->r = r;
}

static void on_late(void *arg, const struct notice_late *l)
{
	struct alarmed *a = arg;

	assert_int_equal(l->application, 1);
	assert_true(l->late_us > 0);
	a->found++;
}

static void on_late_done(void *arg, enum kz r)
{
	struct alarmed *a = arg;

	a->count++;
	a->r = r;
}

static int late_count(struct store_rig *g)
{
	struct alarmed a = {0};

	assert_int_equal(notice_desk_late(g->pg, on_late, on_late_done, &a), KZ_OK);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_OK);
	return a.found;
}

/* For its alarm, whose news this daemon may number. */
static uint64_t number_waits(struct store_rig *g)
{
	city(g);
	uint64_t id = notice_put(g, 1, NOTICE_NUMBER, 0, -1, -1);
	store_hold_slot(g, SLOT);
	store_hold_feed_slot(g);
	return id;
}

static void alarm__twice__once_with_its_news(void **state)
{
	struct store_rig *g = *state;
	struct feed_hold holds[2] = {0};
	struct alarmed a = {0};

	city(g);
	uint64_t id = notice_put(g, 1, NOTICE_NUMBER, 0, -1, -1);
	assert_int_equal(late_count(g), 0);
	store_hold_slot(g, SLOT);
	store_hold_feed_slot(g);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(notice_desk_alarm(g->pg, g->feed, &holds[i], id, on_alarm, &a), KZ_OK);
		servers_await(g->loop, &a.count, i + 1);
		assert_int_equal(a.r, KZ_OK);
		feed_release(g->feed, &holds[i]);
	}
	assert_int_equal(a.found, 1);
	assert_int_equal(store_int(g, "select count(*) from news where kind = 9 and application = 1"), 1);
	assert_int_equal(store_int(g, "select seq from news"), 2);
	assert_int_equal(store_int(g, "select seq from application where number = 1"), 2);
	assert_int_equal(late_count(g), 1);
	assert_int_equal(desk_read(g, NULL, 0, 10).count, 1); /* ways may be left */
	assert_int_equal(desk_read(g, NULL, 0, 10).last.alarm_us, 0);
	store_sql(g, "update notice set state = 2");
	assert_int_equal(late_count(g), 0);
}

/* What is changed at the same time has its news before, and another number. */
static void alarm__application_being_changed__after_it_with_a_number_of_its_own(void **state)
{
	struct store_rig *g = *state;
	struct feed_hold hold = {0};
	struct alarmed a = {0};

	uint64_t id = number_waits(g);
	store_sql(g, "begin; select places_lock(); update application set seq = seq + 1 where number = 1");
	assert_int_equal(notice_desk_alarm(g->pg, g->feed, &hold, id, on_alarm, &a), KZ_OK);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	store_sql(g, "commit");
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.found, 1);
	assert_int_equal(store_int(g, "select seq from news"), 3);
	feed_release(g->feed, &hold);
}

static void alarm__slot_of_another__refused(void **state)
{
	struct store_rig *g = *state;
	struct feed_hold hold = {0};
	struct alarmed a = {0};

	city(g);
	uint64_t id = notice_put(g, 1, NOTICE_NUMBER, 0, -1, -1);
	store_hold_feed_slot(g);
	assert_int_equal(notice_desk_alarm(g->pg, g->feed, &hold, id, on_alarm, &a), KZ_OK);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_REFUSED);
	assert_int_equal(store_int(g, "select count(*) from news"), 0);
	feed_release(g->feed, &hold);
}

/* As when the daemon ends: nobody tries it again. */
static void alarm__given_up_while_its_commit_hangs__its_number_is_held_until_then(void **state)
{
	struct store_rig *g = *state;
	struct feed_hold hold = {0};
	struct alarmed a = {0};

	store_hasten(g);
	uint64_t id = number_waits(g);
	servers_set_standby("nobody");
	assert_int_equal(notice_desk_alarm(g->pg, g->feed, &hold, id, on_alarm, &a), KZ_OK);
	uint64_t number = hold.first;
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_LOST);
	feed_release(g->feed, &hold);
	while (!pg_jobs(g->pg))
		loop_turn(g->loop, 20);
	while (pg_jobs(g->pg))
		loop_turn(g->loop, 20);
	assert_true(feed_low(g->feed) == number);
	servers_set_standby("");
	store_await_sure(g);
	assert_true((uint64_t)store_int(g, "select feed from news") == number);
}

static void alarm__its_number_was_shut__tried_again_with_another(void **state)
{
	struct store_rig *g = *state;
	struct feed_hold hold = {0};
	struct alarmed a = {0};

	uint64_t id = number_waits(g);
	uint64_t number = feed_number(g->feed, &hold, 1);
	store_sql(g, "select feed_shut(%llu)", (unsigned long long)number);
	assert_int_equal(notice_desk_alarm(g->pg, g->feed, &hold, id, on_alarm, &a), KZ_OK);
	servers_await(g->loop, &a.count, 1);
	assert_int_equal(a.r, KZ_LOST);
	assert_int_equal(notice_desk_alarm(g->pg, g->feed, &hold, id, on_alarm, &a), KZ_OK);
	servers_await(g->loop, &a.count, 2);
	assert_int_equal(a.found, 1);
	assert_true((uint64_t)store_int(g, "select feed from news") > number);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(put__twice__one_notice),
	    STORE_CASE(put__again_after_it_was_told__another_notice_of_a_place_or_a_phone),
	    STORE_CASE(put__another_end__another_notice),
	    STORE_CASE(read__due_of_a_held_slot__with_all_that_its_text_needs),
	    STORE_CASE(read__a_number_behind_thousands__in_the_first_page),
	    STORE_CASE(read__two_slots_and_a_page_for_one__the_longest_due_first),
	    STORE_CASE(keep__message_of_a_notice__marked_with_it_once),
	    STORE_CASE(keep__again_since_its_commit_was_lost__the_same_stands),
	    STORE_CASE(hear__newest_message_ended_badly__its_notice_is_due),
	    STORE_CASE(rule__as_it_was_seen__written_and_never_behind_its_alarm),
	    STORE_CASE(rule__notice_of_a_place_dropped__what_is_free_there_is_looked_at_once_more),
	    STORE_CASE(alarm__twice__once_with_its_news),
	    STORE_CASE(alarm__application_being_changed__after_it_with_a_number_of_its_own),
	    STORE_CASE(alarm__slot_of_another__refused),
	    STORE_CASE(alarm__given_up_while_its_commit_hangs__its_number_is_held_until_then),
	    STORE_CASE(alarm__its_number_was_shut__tried_again_with_another),
	};

	return store_main("notice_desk", tests, sizeof tests / sizeof *tests);
}
