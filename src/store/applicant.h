/* applicant: the personal fields of an application, as they stand at rest: sealed together for its number, so
 * that they open in no other row. Beside them stand keyed values, by which an application is found. */
#ifndef STORE_APPLICANT_H
#define STORE_APPLICANT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/keyring.h"
#include "text/iin.h"
#include "text/msisdn.h"

#define APPLICANT_PARENTS 2
#define APPLICANT_PHONES  2
#define APPLICANT_NAME    80  /* octets, 40 Cyrillic letters */
#define APPLICANT_EMAIL   254 /* octets */

/* A value that its owner wipes: applicant_wipe. */
struct applicant {
	struct iin child, parents[APPLICANT_PARENTS];
	size_t parents_n; /* 1 or 2 */
	struct msisdn phones[APPLICANT_PHONES];
	size_t phones_n; /* 1 or 2 */
	char first_name[APPLICANT_NAME + 1],
	    last_name[APPLICANT_NAME + 1]; /* of the child, UTF-8; last_name may be "" */
	char email[APPLICANT_EMAIL + 1];   /* "": none */
};

/* Appended to out. */
void applicant_seal(const struct keyring *k, uint64_t number, const struct applicant *a, struct buf *out);
/* KZ_NOT_FOUND: the keyring has not the key; KZ_INVALID: not what applicant_seal wrote for this number; *ret
 * is wiped then. */
enum kz applicant_open(
    const struct keyring *k, uint64_t number, const void *sealed, size_t n, struct applicant *ret) KZ_CHECK;
void applicant_wipe(struct applicant *a);
/* The keyed value of a person's number: the same for the same number, never 0. That of a phone: person_phone.
 */
int64_t applicant_iin(const struct keyring *k, const struct iin *i);
/* The number that a notice goes to when it is not one of the application's, sealed for the notice. */
void applicant_seal_phone(const struct keyring *k, uint64_t notice, struct msisdn m, struct buf *out);
/* As applicant_open. */
enum kz applicant_open_phone(
    const struct keyring *k, uint64_t notice, const void *sealed, size_t n, struct msisdn *ret) KZ_CHECK;

#endif
