/* clocks on a real PostgreSQL and the shipped region's law, by a clock that is put where the test wants it.
 */
#include "places_rig.h"

#include "base/metrics.h"
#include "flow/clocks.h"
#include "rules/notice.h"

struct daemon {
	struct store_rig *rig;
	struct places_rig *p;
	struct clocks *clocks;
};

static uint64_t daemon_next_id(void *arg)
{
	const struct daemon *d = arg;

	return send_id(d->p->send);
}

static void daemon_up(struct daemon *d, struct store_rig *g, uint8_t slot)
{
	*d = (struct daemon){.rig = g, .p = places_rig_make(g, slot)};
	d->clocks = clocks_new(
	    &(struct clocks_base){g->loop, g->pg, g->feed, g->keyring, d->p->places, daemon_next_id, d},
	    &(struct clocks_files){d->p->regions, d->p->calendar});
	clocks_start(d->clocks);
}

static void daemon_end(struct daemon *d)
{
	clocks_stop(d->clocks);
	places_stop(d->p->places);
	store_drain(d->rig);
	clocks_free(d->clocks);
	places_rig_free(d->p);
}

/* The wall clock, from now on, with the partitions of its days. Notices that stand may be swept: their time
 * is the server's. */
static void time_is(struct store_rig *g, const char *moment)
{
	store_wall_skip_us += clock_parse_rfc3339(moment) - store_wall_us();
	store_make_partitions(g);
	store_wall_skip_us += clock_parse_rfc3339(moment) - store_wall_us();
}

/* Long enough for whatever is due to be done, several pages of it too. */
static void seconds_pass(struct store_rig *g, int seconds)
{
	for (int i = 0; i < seconds; i++) {
		store_skip_us += 1000000;
		for (int turn = 0; turn < 8; turn++) {
			loop_turn(g->loop, 1);
			store_drain(g);
		}
	}
}

/* What is due now is done as often as it can be. */
static void daemon_runs(struct store_rig *g)
{
	struct daemon d;

	daemon_up(&d, g, 0);
	seconds_pass(g, 3);
	daemon_end(&d);
}

/* Of application number, which it makes too; ends and reminds at those moments. */
static void referral_put(struct store_rig *g, uint64_t number, const char *to, const char *remind)
{
	records_put_application(
	    g, &(struct records_application){.number = number, .status = APPLICATION_REFERRED});
	store_sql(g,
	    "insert into referral (number, application, play_group, status, extended, from_at, to_at, "
	    "remind_at, seq)"
	    " values (%llu, %llu, 1, 0, false, timestamptz '%s' - interval '7 days', "
	    "'%s',"
	    " nullif('%s', '')::timestamptz, 1)",
	    (unsigned long long)number, (unsigned long long)number, to, to, remind);
}

#define NOTICE(number)                                                                                       \
	"select concat_ws('|', kind, subject, look_at at time zone 'UTC', until_at at time zone "            \
	"'UTC',"                                                                                             \
	" api_key, state, (id >> 14) & 255) from notice where application = " #number

static void remind__a_day_before_the_end__once_with_the_end(void **state)
{
	struct store_rig *g = *state;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 3);
	referral_put(g, 71, "2026-12-31 06:00Z", "2026-12-30 06:00Z");
	referral_put(g, 72, "2026-12-31 06:05Z", "2026-12-30 06:05Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice"), 1);
	assert_int_equal(
	    store_int(g, "select count(*) from notice where look_at < '2026-12-30 06:00:10Z'"), 1);
	assert_int_equal(
	    store_int(g, "select count(*) from referral where number = 71 and remind_at is null and seq = 2"),
	    1);
	store_sql(g, "update notice set look_at = null");
	assert_string_equal(store_sql(g, NOTICE(71)), "3|71|2026-12-31 06:00:00|1|0|0");
	time_is(g, "2026-12-30T06:05:00Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice where application = 72 and kind = 3"), 1);
}

