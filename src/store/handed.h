/* handed: the referrals that a parent was handed, as she asks for them on the phone: of the applications of
 * which her phone is a confirmed one. phone: its keyed value. */
#ifndef STORE_HANDED_H
#define STORE_HANDED_H

#include <stdint.h>

#include "rules/referral.h"
#include "store/pg.h"
#include "text/language.h"

/* Texts live during the callback. */
struct handed {
	uint64_t number, application;
	enum referral_status status;
	int64_t to_us;
	const char *names[LANGUAGES]; /* of the kindergarten */
	bool own;                     /* the phone is a confirmed one of its application */
};

/* Each found, then done: KZ_OK (perhaps none), KZ_LOST or KZ_REFUSED. Once, later; KZ_BUSY at once without a
 * callback. */
typedef void handed_each_fn(void *arg, const struct handed *h);
typedef void handed_done_fn(void *arg, enum kz r);
/* The newest numbers, at most `most`. application 0: of all her applications. */
enum kz handed_list(struct pg *pg, int64_t phone, uint64_t application, int most, handed_each_fn *each,
    handed_done_fn *done, void *arg) KZ_CHECK;
enum kz handed_get(struct pg *pg, int64_t phone, uint64_t referral, handed_each_fn *each,
    handed_done_fn *done, void *arg) KZ_CHECK;
/* Whosever it is: `own` says whether it is hers. */
enum kz handed_look(struct pg *pg, int64_t phone, uint64_t referral, handed_each_fn *each,
    handed_done_fn *done, void *arg) KZ_CHECK;

#endif
