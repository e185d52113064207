/* smsc_dialect: how an operator's USSD looks on SMPP, seen from the operator: what it sends when a phone
 * dials, types, confirms or hangs up, and what it wants of a page. One row a dialect; it shares nothing with
 * the profiles of the daemon that it judges. */
#ifndef TOOLS_SMSC_DIALECT_H
#define TOOLS_SMSC_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"
#include "smpp/pdu.h"
#include "smsc_page.h"

struct smsc_dialect;

/* "none", then the dialects; NULL at the end. */
extern const char *const smsc_dialect_names[];
/* By its place among the names; NULL for none. */
const struct smsc_dialect *smsc_dialect_at(int place);

/* What tells dialogues apart on the wire; a dialect has some of it. */
struct smsc_dialogue {
	uint16_t its, umr;
	uint32_t id;
};

enum smsc_said { SMSC_DIALLED, SMSC_TYPED, SMSC_CONFIRMED, SMSC_CANCELLED };

/* "dial", "type", "confirm", "cancel" */
const char *smsc_said_name(enum smsc_said said);

struct smsc_say {
	enum smsc_said said;
	const char *from; /* source_addr: the number, or what stands for it */
	const char *code; /* as dialled: "*123*2#" */
	const char *text; /* typed */
	struct smsc_dialogue dialogue;
	unsigned turn; /* from 1 */
};

/* Of a new dialogue: the number-th since the start. */
struct smsc_dialogue smsc_dialect_begin(const struct smsc_dialect *d, uint32_t number);
/* The same at a later turn. */
struct smsc_dialogue smsc_dialect_turn(
    const struct smsc_dialect *d, const struct smsc_dialogue *of, unsigned turn);
/* destination_addr of what is said; room has 21 octets. */
const char *smsc_dialect_destination(const struct smsc_dialect *d, const char *code, char room[21]);
/* KZ_TOO_LONG and the like: an address or a text has no room in a PDU. */
enum kz smsc_dialect_put(const struct smsc_dialect *d, const struct smsc_say *s, enum gsm_wire gsm,
    uint32_t sequence, struct buf *out) KZ_CHECK;

/* Whether a submission is a page and not an SMS. */
bool smsc_dialect_is_page(const struct pdu_sm *m);
/* Its op, how it is meant and its dialogue; answers the faults of its form. SMSC_PAGE_ASK is never said: it
 * looks like SMSC_PAGE_GO_ON. */
uint32_t smsc_dialect_read(
    const struct smsc_dialect *d, const struct pdu_sm *m, struct smsc_page *page, struct smsc_dialogue *ret);
/* Whether a page with came belongs to the dialogue that last sent sent. */
bool smsc_dialect_same(
    const struct smsc_dialect *d, const struct smsc_dialogue *sent, const struct smsc_dialogue *came);
/* Whether the dialect has a number to tell dialogues by, and not the phone's alone. */
bool smsc_dialect_has_number(const struct smsc_dialect *d);
/* What the source_addr of a page has to be is known. */
bool smsc_dialect_keeps_source(const struct smsc_dialect *d);

#endif
