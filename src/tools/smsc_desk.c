#include "smsc_desk.h"

#include <string.h>

#include "base/clock.h"
#include "smsc_dialect.h"

#define STATUS_SYSTEM          0x08
#define STATUS_BAD_DESTINATION 0x0B
#define DELIVERED              1

/* SMPP 3.4, 5.2.17: the two low bits; 2 asks for failures only. */
static bool receipt_is_wanted(const struct pdu_sm *m, const struct smsc_options *o)
{
	unsigned wish = m->registered_delivery & 3;

	return wish == 1 || (wish == 2 && o->receipt_state != DELIVERED);
}

static struct smsc_receipt receipt_of(
    const struct smsc_desk *d, const struct pdu_sm *m, const struct smsc_part *part, uint64_t number)
{
	int64_t wall_ms = clock_wall_ms(loop_clock(d->loop));
	struct smsc_receipt r = {
	    .number = number,
	    .phone = m->destination,
	    .sender = m->source,
	    .submitted_wall_ms = wall_ms,
	    .done_wall_ms = wall_ms,
	};

	if (m->text_len > part->udh_len)
		smsc_receipt_excerpt(m->text + part->udh_len, m->text_len - part->udh_len, r.excerpt);
	return r;
}

/* Odd in turn; some of the odd ones come besides. */
static void receipt_add(struct smsc_desk *d, struct smsc_account *a, const struct smsc_receipt *of)
{
	const struct smsc_options *o = d->options;
	struct smsc_receipt r = *of;

	r.odd = o->odds_n ? o->odds[r.number % o->odds_n] : SMSC_ODD_NOT;
	if (!smsc_receipt_is_true(&r)) {
		smsc_post_add(d->post, a, &r, o->early_receipt);
		r.odd = SMSC_ODD_NOT;
	}
	smsc_post_add(d->post, a, &r, o->early_receipt);
}

/* What is answered as taken is in the journal before. */
static bool noted(struct smsc_desk *d, const struct smsc_account *a, const struct pdu_sm *m,
    const struct smsc_part *part, const struct smsc_receipt *r, unsigned receipts)
{
	const char *system_id = smsc_account_system_id(a);

	if (!d->journal || smsc_journal_took(d->journal, m, part, system_id, r, receipts) == KZ_OK)
		return true;
	smsc_report_odd(d->report, system_id, "the journal cannot be written: a submission is refused");
	return false;
}

static void oddities(struct smsc_desk *d, const struct smsc_account *a, const struct pdu_sm *m,
    uint32_t sequence, const struct smsc_part *part)
{
	if (part->malformed)
		smsc_report_odd(d->report, smsc_account_system_id(a),
		    "submission %u: its concatenation cannot be read", (unsigned)sequence);
	if (smsc_part_is_too_long(m, part, d->options))
		smsc_report_odd(d->report, smsc_account_system_id(a),
		    "submission %u: %zu octets do not fit into one SMS", (unsigned)sequence, m->text_len);
}

static void report(struct smsc_desk *d, const struct smsc_account *a, const struct pdu_sm *m,
    uint32_t sequence, const struct smsc_part *part, const struct smsc_taken *t)
{
	smsc_report_submit(d->report, &(struct smsc_submission){.system_id = smsc_account_system_id(a),
	                                  .command = m->command == PDU_DATA_SM ? "data_sm" : "submit_sm",
	                                  .id = t->id,
	                                  .to = m->destination.text,
	                                  .sequence = sequence,
	                                  .status = t->status,
	                                  .part = part->number,
	                                  .total = part->total,
	                                  .answered = t->answer});
}

/* It is shown at once or never: no journal and no receipt. */
static void take_page(struct smsc_desk *d, const struct smsc_account *a, const struct pdu_sm *m,
    uint32_t sequence, const struct smsc_part *part, struct smsc_taken *t)
{
	if (!t->status)
		t->status = smsc_handsets_take(d->handsets, m, smsc_account_system_id(a));
	if (!t->status)
		smsc_id_text(d->options, d->next_number++, t->id);
	report(d, a, m, sequence, part, t);
}

struct smsc_taken smsc_desk_take(
    struct smsc_desk *d, struct smsc_account *a, const struct pdu_sm *m, uint32_t sequence, size_t unanswered)
{
	struct smsc_part part = smsc_part_of(m);
	struct smsc_verdict v =
	    smsc_fault_judge(&d->fault, d->options, loop_now_ms(d->loop), m->destination.text, unanswered);
	struct smsc_taken t = {.status = v.status, .answer = v.answer, .nack = v.nack, .garbage = v.garbage};
	struct smsc_receipt r = receipt_of(d, m, &part, d->next_number);
	unsigned receipts = !v.receipt || !receipt_is_wanted(m, d->options) ? 0
	                    : d->options->receipt_twice                     ? 2
	                                                                    : 1;

	if (d->handsets && smsc_dialect_is_page(m)) {
		take_page(d, a, m, sequence, &part, &t);
		return t;
	}
	if (!t.status && !*m->destination.text)
		t.status = STATUS_BAD_DESTINATION;
	if (!t.status && !noted(d, a, m, &part, &r, receipts))
		t.status = STATUS_SYSTEM;
	if (!t.status)
		smsc_id_text(d->options, d->next_number++, t.id);
	report(d, a, m, sequence, &part, &t);
	if (t.status)
		return t;
	oddities(d, a, m, sequence, &part);
	smsc_phone_take(d->phone, m, &part, smsc_account_system_id(a), t.id);
	for (; receipts; receipts--)
		receipt_add(d, a, &r);
	return t;
}
