/* send_resume: reading back what a slot has unfinished, page by page, as far as memory has room: after a
 * start, when a slot is taken over, and again when a commit's outcome was lost. One question at a time. A
 * letter that ends while a question is out lingers until the answer is read, because the answer may still
 * show it as unfinished. */
#include "base/log.h"
#include "flow/send_body.h"

#define RESUME_PAGE     2000
#define RESUME_RETRY_MS 500

static bool resume_has_room(const struct send *s)
{
	return s->all.count < (size_t)s->conf->queue_max_messages / 2;
}

static int resume_next_slot(const struct send *s)
{
	for (int slot = 0; slot < IDS_SLOTS; slot++)
		if (s->scans[slot].active && s->held[slot])
			return slot;
	return -1;
}

static void resume_on_open(void *arg, const struct message_open *o)
{
	struct send *s = arg;
	struct scan *scan = &s->scans[s->scan_slot];

	if (s->scan_epoch != s->epoch || s->draining)
		return;
	scan->after = o->message.id;
	if (letter_find(s, o->message.id))
		return;
	letter_go(letter_from_row(s, o));
}

static void resume_sweep(struct send *s)
{
	list_each(&s->all, n, next)
	{
		struct letter *l = list_entry(n, struct letter, all);

		if (l->lingering)
			letter_free(l);
	}
}

static void resume_finish(struct send *s, struct scan *scan)
{
	scan->active = scan->again;
	scan->again = false;
	scan->after = scan->low ? scan->low - 1 : 0;
	if (!scan->active)
		log_info("slots", "slot=%d read back, unfinished=%zu", s->scan_slot, s->all.count);
}

static void resume_on_page(void *arg, enum kz r, size_t n)
{
	struct send *s = arg;
	struct scan *scan = &s->scans[s->scan_slot];

	s->scanning = false;
	resume_sweep(s);
	if (r != KZ_OK) {
		timer_start(s->scan_timer, RESUME_RETRY_MS);
		return;
	}
	if (n < RESUME_PAGE && s->scan_epoch == s->epoch)
		resume_finish(s, scan);
	resume_pump(s);
}

void resume_pump(void *arg)
{
	struct send *s = arg;
	int slot = resume_next_slot(s);

	if (s->scanning || slot < 0 || !resume_has_room(s) || s->draining)
		return;
	s->scan_slot = slot;
	s->scan_epoch = s->epoch;
	s->scanning = messages_open(s->base.pg, (uint8_t)slot, s->scans[slot].after, RESUME_PAGE,
	                  resume_on_open, resume_on_page, s) == KZ_OK;
	if (!s->scanning)
		timer_start(s->scan_timer, RESUME_RETRY_MS);
}

void resume_start(struct send *s, uint8_t slot, uint64_t low_water)
{
	s->scans[slot] =
	    (struct scan){.active = true, .low = low_water, .after = low_water ? low_water - 1 : 0};
	resume_pump(s);
}

void resume_again(struct send *s, uint8_t slot)
{
	struct scan *scan = &s->scans[slot];

	if (scan->active) {
		scan->again = true;
	} else {
		scan->active = true;
		scan->after = scan->low ? scan->low - 1 : 0;
	}
	/* not at once: the connection that was lost is likely still away */
	timer_start(s->scan_timer, RESUME_RETRY_MS);
}

void resume_stop_all(struct send *s)
{
	for (int slot = 0; slot < IDS_SLOTS; slot++)
		s->scans[slot].active = s->scans[slot].again = false;
	timer_stop(s->scan_timer);
}
