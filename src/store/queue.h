/* queue: where applications stand: found by their number or by a person, each with its position in its queue,
 * by the counts that the database keeps (store/sql/0005_queue.sql) and the region's categories. */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include <stdint.h>

#include "base/result.h"
#include "rules/application.h"
#include "rules/referral.h"
#include "rules/region.h"
#include "store/pg.h"
#include "text/language.h"

#define QUEUE_FOUND 10 /* applications of a person: the newest */

enum queue_by {
	QUEUE_BY_APPLICATION, /* its number */
	QUEUE_BY_CHILD,       /* this and QUEUE_BY_PARENT: applicant_iin */
	QUEUE_BY_PARENT,
	QUEUE_BY_PHONE, /* person_phone */
	QUEUE_WAYS,
	QUEUE_OF_PHONE = QUEUE_WAYS /* by it, for who wants neither position nor waiting: both are 0 */
};

/* An application as it stands. Pointers live during the callback. */
struct queue_entry {
	uint64_t application;
	enum application_status status;
	int64_t district, registered_us;
	int64_t
	    chosen; /* district of the same region that the phone chose to look in; 0: none. By phone only */
	const char *district_names[LANGUAGES];
	const char *region, *category;
	int birth_year;
	uint64_t position; /* 1 and up; 0: it does not wait, or the configuration has not its category */
	uint64_t waiting;  /* applications in its queue, of all categories; 0: it does not wait itself */
	uint64_t referral; /* number of the open one; 0: none, and the next two are 0 */
	enum referral_status referral_status;
	int64_t referral_until_us;
	const char *kindergarten_names[LANGUAGES]; /* of the open referral; "" */
	unsigned languages;                        /* bits 1 << enum language of its groups; 0: any */
	int64_t confirmed[2]; /* person_phone of each of its phones that a code confirmed; 0: it was not */
	const void *sealed;   /* applicant_open */
	size_t sealed_n;
};

/* Each found, the newest first, then done: KZ_OK (perhaps none) or KZ_LOST. */
typedef void queue_entry_fn(void *arg, const struct queue_entry *e);
typedef void queue_done_fn(void *arg, enum kz r);
/* regions: where the snapshot in force stands when the answer comes; lives until then. One question, whose
 * cost is that of the categories and of what was registered within the same three hours. KZ_BUSY at
 * once, without callbacks. */
enum kz queue_find(struct pg *pg, const struct regions *const *regions, enum queue_by by, int64_t value,
    queue_entry_fn *each, queue_done_fn *done, void *arg) KZ_CHECK;

#endif
