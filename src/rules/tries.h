/* tries: how often a phone may guess or look into what is others', pure. Counted in the database, so that
 * neither hanging up nor another daemon nor an emptied Redis begins anew: store/tries.h. Numbers of kinds are
 * stored: never renumber. */
#ifndef RULES_TRIES_H
#define RULES_TRIES_H

#include <stdbool.h>
#include <stdint.h>

enum try_kind {
	TRY_PIN = 0,    /* wrong last digits of a child's IIN */
	TRY_LOOKUP = 1, /* a look into a queue for what is not the caller's own */
	TRY_ENROL = 2,  /* a child and a parent that are asked whether they belong together */
	TRY_KINDS
};

struct try_law {
	unsigned most; /* within within_s */
	int within_s;
	unsigned most_day; /* within 24 hours */
	bool locks; /* after the last of `most` nothing for within_s; else till the first is so long ago */
};

const struct try_law *try_law(enum try_kind k);
/* Minutes to wait that are said: begun ones count, 1 to 1440. */
unsigned try_minutes(int64_t until_us, int64_t now_us);

#endif
