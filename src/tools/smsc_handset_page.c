#include <string.h>

#include "smsc_handset_body.h"

/* What a phone cannot show is refused, and whoever waits for it hears why; other faults are told, and the
 * page is shown all the same. */

#define STATUS_TOO_LONG 0x01
#define STATUS_FAILED   0x45

#define FAULT(name) (1u << SMSC_PAGE_##name)

static uint32_t page_length(const struct smsc_handsets *h, const struct smsc_page *page)
{
	int64_t most = !strcmp(page->alphabet, "ucs2") ? h->options->ussd_ucs2 : h->options->ussd_gsm7;

	return page->units > (size_t)most ? FAULT(TOO_LONG) : 0;
}

static uint32_t page_source(const struct smsc_handsets *h, const struct handset *t, const struct pdu_sm *m)
{
	char room[21];

	if (!smsc_dialect_keeps_source(h->dialect) ||
	    !strcmp(m->source.text, smsc_dialect_destination(h->dialect, t->code, room)))
		return 0;
	return FAULT(SOURCE);
}

static bool push_is_allowed(const struct smsc_handsets *h, const struct smsc_page *page)
{
	return h->options->ussd_push == (page->how == SMSC_PAGE_TELL ? 1 : 2) || h->options->ussd_push == 2;
}

/* A page of an open dialogue, and whether it may come now. */
static uint32_t page_of_dialogue(struct smsc_handsets *h, struct handset *t, const struct pdu_sm *m,
    const struct smsc_dialogue *came, struct smsc_page *page)
{
	uint32_t faults = page_source(h, t, m);

	if (!smsc_dialect_same(h->dialect, &t->dialogue, came))
		return faults | FAULT(WRONG_SESSION);
	if (list_first(&t->asks))
		return faults;
	if (t->state == HANDSET_LEFT && t->pardoned) {
		t->pardoned--;
		page->gone = true;
		return faults;
	}
	return faults | (t->state == HANDSET_TALKS ? FAULT(UNASKED) : FAULT(AFTER_END));
}

/* Whether a page that comes without having been asked for begins a dialogue of its own. */
static bool page_is_push(const struct smsc_handsets *h, const struct handset *t, const struct smsc_page *page,
    const struct smsc_dialogue *came)
{
	if (page->how == SMSC_PAGE_LAST)
		return false;
	if (page->how == SMSC_PAGE_TELL || !t)
		return true;
	if (list_first(&t->asks) || t->pardoned)
		return false;
	if (t->state == HANDSET_TALKS)
		return false;
	return smsc_dialect_has_number(h->dialect) ? !smsc_dialect_same(h->dialect, &t->dialogue, came)
	                                           : h->options->ussd_push == 2;
}

/* The sender's numbers where it brings them, else ours. */
static void push_begin(struct smsc_handsets *h, struct handset *t, const struct pdu_sm *m,
    const struct smsc_dialogue *came, struct smsc_page *page)
{
	h->dialogues = h->dialogues % 0x7FFF + 1;
	struct smsc_dialogue own = smsc_dialect_begin(h->dialect, h->dialogues);

	t->dialogue = (struct smsc_dialogue){.its = came->its ? came->its : own.its,
	    .umr = came->umr ? came->umr : own.umr,
	    .id = came->id ? came->id : own.id};
	t->turn = 1;
	t->pardoned = 0;
	memcpy(t->code, m->source.text, strlen(m->source.text) + 1);
	if (page->how == SMSC_PAGE_GO_ON) {
		page->how = SMSC_PAGE_ASK;
		t->state = HANDSET_TALKS;
	} else {
		t->state = HANDSET_ENDED;
	}
}

static uint32_t page_push(struct smsc_handsets *h, struct handset **t, const struct pdu_sm *m,
    const struct smsc_dialogue *came, struct smsc_page *page)
{
	if (!push_is_allowed(h, page))
		return FAULT(NO_PUSH);
	if (*t && (*t)->state == HANDSET_TALKS) {
		page->busy = true;
		return 0;
	}
	if (!*t && !(*t = handset_add(h, m->destination.text, m->destination.text)))
		return FAULT(NOBODY);
	push_begin(h, *t, m, came, page);
	return 0;
}

static void page_tell(struct smsc_handsets *h, struct handset *t, bool push, const struct smsc_page *page)
{
	if (push) {
		h->events->unasked(h->arg, page);
		if (page->how == SMSC_PAGE_TELL && !t->silent)
			handset_say(h, t, SMSC_CONFIRMED, "");
		return;
	}
	if (page->how == SMSC_PAGE_LAST && t->asks.count <= 1)
		t->state = HANDSET_ENDED;
	handset_answer(h, t, page);
}

/* The first of those for which it was refused. */
static enum smsc_page_fault page_worst(const struct smsc_page *page)
{
	return (enum smsc_page_fault)__builtin_ctz(page->faults);
}

static void page_report(struct smsc_handsets *h, const struct smsc_page *page)
{
	smsc_report_page(h->report, page);
	for (int i = 0; i < SMSC_PAGE_FAULTS; i++)
		if (page->faults & 1u << i)
			smsc_report_odd(h->report, page->system_id, "%s: %s", page->phone,
			    smsc_page_fault_words((enum smsc_page_fault)i));
}

uint32_t smsc_handsets_take(struct smsc_handsets *h, const struct pdu_sm *m, const char *system_id)
{
	struct handset *t = handset_at_address(h, m->destination.text);
	struct smsc_page page = {
	    .phone = t ? t->number : m->destination.text, .from = m->source.text, .system_id = system_id};
	struct smsc_dialogue came;

	page.faults = smsc_page_read(&page, m, (enum gsm_wire)h->options->gsm, &h->text) |
	              smsc_dialect_read(h->dialect, m, &page, &came);
	page.faults |= page_length(h, &page);
	bool push = !(page.faults & SMSC_PAGE_REFUSED) && page_is_push(h, t, &page, &came);
	if (push)
		page.faults |= page_push(h, &t, m, &came, &page);
	else if (t)
		page.faults |= page_of_dialogue(h, t, m, &came, &page);
	else
		page.faults |= FAULT(NOBODY);
	page_report(h, &page);
	if ((page.faults & SMSC_PAGE_REFUSED) && t && smsc_dialect_same(h->dialect, &t->dialogue, &came))
		handset_fail(h, t, smsc_page_fault_words(page_worst(&page)));
	if (page.faults & FAULT(TOO_LONG))
		return STATUS_TOO_LONG;
	if ((page.faults & SMSC_PAGE_REFUSED) || page.busy)
		return STATUS_FAILED;
	if (!page.gone)
		page_tell(h, t, push, &page);
	return 0;
}
