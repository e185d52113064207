/* Start: everything is built bottom-up and the door opens at once; what asks the database by itself begins
 * when its schema was seen to fit. The database may be away at start: the door says 503 until it comes. End:
 * SIGTERM closes the door, lets operators answer what is on the wire, records it, unbinds; what still waits
 * is in the database. */
#include "app.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "api/door.h"
#include "api/health.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "flow/verify.h"
#include "store/keymark.h"
#include "store/migrate.h"
#include "store/partitions.h"

#define NOTE_MS     5000
#define WATCHDOG_MS 1000

struct app {
	const char *path;
	struct app_files files;
	struct keyring *keyring; /* renewed at a reload: everybody has its address */
	struct loop *loop;
	struct pg *pg;
	struct redis *redis;
	struct limits *limits;
	struct codes *codes;
	struct verify *verify;
	struct lease *lease;
	struct slots *slots;
	struct messages *messages;
	struct feed *feed;
	struct events *events;
	struct receipts *receipts;
	struct partitions *partitions;
	struct clients *clients;
	struct send *send;
	struct notify *notify;
	struct rates *rates;
	struct http_server *http;
	struct tls *tls;
	struct door door;
	struct timer *note_timer, *watchdog_timer, *end_timer, *wait_timer;
	bool checking, ready_told, stopping;
	int code;
};

static void app_fail(struct app *a, const char *what, const char *why)
{
	log_error("kezekd", "%s: %s", what, why);
	a->code = 1;
	loop_stop(a->loop);
}

static struct batch_limits app_batch_limits(const struct conf *c)
{
	return (struct batch_limits){
	    (size_t)c->database_batch_rows, c->database_batch_ms, (unsigned)c->database_connections - 1};
}

static void app_tell_ready(struct app *a)
{
	if (a->ready_told || !health_is_ready(&a->door))
		return;
	a->ready_told = true;
	log_info("kezekd", "ready, version " KEZEK_VERSION);
	sd_notify(0, "READY=1\nSTATUS=Accepting messages");
}

static void app_on_slot(void *arg, uint8_t slot, uint64_t low_water, uint64_t newest)
{
	struct app *a = arg;

	feed_set_slot(a->feed, slots_own(a->slots), newest);
	events_on_slot(a->events);
	codes_on_slot(a->codes);
	send_set_own(a->send, slots_own(a->slots));
	send_take_slot(a->send, slot, low_water, newest);
	verify_take_slot(a->verify, slot, newest);
	notify_take_slot(a->notify, slot);
	app_tell_ready(a);
}

static void app_on_slots_lost(void *arg)
{
	struct app *a = arg;

	feed_set_slot(a->feed, -1, 0);
	events_on_slot(a->events);
	codes_on_slot(a->codes);
	send_lose_slots(a->send);
	verify_lose_slots(a->verify);
	notify_lose_slots(a->notify);
}

static void app_on_weigh(void *arg, size_t weights[IDS_SLOTS])
{
	const struct app *a = arg;

	send_weigh(a->send, weights);
}

static size_t app_on_leave(void *arg, uint8_t slot)
{
	struct app *a = arg;

	if (a->stopping)
		return 1; /* all of them are free in a moment */
	verify_leave_slot(a->verify, slot);
	return send_leave_slot(a->send, slot) + notify_leave_slot(a->notify, slot);
}

static void app_on_stay(void *arg, uint8_t slot)
{
	struct app *a = arg;

	if (a->stopping)
		return;
	send_stay_slot(a->send, slot);
	verify_take_slot(a->verify, slot, 0);
	notify_stay_slot(a->notify, slot);
}

static const struct slots_events app_slots_events = {
    app_on_slot, app_on_slots_lost, app_on_weigh, app_on_leave, app_on_stay};

static void app_on_partitions(void *arg, enum kz r, const char *why)
{
	struct app *a = arg;

	if (r != KZ_OK) {
		app_fail(a, "the database does not let partitions be made", why);
		return;
	}
	a->door.partitions_ready = true;
	app_tell_ready(a);
}

static void app_on_note(void *arg)
{
	struct app *a = arg;

	send_note(a->send, a->slots);
	timer_start(a->note_timer, NOTE_MS);
}

static void app_on_watchdog(void *arg)
{
	struct app *a = arg;

	sd_notify(0, "WATCHDOG=1");
	app_tell_ready(a);
	timer_start(a->watchdog_timer, a->ready_told ? WATCHDOG_MS : 100);
}

