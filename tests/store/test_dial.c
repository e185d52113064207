/* The turn on a real PostgreSQL and Redis, by a clock that is put forward, with services of the test's own:
 * slow ones, those that are down, answers that nobody waits for any more. */
#include "records_rig.h"

#include <unistd.h>

#include "flow/dial_turn.h"
#include "store/dialogs.h"

#define PHONE   UINT64_C(77011234567)
#define DOWN_KK "Жүйе жауап бермей тұр. Кейінірек теріңіз."

/* The services: calls are held, or answered at once by what stands here. */
static struct dial_call *held, *asked[DIAL_ABREAST]; /* the last one, those of late */
static const char *result;                           /* NULL: held */
static int calls;
static int64_t tokens[8];

static const char *const fields[][2] = {{"child", "7"}, {"name", "Айерке"}, {"pos", "124"}, {"ref", "48871"},
    {"kg", "№20"}, {"until", "19.09 17:02"}};

static void fake_fill(struct dial_call *c, const char *name)
{
	const struct service_result *r = service_shape(c->service)->results;

	answer_start(&c->answer, name);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (service_has_name(
		        r[service_result_find(c->service, name)].fields, fields[i][0], strlen(fields[i][0])))
			answer_set(&c->answer, fields[i][0], fields[i][1]);
}

static void fake(struct dial_call *c)
{
	asked[calls % DIAL_ABREAST] = c;
	tokens[calls++ % 8] = c->token;
	held = result ? NULL : c;
	if (!result)
		return;
	if (strcmp(result, "down") != 0)
		fake_fill(c, result);
	dial_answer(c);
}

dial_service_fn *const dial_services[SERVICES] = {[0 ... SERVICES - 1] = fake};

struct daemon {
	struct store_rig *rig;
	struct conf conf;
	struct templates *templates;
	struct redis *redis;
	struct messages *messages;
	struct events *events;
	struct receipts *receipts;
	struct codes *codes;
	struct send *send;
	struct dial *dial;
	int ups;
	/* the last page */
	int pages;
	char page[SESSION_PAGE];
	bool end;
};

static void on_up(void *arg, bool up)
{
	struct daemon *d = arg;

	d->ups += up;
}

static void on_page(void *arg, const char *page, bool end)
{
	struct daemon *d = arg;

	d->pages++;
	d->end = end;
	snprintf(d->page, sizeof d->page, "%s", page);
}

static struct profile **operator_load(void)
{
	char folder[] = "/tmp/kezek-test-XXXXXX", path[64];
	struct faults faults = {0};
	struct profile **list = malloc(sizeof *list);

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/one.yaml", folder);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("prefixes: [\"7701\"]\nsender: {default: kezek}\n"
	      "links: [{host: 127.0.0.1, port: 9, system_id: kezek}]\n"
	      "ussd: {detect: tlv, codes: [\"1234\"], key: msisdn}\n",
	    f);
	fclose(f);
	list[0] = profile_load(path, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	unlink(path);
	rmdir(folder);
	return list;
}

/* Menus of another mark differ in a comment, and so in their hash. */
static struct dial_files menu_load_with(struct daemon *d, char mark, const struct words *w)
{
	struct faults faults = {0};
	struct dialog_source *source = calloc(1, sizeof *source);

