/* notify_body: what the files of the telling journey share; for src/flow/notify*.c only. */
#ifndef FLOW_NOTIFY_BODY_H
#define FLOW_NOTIFY_BODY_H

#include "base/ids.h"
#include "base/list.h"
#include "base/metrics.h"
#include "flow/notify.h"
#include "net/http_client.h"
#include "store/hooks.h"
#include "store/tellings.h"

#define NOTIFY_ASKS 128 /* requests at once, of all endpoints together */
#define NOTIFY_LOW  100 /* notes of a teller in memory, below which more are read */

struct notify {
	struct loop *loop;
	struct pg *pg;
	struct feed *feed;
	const struct keyring *keyring;
	const struct conf *conf;
	struct http_client *client;
	struct list endpoints;
	bool held[IDS_SLOTS], asked[IDS_SLOTS]; /* asked: the slots that the load in flight is for */
	bool load_again;
	/* endpoints whose secret cannot be opened: as of the last load, and so far of the one in flight */
	int32_t locked[HOOKS_MOST], locking[HOOKS_MOST];
	size_t locked_n, locking_n;
	uint64_t loading; /* ticket, 0: none is out */
	struct timer *load_timer;
	/* reading */
	struct list readings;
	/* when those who are at the bound of a slot read it again, all together */
	int64_t read_ms[IDS_SLOTS];
	struct timer *read_timer;
	struct defer pumping;
	/* how far all came */
	uint64_t saving;
	struct timer *save_timer;
	/* what is told again */
	uint64_t looking;
	struct timer *look_timer;
	int64_t look_at_ms;
	bool holding; /* perhaps something was held back since the last look */
	/* the end */
	bool draining, last_saved;
	struct defer drained_soon;
	loop_fn *drained;
	void *drained_arg;
	struct metric *told, *failed[HTTP_OUTCOMES], *given_up, *full, *disabled, *held_back;
	struct metric *up_gauge, *down_gauge, *locked_gauge, *open_gauge, *oldest_gauge;
};

/* One URL that a client has. Owned by notify. */
struct endpoint {
	struct list_node node;
	struct notify *notify;
	int32_t id, round;
	uint64_t since;
	char *client, *url;
	uint8_t secret[HOOK_SECRET];
	char name[24];       /* for the log */
	struct list tellers; /* one for each slot that is held */
	struct list again;   /* notes that are told again, of whatever slot */
	struct list waiting; /* notes whose turn comes, by in_line */
	struct timer *pause; /* armed: nothing is asked until then */
	size_t open;
	unsigned streak; /* first failures in a row */
	unsigned probes; /* since it is down; 0: it is up */
	bool seen;       /* by the load in flight */
};

/* How far an endpoint was told of one slot. */
struct teller {
	struct list_node node;
	struct endpoint *endpoint;
	uint8_t slot;
	bool held;         /* the slot is; else only cursor counts, for when it is again */
	bool leaving;      /* the slot is given away: what is on its way still counts */
	struct list notes; /* read and not yet done, or behind one that is not, by their numbers */
	uint64_t cursor, saving, saved; /* all up to cursor is done; saved in the database */
	uint64_t read_to;               /* all up to it was looked at */
	uint64_t seen;                  /* the last number that was there */
	uint64_t bare_before;           /* up to this bound there is nothing more to read */
	bool behind;                    /* it reads at once; else when read_ms comes */
	struct reading *reading;        /* the page that it waits for, NULL: none */
	struct list_node in_reading;
};

/* A page on its way, for all who are at the same place of a slot: those with nothing to tell are. Freed when
 * it came, or when nobody waits for it any more. */
struct reading {
	struct list_node node;
	struct notify *notify;
	struct list tellers;
	uint8_t slot;
	uint64_t after, before;
	uint64_t ticket; /* 0: it is not asked for yet, others may join */
};

enum note_phase {
	NOTE_WAITING, /* in its endpoint's line */
	NOTE_LOOKING, /* asks whether it is its turn */
	NOTE_ASKING,  /* on its way */
	NOTE_KEEPING, /* what became of it is being kept */
	NOTE_DONE,    /* told, or kept as one that is told again */
	NOTE_LEFT,    /* is told by whoever has the slot next */
};

/* One end, of a message or a code, or news, on its way to one endpoint. */
struct note {
	struct list_node node, in_line;
	struct endpoint *endpoint;
	struct teller *teller; /* NULL: it is told again */
	enum note_phase phase;
	bool left;               /* its slot is given away: it waits no more */
	bool ordered;            /* of news: all before it, of its application, are told */
	bool probe;              /* asked while the endpoint was down */
	bool given_up;           /* with what is being kept */
	unsigned attempts;       /* that failed and were counted */
	uint64_t ask, job;       /* tickets, 0: none */
	struct hook_event event; /* its texts in one piece behind the note */
};

/* notify.c */
struct endpoint *notify_find(const struct notify *n, int32_t id);
/* Lets everybody go on who can. */
void notify_pump(struct notify *n);
void endpoint_free(struct endpoint *e);
/* Nothing more is open: the end may be near. */
void notify_look_drained(struct notify *n);

/* notify_report.c */
void notify_make_metrics(struct notify *n);
void notify_measure(struct notify *n);

/* notify_read.c */
/* The slot is held, and all up to cursor was told by whoever held it: by us perhaps more. */
void teller_begin(struct endpoint *e, uint8_t slot, uint64_t cursor);
/* The slot is given away: nothing more is read of it, or asked. */
void teller_leave(struct teller *t);
/* The slot is lost, or given. */
void teller_stop(struct teller *t);
void teller_free(struct teller *t);
/* Whether it has come further than the database knows. */
bool teller_is_ahead(const struct teller *t);
/* A note of it is done. */
void teller_advance(struct teller *t);
void notify_read(void *arg);
/* Whether a question is out that ends with notify_look_drained. */
bool notify_save(struct notify *n);
/* Looks for what is due to be told again, in so many milliseconds at the latest. */
void notify_look_in(struct notify *n, int64_t wait_ms);
void notify_look(void *arg);

/* notify_keep.c */
void note_told(struct note *note);
/* It failed. */
void note_put_off(struct note *note, const char *why, int64_t retry_after_ms);
/* Whether it is not known yet that it may be told now. */
bool note_must_look(const struct note *note);
/* Asks that; it goes to the first place of the line then, or is held back. */
enum kz note_look(struct note *note) KZ_CHECK;

/* notify_tell.c */
struct note *note_new(
    struct endpoint *e, struct teller *t, const struct hook_event *event, unsigned attempts);
void note_free(struct note *n);
/* It waits for its turn, as the first or the last. */
void note_line_up(struct note *note, bool first);
/* What it waits for is not asked any more: it goes with its slot. */
void note_leave(struct note *n);
/* Its slot is kept after all. */
void note_stay(struct note *n);
/* Asks for as many of its notes as may be asked now. */
void endpoint_pump(struct endpoint *e);

/* notify.c */
bool notify_is_locked(const struct notify *n, int32_t id);

#endif
