/* Reload by SIGHUP: everything is read and judged beside what runs, and taken as a whole or not at all. */
#include <string.h>
#include <systemd/sd-daemon.h>

#include "app_body.h"
#include "base/log.h"

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
	a->door.regions = f->regions;
	a->door.calendar = f->calendar;
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
	places_set_files(a->places, &(struct places_files){f->conf, f->regions, f->calendar});
	send_set_conf(a->send, f->conf);
	notify_set_conf(a->notify, f->conf);
	app_renew_notices(a);
	app_renew_ussd(a);
	clocks_set_files(a->clocks, &(struct clocks_files){f->regions, f->calendar});
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

void app_reload(void *arg, int signo)
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