	assert_true(dialog_source_read(KEZEK_SOURCE_DIR "/dialogs/kindergarten.yaml",
	    KEZEK_SOURCE_DIR "/dialogs/services.yaml", source, &faults));
	source->bytes[0] = realloc(source->bytes[0], source->len[0] + 3);
	memcpy(source->bytes[0] + source->len[0], (char[]){'#', mark, '\n'}, 3);
	source->len[0] += 3;
	struct dialog *dialog = dialog_load(source, w, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	return (struct dial_files){
	    .conf = &d->conf, .templates = d->templates, .dialog = dialog, .source = source};
}

static struct dial_files menu_load(struct daemon *d, char mark)
{
	return menu_load_with(d, mark, &words_usual);
}

static void redis_up(struct daemon *d)
{
	char address[128];

	snprintf(address, sizeof address, "unix:%s/s/redis", servers_dir);
	const struct redis_options o = {.address = address,
	    .connect_ms = 5000,
	    .command_ms = 100000000,
	    .silent_ms = 100000000,
	    .max_commands = 10000};
	d->redis = redis_new(d->rig->loop, &o, on_up, d);
	servers_await(d->rig->loop, &d->ups, 1);
}

static void on_emptied(void *arg, enum kz r, const struct redis_reply *reply)
{
	(void)reply;
	assert_int_equal(r, KZ_OK);
	++*(int *)arg;
}

struct number {
	int done;
	long long value;
};

static void on_number(void *arg, enum kz r, const struct redis_reply *reply)
{
	struct number *n = arg;

	assert_int_equal(r, KZ_OK);
	n->value = redis_int(reply);
	n->done++;
}

static void redis_do(struct daemon *d, const char *script)
{
	const char *const words[] = {"EVAL", script, "0"};
	int done = 0;

	assert_int_equal(redis_ask(d->redis, 3, words, NULL, on_emptied, &done, NULL), KZ_OK);
	servers_await(d->rig->loop, &done, 1);
}

static void daemon_up(struct daemon *d, struct store_rig *g)
{
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
	        .ussd_continue_ms = 1200000,
	        .texts_dial = (char *)(uintptr_t)words_usual.dial,
	        .texts_helpline = (char *)(uintptr_t)words_usual.helpline},
	    .templates = templates_load(KEZEK_SOURCE_DIR "/dialogs/sms.yaml", &words_usual, &faults)};
	assert_string_equal(buf_text(&faults.text), "");
	held = NULL;
	result = NULL;
	calls = 0;
	store_hold_feed_slot(g);
	redis_up(d);
	redis_do(d, "redis.call('FLUSHALL') return 1");
	d->messages = messages_new(g->loop, g->pg, g->feed, g->keyring, &g->limits);
	d->events = events_new(g->loop, g->pg, g->feed, &g->limits);
	d->receipts = receipts_new(g->loop, g->pg, &g->limits);
	d->codes = codes_new(g->loop, g->pg, g->feed, &g->limits);
	d->send = send_new(&(struct send_base){g->loop, g->pg, g->lease, d->messages, g->feed, d->events,
	                       d->receipts, g->keyring, d->codes},
	    &d->conf);
	send_set_profiles(d->send, operator_load(), 1);
	send_set_own(d->send, 0);
	send_take_slot(d->send, 0, 0, 0);
	struct dial_files files = menu_load(d, 'a');
	d->dial = dial_new(&(struct dial_base){.loop = g->loop,
	                       .pg = g->pg,
	                       .redis = d->redis,
	                       .feed = g->feed,
	                       .send = d->send,
	                       .keyring = g->keyring},
	    &files);
	dial_start(d->dial);
}

/* Another daemon in its place, that knows what is in Redis and PostgreSQL alone. */
static void dial_restart(struct daemon *d, char mark)
{
	const struct dial_base base = *dial_base_of(d->dial);
	struct dial_files files = menu_load(d, mark);

	dial_stop(d->dial);
	for (int i = 0; i < 3; i++) /* what it asked of Redis is answered */
		redis_do(d, "return 1");
	dial_free(d->dial);
	d->dial = dial_new(&base, &files);
	dial_start(d->dial);
}

static void daemon_end(struct daemon *d)
{
	struct store_rig *g = d->rig;

	dial_stop(d->dial);
	send_stop(d->send);
	pg_stop(g->pg);
	messages_fail_waiting(d->messages);
	codes_free(d->codes);
	send_free(d->send);
	messages_free(d->messages);
	events_free(d->events);
	receipts_free(d->receipts);
	redis_free(d->redis);
	dial_free(d->dial);
	templates_free(d->templates);
}

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

static void say(struct daemon *d, enum ussd_said said, const char *text)
{
	dial_terminal(d->dial, (struct msisdn){PHONE}, said, text, on_page, d);
}

/* Says it and waits for the page. */
static const char *page_of(struct daemon *d, enum ussd_said said, const char *text)
{
	int before = d->pages;

	say(d, said, text);
	assert_int_equal(d->pages, before);
	servers_await(d->rig->loop, &d->pages, before + 1);
	return d->page;
}

