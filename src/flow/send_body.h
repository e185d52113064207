/* send_body: what the files of the sending journey share: src/flow/send*.c, letter*.c and parcel.c only. */
#ifndef FLOW_SEND_BODY_H
#define FLOW_SEND_BODY_H

#include "base/heap.h"
#include "base/ids.h"
#include "base/list.h"
#include "base/map.h"
#include "base/metrics.h"
#include "flow/aside.h"
#include "flow/queues.h"
#include "flow/send.h"
#include "flow/settle.h"
#include "flow/silence.h"

/* A letter's life. KEEPING -> WAITING <-> PAUSED -> SENT or ENDING -> freed. */
enum letter_phase {
	LETTER_KEEPING, /* not committed yet */
	LETTER_WAITING, /* with a carrier */
	LETTER_PAUSED,  /* with nobody until its due time: back-off, or no carrier */
	LETTER_SENT,    /* every part answered; its submissions are being recorded */
	LETTER_ENDING,  /* its end is being recorded */
	LETTER_LEAVING, /* its slot was lost; what happened to it is being recorded */
	LETTER_PHASES
};

/* One message on its way; about 300 octets and its text. Owned by send. */
struct letter {
	struct map_node by_id;
	struct list_node all;
	struct heap_node due; /* the next moment to look at it: retry or expiry */
	struct shipment shipment;
	struct send *send;
	struct queue *queue; /* of the operator that it is for; NULL: nobody serves its number */
	int64_t expires_wall_ms;
	int64_t last_us; /* of its newest event: a clock that is set back must not change their order */
	struct msisdn to;
	int64_t phone;                                 /* its keyed value */
	const struct carrier *last, *avoid, *not_ours; /* compared, never followed */
	char *taken_by;      /* name of the carrier that has the parts of done_mask, NULL: nobody has any */
	uint32_t doubt_mask; /* parts that were written once and not answered */
	char *avoid_link;    /* that lost what it is sent again for; NULL: none */
	char *text, *sender, *client_ref; /* text wiped as soon as nobody needs it; the others NULL: none */
	struct message_code code;         /* of its text */
	char *at_rest;                    /* the text as it is kept, NULL: as it is */
	int32_t api_key;
	uint16_t reference;
	uint16_t recording; /* events on their way to the database */
	uint8_t marking;    /* EVENT_RESENT among them */
	uint8_t parts;      /* as accepted; as cut for the carrier once its turn came */
	uint8_t alphabet, class, phase, worst, attempts;
	int8_t language;
	bool doubted;   /* at an earlier attempt */
	bool patient;   /* waited for the carrier that has its first parts */
	bool forgotten; /* its slot was lost while parts were on the wire */
	bool lingering; /* over, kept until the scan in flight has returned */
	bool shut;      /* what is sealed of it cannot be opened: it waits for its key, and goes nowhere */
	bool clearing;  /* EVENT_SENDING, or what goes before it, is on its way to the database */
};

/* Why a message is not admitted. */
enum send_refusal { REFUSED_UNAVAILABLE, REFUSED_FULL, REFUSED_OLD, SEND_REFUSALS };

/* Reading back what is unfinished in one slot. */
struct scan {
	bool active;
	int64_t newest_ms, back_ms; /* at first: it looks so far back from the newest; 0: not at first */
	uint64_t again_from;        /* once more from here when the scan has ended; 0: no */
	uint64_t low;               /* as noted in the database: nothing below it is open */
	uint64_t swept; /* everything below was looked at, late enough for its commit to be seen */
	uint64_t from, after, before; /* where it began, where the next page begins, where it ends */
	uint64_t sweeps_to;           /* swept when it has ended */
};

struct send {
	struct send_base base;
	struct message_limits law;
	const struct conf *conf;
	struct ways *ways;
	struct queues *queues;
	struct aside *aside;
	struct settle *settle;
	struct silence *silence;
	struct ids ids;
	int own; /* slot of new messages, -1 none */
	bool draining;
	struct map letters;
	struct list all;
	size_t letters_of[IDS_SLOTS]; /* all, by slot */
	size_t shut_n;                /* of all */
	struct heap due;
	struct timer *due_timer;
	struct timer *move_timer; /* queues of carriers that are down move again */
	int64_t moved_ms;         /* when they did last */
	size_t coming[LANES];     /* letters that are being kept and may be written at once */
	struct map running;       /* parcels by Idempotency-Key */
	struct list parcels;
	struct timer *unsure_timer; /* parcels whose commit nobody knows of */
	uint16_t references[65536]; /* last concatenation reference by hash of the number */
	/* send_resume.c */
	struct scan scans[IDS_SLOTS];
	bool held[IDS_SLOTS];
	bool scanning; /* one question is out */
	int scan_slot;
	bool scan_stale; /* the slot was left or lost since it was asked: the answer brings nothing */
	uint32_t epoch;  /* counts losses of the slots */
	struct timer *scan_timer;
	/* the last text that was cut, so that its other parts are not cut again */
	uint64_t cut_id;
	const struct carrier *cut_carrier;
	struct buf cut_room;
	struct segment cut[SEGMENT_MAX_PARTS];
	size_t cut_n;
	/* the end */
	struct timer *drain_timer;
	loop_fn *drained;
	void *drained_arg;
	send_lost_fn *lost; /* NULL: nobody asks */
	void *lost_arg;
	send_ussd_fn *ussd; /* NULL: nobody takes what is dialled */
	void *ussd_arg;
	struct metric *accepted[MESSAGE_CLASSES], *submitted[MESSAGE_CLASSES],
	    *ended[MESSAGE_UNCONFIRMED + 1];
	struct metric *submit_time[MESSAGE_CLASSES], *letters_gauge, *shut_gauge, *moved;
	struct metric *not_admitted[MESSAGE_CLASSES][SEND_REFUSALS];
};