/* What works without the database: links bind, the door says 503. */
static void app_build_flows(struct app *a)
{
	const struct batch_limits limits = app_batch_limits(a->files.conf);

	a->lease = lease_new(a->loop);
	a->feed = feed_new(a->loop, a->pg, a->lease);
	a->messages = messages_new(a->loop, a->pg, a->feed, a->keyring, &limits);
	a->events = events_new(a->loop, a->pg, a->feed, &limits);
	a->receipts = receipts_new(a->loop, a->pg, &limits);
	a->codes = codes_new(a->loop, a->pg, a->feed, &limits);
	const struct send_base base = {
	    a->loop, a->pg, a->lease, a->messages, a->feed, a->events, a->receipts, a->keyring, a->codes};
	a->send = send_new(&base, a->files.conf);
	send_set_profiles(a->send, a->files.profiles, a->files.profiles_n);
	a->files.profiles = NULL;
	a->files.profiles_n = 0;
	a->notify = notify_new(a->loop, a->pg, a->feed, a->keyring, a->files.conf);
	a->verify =
	    verify_new(&(struct verify_base){a->loop, a->pg, a->send, a->codes, a->limits, a->keyring},
	        &(struct verify_files){a->files.conf, a->files.purposes, a->files.templates});
	send_on_lost(a->send, verify_on_lost, a->verify);
	a->rates = rates_new(a->loop);
	a->note_timer = timer_new(a->loop, app_on_note, a);
}

/* What asks the database by itself: from the moment that its schema is known to fit. */
static void app_build_on_schema(struct app *a)
{
	const struct partitions_keep keep = {
	    a->files.conf->retention_messages_ms, a->files.conf->retention_personal_ms};
	char *conninfo = app_conninfo(a->files.conf);
	const struct pg_options options = app_pg_options(a->files.conf, conninfo);

	a->partitions = partitions_new(a->loop, a->pg, &keep, app_on_partitions, a);
	a->door.clients = a->clients = clients_new(a->loop, a->pg);
	a->door.slots = a->slots = slots_new(a->loop, &options, a->lease, &app_slots_events, a);
	timer_start(a->note_timer, NOTE_MS);
	secret_wipe(conninfo, strlen(conninfo));
	free(conninfo);
}

static struct http_limits app_http_limits(const struct conf *c)
{
	return (struct http_limits){.header_bytes = (size_t)c->http_header_limit,
	    .body_bytes = (size_t)c->http_body_limit,
	    .connections = (size_t)c->http_connections,
	    .connections_per_peer = (size_t)c->http_connections_per_peer,
	    .request_ms = c->http_request_ms,
	    .idle_ms = c->http_idle_ms,
	    .write_ms = c->http_write_ms,
	    .held_bytes = (size_t)c->http_memory};
}

static void app_open_door(struct app *a)
{
	const struct conf *c = a->files.conf;
	const struct http_limits limits = app_http_limits(c);
	char why[256];
	uint16_t port;

	a->http = http_server_new(a->loop, &limits, door_handle, &a->door);
	if (*c->http_tls_cert && !(a->tls = tls_server_new(c->http_tls_cert, c->http_tls_key, why)))
		app_fail(a, "http.tls_cert", why);
	else if (http_server_listen(a->http, c->http_listen, a->tls, DOOR_PORTAL, why, &port) != KZ_OK)
		app_fail(a, "http.listen", why);
	else {
		log_info("http", "listening on %s, port=%u%s", c->http_listen, port, a->tls ? ", TLS" : "");
		char *address = mem_printf("unix:%s", c->control_socket);
		if (http_server_listen(a->http, address, NULL, DOOR_CONTROL, why, &port) != KZ_OK)
			app_fail(a, "control.socket", why);
		free(address);
	}
}

static void app_on_keymark(void *arg, enum kz r)
{
	struct app *a = arg;

	a->checking = false;
	if (r == KZ_OK)
		app_build_on_schema(a);
	else if (r == KZ_LOST)
		timer_start(a->wait_timer, 500);
	else
		app_fail(a, a->files.conf->keyring,
		    r == KZ_CONFLICT ? "the database belongs to another keyring: nothing in it would be "
		                       "found or opened by this one"
		                     : "the database does not say whose it is");
}

