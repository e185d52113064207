/* enrolments: requests of parents by phone, to put a child in the queue. The portal is told of each as news
 * and reads it; an application for the child ends it, or the portal does. Persons stand sealed for its id. */
#ifndef STORE_ENROLMENTS_H
#define STORE_ENROLMENTS_H

#include <stdint.h>

#include "base/keyring.h"
#include "rules/application.h"
#include "rules/news.h"
#include "store/feed.h"
#include "store/owed.h"
#include "store/pg.h"
#include "text/iin.h"
#include "text/language.h"
#include "text/msisdn.h"

#define ENROLMENT_PHONES 2

/* What is asked. A value that its owner wipes: secret_wipe. */
struct enrolment {
	struct iin child, parent;
	struct msisdn phones[ENROLMENT_PHONES]; /* that it came by, the second one */
	enum language language;
};

/* Numbers of enrolment_put (0012_enrolment.sql). */
enum enrolment_verdict {
	ENROLMENT_ADDED,
	ENROLMENT_SAME,  /* by the same token */
	ENROLMENT_ASKED, /* for the child one is open */
	ENROLMENT_HAS    /* the child has an application */
};

struct enrolment_wish {
	struct enrolment enrolment;
	enum news_via via;
	int64_t token, now_us;   /* token: of the press of a key, not 0 */
	const struct owed *owed; /* when it is added, of the same token; NULL: none */
};

/* Whether an application of that status is one: no other is asked for beside it. */
bool enrolment_is_had(enum application_status s);

/* Each of these answers once, later, or KZ_BUSY at once without a callback. */

/* KZ_LOST, KZ_REFUSED: not known, ask again with the same token. KZ_BUSY also while no slot is held. */
typedef void enrolment_add_fn(void *arg, enum kz r, enum enrolment_verdict v);
enum kz enrolment_add(struct pg *pg, struct feed *feed, const struct keyring *k,
    const struct enrolment_wish *w, enrolment_add_fn *done, void *arg) KZ_CHECK;

/* KZ_OK: one is open for the child (applicant_iin); KZ_NOT_FOUND; KZ_LOST. */
typedef void enrolment_done_fn(void *arg, enum kz r);
enum kz enrolment_ask(struct pg *pg, int64_t child, enrolment_done_fn *done, void *arg) KZ_CHECK;

/* e lives during the callback. KZ_NOT_FOUND: none of the id is open; KZ_INVALID: its key is not in the
 * keyring; KZ_LOST. */
typedef void enrolment_show_fn(void *arg, enum kz r, const struct enrolment *e, int64_t at_us);
enum kz enrolment_show(
    struct pg *pg, const struct keyring *k, uint64_t id, enrolment_show_fn *done, void *arg) KZ_CHECK;
/* It was dealt with. KZ_OK, also when it was before; KZ_NOT_FOUND; KZ_LOST. */
enum kz enrolment_end(struct pg *pg, uint64_t id, enrolment_done_fn *done, void *arg) KZ_CHECK;

#endif
