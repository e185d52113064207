/* referrals_body: what the files of referrals share: src/store/referrals*.c only. */
#ifndef STORE_REFERRALS_BODY_H
#define STORE_REFERRALS_BODY_H

#include "store/pg_array.h"
#include "store/referrals.h"

#define REFERRALS_READ  4  /* arrays of a question */
#define REFERRALS_WRITE 28 /* of a change */

struct referrals {
	struct pg *pg;
	struct feed *feed;
	struct batch *quests, *changes;
	struct pg_array read[REFERRALS_READ], write[REFERRALS_WRITE], numbers;
};

/* referrals_write.c */
extern const struct batch_kind referrals_change_kind;

#endif