static void app_on_version(void *arg, enum kz r, int version, const char *why)
{
	struct app *a = arg;
	char text[160];

	a->checking = false;
	if (r != KZ_OK) {
		if (r == KZ_REFUSED)
			app_fail(a, "the database does not tell its schema", why);
		else
			timer_start(a->wait_timer, 500);
		return;
	}
	if (version != migrate_wanted()) {
		snprintf(text, sizeof text, "it is %d and this program needs %d: %s", version,
		    migrate_wanted(),
		    version < migrate_wanted() ? "run kezekd --migrate" : "install the newer kezek");
		app_fail(a, "the database's schema", text);
		return;
	}
	a->checking = keymark_check(a->pg, a->keyring, app_on_keymark, a) == KZ_OK;
	if (!a->checking)
		timer_start(a->wait_timer, 500);
}

static void app_check_schema(void *arg)
{
	struct app *a = arg;

	if (a->slots || a->checking)
		return;
	a->checking = migrate_check(a->pg, app_on_version, a) == KZ_OK;
	if (!a->checking)
		timer_start(a->wait_timer, 500);
}

static void app_on_database(void *arg, bool up)
{
	struct app *a = arg;

	if (up && !a->slots)
		app_check_schema(a);
	else if (!up)
		messages_fail_waiting(a->messages);
}

static void app_on_told(void *arg)
{
	struct app *a = arg;

	log_info("kezekd", "drained");
	loop_stop(a->loop);
}

static void app_on_drained(void *arg)
{
	struct app *a = arg;

	notify_drain(a->notify, app_on_told, a);
}

static void app_on_end(void *arg)
{
	struct app *a = arg;

	log_warn("kezekd", "shutdown_timeout passed: what is still on the wire is in doubt");
	loop_stop(a->loop);
}

static void app_stop(void *arg, int signo)
{
	struct app *a = arg;

	if (a->stopping) {
		loop_stop(a->loop);
		return;
	}
	a->stopping = a->door.draining = true;
	log_info("kezekd", "stopping on signal %d", signo);
	sd_notify(0, "STOPPING=1");
	if (a->http)
		http_server_drain(a->http);
	timer_start(a->end_timer, a->files.conf->shutdown_ms);
	verify_stop(a->verify);
	send_drain(a->send, app_on_drained, a);
}

