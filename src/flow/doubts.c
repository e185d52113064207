/* Parts in doubt, and receipts with a reference that nobody was found for, since a receipt may come while its
 * part still waits for an answer that never comes. Both have a fixed room and are walked; in both the oldest
 * is forgotten for the newest. A part gives its place back when it is settled or answered late, so that an
 * operator that never gives an id and sends its receipts soon does not push out the doubts of others. A stray
 * waits in the database all the same; what is forgotten of a part is that its receipt ends the doubt: one
 * that would go again asks the database first, one of an operator without ids ends as unconfirmed.
 *
 * A match ends the doubt: the part is not sent again. A wrong one would leave a parent without her message,
 * so carrier, phone and reference must all agree: a stranger's receipt passes once in 65,536 times, and only
 * while that phone has a message in doubt. Without the reference, "the only message in doubt to that phone at
 * that carrier" was considered and not taken: the receipt may be of a message that another system sends over
 * the same account, of one whose answer is just being recorded, or of any earlier one when the profile spells
 * ids wrongly. A message sent twice, and marked, is the smaller harm. */
#include "flow/doubts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "smpp/submission.h"

#define NOTES  4096
#define STRAYS 1024

struct note {
	struct list_node node; /* of those in use, the oldest first, or of the free ones */
	uint16_t reference;
	char carrier[24];
	struct receipt_home home;
	int64_t since_us;
};

struct stray {
	bool used;
	uint16_t reference;
	char carrier[24];
	int64_t phone;
	char id[RECEIPT_ID];
};

struct doubts {
	struct list used, free;
	struct note notes[NOTES];
	struct stray strays[STRAYS];
	size_t next_stray;
	struct metric *open, *forgotten;
};

struct doubts *doubts_new(void)
{
	struct doubts *d = mem_new(sizeof *d);

	list_init(&d->used);
	list_init(&d->free);
	for (size_t i = 0; i < NOTES; i++)
		list_append(&d->free, &d->notes[i].node);
	d->open =
	    metric_gauge("kezek_doubts", "Parts noted to be named by the reference in their receipt", "");
	d->forgotten = metric_counter(
	    "kezek_doubts_forgotten_total", "Parts of which that was forgotten, for newer ones", "");
	return d;
}

static bool doubts_same_carrier(const char *noted, const char *told)
{
	return !*noted || !strcmp(noted, told);
}

static struct note *doubts_place(struct doubts *d)
{
	if (!d->free.count) {
		metric_add(d->forgotten, 1);
		list_append(&d->free, list_take_first(&d->used));
	}
	return list_entry(list_first(&d->free), struct note, node);
}

static void doubts_move(struct doubts *d, struct note *n, struct list *from, struct list *to)
{
	list_remove(from, &n->node);
	list_append(to, &n->node);
	metric_set(d->open, (double)d->used.count);
}

bool doubts_note(struct doubts *d, struct doubt *doubt, char ret_id[RECEIPT_ID])
{
	uint16_t reference = submission_reference(doubt->home.message_id, doubt->home.part - 1);

	for (size_t i = 0; i < STRAYS; i++) {
		struct stray *s = &d->strays[i];

		if (!s->used || s->reference != reference || s->phone != doubt->home.phone ||
		    !doubts_same_carrier(doubt->carrier, s->carrier))
			continue;
		memcpy(ret_id, s->id, sizeof s->id);
		doubt->carrier = s->carrier;
		s->used = false;
		return true;
	}
	struct note *n = doubts_place(d);

	n->reference = reference;
	n->home = doubt->home;
	n->since_us = doubt->since_us;
	doubts_move(d, n, &d->free, &d->used);
	snprintf(n->carrier, sizeof n->carrier, "%s", doubt->carrier);
	return false;
}

static void doubts_remember(
    struct doubts *d, const char *carrier, int64_t phone, uint16_t reference, const char *id)
{
	struct stray *s = &d->strays[d->next_stray++ % STRAYS];

	*s = (struct stray){.used = true, .reference = reference, .phone = phone};
	snprintf(s->carrier, sizeof s->carrier, "%s", carrier);
	snprintf(s->id, sizeof s->id, "%s", id);
}

bool doubts_settle(struct doubts *d, const char *carrier, int64_t phone, uint16_t reference, const char *id,
    struct doubt *ret)
{
	list_each(&d->used, at, next)
	{
		struct note *n = list_entry(at, struct note, node);

		if (n->reference != reference || n->home.phone != phone ||
		    !doubts_same_carrier(n->carrier, carrier))
			continue;
		snprintf(n->carrier, sizeof n->carrier, "%s", carrier);
		*ret = (struct doubt){n->carrier, n->home, n->since_us};
		doubts_move(d, n, &d->used, &d->free);
		return true;
	}
	doubts_remember(d, carrier, phone, reference, id);
	return false;
}

void doubts_forget(
    struct doubts *d, const char *carrier, uint64_t message_id, unsigned part, int64_t since_us)
{
	list_each(&d->used, at, next)
	{
		struct note *n = list_entry(at, struct note, node);

		if (n->home.message_id != message_id || n->home.part != part || n->since_us < since_us ||
		    strcmp(n->carrier, carrier))
			continue;
		doubts_move(d, n, &d->used, &d->free);
		return;
	}
}

void doubts_free(struct doubts *d)
{
	free(d);
}
