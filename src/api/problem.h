/* problem: errors as clients see them, RFC 9457 problem+json with a stable code. Never echoes a text, a
 * number or a key. */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include <stdbool.h>
#include <stdint.h>

#include "net/http_server.h"

/* A value. field "" when no member is at fault; after_s 0: no Retry-After. */
struct problem {
	int status;
	const char *code;  /* static */
	const char *title; /* static */
	bool retryable;
	unsigned after_s;
	uint64_t next_line; /* that an import wants; 0: none */
	const char *result; /* static, NULL: none; what a code is that it is too late for */
	char field[40];
	char detail[256];
};

enum problem_code {
	PROBLEM_UNAUTHORIZED,
	PROBLEM_FORBIDDEN,
	PROBLEM_NOT_FOUND,
	PROBLEM_METHOD_NOT_ALLOWED,
	PROBLEM_MALFORMED_JSON,
	PROBLEM_MISSING_IDEMPOTENCY_KEY,
	PROBLEM_INVALID_IDEMPOTENCY_KEY,
	PROBLEM_UNSUPPORTED_MEDIA_TYPE,
	PROBLEM_UNKNOWN_FIELD,
	PROBLEM_MISSING_FIELD,
	PROBLEM_WRONG_TYPE,
	PROBLEM_INVALID_VALUE,
	PROBLEM_INVALID_NUMBER,
	PROBLEM_EMPTY_TEXT,
	PROBLEM_TEXT_TOO_LONG,
	PROBLEM_UNKNOWN_TEMPLATE,
	PROBLEM_INVALID_PARAMS,
	PROBLEM_EXPIRES_IN_PAST,
	PROBLEM_NO_ROUTE,
	PROBLEM_KEY_REUSED,
	PROBLEM_IN_PROGRESS,
	PROBLEM_TOO_MANY_MESSAGES,
	PROBLEM_UNKNOWN_PURPOSE,
	PROBLEM_INVALID_CODE,
	PROBLEM_BINDING_MISMATCH,
	PROBLEM_CODE_OVER,
	PROBLEM_RESENDS_EXHAUSTED,
	PROBLEM_RANGE_NOT_ALLOWED,
	PROBLEM_TOO_SOON,
	PROBLEM_PHONE_LIMIT,
	PROBLEM_PREFIX_LIMIT,
	PROBLEM_KEY_LIMIT,
	PROBLEM_ADDRESS_LIMIT,
	PROBLEM_DAY_LIMIT,
	PROBLEM_HELD,
	PROBLEM_PHONE_LOCKED,
	PROBLEM_INVALID_IIN,
	PROBLEM_UNKNOWN_REFERENCE,
	PROBLEM_REFERRAL_OPEN,
	PROBLEM_CHANGED_MEANWHILE,
	PROBLEM_CLOSED,
	PROBLEM_TOO_MANY_WATCHES,
	PROBLEM_IMPORT_LINE,
	PROBLEM_IMPORT_RUNS,
	PROBLEM_TOO_MANY_IMPORTS,
	PROBLEM_UNAVAILABLE,
	PROBLEM_INTERNAL_ERROR,
	PROBLEM_CODES
};

/* field may be NULL. */
struct problem problem_make(enum problem_code code, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Answers c. */
void problem_reply(struct call *c, const struct problem *p);

#endif