static void app_say_faults(const struct faults *f)
{
	const char *line = buf_text(&f->text);

	while (*line) {
		size_t len = strcspn(line, "\n");

		log_error("config", "%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

/* All of the new files or none. */
static void app_swap(struct app *a, struct app_files *f)
{
	const struct batch_limits limits = app_batch_limits(f->conf);
	const struct http_limits http = app_http_limits(f->conf);
	const struct partitions_keep keep = {f->conf->retention_messages_ms, f->conf->retention_personal_ms};
	struct app_files old = a->files;

	a->files = *f;
	a->door.conf = f->conf;
	a->door.templates = f->templates;
	log_set_level((enum log_level)f->conf->log_level);
	http_server_set_limits(a->http, &http);
	messages_set_limits(a->messages, &limits);
	events_set_limits(a->events, &limits);
	receipts_set_limits(a->receipts, &limits);
	codes_set_limits(a->codes, &limits);
	if (a->partitions)
		partitions_set_keep(a->partitions, &keep);
	limits_set_conf(a->limits, f->conf);
	verify_set_files(a->verify, &(struct verify_files){f->conf, f->purposes, f->templates});
	send_set_conf(a->send, f->conf);
	notify_set_conf(a->notify, f->conf);
	send_set_profiles(a->send, f->profiles, f->profiles_n);
	a->files.profiles = NULL;
	a->files.profiles_n = 0;
	app_files_free(&old);
}

/* false when something differs that cannot. */
static bool app_take(struct app *a, struct app_files *f)
{
	const char *fixed = conf_fixed_difference(a->files.conf, f->conf);

	if (fixed) {
		log_error("config", "%s: %s cannot change without a restart: the old configuration goes on",
		    a->path, fixed);
		return false;
	}
	if (!keyring_renew(a->keyring, f->keyring)) {
		log_error("config",
		    "%s: the lookup key is another one, nothing at rest would be found by it: the old "
		    "configuration goes on",
		    f->conf->keyring);
		return false;
	}
	f->keyring = NULL;
	app_swap(a, f);
	send_on_keyring(a->send);
	log_info("config", "%s: reloaded", a->path);
	return true;
}

static void app_reload(void *arg, int signo)
{
	struct app *a = arg;
	struct app_files f;
	struct faults faults = {0};

	(void)signo;
	if (a->stopping)
		return;
	if (a->ready_told)
		sd_notify(0, "RELOADING=1");
	if (!app_files_load(a->path, &f, &faults)) {
		app_say_faults(&faults);
		log_error("config", "%s: not reloaded: the old configuration goes on", a->path);
	} else if (!app_take(a, &f)) {
		app_files_free(&f);
	}
	faults_fini(&faults);
	if (a->ready_told)
		sd_notify(0, "READY=1");
}

/* No core and no block that is free holds a text or a key, and there is a descriptor for every connection. */
static void app_harden(const struct conf *c)
{
	struct rlimit files, core = {0, 0};

	door_harden();
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &core);
	getrlimit(RLIMIT_NOFILE, &files);
	rlim_t want = (rlim_t)c->http_connections + 256;
	if (files.rlim_cur < want) {
		files.rlim_cur = want < files.rlim_max ? want : files.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur < want)
			log_warn("kezekd",
			    "only %llu descriptors: http.connections=%lld cannot all be served; raise "
			    "LimitNOFILE",
			    (unsigned long long)files.rlim_cur, (long long)c->http_connections);
	}
}

/* From the loop, so behind limits_new. */
static void app_on_redis(void *arg, bool up)
{
	struct app *a = arg;

	limits_on_redis(a->limits, up);
}

static void app_begin(struct app *a)
{
	const struct conf *c = a->files.conf;
	char *conninfo = app_conninfo(c);
	const struct pg_options pg = app_pg_options(c, conninfo);

	a->loop = loop_new(&clock_real);
	a->wait_timer = timer_new(a->loop, app_check_schema, a);
	a->watchdog_timer = timer_new(a->loop, app_on_watchdog, a);
	a->end_timer = timer_new(a->loop, app_on_end, a);
	loop_signal(a->loop, SIGTERM, app_stop, a);
	loop_signal(a->loop, SIGINT, app_stop, a);
	loop_signal(a->loop, SIGHUP, app_reload, a);
	a->pg = pg_new(a->loop, &pg, app_on_database, a);
	if (*c->redis_address) {
		const struct redis_options redis = {.address = c->redis_address,
		    .password = c->redis_password,
		    .connect_ms = 2000,
		    .command_ms = 1000,
		    .silent_ms = 10000,
		    .max_commands = 10000};

		a->redis = redis_new(a->loop, &redis, app_on_redis, a);
	}
	a->limits = limits_new(a->loop, a->pg, a->redis, c);
	a->door = (struct door){.loop = a->loop,
	    .pg = a->pg,
	    .redis = a->redis,
	    .limits = a->limits,
	    .templates = a->files.templates,
	    .keyring = a->keyring,
	    .conf = c,
	    .started_ms = loop_now_ms(a->loop)};
	app_build_flows(a);
	a->door.send = a->send;
	a->door.verify = a->verify;
	a->door.notify = a->notify;
	a->door.rates = a->rates;
	app_open_door(a);
	timer_start(a->watchdog_timer, 100);
	secret_wipe(conninfo, strlen(conninfo));
	free(conninfo);
}

static void app_end(struct app *a)
{
	http_server_free(a->http);
	send_stop(a->send);
	verify_stop(a->verify);
	limits_stop(a->limits);
	pg_stop(a->pg);
	messages_fail_waiting(a->messages);
	tls_free(a->tls);
	rates_free(a->rates);
	slots_free(a->slots);
	clients_free(a->clients);
	partitions_free(a->partitions);
	codes_free(a->codes);
	limits_free(a->limits);
	verify_free(a->verify);
	send_free(a->send);
	notify_free(a->notify);
	messages_free(a->messages);
	events_free(a->events);
	feed_free(a->feed);
	receipts_free(a->receipts);
	lease_free(a->lease);
	redis_free(a->redis);
	pg_free(a->pg);
	timer_free(a->note_timer);
	timer_free(a->watchdog_timer);
	timer_free(a->end_timer);
	timer_free(a->wait_timer);
	loop_free(a->loop);
	app_files_free(&a->files);
	keyring_free(a->keyring);
}

int app_run(const char *path, struct app_files *f)
{
	struct app a = {.path = path, .files = *f, .keyring = f->keyring};

	a.files.keyring = NULL;
	log_set_level((enum log_level)f->conf->log_level);
	app_harden(f->conf);
	app_begin(&a);
	loop_run(a.loop);
	app_end(&a);
	return a.code;
}
