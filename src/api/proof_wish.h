/* proof_wish: one JSON object of a client -> the code that is wanted. Every member is checked; unknown ones
 * are refused. */
#ifndef API_PROOF_WISH_H
#define API_PROOF_WISH_H

#include <jansson.h>

#include "api/problem.h"
#include "flow/verify.h"

/* Texts point into the JSON it was read from; verify.request is the caller's to fill. */
struct proof_wish {
	struct verify_wish verify;
	char digits[CODE_MAX + 1]; /* wiped by proof_wish_fini */
	uint8_t address[16];
	bool has_language, dry_run;
};

/* KZ_INVALID with *ret_problem set. proof_wish_fini in every case. */
enum kz proof_wish_read(const json_t *o, struct proof_wish *ret, struct problem *ret_problem) KZ_CHECK;
void proof_wish_fini(struct proof_wish *w);

/* The same for a check. Texts point into the JSON. */
struct proof_try {
	char digits[CODE_MAX + 1]; /* the caller's to wipe */
	const char *binding;       /* NULL: none */
};
enum kz proof_try_read(const json_t *o, struct proof_try *ret, struct problem *ret_problem) KZ_CHECK;

#endif