static void remind__end_was_moved_after_a_reminder__reminded_of_the_new_one(void **state)
{
	struct store_rig *g = *state;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 3);
	referral_put(g, 71, "2026-12-31 06:00Z", "2026-12-30 06:00Z");
	daemon_runs(g);
	store_sql(g, "update notice set look_at = null, state = 2; update referral set status = 1,"
	             " to_at = '2027-01-12 06:00Z', remind_at = '2026-12-30 06:00:05Z', seq = seq + 1");
	store_wall_skip_us += 10000000;
	daemon_runs(g);
	assert_string_equal(store_sql(g, "select until_at at time zone 'UTC' from notice where kind = 3"),
	    "2027-01-12 06:00:00");
	assert_int_equal(store_int(g, "select count(*) from notice where look_at is not null"), 1);
}

/* 22:00 to 08:00 there, which is 17:00 to 03:00 by UTC. */
static void remind__in_quiet_hours__waits_for_the_morning_unless_the_day_is_the_last(void **state)
{
	struct store_rig *g = *state;

	time_is(g, "2026-12-30T18:00:00Z"); /* 23:00 of 30 December */
	records_put_group(g, 1, "sample", 3);
	referral_put(g, 71, "2026-12-31 18:00Z", "2026-12-30 18:00Z");
	referral_put(g, 72, "2026-12-30 18:30Z", "2026-12-30 18:00Z"); /* ends the same local day */
	referral_put(g, 73, "2026-12-31 02:00Z", "2026-12-30 18:00Z"); /* before the quiet hours do */
	daemon_runs(g);
	assert_string_equal(
	    store_sql(g, "select look_at at time zone 'UTC' from notice where application = 71"),
	    "2026-12-31 03:00:00");
	assert_int_equal(store_int(g, "select count(*) from notice where application in (72, 73)"
	                              " and look_at between '2026-12-30 18:00Z' and '2026-12-30 18:01Z'"),
	    2);
}

static void remind__all_daemons_were_away__those_not_ended_are_told(void **state)
{
	struct store_rig *g = *state;

	time_is(g, "2027-01-03T06:00:00Z");
	records_put_group(g, 1, "sample", 3);
	referral_put(g, 71, "2027-01-03 05:00Z", "2027-01-02 05:00Z");
	referral_put(g, 72, "2027-01-03 08:00Z", "2027-01-02 08:00Z");
	referral_put(g, 73, "2027-01-03 08:00Z", "2027-01-02 08:00Z");
	store_sql(g, "update referral set status = 2 where number = 73");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select application from notice where kind = 3"), 72);
	assert_int_equal(store_int(g, "select count(*) from notice where kind = 3"), 1);
	assert_int_equal(store_int(g, "select count(*) from referral where remind_at is not null"), 0);
}

static void remind__two_daemons_and_pages_of_them__each_once(void **state)
{
	struct store_rig *g = *state;
	struct daemon one, two;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 3);
	for (uint64_t n = 1000; n < 1250; n++)
		referral_put(g, n, "2026-12-31 06:00Z", "2026-12-30 06:00Z");
	daemon_up(&one, g, 0);
	daemon_up(&two, g, 1);
	seconds_pass(g, 3);
	assert_int_equal(store_int(g, "select count(*) from notice where kind = 3"), 250);
	assert_int_equal(
	    store_int(g, "select count(*) from referral where seq = 2 and remind_at is null"), 250);
	daemon_end(&one);
	daemon_end(&two);
}

static void remind__region_not_configured__the_others_are_told(void **state)
{
	struct store_rig *g = *state;
	double faults = metrics_total("kezek_clocks_faults_total");

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 3);
	referral_put(g, 72, "2026-12-31 06:00Z", "2026-12-30 06:00Z");
	store_sql(g, "update district set region = 'nowhere'");
	referral_put(g, 71, "2026-12-31 06:00Z", "2026-12-30 06:00Z");
	records_put_group(g, 2, "sample", 3);
	store_sql(g, "update application set district = 2 where number = 71");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select application from notice"), 71);
	assert_true(metrics_total("kezek_clocks_faults_total") > faults);
	assert_int_equal(store_int(g, "select count(*) from referral where remind_at is not null"), 1);
}