static void await_calls(struct daemon *d, int n)
{
	while (calls < n)
		seconds_pass(d, 1);
}

static void await_held(struct daemon *d)
{
	while (!held)
		loop_turn(d->rig->loop, 50);
}

/* Owed answers are due now. */
static void owed_due(struct daemon *d)
{
	redis_do(d, "for _, id in ipairs(redis.call('ZRANGE', 'kezek:ussd:owed', 0, -1)) do"
	            " redis.call('ZADD', 'kezek:ussd:owed', 1, id) end return 1");
}

static void await_none_owed(struct daemon *d)
{
	const char *const words[] = {"EVAL",
	    "return redis.call('ZCARD', 'kezek:ussd:owed') +"
	    " #redis.call('KEYS', 'kezek:a:*')",
	    "0"};
	long long left = 1;

	for (int i = 0; i < 200 && left; i++) {
		struct number n = {0};
		assert_int_equal(redis_ask(d->redis, 3, words, NULL, on_number, &n, NULL), KZ_OK);
		servers_await(d->rig->loop, &n.done, 1);
		left = n.value;
	}
	assert_int_equal(left, 0);
}

static void await_messages(struct daemon *d, long long n)
{
	for (int i = 0; i < 200 && store_int(d->rig, "select count(*) from message") < n; i++)
		seconds_pass(d, 1);
	assert_int_equal(store_int(d->rig, "select count(*) from message"), n);
}

static void text_is(struct daemon *d, const char *text)
{
	struct buf room = {0};
	const struct person p =
	    store_person(d->rig, (uint64_t)store_int(d->rig, "select id from message"), &room);

	assert_string_equal(p.text, text);
	assert_true(p.to.digits == PHONE);
	buf_fini(&room);
}

static double late(const char *how)
{
	char labels[32];

	snprintf(labels, sizeof labels, "how=\"%s\"", how);
	return metric_value(metric_counter("kezek_ussd_late_total",
	    "Answers that came after their USSD page, by what became of them", labels));
}

static double owed(const char *how)
{
	char labels[32];

	snprintf(labels, sizeof labels, "how=\"%s\"", how);
	return metric_value(metric_counter("kezek_ussd_owed_total",
	    "SMS that follow from what was done by phone, each time that one was taken up", labels));
}

static void speaks(struct daemon *d, enum language l)
{
	store_sql(d->rig, "insert into caller (phone, language) values (%lld, %d)",
	    (long long)store_phone(d->rig, PHONE), (int)l);
}

static void service__slow__closing_page_and_its_answer_by_sms(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	speaks(&d, LANGUAGE_RU);
	say(&d, USSD_DIALLED, "*1234#");
	await_held(&d);
	store_skip_us += 11000000;
	servers_await(d.rig->loop, &d.pages, 1);
	assert_true(d.end);
	assert_non_null(strstr(d.page, "Система"));
	fake_fill(held, "known");
	dial_answer(held);
	await_messages(&d, 1);
	text_is(&d, "Айерке: очередь №124. Проверить: *1234#");
	assert_int_equal(calls, 1);
	await_none_owed(&d);
	daemon_end(&d);
}

static void service__down_then_up__asked_again_under_one_token_and_told_once(void **state)
{
	struct daemon d;
	double told = late("told");

	daemon_up(&d, *state);
	result = "down";
	page_of(&d, USSD_DIALLED, "*1234#");
	assert_true(d.end);
	assert_int_equal(metrics_total("kezek_ussd_late"), 1);
	owed_due(&d);
	await_calls(&d, 2);
	assert_true(tokens[0] == tokens[1] && tokens[0]);
	result = "known";
	owed_due(&d);
	await_messages(&d, 1);
	text_is(&d, "Айерке: кезек №124. Тексеру: *1234#");
	await_none_owed(&d);
	seconds_pass(&d, 2);
	assert_int_equal(metrics_total("kezek_ussd_late"), 0);
	assert_int_equal(calls, 3);
	assert_int_equal(late("told") - told, 1);
	assert_int_equal(store_int(d.rig, "select count(*) from message"), 1);
	daemon_end(&d);
}

