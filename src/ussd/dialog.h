/* dialog: a menu as data, from dialogs/kindergarten.yaml and dialogs/services.yaml: screens, their texts in
 * three languages, their branches. Const once loaded. What is loaded can be walked by the engine; whether it
 * is good is audit.h's to say, and nothing that failed the proof may be walked by a parent. */
#ifndef USSD_DIALOG_H
#define USSD_DIALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/yaml.h"
#include "text/language.h"
#include "text/words.h"
#include "ussd/contract.h"

#define DIALOG_SCREENS   256
#define DIALOG_OPTIONS   5
#define DIALOG_SHORTCUTS 20
#define DIALOG_PATH      8 /* octets of a shortcut's digits, with their NUL */
#define DIALOG_SETS      4 /* values that an option sets */
#define DIALOG_TASKS     16
#define DIALOG_ERRORS    4
#define DIALOG_HASH      32
#define DIALOG_SOURCE    (512 * 1024) /* octets of both files at most */
#define DIALOG_NAME      CONTRACT_NAME

enum screen_kind {
	SCREEN_PAGE,  /* options, one of which is pressed */
	SCREEN_INPUT, /* something is typed */
	SCREEN_LIST,  /* a service gives items, one is picked */
	SCREEN_DO,    /* a service is asked; nothing is shown */
	SCREEN_END,   /* the last page */
};

/* A text in each language. */
struct dialog_text {
	char *in[LANGUAGES];
	int line, column;
};

/* What pressing a key sets: value of contracts, to a constant. The language is value -1. */
struct dialog_set {
	int value;
	char *to;
};

struct dialog_option {
	char key[3];
	struct dialog_text text;
	struct dialog_set sets[DIALOG_SETS];
	size_t sets_n;
	int go; /* index of a screen; -1: back to where the call was dropped */
	int line, column;
};

struct dialog_screen {
	char name[DIALOG_NAME];
	enum screen_kind kind;
	struct dialog_text text; /* of all but SCREEN_DO */
	struct dialog_text told; /* SCREEN_PAGE: what is pushed where a network takes texts alone; in NULL:
	                            the screen is not pushed */
	bool back;               /* 0 leads to the screen before */
	bool resume;             /* the engine's own: offers to continue */
	struct dialog_option options[DIALOG_OPTIONS];
	size_t options_n;
	/* SCREEN_INPUT */
	int value;                                /* what is typed */
	struct dialog_text errors[DIALOG_ERRORS]; /* by enum input_error */
	/* SCREEN_DO, SCREEN_LIST */
	enum service service;
	int branches[SERVICE_RESULTS]; /* screen for each result of service_shape, -1: none; of a list's
	                                  "ok" always -1: the list itself */
	/* SCREEN_LIST */
	struct dialog_text item;
	int picks;          /* value that is set to the picked item's first field */
	unsigned min_items; /* on each of its pages, with the widest values */
	bool alone;         /* a single item is picked without a page */
	/* SCREEN_INPUT, SCREEN_LIST: where it goes on */
	int go;
	int line, column;
};

/* A core task: how many keys a parent who dialled presses to see the screen. */
struct dialog_task {
	char name[DIALOG_NAME];
	int screen;
	unsigned turns;
	int line, column;
};

struct dialog_shortcut {
	char digits[DIALOG_PATH]; /* "2" of *123*2# */
	int screen;
};

struct dialog_limits {
	unsigned ucs2, gsm7;      /* units of a page: UTF-16 units, septets */
	unsigned turns, seconds;  /* of the longest way that is not the parent's own wandering */
	unsigned seconds_of_page; /* to read a page and press a key */
	unsigned seconds_of_digit;
};

struct dialog {
	char name[DIALOG_NAME], version[16];
	uint8_t hash[DIALOG_HASH]; /* of both files' octets and the words put in */
	struct contracts *contracts;
	struct dialog_screen *screens;
	size_t screens_n;
	int entry, resume;
	enum language first; /* before a parent chose one */
	struct dialog_limits limits;
	struct dialog_shortcut shortcuts[DIALOG_SHORTCUTS];
	size_t shortcuts_n;
	struct dialog_task tasks[DIALOG_TASKS];
	size_t tasks_n;
	/* Words of the navigation: "9 More", "0 Back"; and of a wrong key, with {keys}. */
	struct dialog_text next, back, invalid;
	struct dialog_text
	    rest; /* below the last item of a list that has more than are kept; may be absent */
	/* What is said when no screen can: the closing pages of the engine itself. */
	struct dialog_text down;   /* a service or the store of sessions does not answer */
	struct dialog_text over;   /* the answer is to a page of long ago, or to no session */
	struct dialog_text hidden; /* the network did not say who calls */
};

/* The octets of the two files: what a session's dialog is known and kept by. */
struct dialog_source {
	char *name[2], *bytes[2]; /* of the dialog and of the services, as named in faults */
	size_t len[2];
};

/* Reads both files; false with a line in faults. Freed by dialog_source_fini either way. */
bool dialog_source_read(
    const char *dialog, const char *services, struct dialog_source *ret, struct faults *faults);
void dialog_source_fini(struct dialog_source *s);
/* NULL, with lines in faults, when they cannot be walked: syntax, unknown words, gotos and branches that lead
 * nowhere. */
struct dialog *dialog_load(const struct dialog_source *s, const struct words *w, struct faults *faults);
void dialog_free(struct dialog *d);
/* -1 when there is none of the name. */
int dialog_screen(const struct dialog *d, const char *name);

#endif
