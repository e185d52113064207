/* send_resume: reading back what a slot has unfinished, page by page, as far as memory has room: after a
 * start, when a slot is taken over, and again when a commit's outcome was lost. One question at a time. A
 * letter that ends while a question is out lingers until the answer is read, because the answer may still
 * show it as unfinished.
 *
 * The newest minute first, then what is older in growing steps: what a crash left unfinished is what came
 * last, while the low water lies ten minutes back at least, and behind a mailing that waits since yesterday a
 * day of finished messages. A code cannot wait until all of that was walked.
 *
 * What cannot be opened, because its key has not come to this daemon yet, is a letter as the others and goes
 * nowhere: so it holds the low water, ends when its time is over, and is read again when keys have come.
 * Passing it over and looking at its rows again from time to time was not taken: between it and now may lie
 * a week of messages. */
#include "base/log.h"
#include "flow/send_body.h"

#define RESUME_PAGE        10000 /* messages looked at by one question */
#define RESUME_BACK_MS     INT64_C(60000)
#define RESUME_BACK_GROWTH 8
#define RESUME_RETRY_MS    500
#define RESUME_SETTLED_MS  600000 /* far beyond any commit, and beyond a clock set back a little */
#define RESUME_SWEEP_STEP  (ids_floor(IDS_EPOCH_MS + 60000)) /* sweep once a minute */

static bool resume_has_room(const struct send *s)
{
	size_t most = (size_t)s->conf->queue_max_messages;

	return s->all.count < most - most / 8; /* the rest is for what comes new */
}

static int resume_next_slot(const struct send *s)
{
	for (int slot = 0; slot < IDS_SLOTS; slot++)
		if (s->scans[slot].active && s->held[slot])
			return slot;
	return -1;
}

static void resume_say_shut(const struct letter *l)
{
	char id[IDS_TEXT];

	log_error(ids_text(l->shipment.id, id),
	    "what is sealed of it cannot be opened, so it waits: is its key in the keyring?");
}

static void resume_on_open(void *arg, const struct message_open *o)
{
	struct send *s = arg;

	if (s->scan_stale || s->draining || letter_find(s, o->message.id))
		return;
	struct letter *l = letter_from_row(s, o);
	if (l->shut)
		resume_say_shut(l);
	if (o->wire_mask)
		letter_begin_interrupted(l, o->wire_mask);
	else if (o->doubt_mask) /* its receipt may still come, or may wait */
		letter_pause(l, o->message.class == MESSAGE_CODE ? 0 : s->law.in_doubt_ms);
	else
		letter_go(l);
	letter_doubt(l, NULL, o->doubt_mask | o->wire_mask);
}

static void resume_free_lingering(struct send *s)
{
	list_each(&s->all, n, next)
	{
		struct letter *l = list_entry(n, struct letter, all);

		if (l->lingering)
			letter_free(l);
	}
}

/* Below this every commit has been seen, or is held by a parcel that asks until it is. */
static uint64_t resume_settled(const struct send *s)
{
	return ids_floor(clock_wall_ms(loop_clock(s->base.loop)) - RESUME_SETTLED_MS);
}

static void resume_begin(struct send *s, struct scan *scan, uint64_t from, uint64_t before)
{
	uint64_t settled = resume_settled(s);

	scan->active = true;
	scan->again_from = 0;
	scan->from = from;
	scan->after = from ? from - 1 : 0;
	scan->before = before;
	scan->sweeps_to = settled < before ? settled : before;
	if (scan->sweeps_to < scan->swept)
		scan->sweeps_to = scan->swept;
}

static uint64_t resume_back(const struct scan *scan)
{
	uint64_t from = ids_floor(scan->newest_ms - scan->back_ms);

	return from > scan->low ? from : scan->low;
}