#define SOMEBODY_WAITS "select (count(*) > 0)::int from pg_locks where not granted"
#define REFERRAL                                                                                             \
	"select concat_ws('|', r.status, a.status, v.free, a.stop_list_until at time zone 'UTC') from "      \
	"referral r"                                                                                         \
	" join application a on a.number = r.application join vacancy v on v.play_group = r.play_group"      \
	" where r.number = "

/* At midnight there: 2027 begins. The stop list counts from the end, 10 days. */
static void end__past_its_end__expired_with_all_that_follows(void **state)
{
	struct store_rig *g = *state;

	time_is(g, "2026-12-31T18:59:55Z");
	records_put_group(g, 1, "sample", 0);
	referral_put(g, 71, "2026-12-31 19:00Z", "");
	daemon_runs(g);
	assert_string_equal(store_sql(g, REFERRAL "71"), "0|1|0");
	time_is(g, "2026-12-31T19:00:00Z");
	daemon_runs(g);
	assert_string_equal(store_sql(g, REFERRAL "71"), "3|0|1|2027-01-10 19:00:00");
	assert_string_equal(
	    store_sql(g, "select concat_ws('|', kind, subject, look_at at time zone 'UTC') from notice"),
	    "7|71|2027-01-01 03:00:00");
	assert_string_equal(
	    store_sql(g, "select concat_ws('|', application, kind, via, referral) from news"), "71|4|2|71");
}

/* Taken on a Wednesday at 10:00, accepted on the next day at 15:20: five working days without New Year, the
 * day moved to Monday, and Christmas. */
static void end__documents_over_the_holidays__to_the_minute(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	time_is(g, "2026-12-30T05:00:00Z");
	records_put_group(g, 1, "sample", 1);
	records_put_application(g, &(struct records_application){.number = 7});
	daemon_up(&d, g, 0);
	struct places_told t = places_rig_take(d.p, 7, 1, 5);
	assert_int_equal(t.r, KZ_OK);
	time_is(g, "2026-12-31T10:20:00Z");
	assert_int_equal(places_rig_hear(d.p, t.answer.referral.number, REFERRAL_ACCEPT, 6).r, KZ_OK);
	time_is(g, "2027-01-11T10:19:55Z");
	seconds_pass(g, 3);
	assert_int_equal(store_int(g, "select count(*) from notice where kind = 3"), 0);
	time_is(g, "2027-01-11T10:20:00Z");
	seconds_pass(g, 3);
	assert_string_equal(
	    store_sql(
	        g, "select date_trunc('second', until_at at time zone 'UTC') from notice where kind = 3"),
	    "2027-01-12 10:20:00");
	time_is(g, "2027-01-12T10:19:55Z");
	seconds_pass(g, 3);
	assert_int_equal(store_int(g, "select status from referral"), REFERRAL_ACCEPTED);
	time_is(g, "2027-01-12T10:20:00Z");
	seconds_pass(g, 3);
	assert_int_equal(store_int(g, "select status from referral"), REFERRAL_EXPIRED);
	assert_int_equal(store_int(g, "select free from vacancy"), 1);
	daemon_end(&d);
}

/* Its end was on 3 January; nobody ran for two weeks. */
static void end__all_daemons_were_away__as_it_would_have_been(void **state)
{
	struct store_rig *g = *state;

	time_is(g, "2027-01-17T06:00:00Z");
	records_put_group(g, 1, "sample", 0);
	referral_put(g, 71, "2027-01-03 05:00Z", "2027-01-02 05:00Z");
	daemon_runs(g);
	assert_string_equal(store_sql(g, REFERRAL "71"), "3|0|1|2027-01-13 05:00:00");
	assert_string_equal(store_sql(g, "select string_agg(kind::text, ' ') from notice"), "7");
	assert_int_equal(store_int(g, "select count(*) from vacancy where released_at > '2027-01-17'"), 1);
}

