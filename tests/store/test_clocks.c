/* clocks on a real PostgreSQL and the shipped region's law, by a clock that is put where the test wants it.
 */
#include "records_rig.h"

#include "base/metrics.h"
#include "flow/clocks.h"
#include "rules/notice.h"

#define REGIONS  KEZEK_SOURCE_DIR "/config/regions"
#define HOLIDAYS KEZEK_SOURCE_DIR "/config/holidays.yaml"

struct daemon {
	struct store_rig *rig;
	struct regions *regions;
	struct calendar *calendar;
	struct clocks *clocks;
	struct ids ids;
};

static uint64_t daemon_next_id(void *arg)
{
	struct daemon *d = arg;

	return ids_next(&d->ids, store_wall_us() / 1000);
}

static void daemon_up(struct daemon *d, struct store_rig *g, uint8_t slot, const char *regions)
{
	struct faults faults = {0};

	*d = (struct daemon){.rig = g, .ids = {.slot = slot}};
	d->regions = regions_load(regions, &faults);
	d->calendar = calendar_load(HOLIDAYS, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	d->clocks = clocks_new(&(struct clocks_base){g->loop, g->pg, g->keyring, daemon_next_id, d},
	    &(struct clocks_files){d->regions, d->calendar});
	clocks_start(d->clocks);
}

static void daemon_end(struct daemon *d)
{
	clocks_free(d->clocks);
	store_drain(d->rig);
	regions_free(d->regions);
	calendar_free(d->calendar);
}

/* The wall clock, from now on. */
static void time_is(const char *moment)
{
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

	daemon_up(&d, g, 0, REGIONS);
	seconds_pass(g, 3);
	daemon_end(&d);
}

/* Of application number, which it makes too; ends and reminds at those moments. */
static void referral_put(struct store_rig *g, uint64_t number, const char *to, const char *remind)
{
	records_put_application(
	    g, &(struct records_application){.number = number, .status = APPLICATION_REFERRED});
	store_sql(g,
	    "insert into referral values (%llu, %llu, 1, 0, false, timestamptz '%s' - interval '7 days', "
	    "'%s',"
	    " nullif('%s', '')::timestamptz, 0, 1)",
	    (unsigned long long)number, (unsigned long long)number, to, to, remind);
}

#define NOTICE(number)                                                                                       \
	"select concat_ws('|', kind, subject, phone, look_at at time zone 'UTC', until_at at time zone "     \
	"'UTC',"                                                                                             \
	" api_key, state, (id >> 14) & 255) from notice where application = " #number

static void remind__a_day_before_the_end__once_with_the_end(void **state)
{
	struct store_rig *g = *state;

	time_is("2026-12-30T06:00:00Z");
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
	assert_string_equal(store_sql(g, NOTICE(71)), "3|71|0|2026-12-31 06:00:00|1|0|0");
	time_is("2026-12-30T06:05:00Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice where kind = 3"), 2);
}

/* 22:00 to 08:00 there, which is 17:00 to 03:00 by UTC. */
static void remind__in_quiet_hours__waits_for_the_morning_unless_the_day_is_the_last(void **state)
{
	struct store_rig *g = *state;

	time_is("2026-12-30T18:00:00Z"); /* 23:00 of 30 December */
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

	time_is("2027-01-03T06:00:00Z");
	records_put_group(g, 1, "sample", 3);
	referral_put(g, 71, "2027-01-03 05:00Z", "2027-01-02 05:00Z");
	referral_put(g, 72, "2027-01-03 08:00Z", "2027-01-02 08:00Z");
	referral_put(g, 73, "2027-01-03 08:00Z", "2027-01-02 08:00Z");
	store_sql(g, "update referral set status = 2 where number = 73");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select application from notice"), 72);
	assert_int_equal(store_int(g, "select count(*) from referral where remind_at is not null"), 0);
}