/* On to what is older than what was looked at. */
static void resume_go_back(struct send *s, struct scan *scan)
{
	uint64_t again_from = scan->again_from, sweeps_to = scan->sweeps_to;

	scan->back_ms *= RESUME_BACK_GROWTH;
	resume_begin(s, scan, resume_back(scan), scan->from);
	scan->again_from = again_from;
	scan->sweeps_to = sweeps_to;
}

static void resume_finish(struct send *s, struct scan *scan)
{
	if (scan->back_ms && scan->from > scan->low) {
		resume_go_back(s, scan);
		return;
	}
	if (scan->back_ms)
		log_info("slots", "slot=%d read back, unfinished=%zu", s->scan_slot, s->all.count);
	scan->back_ms = 0;
	scan->swept = scan->sweeps_to;
	scan->active = false;
	if (scan->again_from)
		resume_again(s, (uint8_t)s->scan_slot, scan->again_from);
}

static void resume_on_page(void *arg, enum kz r, size_t looked, uint64_t last)
{
	struct send *s = arg;
	struct scan *scan = &s->scans[s->scan_slot];

	s->scanning = false;
	resume_free_lingering(s);
	if (r != KZ_OK) {
		log_warn("slots", "slot=%d cannot be read back now: %s", s->scan_slot, kz_name(r));
		timer_start(s->scan_timer, RESUME_RETRY_MS);
		return;
	}
	if (!s->scan_stale) {
		if (last)
			scan->after = last;
		if (looked < RESUME_PAGE)
			resume_finish(s, scan);
	}
	resume_pump(s);
}

void resume_pump(void *arg)
{
	struct send *s = arg;
	int slot = resume_next_slot(s);

	if (s->scanning || slot < 0 || !resume_has_room(s) || s->draining)
		return;
	s->scan_slot = slot;
	s->scan_stale = false;
	s->scanning = messages_open(s->base.pg, s->base.keyring, (uint8_t)slot, s->scans[slot].after,
	                  s->scans[slot].before, RESUME_PAGE, resume_on_open, resume_on_page, s) == KZ_OK;
	if (!s->scanning)
		timer_start(s->scan_timer, RESUME_RETRY_MS);
}

void resume_start(struct send *s, uint8_t slot, uint64_t low_water, uint64_t newest)
{
	struct scan *scan = &s->scans[slot];

	*scan = (struct scan){.low = low_water, .newest_ms = ids_wall_ms(newest), .back_ms = RESUME_BACK_MS};
	resume_begin(s, scan, resume_back(scan), INT64_MAX);
	resume_pump(s);
}

void resume_again(struct send *s, uint8_t slot, uint64_t id)
{
	struct scan *scan = &s->scans[slot];

	if (!scan->active)
		resume_begin(s, scan, id < scan->swept ? id : scan->swept, INT64_MAX);
	else if (!scan->again_from || id < scan->again_from)
		scan->again_from = id;
	/* not at once: the connection that was lost is likely still away */
	timer_start(s->scan_timer, RESUME_RETRY_MS);
}

void resume_shut(struct send *s)
{
	list_each(&s->all, n, next)
	{
		struct letter *l = list_entry(n, struct letter, all);

		if (l->shut)
			letter_forget(l);
	}
}

void resume_sweep(struct send *s, uint8_t slot)
{
	struct scan *scan = &s->scans[slot];
	uint64_t settled = resume_settled(s);

	if (scan->active || settled <= scan->swept + RESUME_SWEEP_STEP)
		return;
	resume_begin(s, scan, scan->swept, settled);
	resume_pump(s);
}

void resume_stop(struct send *s, uint8_t slot)
{
	struct scan *scan = &s->scans[slot];

	*scan = (struct scan){.low = scan->low, .swept = scan->swept, .newest_ms = scan->newest_ms};
	if (s->scan_slot == slot)
		s->scan_stale = true;
}

void resume_stop_all(struct send *s)
{
	for (unsigned slot = 0; slot < IDS_SLOTS; slot++)
		resume_stop(s, (uint8_t)slot);
	timer_stop(s->scan_timer);
}
