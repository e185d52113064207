/* Start: everything is built bottom-up and the door opens at once; what asks the database by itself begins
 * when its schema was seen to fit. The database may be away at start: the door says 503 until it comes. End:
 * SIGTERM closes the door, lets operators answer what is on the wire, records it, unbinds; what still waits
 * is in the database. */
#include "app.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "app_body.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"

#define WATCHDOG_MS 1000

void app_fail(struct app *a, const char *what, const char *why)
{
	log_error("kezekd", "%s: %s", what, why);
	a->code = 1;
	loop_stop(a->loop);
}

struct batch_limits app_batch_limits(const struct conf *c)
{
	return (struct batch_limits){
	    (size_t)c->database_batch_rows, c->database_batch_ms, (unsigned)c->database_connections - 1};
}

static void app_on_watchdog(void *arg)
{
	struct app *a = arg;

	sd_notify(0, "WATCHDOG=1");
	app_tell_ready(a);
	timer_start(a->watchdog_timer, a->ready_told ? WATCHDOG_MS : 100);
}

static const struct records_files *app_records_files(void *arg)
{
	struct app *a = arg;

	return door_records_files(&a->door);
}

static uint64_t app_next_notice(void *arg)
{
	struct app *a = arg;

	return send_id(a->send);
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
	a->places = places_new(&(struct places_base){a->loop, a->pg, a->feed, a->send, a->keyring},
	    &(struct places_files){a->files.conf, a->files.regions, a->files.calendar});
	app_build_notices(a);
	app_build_ussd(a);
	a->clocks = clocks_new(
	    &(struct clocks_base){a->loop, a->pg, a->feed, a->keyring, a->places, app_next_notice, a},
	    &(struct clocks_files){a->files.regions, a->files.calendar});
	a->puts = puts_new(&(struct records_base){a->loop, a->pg, a->feed, a->keyring, app_next_notice, a},
	    app_records_files, a);
	a->rates = rates_new(a->loop);
}

static void app_build_mail(struct app *a)
{
	const struct mail_client_options o = app_mail_options(a->files.conf);
	char why[256];

	if (*o.url && !(a->mail = mail_client_new(a->loop, &o, why)))
		app_fail(a, "mail", why);
}

struct http_limits app_http_limits(const struct conf *c)
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
	dial_stop(a->dial);
	verify_stop(a->verify);
	clocks_stop(a->clocks);
	notices_stop(a->notices);
	send_drain(a->send, app_on_drained, a);
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

static void app_build_redis(struct app *a)
{
	const struct redis_options redis = {.address = a->files.conf->redis_address,
	    .password = a->files.conf->redis_password,
	    .connect_ms = 2000,
	    .command_ms = 1000,
	    .silent_ms = 10000,
	    .max_commands = 10000};

	a->redis = redis_new(a->loop, &redis, app_on_redis, a);
}

static void app_build_door(struct app *a)
{
	a->door = (struct door){.loop = a->loop,
	    .pg = a->pg,
	    .redis = a->redis,
	    .limits = a->limits,
	    .templates = a->files.templates,
	    .regions = a->files.regions,
	    .calendar = a->files.calendar,
	    .keyring = a->keyring,
	    .conf = a->files.conf,
	    .send = a->send,
	    .verify = a->verify,
	    .notify = a->notify,
	    .feed = a->feed,
	    .puts = a->puts,
	    .places = a->places,
	    .dial = a->dial,
	    .rates = a->rates,
	    .started_ms = loop_now_ms(a->loop)};
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
	if (*c->redis_address)
		app_build_redis(a);
	a->limits = limits_new(a->loop, a->pg, a->redis, c);
	app_build_mail(a);
	app_build_flows(a);
	app_build_door(a);
	app_open_door(a);
	timer_start(a->watchdog_timer, 100);
	secret_wipe(conninfo, strlen(conninfo));
	free(conninfo);
}

static void app_end(struct app *a)
{
	http_server_free(a->http);
	mail_client_free(a->mail); /* nobody hears of its letters any more */
	dial_stop(a->dial);
	send_stop(a->send);
	verify_stop(a->verify);
	clocks_stop(a->clocks);
	places_stop(a->places);
	notices_stop(a->notices);
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
	puts_free(a->puts);
	clocks_free(a->clocks);
	places_free(a->places);
	notices_free(a->notices);
	send_free(a->send);
	notify_free(a->notify);
	messages_free(a->messages);
	events_free(a->events);
	feed_free(a->feed);
	receipts_free(a->receipts);
	lease_free(a->lease);
	redis_free(a->redis);
	dial_free(a->dial);
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