static void end__two_daemons_and_pages_of_them__each_once(void **state)
{
	struct store_rig *g = *state;
	struct daemon one, two;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 3);
	for (uint64_t n = 1000; n < 1250; n++)
		referral_put(g, n, "2026-12-30 05:00Z", "");
	daemon_up(&one, g, 0);
	daemon_up(&two, g, 1);
	for (int i = 0; i < 30 && store_int(g, "select count(*) from referral where status < 2"); i++)
		seconds_pass(g, 1);
	assert_int_equal(store_int(g, "select count(*) from referral where status = 3 and seq = 2"), 250);
	assert_int_equal(store_int(g, "select count(*) from notice where kind = 7"), 250);
	assert_int_equal(store_int(g, "select count(*) from news where kind = 4"), 250);
	assert_int_equal(store_int(g, "select free from vacancy"), 253);
	daemon_end(&one);
	daemon_end(&two);
}

static void end__region_not_configured__the_others_end(void **state)
{
	struct store_rig *g = *state;
	double faults = metrics_total("kezek_clocks_faults_total");

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "nowhere", 0);
	referral_put(g, 71, "2026-12-30 05:00Z", "");
	records_put_group(g, 2, "sample", 0);
	referral_put(g, 72, "2026-12-30 05:30Z", "");
	store_sql(g, "update referral set play_group = 2 where number = 72");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select status from referral where number = 71"), REFERRAL_OFFERED);
	assert_int_equal(store_int(g, "select status from referral where number = 72"), REFERRAL_EXPIRED);
	assert_true(metrics_total("kezek_clocks_faults_total") > faults);
	assert_true(metrics_total("kezek_clocks_lag_seconds") >= 3600);
}

/* What is under way when the slot is lost is answered; the clock goes on when one is held again. */
static void end__slot_lost_meanwhile__goes_on_with_the_next(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 0);
	referral_put(g, 71, "2026-12-30 05:00Z", "");
	daemon_up(&d, g, 0);
	store_sql(g, "begin; select places_lock()");
	store_skip_us += 1000000;
	store_await_sql(g, SOMEBODY_WAITS, 1);
	clocks_stop(d.clocks);
	clocks_start(d.clocks);
	store_sql(g, "commit");
	referral_put(g, 72, "2026-12-30 05:30Z", "");
	seconds_pass(g, 4);
	assert_int_equal(store_int(g, "select count(*) from referral where status = 3"), 2);
	daemon_end(&d);
}

/* Of a kindergarten, from some time ago on. */
static void watch_put(struct store_rig *g, uint64_t application, int kindergarten)
{
	store_sql(g,
	    "insert into watcher (application, kindergarten, at) values (%llu, %d, now() - interval '1 "
	    "minute')",
	    (unsigned long long)application, kindergarten);
}

/* Its free places are to be looked at for watchers now. */
static void group_opens(struct store_rig *g, int group)
{
	store_sql(g,
	    "update vacancy set watch_at = to_timestamp(%lld / 1e6), released_at = to_timestamp(%lld / 1e6)"
	    " where play_group = %d",
	    (long long)store_wall_us(), (long long)store_wall_us(), group);
}

/* She watches until that has gone. */
#define WATCHES(which)                                                                                       \
	"select count(*) from watcher w where (w.notice is null or not exists"                               \
	" (select from notice where id = w.notice and state = 0)) and " which

static void watch__place_is_free__told_once(void **state)
{
	struct store_rig *g = *state;
	struct daemon one, two;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 1);
	records_put_group(g, 2, "sample", 1);
	records_put_application(g, &(struct records_application){.number = 51});
	records_put_application(g, &(struct records_application){.number = 52});
	watch_put(g, 51, 1);
	watch_put(g, 52, 2);
	group_opens(g, 1);
	daemon_up(&one, g, 0);
	daemon_up(&two, g, 0);
	seconds_pass(g, 3);
	assert_int_equal(store_int(g, "select count(*) from notice"), 1);
	store_sql(g, "update notice set look_at = null");
	assert_string_equal(store_sql(g, NOTICE(51)), "9|1|1|0|0");
	assert_int_equal(store_int(g, WATCHES("application = 51")), 0);
	assert_int_equal(store_int(g, WATCHES("application = 52")), 1);
	daemon_end(&one);
	daemon_end(&two);
}