static void service__down_for_50_minutes__given_up(void **state)
{
	struct daemon d;
	double before = late("given_up");

	daemon_up(&d, *state);
	result = "down";
	page_of(&d, USSD_DIALLED, "*1234#");
	store_skip_us += 2970000000;
	owed_due(&d);
	while (late("given_up") == before)
		seconds_pass(&d, 1);
	await_none_owed(&d);
	assert_int_equal(late("given_up") - before, 1);
	assert_int_equal(store_int(d.rig, "select count(*) from message"), 0);
	daemon_end(&d);
}

static void daemon__ends_with_an_answer_owed__another_tells_it(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	result = "down";
	page_of(&d, USSD_DIALLED, "*1234#");
	say(&d, USSD_DIALLED, "*1234#");
	result = NULL;
	await_held(&d);
	store_skip_us += 11000000;
	servers_await(d.rig->loop, &d.pages, 2);
	dial_restart(&d, 'a');
	result = "known";
	owed_due(&d);
	await_messages(&d, 2);
	await_none_owed(&d);
	daemon_end(&d);
}

static void answer__comes_when_the_daemon_stops__left_to_another(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	say(&d, USSD_DIALLED, "*1234#");
	await_held(&d);
	store_skip_us += 11000000;
	servers_await(d.rig->loop, &d.pages, 1);
	dial_stop(d.dial);
	fake_fill(held, "known");
	dial_answer(held);
	loop_turn(d.rig->loop, 0);
	dial_restart(&d, 'a');
	result = "known";
	owed_due(&d);
	await_messages(&d, 1);
	daemon_end(&d);
}

static void service__down_and_too_many_are_owed__nothing_is_promised(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	redis_do(&d, "for i = 1, 100000 do redis.call('ZADD', 'kezek:ussd:owed', 9e15, i) end return 1");
	result = "down";
	page_of(&d, USSD_DIALLED, "*1234#");
	assert_true(d.end);
	assert_string_equal(d.page, DOWN_KK);
	daemon_end(&d);
}

static void answer__of_another_press__another_token(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	result = "known";
	page_of(&d, USSD_DIALLED, "*1234#");
	page_of(&d, USSD_DIALLED, "*1234#");
	assert_int_equal(calls, 2);
	assert_true(tokens[0] != tokens[1]);
	daemon_end(&d);
}

static void two_answers__at_once__one_press_and_one_page(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	result = "known";
	page_of(&d, USSD_DIALLED, "*1234#");
	result = NULL;
	say(&d, USSD_TYPED, "1");
	await_held(&d);
	say(&d, USSD_TYPED, "1");
	say(&d, USSD_TYPED, "2");
	fake_fill(held, "none");
	dial_answer(held);
	servers_await(d.rig->loop, &d.pages, 4);
	assert_int_equal(calls, 2);
	daemon_end(&d);
}

static void call__no_key_in_time__told_by_sms_and_gone_on_with(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	result = "unknown";
	page_of(&d, USSD_DIALLED, "*1234#");
	page_of(&d, USSD_TYPED, "1");
	page_of(&d, USSD_TYPED, "1");
	result = "none";
	page_of(&d, USSD_TYPED, "000101100006");
	redis_do(&d, "local p = redis.call('ZRANGE', 'kezek:ussd:due', 0, -1)"
	             " return redis.call('ZADD', 'kezek:ussd:due', 1, p[1])");
	seconds_pass(&d, 2);
	await_messages(&d, 1);
	text_is(&d, "Байланыс үзілді. 20 минут ішінде *1234# теріп, жалғастырыңыз.");
	char before[SESSION_PAGE];
	memcpy(before, d.page, sizeof before);
	page_of(&d, USSD_DIALLED, "*1234#");
	assert_non_null(strstr(d.page, "1 "));
	page_of(&d, USSD_TYPED, "1");
	assert_string_equal(d.page, before);
	daemon_end(&d);
}

