/* dial_turn: what the files of the turn itself share: dial.c, dial_turn.c, dial_ask.c, dial_debt.c,
 * dial_language.c, dial_late.c, dial_page.c, dial_drop.c, dial_menu.c, dial_record.c, dial_sms.c only.
 * Handlers of services see dial_body.h. */
#ifndef FLOW_DIAL_TURN_H
#define FLOW_DIAL_TURN_H

#include "base/list.h"
#include "base/map.h"
#include "base/metrics.h"
#include "flow/dial_body.h"

#define DIAL_TURNS   50000 /* under way at once, with those that wait */
#define DIAL_ABREAST 1000  /* that walk: the others wait, in order of arrival */
#define DIAL_BEHIND  4     /* of one phone, behind the one under way */
#define DIAL_LATE    256   /* owed answers that are asked for in a second */
#define DIAL_MENUS   4     /* dialogs of before, in memory */
#define DIAL_TAKEN   20000 /* pages that were shown, while their request may be repeated */
#define DIAL_CARRIER 21    /* octets of a carrier's name, with its NUL */
#define DIAL_CODE    21    /* of a code, likewise */

/* What is counted of a screen. */
enum dial_seen {
	SEEN_SHOWN,
	SEEN_OPTION, /* an option was pressed, something was typed or picked */
	SEEN_WRONG,
	SEEN_BACK,
	SEEN_TIME_OUT,
	SEEN_DROPPED,
	SEEN_END,
	SEENS
};

/* What became of an SMS that was owed and taken up. */
enum debt_end { DEBT_TOLD, DEBT_AGAIN, DEBT_GIVEN_UP, DEBT_ENDS };

/* A dialog in memory; owned by dial, let go while nobody walks it. */
struct dial_menu {
	struct list_node node;
	struct dialog *dialog;
	struct dialog_source *source;  /* NULL: it came from the database */
	size_t walkers;                /* turns and calls that are on it */
	struct metric *(*seen)[SEENS]; /* by screen; NULL: not seen yet */
};

/* A session as it is kept between its turns. */
struct dial_record {
	struct msisdn phone;
	char carrier[DIAL_CARRIER]; /* that the call comes by; "": the terminal */
	char key[USSD_KEY];         /* of the dialogue at the operator */
	size_t key_n;
	char code[DIAL_CODE]; /* that pages of the call come from */
	int64_t said;         /* keyed value of what came last */
	int64_t at_ms;        /* and when, wall time */
	bool told;            /* that the call was dropped, by SMS */
	struct session session;
};

/* How long things may take by the way that a call came. */
struct dial_way {
	int64_t deadline_ms; /* of the daemon */
	int64_t person_ms;   /* of a person who reads a page and presses a key */
	int64_t repeat_ms;   /* within which the same is a repeated request */
};

enum turn_place {
	TURN_BEHIND,   /* another one of the phone is under way */
	TURN_READING,  /* the session */
	TURN_SEEKING,  /* its dialog */
	TURN_SPEAKING, /* which language she speaks */
	TURN_NOTING,   /* the language that she chose */
	TURN_ASKING,   /* a service */
	TURN_KEEPING,  /* the session */
	TURN_TOLD,     /* the page was said; what is still out only frees it */
	TURN_PLACES
};

/* Which closing page is left to say. */
enum dial_close { CLOSE_NONE, CLOSE_DOWN, CLOSE_OVER, CLOSE_HIDDEN, CLOSES };

struct dial_ask;

/* What came from a phone, until its page is said. */
struct turn {
	struct list_node node;
	struct list *owner;     /* where node is: of all, or behind another */
	struct list_node waits; /* in the dial's list of those whose turn it is not */
	struct map_node by_phone;
	struct dial *dial;
	struct timer *timer;
	struct defer begins;
	enum turn_place place;
	bool walks;            /* one of DIAL_ABREAST */
	bool busy;             /* an answer will come */
	bool known;            /* record was read */
	bool beaten;           /* somebody else was faster with this answer */
	bool late;             /* the deadline has passed */
	bool gone;             /* she hung up meanwhile */
	bool read;             /* the page of the same octets had been shown before she said it */
	enum ussd_push pushed; /* nobody dialled: what may be pushed is shown, as a text or as a question */
	uint64_t child;        /* pushed: whom it is about */
	enum dial_close closing;
	unsigned rounds, asks;
	struct list behind; /* struct turn */
	struct ussd_in in;
	char carrier[DIAL_CARRIER];
	struct dial_way way;
	dial_page_fn *done; /* of the terminal; NULL: a carrier's */
	void *arg;
	int64_t phone_key, said, began_us;
	int64_t walked_us;       /* when it began to walk; 0: it did not */
	enum language spoke;     /* before she typed */
	struct engine_step step; /* of TURN_NOTING: where it goes on */
	struct dial_menu *menu;
	struct dial_ask *ask;
	uint64_t revision, uid;     /* of the session as it was read */
	uint32_t stood;             /* and its turn */
	struct dial_record *record; /* owned; NULL: it did not begin yet */
};