static void watch__not_her_turn_yet__told_when_it_comes(void **state)
{
	struct store_rig *g = *state;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 1);
	records_put_application(g, &(struct records_application){.number = 51});
	records_put_application(g, &(struct records_application){.number = 52, .category = "privileged"});
	records_put_application(g, &(struct records_application){.number = 53});
	store_sql(g, "update application set stop_list_until = '2027-01-05 06:00Z' where number = 53");
	for (uint64_t n = 51; n <= 53; n++)
		watch_put(g, n, 1);
	group_opens(g, 1);
	store_sql(g, "update vacancy set priority_until = '2026-12-30 06:30Z'");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select application from notice"), 52);
	assert_string_equal(
	    store_sql(g, "select watch_at at time zone 'UTC' from vacancy"), "2026-12-30 06:30:00");
	time_is(g, "2026-12-30T06:30:00Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice where application = 51"), 1);
	time_is(g, "2027-01-05T05:59:50Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, WATCHES("application = 53")), 1);
	time_is(g, "2027-01-05T06:00:00Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice where application = 53"), 1);
	assert_int_equal(store_int(g, WATCHES("true")), 0);
}

/* Age counts on 1 September of the year: one of 2 September 2025 is a year old by it from 2027 on. */
static void watch__of_age_from_new_year_on__told_in_the_morning(void **state)
{
	struct store_rig *g = *state;

	time_is(g, "2026-12-31T16:59:30Z"); /* half a minute to 22:00 */
	records_put_group(g, 1, "sample", 1);
	records_put_application(g, &(struct records_application){.number = 51, .child = "2509025"});
	watch_put(g, 51, 1);
	group_opens(g, 1);
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice"), 0);
	time_is(g, "2026-12-31T19:30:05Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice"), 0);
	time_is(g, "2027-01-01T03:00:05Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select application from notice"), 51);
}

/* Until then the place is anybody's. */
static void watch__in_quiet_hours__judged_when_they_end(void **state)
{
	struct store_rig *g = *state;

	time_is(g, "2026-12-30T18:00:00Z"); /* 23:00 */
	for (int id = 1; id <= 2; id++) {
		records_put_group(g, id, "sample", 1);
		records_put_application(
		    g, &(struct records_application){.number = 50 + (uint64_t)id, .district = id});
		watch_put(g, 50 + (uint64_t)id, id);
		group_opens(g, id);
	}
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice"), 0);
	assert_int_equal(
	    store_int(g, "select count(*) from vacancy where watch_at = '2026-12-31 03:00Z'"), 2);
	store_sql(g, "update vacancy set free = 0 where play_group = 2");
	time_is(g, "2026-12-31T03:00:00Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice"), 1);
	assert_int_equal(store_int(g, "select application from notice"), 51);
	assert_int_equal(store_int(g, WATCHES("application = 52")), 1);
}

/* Application 51 watches its kindergarten. */
static void watched_group_opens(struct store_rig *g, int free)
{
	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", free);
	records_put_application(g, &(struct records_application){.number = 51});
	watch_put(g, 51, 1);
	group_opens(g, 1);
	daemon_runs(g);
}

static void watch__her_notice_came_to_nothing__told_when_a_place_is_free_again(void **state)
{
	struct store_rig *g = *state;

	watched_group_opens(g, 1);
	assert_int_equal(
	    store_int(g, "select count(*) from vacancy where watch_at > '2026-12-30 06:59Z'"), 1);
	store_sql(g, "update notice set state = 4, look_at = null");
	group_opens(g, 1);
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice where state = 0"), 1);
	assert_int_equal(store_int(g, WATCHES("true")), 0);
}

static void watch__place_gone__looked_at_when_one_comes(void **state)
{
	struct store_rig *g = *state;

	watched_group_opens(g, 0);
	assert_int_equal(store_int(g, "select count(*) from notice"), 0);
	assert_int_equal(store_int(g, "select count(*) from vacancy where watch_at is null"), 1);
	assert_int_equal(store_int(g, "select count(*) from watcher"), 1);
}