static void call__shortcut_after_a_drop__opens_what_was_dialled(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	result = "unknown";
	page_of(&d, USSD_DIALLED, "*1234#");
	page_of(&d, USSD_TYPED, "1");
	page_of(&d, USSD_TYPED, "1");
	result = "none";
	page_of(&d, USSD_TYPED, "000101100006");
	page_of(&d, USSD_DIALLED, "*1234*5#");
	assert_non_null(strstr(d.page, "Кезекке тұру. Бала ЖСН"));
	daemon_end(&d);
}

static void redis__dies_behind_a_service__closing_page_in_her_language(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	speaks(&d, LANGUAGE_EN);
	say(&d, USSD_DIALLED, "*1234#");
	await_held(&d);
	servers_do("kill-redis");
	fake_fill(held, "known");
	dial_answer(held);
	servers_await(d.rig->loop, &d.pages, 1);
	assert_true(d.end);
	assert_string_equal(d.page, "The system does not answer. Please dial again later.");
	servers_do("restart-redis");
	daemon_end(&d);
}

static void database__away__closing_page_at_once_and_the_answer_when_it_is_back(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	result = "known";
	store_kill_pg(d.rig);
	while (pg_is_up(d.rig->pg))
		loop_turn(d.rig->loop, 50);
	page_of(&d, USSD_DIALLED, "*1234#");
	assert_true(d.end);
	assert_string_equal(d.page, "Жүйе жауап бермей тұр. Жауап SMS арқылы келеді.");
	assert_int_equal(calls, 0);
	servers_do("restart-pg");
	while (!pg_is_up(d.rig->pg))
		loop_turn(d.rig->loop, 50);
	owed_due(&d);
	await_messages(&d, 1);
	text_is(&d, "Айерке: кезек №124. Тексеру: *1234#");
	assert_int_equal(calls, 1);
	daemon_end(&d);
}

static void language__changed_in_the_menu__remembered_and_told(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	result = "new";
	page_of(&d, USSD_DIALLED, "*1234#");
	result = "unknown";
	page_of(&d, USSD_TYPED, "2");
	store_drain(d.rig);
	assert_int_equal(store_int(d.rig, "select language from caller"), LANGUAGE_RU);
	assert_int_equal(store_int(d.rig, "select count(*) from message"), 0);
	for (const char *keys = "442"; *keys; keys++)
		page_of(&d, USSD_TYPED, (char[]){*keys, '\0'});
	assert_string_equal(d.page, "Тіл / Язык / Language\n1 Қазақша\n2 Русский\n3 English");
	page_of(&d, USSD_TYPED, "3");
	await_messages(&d, 1);
	text_is(&d, "SMS and the menu are in English now. Change: *1234#");
	assert_int_equal(store_int(d.rig, "select language from caller"), LANGUAGE_EN);
	daemon_end(&d);
}

static void language__database_away__closing_page_and_nothing_chosen(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	result = "new";
	page_of(&d, USSD_DIALLED, "*1234#");
	result = "unknown";
	for (const char *keys = "2442"; *keys; keys++)
		page_of(&d, USSD_TYPED, (char[]){*keys, '\0'});
	store_drain(d.rig);
	store_kill_pg(d.rig);
	while (pg_is_up(d.rig->pg))
		loop_turn(d.rig->loop, 50);
	assert_string_equal(
	    page_of(&d, USSD_TYPED, "3"), "The system does not answer. Please dial again later.");
	servers_do("restart-pg");
	while (!pg_is_up(d.rig->pg))
		loop_turn(d.rig->loop, 50);
	assert_int_equal(store_int(d.rig, "select language from caller"), LANGUAGE_RU);
	page_of(&d, USSD_TYPED, "3");
	await_messages(&d, 1);
	assert_int_equal(store_int(d.rig, "select language from caller"), LANGUAGE_EN);
	daemon_end(&d);
}

/* The page is said: the choice stands. */
static void choose_english(struct daemon *d)
{
	result = "new";
	page_of(d, USSD_DIALLED, "*1234#");
	result = "unknown";
	for (const char *keys = "2442"; *keys; keys++)
		page_of(d, USSD_TYPED, (char[]){*keys, '\0'});
	page_of(d, USSD_TYPED, "3");
	assert_string_equal(
	    store_sql(d->rig, "select language || ' ' || (select count(*) from owed) from caller"), "2 1");
}

