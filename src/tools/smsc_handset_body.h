/* smsc_handset_body: what smsc_handset.c (phones and what they say), smsc_handset_ask.c (what waits for a
 * page) and smsc_handset_page.c (what comes) share. */
#ifndef TOOLS_SMSC_HANDSET_BODY_H
#define TOOLS_SMSC_HANDSET_BODY_H

#include "base/list.h"
#include "base/map.h"
#include "smsc_dialect.h"
#include "smsc_handset.h"

enum handset_state {
	HANDSET_LEFT,  /* it never talked, or hung up, or the network did */
	HANDSET_TALKS, /* in a dialogue: asks has what waits, or the person reads */
	HANDSET_ENDED, /* by a last page */
};

/* A question that waits for its page; in its handset's asks and in dues. */
struct ask {
	struct list_node node, due;
	struct handset *handset;
	struct smsc_ticket ticket;
	int64_t sent_ms;
};

/* Something said whose response has not come. */
struct flight {
	struct map_node node;
	struct list_node of_receiver;
	struct handset *handset;
	struct smsc_receiver *receiver;
	uint32_t sequence;
};

/* Owned by both maps, until the end. */
struct handset {
	struct map_node by_number, by_address;
	char number[21], address[21], code[32], system_id[33];
	enum handset_state state;
	struct smsc_dialogue dialogue; /* as it was last said */
	unsigned turn;
	enum smsc_said said; /* last, with text */
	char *text;
	struct list asks;
	size_t pardoned; /* pages that were on their way when the phone left */
	bool silent;
};

struct smsc_handsets {
	struct loop *loop;
	const struct smsc_options *options;
	struct smsc_report *report;
	const struct smsc_dialect *dialect;
	const struct smsc_handset_events *events;
	void *arg;
	struct map by_number, by_address, flights;
	struct list receivers, dues;
	struct timer *due_timer;
	uint32_t dialogues;
	struct buf pdu, text;
};

struct handset *handset_at_address(const struct smsc_handsets *h, const char *address);
/* A new one; NULL over SMSC_HANDSETS. */
struct handset *handset_add(struct smsc_handsets *h, const char *number, const char *address);
/* Says that; false when nobody is bound who could hear it. */
bool handset_say(struct smsc_handsets *h, struct handset *t, enum smsc_said said, const char *text);
/* A question was said, whose page is due. */
void handset_ask(struct smsc_handsets *h, struct handset *t, struct smsc_ticket ticket);
/* Its oldest question is answered; false when there is none. */
bool handset_answer(struct smsc_handsets *h, struct handset *t, const struct smsc_page *page);
/* All its questions have failed. */
void handset_fail(struct smsc_handsets *h, struct handset *t, const char *why);
/* They are gone, and nobody is told. */
void handset_forget(struct smsc_handsets *h, struct handset *t);
/* The timer of dues: the network gives up, as it does with one who does not answer. */
void handset_on_due(void *arg);

#endif