static void remind__two_daemons_and_pages_of_them__each_once(void **state)
{
	struct store_rig *g = *state;
	struct daemon one, two;

	time_is("2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 3);
	for (uint64_t n = 1000; n < 1250; n++)
		referral_put(g, n, "2026-12-31 06:00Z", "2026-12-30 06:00Z");
	daemon_up(&one, g, 0, REGIONS);
	daemon_up(&two, g, 1, REGIONS);
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

	time_is("2026-12-30T06:00:00Z");
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

/* Of a kindergarten, from some time ago on. */
static void watch_put(struct store_rig *g, uint64_t application, int kindergarten)
{
	store_sql(g, "insert into watcher values (%llu, %d, now() - interval '1 minute')",
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

static void watch__place_is_free__told_once_and_watches_no_more(void **state)
{
	struct store_rig *g = *state;
	struct daemon one, two;

	time_is("2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 1);
	records_put_group(g, 2, "sample", 1);
	records_put_application(g, &(struct records_application){.number = 51});
	records_put_application(g, &(struct records_application){.number = 52});
	watch_put(g, 51, 1);
	watch_put(g, 52, 2);
	group_opens(g, 1);
	daemon_up(&one, g, 0, REGIONS);
	daemon_up(&two, g, 0, REGIONS);
	seconds_pass(g, 3);
	assert_int_equal(store_int(g, "select count(*) from notice"), 1);
	store_sql(g, "update notice set look_at = null");
	assert_string_equal(store_sql(g, NOTICE(51)), "9|1|0|1|0|0");
	assert_int_equal(store_int(g, "select application from watcher"), 52);
	daemon_end(&one);
	daemon_end(&two);
}

static void watch__not_her_turn_yet__told_when_it_comes(void **state)
{
	struct store_rig *g = *state;

	time_is("2026-12-30T06:00:00Z");
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
	time_is("2026-12-30T06:30:00Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice where application = 51"), 1);
	time_is("2027-01-05T05:59:50Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice"), 2);
	time_is("2027-01-05T06:00:00Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice where application = 53"), 1);
	assert_int_equal(store_int(g, "select count(*) from watcher"), 0);
}

/* Age counts on 1 September of the year: one of 2 September 2025 is a year old by it from 2027 on. */
static void watch__of_age_from_new_year_on__told_within_the_hour(void **state)
{
	struct store_rig *g = *state;

	time_is("2026-12-31T18:30:00Z");
	records_put_group(g, 1, "sample", 1);
	records_put_application(g, &(struct records_application){.number = 51, .child = "2509025"});
	watch_put(g, 51, 1);
	group_opens(g, 1);
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice"), 0);
	time_is("2026-12-31T19:30:05Z");
	daemon_runs(g);
	assert_int_equal(store_int(g, "select application from notice"), 51);
}

static void watch__place_gone__looked_at_when_one_comes(void **state)
{
	struct store_rig *g = *state;

	time_is("2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 0);
	records_put_application(g, &(struct records_application){.number = 51});
	watch_put(g, 51, 1);
	group_opens(g, 1);
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice"), 0);
	assert_int_equal(store_int(g, "select count(*) from vacancy where watch_at is null"), 1);
	assert_int_equal(store_int(g, "select count(*) from watcher"), 1);
}

static void watch__watched_again_after_it_was_told__told_again(void **state)
{
	struct store_rig *g = *state;

	time_is("2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 1);
	records_put_application(g, &(struct records_application){.number = 51});
	watch_put(g, 51, 1);
	group_opens(g, 1);
	daemon_runs(g);
	uint64_t first = (uint64_t)store_int(g, "select id from notice");
	store_sql(g, "update notice set look_at = null, state = 2, at = at - interval '2 minutes'");
	time_is("2027-02-01T06:00:00Z");
	watch_put(g, 51, 1);
	group_opens(g, 1);
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice where look_at is not null"), 1);
	assert_true((uint64_t)store_int(g, "select id from notice") != first);
}

static void watch__pages_of_watchers__all_are_told(void **state)
{
	struct store_rig *g = *state;

	time_is("2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 1);
	for (uint64_t n = 1000; n < 1250; n++) {
		records_put_application(
		    g, &(struct records_application){.number = n, .groups = n % 2 ? 1u << LANGUAGE_RU : 0});
		watch_put(g, n, 1);
	}
	group_opens(g, 1);
	daemon_runs(g);
	assert_int_equal(store_int(g, "select count(*) from notice"), 125);
	assert_int_equal(store_int(g, "select count(*) from watcher"), 125);
}

/* Whoever changes the terms has it looked at anew. */
static void watch__terms_change_meanwhile__its_new_time_stays(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	time_is("2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 1);
	group_opens(g, 1);
	store_sql(g, "begin");
	store_sql(g, "update vacancy set terms = 2, watch_at = '2026-12-30 09:00Z'");
	daemon_up(&d, g, 0, REGIONS);
	store_skip_us += 1000000;
	while (!store_int(g, STORE_WAITS_FOR_LOCK))
		loop_turn(g->loop, 5);
	store_sql(g, "commit");
	seconds_pass(g, 2);
	assert_string_equal(
	    store_sql(g, "select watch_at at time zone 'UTC' from vacancy"), "2026-12-30 09:00:00");
	daemon_end(&d);
}

static void clocks__no_slot__nothing_is_done_until_there_is_one(void **state)
{
	struct store_rig *g = *state;
	struct daemon d;

	time_is("2026-12-30T06:00:00Z");
	records_put_group(g, 1, "sample", 3);
	referral_put(g, 71, "2026-12-31 06:00Z", "2026-12-30 06:00Z");
	daemon_up(&d, g, 0, REGIONS);
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

	time_is("2027-12-31T23:00:00Z");
	daemon_up(&d, g, 0, REGIONS);
	loop_turn(g->loop, 1);
	assert_in_range((uintmax_t)metric_value(left), 3590, 3600);
	time_is("2028-01-02T00:00:00Z");
	clocks_set_files(d.clocks, &(struct clocks_files){d.regions, d.calendar});
	loop_turn(g->loop, 1);
	assert_true(metric_value(left) == 0);
	daemon_end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(remind__a_day_before_the_end__once_with_the_end),
	    STORE_CASE(remind__in_quiet_hours__waits_for_the_morning_unless_the_day_is_the_last),
	    STORE_CASE(remind__all_daemons_were_away__those_not_ended_are_told),
	    STORE_CASE(remind__two_daemons_and_pages_of_them__each_once),
	    STORE_CASE(remind__region_not_configured__the_others_are_told),
	    STORE_CASE(watch__place_is_free__told_once_and_watches_no_more),
	    STORE_CASE(watch__not_her_turn_yet__told_when_it_comes),
	    STORE_CASE(watch__of_age_from_new_year_on__told_within_the_hour),
	    STORE_CASE(watch__place_gone__looked_at_when_one_comes),
	    STORE_CASE(watch__watched_again_after_it_was_told__told_again),
	    STORE_CASE(watch__pages_of_watchers__all_are_told),
	    STORE_CASE(watch__terms_change_meanwhile__its_new_time_stays),
	    STORE_CASE(clocks__no_slot__nothing_is_done_until_there_is_one),
	    STORE_CASE(calendar__near_its_end__the_metric_says_how_near),
	};

	return store_main("clocks", tests, sizeof tests / sizeof *tests);
}