/* The daemon, and with it what its connections were about to do. */
static void daemon_die(struct daemon *d)
{
	struct store_rig *g = d->rig;

	store_sql(g, "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'");
	while (store_int(g, STORE_WAITS_FOR_LOCK))
		;
	daemon_end(d);
	pg_free(g->pg);
	store_sql(g, "rollback");
	store_up(g);
}

static void deed__daemon_dies_before_its_sms__told_once_by_the_next(void **state)
{
	struct daemon d;
	struct store_rig *g = *state;

	daemon_up(&d, g);
	store_sql(g, "begin");
	store_sql(g, "lock table message");
	choose_english(&d);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	daemon_die(&d);
	assert_string_equal(
	    store_sql(g, "select (select count(*) from message) || ' ' || count(*) from owed"), "0 1");
	daemon_up(&d, g);
	seconds_pass(&d, 12);
	await_messages(&d, 1);
	text_is(&d, "SMS and the menu are in English now. Change: *1234#");
	store_await_sql(g, "select count(*) from owed", 0);
	daemon_end(&d);
}

static void deed__queue_is_full__page_at_once_and_its_sms_when_there_is_room(void **state)
{
	struct daemon d;
	double again = owed("again"), told = owed("told");

	daemon_up(&d, *state);
	d.conf.queue_max_messages = 0;
	choose_english(&d);
	seconds_pass(&d, 12);
	assert_int_equal(owed("again") - again, 2);
	store_sql(d.rig, "create temp table kept as select * from owed");
	d.conf.queue_max_messages = 1000;
	seconds_pass(&d, 20);
	await_messages(&d, 1);
	store_await_sql(d.rig, "select count(*) from owed", 0);
	store_sql(d.rig, "insert into owed select * from kept; drop table kept");
	seconds_pass(&d, 20);
	store_await_sql(d.rig, "select count(*) from owed", 0);
	assert_int_equal(store_int(d.rig, "select count(*) from message"), 1);
	assert_int_equal(owed("told") - told, 2);
	daemon_end(&d);
}

static void deed__no_room_for_a_day__given_up(void **state)
{
	struct daemon d;
	double before = owed("given_up");

	daemon_up(&d, *state);
	d.conf.queue_max_messages = 0;
	choose_english(&d);
	store_sql(d.rig, "update owed set at = at - interval '23 hours', due_at = '-infinity'");
	seconds_pass(&d, 12);
	assert_int_equal(store_int(d.rig, "select count(*) from owed"), 0);
	assert_int_equal(owed("given_up") - before, 1);
	daemon_end(&d);
}

static void call__hung_up_while_a_service_is_asked__no_page(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	say(&d, USSD_DIALLED, "*1234#");
	await_held(&d);
	say(&d, USSD_CANCELLED, "");
	fake_fill(held, "known");
	dial_answer(held);
	servers_await(d.rig->loop, &d.pages, 2);
	assert_string_equal(d.page, "");
	assert_true(d.end);
	daemon_end(&d);
}

static void call__hung_up_and_redis_away__no_closing_page(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	servers_do("kill-redis");
	page_of(&d, USSD_CANCELLED, "");
	assert_string_equal(d.page, "");
	servers_do("restart-redis");
	daemon_end(&d);
}

static void session__dropped_is_written_under_an_answer__the_answer_counts(void **state)
{
	struct daemon d;
	char before[SESSION_PAGE];

	daemon_up(&d, *state);
	result = "known";
	page_of(&d, USSD_DIALLED, "*1234#");
	memcpy(before, d.page, sizeof before);
	result = NULL;
	say(&d, USSD_TYPED, "1");
	await_held(&d);
	redis_do(&d, "return redis.call('HSET', redis.call('KEYS', 'kezek:u:*')[1], 'r', '5')");
	result = "none";
	fake_fill(held, "none");
	dial_answer(held);
	servers_await(d.rig->loop, &d.pages, 2);
	assert_string_not_equal(d.page, before);
	assert_int_equal(calls, 3);
	assert_true(tokens[1] == tokens[2]);
	daemon_end(&d);
}