static void watch__watched_again_after_it_was_told__told_again(void **state)
{
	struct store_rig *g = *state;

	watched_group_opens(g, 1);
	uint64_t first = (uint64_t)store_int(g, "select id from notice");
	/* its receipt is still waited for */
	store_sql(
	    g, "update notice set look_at = now() + interval '6 hours', state = 1; delete from watcher");
	watch_put(g, 51, 1);
	group_opens(g, 1);
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice where state = 0"), 1);
	assert_true((uint64_t)store_int(g, "select id from notice") != first);
}

/* Its application was over and came back, say; the notice waits for the mail server. */
static void watch__watched_again_before_it_was_told__told_once(void **state)
{
	struct store_rig *g = *state;

	watched_group_opens(g, 1);
	store_sql(g, "delete from watcher");
	watch_put(g, 51, 1);
	group_opens(g, 1);
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice"), 1);
	store_sql(g, "update notice set state = 1; select watchers_told(array[(select id from notice)])");
	assert_int_equal(store_int(g, "select count(*) from watcher"), 0);
}

static void watch__pages_of_watchers__all_are_told(void **state)
{
	struct store_rig *g = *state;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 1);
	for (uint64_t n = 1000; n < 1250; n++) {
		records_put_application(
		    g, &(struct records_application){.number = n, .groups = n % 2 ? 1u << LANGUAGE_RU : 0});
		watch_put(g, n, 1);
	}
	group_opens(g, 1);
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice"), 125);
	assert_int_equal(store_int(g, WATCHES("true")), 125);
}

/* Whoever changes the terms has it looked at anew. */
static void watch__terms_change_meanwhile__its_new_time_stays(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 1);
	group_opens(g, 1);
	daemon_up(&d, g, 0);
	store_sql(g, "begin; update vacancy set terms = 2, watch_at = '2026-12-30 09:00Z'");
	store_skip_us += 1000000;
	store_await_sql(g, SOMEBODY_WAITS, 1);
	store_sql(g, "commit");
	seconds_pass(g, 2);
	assert_string_equal(
	    store_sql(g, "select watch_at at time zone 'UTC' from vacancy"), "2026-12-30 09:00:00");
	daemon_end(&d);
}

static double clock_done(const char *clock)
{
	return metric_value(metric_counter("kezek_clocks_done_total", "", clock));
}

/* And a place whose watchers are told is not looked at anew for that. */
static void clocks__reminded_and_told__counted(void **state)
{
	struct store_rig *g = *state;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 3);
	referral_put(g, 71, "2026-12-31 06:00Z", "2026-12-30 06:00Z");
	records_put_application(g, &(struct records_application){.number = 51});
	watch_put(g, 51, 1);
	group_opens(g, 1);
	double reminded = clock_done("clock=\"remind\""), told = clock_done("clock=\"watch\"");
	daemon_runs(g);
	assert_true(clock_done("clock=\"remind\"") == reminded + 1);
	assert_true(clock_done("clock=\"watch\"") == told + 1);
	assert_int_equal(
	    store_int(g, "select count(*) from vacancy where watch_at > '2026-12-30 06:59Z'"), 1);
}

/* The daemon was stopped in between, and another has its slot: that one reminds and tells. */
static void clocks__slot_taken_meanwhile__nothing_written_until_it_is_held_again(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 3);
	referral_put(g, 71, "2026-12-31 06:00Z", "2026-12-30 06:00Z");
	records_put_application(g, &(struct records_application){.number = 51});
	watch_put(g, 51, 1);
	group_opens(g, 1);
	daemon_up(&d, g, 0);
	store_sql(g, "update slot set epoch = epoch + 1");
	seconds_pass(g, 3);
	assert_int_equal(store_int(g, "select count(*) from notice"), 0);
	assert_int_equal(store_int(g, "select count(*) from watcher"), 1);
	assert_int_equal(store_int(g, "select count(*) from referral where remind_at is not null"), 1);
	lease_take(g->lease, 0, store_int(g, "select epoch from slot"));
	seconds_pass(g, 3);
	assert_int_equal(store_int(g, "select count(*) from notice"), 2);
	daemon_end(&d);
}

