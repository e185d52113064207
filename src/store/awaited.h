/* awaited: the verification code that a phone waits for now. */
#ifndef STORE_AWAITED_H
#define STORE_AWAITED_H

#include <stdbool.h>
#include <stdint.h>

#include "store/pg.h"

/* The newest open code of a purpose. A value. */
struct awaited {
	uint64_t id; /* 0: none */
	int32_t api_key;
	int64_t expires_us;
	bool applicant; /* the phone is that of an application */
};

/* KZ_OK or KZ_LOST, once, later; KZ_BUSY at once, without done. phone: its keyed value. */
typedef void awaited_fn(void *arg, enum kz r, const struct awaited *a);
enum kz awaited_ask(
    struct pg *pg, int64_t phone, const char *purpose, int64_t now_us, awaited_fn *done, void *arg) KZ_CHECK;

#endif