static void on_any_page(void *arg, const char *page, bool end)
{
	(void)page;
	++((int *)arg)[end];
}

static void dials__twenty_thousand_at_once__none_turned_away(void **state)
{
	struct daemon d;
	int pages[2] = {0};

	daemon_up(&d, *state);
	result = "known";
	for (uint64_t i = 0; i < 20000; i++)
		dial_terminal(d.dial, (struct msisdn){PHONE + i}, USSD_DIALLED, "*1234#", on_any_page, pages);
	servers_await(d.rig->loop, &pages[0], 20000);
	assert_int_equal(pages[1], 0);
	daemon_end(&d);
}

static void dials__too_late_for_their_page__nothing_is_asked_for_them(void **state)
{
	struct daemon d;
	int pages[2] = {0};

	daemon_up(&d, *state);
	for (uint64_t i = 0; i < DIAL_ABREAST + 100; i++)
		dial_terminal(d.dial, (struct msisdn){PHONE + i}, USSD_DIALLED, "*1234#", on_any_page, pages);
	servers_await(d.rig->loop, &calls, DIAL_ABREAST);
	store_skip_us += 8000000;
	for (int i = 0; i < DIAL_ABREAST; i++) {
		fake_fill(asked[i], "known");
		dial_answer(asked[i]);
	}
	servers_await(d.rig->loop, &pages[0], DIAL_ABREAST);
	servers_await(d.rig->loop, &pages[1], 100);
	assert_int_equal(calls, DIAL_ABREAST);
	daemon_end(&d);
}

static void on_kept(void *arg, enum kz r)
{
	assert_int_equal(r, KZ_OK);
	++*(int *)arg;
}

static void on_menu(void *arg, enum kz r, struct dial_menu *m)
{
	int *found = arg;

	assert_int_equal(r, KZ_OK);
	dial_menu_enter(m);
	++*found;
}

static void menus__all_of_before_are_walked__one_more_is_found(void **state)
{
	struct daemon d;
	const struct words before = {"555", "7000"}; /* the configuration has others now */
	int kept = 0, found = 0;

	daemon_up(&d, *state);
	for (int i = 0; i < DIAL_MENUS + 2; i++) {
		struct dial_files files = menu_load_with(&d, (char)('b' + i), &before);
		uint8_t hash[DIALOG_HASH];
		struct dialog_source *s = files.source;

		memcpy(hash, files.dialog->hash, sizeof hash);
		assert_int_equal(dialogs_keep(d.rig->pg, hash, s, &before, on_kept, &kept), KZ_OK);
		servers_await(d.rig->loop, &kept, i + 1);
		assert_int_equal(dial_menu_seek(d.dial, hash, on_menu, &found), KZ_OK);
		servers_await(d.rig->loop, &found, i + 1);
		dialog_free(files.dialog);
		dialog_source_fini(s);
		free(s);
	}
	daemon_end(&d);
}

static void menu__of_another_daemon_and_database_away__down_and_the_call_stays(void **state)
{
	struct daemon d;
	char before[SESSION_PAGE];

	daemon_up(&d, *state);
	result = "unknown";
	page_of(&d, USSD_DIALLED, "*1234#");
	page_of(&d, USSD_TYPED, "1");
	page_of(&d, USSD_TYPED, "1");
	result = "none";
	page_of(&d, USSD_TYPED, "000101100006");
	memcpy(before, d.page, sizeof before);
	store_drain(d.rig);
	assert_int_equal(store_int(d.rig, "select count(*) from dialog"), 1);
	dial_restart(&d, 'b');
	store_drain(d.rig);
	store_kill_pg(d.rig);
	while (pg_is_up(d.rig->pg))
		loop_turn(d.rig->loop, 50);
	assert_string_equal(page_of(&d, USSD_TYPED, "0"), DOWN_KK);
	assert_string_equal(page_of(&d, USSD_DIALLED, "*1234#"), DOWN_KK);
	servers_do("restart-pg");
	while (!pg_is_up(d.rig->pg))
		loop_turn(d.rig->loop, 50);
	page_of(&d, USSD_DIALLED, "*1234#");
	page_of(&d, USSD_TYPED, "1");
	assert_string_equal(d.page, before);
	daemon_end(&d);
}