/* A free place that nobody watches is put aside behind the fence too. */
static void watch__slot_taken_meanwhile__its_time_stays(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 1);
	group_opens(g, 1);
	daemon_up(&d, g, 0);
	store_sql(g, "update slot set epoch = epoch + 1");
	seconds_pass(g, 3);
	assert_int_equal(store_int(g, "select count(*) from vacancy where watch_at is not null"), 1);
	lease_take(g->lease, 0, store_int(g, "select epoch from slot"));
	seconds_pass(g, 3);
	assert_int_equal(store_int(g, "select count(*) from vacancy where watch_at is not null"), 0);
	daemon_end(&d);
}

static void clocks__no_slot__nothing_is_done_until_there_is_one(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	time_is(g, "2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 3);
	referral_put(g, 71, "2026-12-31 06:00Z", "2026-12-30 06:00Z");
	daemon_up(&d, g, 0);
	clocks_stop(d.clocks);
	seconds_pass(g, 3);
	assert_int_equal(store_int(g, "select count(*) from notice"), 0);
	clocks_start(d.clocks);
	clocks_start(d.clocks);
	seconds_pass(g, 3);
	assert_int_equal(store_int(g, "select count(*) from notice"), 1);
	daemon_end(&d);
}

static void calendar__near_its_end__the_metric_says_how_near(void **state)
{
	struct store_rig *g = *state;
	struct metric *left = metric_gauge("kezek_calendar_left_seconds", "", "");
	struct daemon d;

	time_is(g, "2027-12-31T23:00:00Z");
	daemon_up(&d, g, 0);
	loop_turn(g->loop, 1);
	assert_in_range((uintmax_t)metric_value(left), 3590, 3600);
	time_is(g, "2028-01-02T00:00:00Z");
	clocks_set_files(d.clocks, &(struct clocks_files){d.p->regions, d.p->calendar});
	loop_turn(g->loop, 1);
	assert_true(metric_value(left) == 0);
	daemon_end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(remind__a_day_before_the_end__once_with_the_end),
	    STORE_CASE(remind__end_was_moved_after_a_reminder__reminded_of_the_new_one),
	    STORE_CASE(remind__in_quiet_hours__waits_for_the_morning_unless_the_day_is_the_last),
	    STORE_CASE(remind__all_daemons_were_away__those_not_ended_are_told),
	    STORE_CASE(remind__two_daemons_and_pages_of_them__each_once),
	    STORE_CASE(remind__region_not_configured__the_others_are_told),
	    STORE_CASE(end__past_its_end__expired_with_all_that_follows),
	    STORE_CASE(end__documents_over_the_holidays__to_the_minute),
	    STORE_CASE(end__all_daemons_were_away__as_it_would_have_been),
	    STORE_CASE(end__two_daemons_and_pages_of_them__each_once),
	    STORE_CASE(end__region_not_configured__the_others_end),
	    STORE_CASE(end__slot_lost_meanwhile__goes_on_with_the_next),
	    STORE_CASE(watch__place_is_free__told_once),
	    STORE_CASE(watch__not_her_turn_yet__told_when_it_comes),
	    STORE_CASE(watch__of_age_from_new_year_on__told_in_the_morning),
	    STORE_CASE(watch__in_quiet_hours__judged_when_they_end),
	    STORE_CASE(watch__her_notice_came_to_nothing__told_when_a_place_is_free_again),
	    STORE_CASE(watch__place_gone__looked_at_when_one_comes),
	    STORE_CASE(watch__watched_again_after_it_was_told__told_again),
	    STORE_CASE(watch__watched_again_before_it_was_told__told_once),
	    STORE_CASE(watch__pages_of_watchers__all_are_told),
	    STORE_CASE(watch__terms_change_meanwhile__its_new_time_stays),
	    STORE_CASE(watch__slot_taken_meanwhile__its_time_stays),
	    STORE_CASE(clocks__slot_taken_meanwhile__nothing_written_until_it_is_held_again),
	    STORE_CASE(clocks__reminded_and_told__counted),
	    STORE_CASE(clocks__no_slot__nothing_is_done_until_there_is_one),
	    STORE_CASE(calendar__near_its_end__the_metric_says_how_near),
	};

	return store_main("clocks", tests, sizeof tests / sizeof *tests);
}