/* send_ussd.c: ways_events.on_ussd */
bool send_hear(void *arg, struct carrier *c, const struct ussd_in *in);

/* letter.c */
struct letter *letter_find(const struct send *s, uint64_t id);
/* The message that the row is made from; texts stay the letter's. */
struct message letter_row(const struct letter *l);
/* One read back from the database; shut when its row has no text. */
struct letter *letter_from_row(struct send *s, const struct message_open *o);
/* It brings no code and is no notice: nobody waits to hear that it did not arrive. */
bool letter_is_plain(const struct letter *l);
/* Kept, and never written by this process: its row is for whoever reads it. */
void letter_drop_unsent(struct letter *l);
/* To the best carrier, or PAUSED when there is none, or it is shut. */
void letter_go(struct letter *l);
/* Looks at it again after wait_ms. */
void letter_pause(struct letter *l, int64_t wait_ms);
/* Takes it out of everything and frees it; its rows stay. */
void letter_free(struct letter *l);
/* When the slot is lost: freed now, or when what is on the wire is answered. */
void letter_forget(struct letter *l);
void letters_on_due(void *arg);

/* Its text is not needed any more, and none of it stays behind: a portal may have put a code of its own into
 * it. */
void letter_wipe(struct letter *l);

/* letter.c for the other files of letters */
/* The one place where phases change. */
void letter_enter(struct letter *l, enum letter_phase next);
int64_t letter_left_ms(const struct letter *l);
/* All parts go anew: what a carrier has of them may come to the phone twice. */
void letter_begin_anew(struct letter *l);

/* letter_way.c */
/* The carrier that has its first parts, when it can have the rest. NULL: not now; *ret_wait whether to be
 * patient with it once, as links that were lost come back within seconds. */
struct carrier *letter_taker(const struct letter *l, struct carrier *const *route, size_t n, bool *ret_wait);
/* The best that is up, by another link than the one to avoid, not the one that it should avoid now, never the
 * one that does not serve the number. */
struct carrier *letter_choose(const struct letter *l, struct carrier *const *route, size_t n);

/* letter_record.c */
/* at_us as the wall time of its next event: later than the one before, also when the clock was set back,
 * since reading back goes by their order. */
int64_t letter_stamp_us(struct letter *l, int64_t at_us);
/* r: what the operator said, NULL when it is not about a part. */
struct message_event *letter_event(struct letter *l, enum event_kind kind, unsigned part, const char *carrier,
    const struct part_result *r, const char *status, const char *detail);
/* Owns e; the letter leaves memory only after it is recorded. */
void letter_record(struct letter *l, struct message_event *e);
/* Its final event; it is over. */
void letter_end(struct letter *l, enum event_kind kind, enum message_state state, const char *detail);
void letter_expire(struct letter *l);
/* Marks those of the parts that are in doubt as possible duplicates. */
void letter_mark(struct letter *l, const struct carrier *c, uint32_t parts);
/* Notes that it may be written, possible duplicates among those parts first, and lets it be when that is
 * kept. */
void letter_clear(struct letter *l, uint32_t parts);
/* It is not written any more as it was cleared: notes which of it never was. */
void letter_unclear(struct letter *l);
/* Leaves it to its row, when its slot was lost. */
void letter_give_up(struct letter *l);

/* letter_turn.c */
void letters_on_move(void *arg);
/* Read back, and the parts of wire_mask may have been written by a daemon that ended. */
void letter_begin_interrupted(struct letter *l, uint32_t wire_mask);
/* What a refusal or a doubt comes to. */
enum attempt letter_attempt(const struct part_result *r);
/* It is out of its carrier: what its attempt came to decides what follows. */
void letter_conclude(struct letter *l);
extern const struct ways_events letter_ways_events;

/* letter_late.c */
settle_over_fn letter_on_doubt_over;
/* Whether it asks, before it goes again, for receipts that wait and name its parts in doubt; it goes later
 * then. */
bool letter_asks(struct letter *l);
/* The parts of mask were written to c and not answered, or without an id: what can be named by its receipt is
 * noted. c: NULL when not known. */
void letter_doubt(struct letter *l, const struct carrier *c, uint32_t mask);
void letter_on_late(void *arg, struct carrier *c, uint64_t id, unsigned part, unsigned parts,
    int64_t doubt_us, const struct part_result *r);

/* send.c */
/* The message has ended and was not delivered. */
void send_lost(void *arg, uint64_t message_id);
/* How long a message of the class lives when nobody says. */
int64_t send_life_ms(const struct send *s, enum message_class class);
/* send_admit.c */
void send_make_admit_metrics(struct send *s);

/* parcel.c */
bool parcels_equal(const struct map_node *n, const void *key);
void parcels_on_unsure(void *arg);
void parcels_free(struct send *s);

/* send_resume.c */
/* Looks at what came since the last look: a commit may have outlived everybody who waited for it. */
void resume_sweep(struct send *s, uint8_t slot);
/* newest: the slot's newest message, 0: none. */
void resume_start(struct send *s, uint8_t slot, uint64_t low_water, uint64_t newest);
/* Reads the slot again, at least from id on: its row may be there, and memory does not know it any more. */
void resume_again(struct send *s, uint8_t slot, uint64_t id);
/* Nothing more is asked of it; a page that is out brings nothing. */
void resume_stop(struct send *s, uint8_t slot);
void resume_stop_all(struct send *s);
/* Reads those again that wait for a key. */
void resume_shut(struct send *s);
/* There may be room for more. */
void resume_pump(void *arg);

#endif
