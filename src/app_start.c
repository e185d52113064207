/* What waits for the database. It may be away when the daemon starts, or be another than this program and
 * this keyring are for: what asks it by itself begins when its schema and its mark were seen to fit. Then
 * slots come and go, and with the first one and the partitions the door is ready. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "api/health.h"
#include "app_body.h"
#include "base/log.h"
#include "base/secret.h"
#include "store/keymark.h"
#include "store/migrate.h"

#define NOTE_MS 5000
#define WAIT_MS 500

void app_tell_ready(struct app *a)
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
	notices_take_slot(a->notices, slot);
	if (!a->stopping)
		clocks_start(a->clocks);
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
	notices_lose_slots(a->notices);
	clocks_stop(a->clocks);
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
	return send_leave_slot(a->send, slot) + notify_leave_slot(a->notify, slot) +
	       notices_leave_slot(a->notices, slot);
}

static void app_on_stay(void *arg, uint8_t slot)
{
	struct app *a = arg;

	if (a->stopping)
		return;
	send_stay_slot(a->send, slot);
	verify_take_slot(a->verify, slot, 0);
	notify_stay_slot(a->notify, slot);
	notices_take_slot(a->notices, slot);
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
	a->note_timer = timer_new(a->loop, app_on_note, a);
	timer_start(a->note_timer, NOTE_MS);
	dial_start(a->dial);
	secret_wipe(conninfo, strlen(conninfo));
	free(conninfo);
}

static void app_on_keymark(void *arg, enum kz r)
{
	struct app *a = arg;

	a->checking = false;
	if (r == KZ_OK)
		app_build_on_schema(a);
	else if (r == KZ_LOST)
		timer_start(a->wait_timer, WAIT_MS);
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
			timer_start(a->wait_timer, WAIT_MS);
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
		timer_start(a->wait_timer, WAIT_MS);
}

void app_check_schema(void *arg)
{
	struct app *a = arg;

	if (a->slots || a->checking)
		return;
	a->checking = migrate_check(a->pg, app_on_version, a) == KZ_OK;
	if (!a->checking)
		timer_start(a->wait_timer, WAIT_MS);
}

void app_on_database(void *arg, bool up)
{
	struct app *a = arg;

	if (up && !a->slots)
		app_check_schema(a);
	else if (!up)
		messages_fail_waiting(a->messages);
}
