/* notify_keep: what became of a note, as it is kept: told, put off, held back. News of an application are
 * told in their order: what comes first in line asks whether an earlier one is still to be told, and is then
 * kept with what failed until that one is told or given up.
 */
#include "base/log.h"
#include "flow/notify_body.h"

/* Told, or kept as one that is told again; a note that was told again is no more. */
static void note_done(struct note *note)
{
	struct endpoint *e = note->endpoint;
	struct teller *t = note->teller;

	note->phase = NOTE_DONE;
	if (t) {
		teller_advance(t);
		return;
	}
	note_free(note);
	if (!e->again.count)
		notify_look_in(e->notify, 0);
}

/* The database is away: it comes first again, when its endpoint was left alone for a while, and if it fails
 * then it is that failure that counts. */
static void note_set_back(struct note *note)
{
	struct endpoint *e = note->endpoint;

	note_line_up(note, true);
	if (note->teller && e->streak)
		e->streak--;
	if (!timer_is_armed(e->pause))
		timer_start(e->pause, e->notify->conf->webhook_retry_min_ms);
}

/* As one that is down it makes room: what was kept is told when it answers, or is given up some time. */
static void note_find_full(struct note *note)
{
	struct endpoint *e = note->endpoint;

	note_line_up(note, false);
	note->probe = e->probes > 0;
	if (e->probes && timer_is_armed(e->pause))
		return;
	timer_start(e->pause, hook_probe_ms(e->probes + 1, e->notify->conf->webhook_retry_min_ms));
	if (e->probes)
		return;
	e->probes = 1;
	metric_add(e->notify->full, 1);
	log_warn(e->name, "is down: %d ends wait to be told again", TELLINGS_RETRIES);
}

static void note_on_kept(void *arg, enum kz r)
{
	struct note *note = arg;
	struct notify *n = note->endpoint->notify;
	char id[HOOK_ID];

	note->job = 0;
	n->holding |= note->event.about == HOOK_NEWS;
	if (r == KZ_OK && note->given_up) {
		metric_add(n->given_up, 1);
		log_warn(note->endpoint->name, "%s is told no more after %d attempts",
		    hook_id(&note->event, id), HOOK_ATTEMPTS);
	}
	if (r == KZ_OK || r == KZ_REFUSED) /* refused: the endpoint was removed in that moment */
		note_done(note);
	else if (r == KZ_TOO_LONG)
		note_find_full(note);
	else
		note_set_back(note);
	notify_pump(n);
}

void note_told(struct note *note)
{
	struct endpoint *e = note->endpoint;
	struct notify *n = e->notify;

	metric_add(n->told, 1);
	e->streak = 0;
	if (e->probes) {
		e->probes = 0;
		timer_stop(e->pause);
		log_info(e->name, "is up again");
		notify_look_in(n, 0);
	}
	note->phase = NOTE_KEEPING;
	note->given_up = false;
	/* when the row outlives it, it is told once more */
	if (note->teller || tellings_settle(n->pg, e->id, note->event.about, note->event.id, note_on_kept,
	                        note, &note->job) != KZ_OK)
		note_done(note);
}

static void note_keep(struct note *note, const struct tellings_retry *retry)
{
	note->phase = NOTE_KEEPING;
	if (tellings_put_off(note->endpoint->notify->pg, retry, note_on_kept, note, &note->job) != KZ_OK)
		note_set_back(note);
}

static struct tellings_retry note_retry(const struct note *note, const char *why)
{
	return (struct tellings_retry){.id = note->endpoint->id,
	    .about = note->event.about,
	    .of = note->event.id,
	    .slot = ids_slot(note->event.feed),
	    .attempts = note->attempts,
	    .now_us = loop_clock(note->endpoint->notify->loop)->wall_us(),
	    .status = why};
}

void note_put_off(struct note *note, const char *why, int64_t retry_after_ms)
{
	struct notify *n = note->endpoint->notify;
	struct tellings_retry retry = note_retry(note, why);
	int64_t wait_ms = hook_wait_ms(++retry.attempts, n->conf->webhook_retry_min_ms);

	note->given_up = wait_ms < 0;
	if (!note->given_up) {
		wait_ms = wait_ms > retry_after_ms ? wait_ms : retry_after_ms;
		retry.due_us = retry.now_us + wait_ms * 1000;
	}
	note_keep(note, &retry);
	if (note->phase == NOTE_KEEPING && !note->given_up)
		notify_look_in(n, wait_ms);
}

bool note_must_look(const struct note *note)
{
	return note->event.about == HOOK_NEWS && note->teller && !note->ordered;
}

/* Kept in the database, as what failed is: in memory it would hold up the ends of messages behind it. */
static void note_hold_back(struct note *note, uint64_t behind)
{
	struct notify *n = note->endpoint->notify;
	struct tellings_retry retry = note_retry(note, "behind others of its application");

	retry.behind = behind;
	retry.due_us = retry.now_us;
	note->given_up = false;
	metric_add(n->held_back, 1);
	note_keep(note, &retry);
}

static void note_on_looked(void *arg, enum kz r, uint64_t behind)
{
	struct note *note = arg;
	struct endpoint *e = note->endpoint;

	note->job = 0;
	e->open--;
	if (r == KZ_OK && behind) {
		note_hold_back(note, behind);
	} else {
		note->ordered = r == KZ_OK;
		note_line_up(note, true);
		if (r != KZ_OK && !timer_is_armed(e->pause))
			timer_start(e->pause, e->notify->conf->webhook_retry_min_ms);
	}
	notify_pump(e->notify);
}

enum kz note_look(struct note *note)
{
	struct endpoint *e = note->endpoint;

	return tellings_ahead(e->notify->pg, e->id, note->event.feed, note_on_looked, note, &note->job);
}
