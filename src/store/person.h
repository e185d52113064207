/* person: the personal fields of a message, as they stand at rest: sealed together for its id, so that they
 * open in no other row, and beside them its number's keyed value, by which it is found. */
#ifndef STORE_PERSON_H
#define STORE_PERSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/keyring.h"
#include "text/msisdn.h"

/* What a message brings of a verification code: in its text at rest CODE_HOLE (rules/code.h) stands for the
 * digits. A value. */
struct message_code {
	uint64_t id; /* 0: none */
	unsigned
	    key; /* of the keyring, that the digits come from; 0: they are the portal's own (code_given) */
	unsigned issue;
	uint8_t length; /* of the digits */
};

struct person {
	struct msisdn to;
	const char *sender; /* NULL: none */
	const char *text;
	struct message_code code;
};

/* The keyed value of a number: the same for the same number, never 0. */
int64_t person_phone(const struct keyring *k, struct msisdn m);
/* Appended to out. */
void person_seal(const struct keyring *k, uint64_t id, const struct person *p, struct buf *out);
/* room is emptied and has the texts of *ret; it is the caller's to wipe. KZ_NOT_FOUND: the keyring has not
 * the key; KZ_INVALID: not what person_seal wrote for this id. */
enum kz person_open(const struct keyring *k, uint64_t id, const void *sealed, size_t n, struct buf *room,
    struct person *ret) KZ_CHECK;

/* The digits of a code that the portal made, in code_given. */
void person_seal_given(const struct keyring *k, uint64_t code_id, const char *digits, struct buf *out);
/* Appended to digits. As person_open. */
enum kz person_open_given(
    const struct keyring *k, uint64_t code_id, const void *sealed, size_t n, struct buf *digits) KZ_CHECK;

#endif