static void stop__turn_under_way__closing_page(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	say(&d, USSD_DIALLED, "*1234#");
	await_held(&d);
	dial_stop(d.dial);
	assert_int_equal(d.pages, 1);
	assert_true(d.end);
	say(&d, USSD_DIALLED, "*1234#");
	assert_int_equal(d.pages, 2);
	assert_string_equal(d.page, "");
	daemon_end(&d);
}

static void stop__turns_behind_another__a_closing_page_each(void **state)
{
	struct daemon d;

	daemon_up(&d, *state);
	say(&d, USSD_DIALLED, "*1234#");
	await_held(&d);
	say(&d, USSD_TYPED, "1");
	say(&d, USSD_DIALLED, "*1234*2#");
	dial_stop(d.dial);
	assert_int_equal(d.pages, 3);
	assert_string_equal(d.page, DOWN_KK);
	daemon_end(&d);
}

static void page__its_turn_took_long__waits_for_a_link_what_is_left_of_it(void **state)
{
	struct daemon d;
	struct ussd_in in = {.said = USSD_DIALLED, .phone = {PHONE}, .text = "*1234#"};

	daemon_up(&d, *state);
	struct carrier *c = ways_named(send_ways(d.send), "one");
	dial_hear(d.dial, c, &in);
	await_held(&d);
	store_skip_us += (carrier_profile(c)->ussd.deadline_ms - 2000) * 1000;
	fake_fill(held, "known");
	dial_answer(held);
	while (!carrier_pages(c))
		loop_turn(d.rig->loop, 50);
	store_skip_us += 2000000;
	for (int i = 0; i < 100 && carrier_pages(c); i++)
		loop_turn(d.rig->loop, 10);
	assert_int_equal(carrier_pages(c), 0);
	daemon_end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(service__slow__closing_page_and_its_answer_by_sms),
	    STORE_CASE(service__down_then_up__asked_again_under_one_token_and_told_once),
	    STORE_CASE(service__down_for_50_minutes__given_up),
	    STORE_CASE(daemon__ends_with_an_answer_owed__another_tells_it),
	    STORE_CASE(answer__comes_when_the_daemon_stops__left_to_another),
	    STORE_CASE(service__down_and_too_many_are_owed__nothing_is_promised),
	    STORE_CASE(answer__of_another_press__another_token),
	    STORE_CASE(two_answers__at_once__one_press_and_one_page),
	    STORE_CASE(call__no_key_in_time__told_by_sms_and_gone_on_with),
	    STORE_CASE(call__shortcut_after_a_drop__opens_what_was_dialled),
	    STORE_CASE(redis__dies_behind_a_service__closing_page_in_her_language),
	    STORE_CASE(database__away__closing_page_at_once_and_the_answer_when_it_is_back),
	    STORE_CASE(language__changed_in_the_menu__remembered_and_told),
	    STORE_CASE(language__database_away__closing_page_and_nothing_chosen),
	    STORE_CASE(deed__daemon_dies_before_its_sms__told_once_by_the_next),
	    STORE_CASE(deed__queue_is_full__page_at_once_and_its_sms_when_there_is_room),
	    STORE_CASE(deed__no_room_for_a_day__given_up),
	    STORE_CASE(call__hung_up_while_a_service_is_asked__no_page),
	    STORE_CASE(call__hung_up_and_redis_away__no_closing_page),
	    STORE_CASE(session__dropped_is_written_under_an_answer__the_answer_counts),
	    STORE_CASE(dials__twenty_thousand_at_once__none_turned_away),
	    STORE_CASE(dials__too_late_for_their_page__nothing_is_asked_for_them),
	    STORE_CASE(menus__all_of_before_are_walked__one_more_is_found),
	    STORE_CASE(menu__of_another_daemon_and_database_away__down_and_the_call_stays),
	    STORE_CASE(page__its_turn_took_long__waits_for_a_link_what_is_left_of_it),
	    STORE_CASE(stop__turn_under_way__closing_page),
	    STORE_CASE(stop__turns_behind_another__a_closing_page_each),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, store_group_setup, servers_teardown);
}