/* A question to a service, with its turn or alone. */
struct dial_ask {
	struct dial_call call;
	struct list_node node;
	struct defer answered;
	struct dial_menu *menu; /* NULL: not found yet */
	struct turn *turn;      /* NULL: its answer goes by SMS */
	bool out;               /* with its handler */
	bool keeps;             /* that its answer is owed is being written down */
	bool mute;              /* nobody asked: late it is told to nobody */
	int64_t at_ms;          /* wall time of the press of the key */
	uint64_t revision;      /* of what was written down; 0: nothing was, or by another daemon */
};

struct dial {
	struct dial_base base;
	struct dial_files files;
	struct sessions *sessions, *owed; /* of phones; of the questions whose answers are owed, by token */
	struct vacancies *vacancies;
	struct tries *tries;
	struct map running; /* struct turn, by phone_key */
	struct map taken;   /* struct dial_page that was shown, by phone_key */
	struct list pages, pages_taken;
	struct list turns, waiting, asks, drops, menus, letters, debts;
	size_t turns_n, walking_n; /* all turns; those that walk */
	int64_t walk_us;           /* how long the last one walked */
	struct dial_menu *menu;    /* in force; NULL: none */
	struct timer *late_timer, *drop_timer, *keep_timer, *debt_timer;
	size_t late_n; /* owed by all daemons, as it was known last */
	bool stopped, keeping, renewed, looking, late_looking, debts_taking, debts_more;
	struct metric *closed[CLOSES], *repeated, *pushed[2], *late[3], *dropped, *debts_ended[DEBT_ENDS],
	    *open_gauge, *late_gauge, *time;
};

/* dial.c */
int64_t dial_wall_ms(const struct dial *d);
struct dial_way dial_way(const struct dial *d, const char *carrier);
/* On the way that t came. */
void dial_say(struct turn *t, const char *page, bool last);

/* dial_record.c */
void dial_record_pack(const struct dial_record *r, struct buf *out);
/* Whether it is of the call that peer belongs to. A pushed one may have no key before the phone answers. */
bool dial_record_is_of(const struct dial_record *r, const char *carrier, const struct ussd_peer *peer);
/* The code that the call began with, to a peer of it that does not know it. */
void dial_record_tell_code(const struct dial_record *r, const char *carrier, struct ussd_peer *peer);
enum kz dial_record_unpack(const void *bytes, size_t n, struct dial_record *ret) KZ_CHECK;

/* dial_menu.c */
/* Both are the menu's from now on, in force. NULL: there is none. */
void dial_menu_set(struct dial *d, struct dialog *dialog, struct dialog_source *source);
/* NULL: it is not in memory. */
struct dial_menu *dial_menu_get(const struct dial *d, const uint8_t hash[DIALOG_HASH]);
/* From the database, once, later: KZ_OK; KZ_NOT_FOUND: there is none of that hash that can be walked;
 * KZ_LOST: nobody knows. KZ_BUSY, and KZ_LOST while the database is away, at once. */
typedef void dial_menu_fn(void *arg, enum kz r, struct dial_menu *m);
enum kz dial_menu_seek(
    struct dial *d, const uint8_t hash[DIALOG_HASH], dial_menu_fn *done, void *arg) KZ_CHECK;
void dial_menu_enter(struct dial_menu *m);
void dial_menu_leave(struct dial *d, struct dial_menu *m);
void dial_menu_count(struct dial_menu *m, int screen, enum dial_seen what);
void dial_menu_count_step(struct dial_menu *m, const struct engine_step *step);
/* Whether the option that was pressed sets the language, which is that one now. */
bool dial_menu_chose_language(const struct dial_menu *m, const struct engine_step *step, enum language now);
/* It is in force: said to the database, and again. A timer's. */
void dial_menu_keep(void *arg);
void dial_menus_free(struct dial *d);

/* dial_line.c */
void turns_init(struct dial *d);
/* A menu is in force. carrier "": done is told the page. */
struct turn *turn_new(
    struct dial *d, const struct ussd_in *in, const char *carrier, dial_page_fn *done, void *arg);
/* Its page is said later, from the loop. */
void turn_start(struct turn *t);
/* The one place where it changes. */
void turn_enter(struct turn *t, enum turn_place next);
/* The page, and t is over. */
void turn_say(struct turn *t, const char *page, bool last);
/* t is over without a page. */
void turn_hush(struct turn *t);
/* Those behind t have their turn; page NULL: t has none for them. */
void turn_serve_behind(struct turn *t, const char *page, bool last);
/* Over: freed now, or by the answer that is still out. */
void turn_end(struct turn *t);
void turn_free(struct turn *t);
/* Each turn under way says its closing page. */
void turns_stop(struct dial *d);
void turns_free(struct dial *d);

/* dial_turn.c */
void turn_begin(struct turn *t);
/* The step of the engine that follows an answer. */
void turn_walk(struct turn *t, const struct engine_step *step);
/* The session is kept, then its page said. */
void turn_keep(struct turn *t);
/* What of it is to be noted is. */
void turn_follow(struct turn *t, const struct engine_step *step);
/* The network does not wait any longer. A timer's. */
void turn_on_late(void *arg);
/* Says the closing page now. No page was said. */
void turn_close(struct turn *t);

/* dial_ask.c */
/* What this press of a key asks of this service is known by, wherever and how often it is asked. SERVICES: of
 * the turn itself. */
int64_t dial_ask_token(const struct dial *d, const struct session *s, enum service service);
/* For the turn, which goes on by turn_walk. */
void dial_ask_begin(struct turn *t, enum service service);
/* Nobody waits at the phone any more. */
void dial_ask_part(struct dial_ask *a);
bool dial_ask_is_down(const struct dial_ask *a);
/* Its handler is asked, again. */
void dial_ask_go(struct dial_ask *a);
void dial_ask_free(struct dial_ask *a);

/* dial_debt.c */
void dial_debts_init(struct dial *d);
void dial_debts_free(struct dial *d);
/* As dial_owe, to whom no service is asked. */
void dial_owe_to(struct dial *d, struct msisdn to, enum language l, int64_t token, const char *template,
    const struct template_param *params, size_t n, struct owed *ret);
void dial_debts_on_timer(void *arg);

/* dial_language.c */
/* It was chosen; follows step then. */
void turn_note_language(struct turn *t, const struct engine_step *step);

/* dial_late.c */
/* The service is down, or too slow for its turn: that its answer is owed is written down, and the turn goes
 * on without it. */
void dial_late_keep(struct dial_ask *a);
/* It answered, and nobody waits at the phone. */
void dial_late_tell(struct dial_ask *a);
void dial_late_on_timer(void *arg);

/* dial_drop.c */
/* The person hung up: r is as it was read. */
void dial_drop_begin(struct dial *d, const struct dial_record *r, int64_t phone_key, uint64_t revision);
void dial_drop_on_timer(void *arg);
void dial_drops_free(struct dial *d);

/* dial_page.c */
void dial_pages_init(struct dial *d);
void dial_pages_free(struct dial *d);
/* To the carrier that t came by. */
void dial_page_send(struct turn *t, const char *page, bool last);
/* The network did not say who calls. */
void dial_page_send_hidden(struct dial *d, const char *carrier, const struct ussd_in *in);
/* Whether t, that comes now, says what was said before its page was shown, in another PDU. */
bool dial_page_was_read(const struct turn *t);
/* Its record was read: whether the page that stands there is all that is asked for. */
bool turn_is_repeated(const struct turn *t);

/* dial_push.c */
/* A pushed turn's session, which is new, is about its child, as if she had been picked. */
void dial_push_begin(struct turn *t);
/* What a pushed turn came to: shown when the dialog has it to be pushed, else t is over. */
void dial_push_end(struct turn *t);
void dial_push_page(struct turn *t, const char *page);

/* dial_sms.c */
/* The text of the template for a phone. false: it cannot be written, which is logged. */
bool dial_sms_fill(const struct dial *d, enum language language, const char *template,
    const struct template_param *params, size_t n, struct buf *out);
/* One SMS of the class notice, kept once for token and n (0 is that of what is owed). done once, later: KZ_OK
 * it is kept, now or before; KZ_LOST, also when there is no route or the queue is full. */
typedef void dial_sms_fn(void *arg, enum kz r);
void dial_sms_text(struct dial *d, struct msisdn to, enum language language, int64_t token, unsigned n,
    const char *text, dial_sms_fn *done, void *arg);
/* The same, of a template. */
void dial_sms_to(struct dial *d, struct msisdn to, enum language language, int64_t token, unsigned n,
    const char *template, const struct template_param *params, size_t params_n, dial_sms_fn *done, void *arg);
void dial_letters_free(struct dial *d);

#endif
