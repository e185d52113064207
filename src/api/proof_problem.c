#include "api/proof_problem.h"

#include "api/post.h"
#include "api/preview.h"
#include "api/wish.h"

static const struct limit_row {
	enum problem_code code;
	const char *detail;
} limits[LIMITS] = {
    [LIMIT_WAIT] = {PROBLEM_TOO_SOON, "wait before the next code to this phone: resend_after said how long"},
    [LIMIT_PHONE_HOUR] = {PROBLEM_PHONE_LIMIT, "this phone has had its codes of an hour"},
    [LIMIT_PHONE_DAY] = {PROBLEM_PHONE_LIMIT, "this phone has had its codes of a day"},
    [LIMIT_RESENDS_DAY] = {PROBLEM_PHONE_LIMIT, "this phone has had its resends of a day"},
    [LIMIT_PREFIX_HOUR] = {PROBLEM_PREFIX_LIMIT,
        "numbers that differ in their last four digits only have had their codes of an hour"},
    [LIMIT_KEY_MINUTE] = {PROBLEM_KEY_LIMIT, "this key has asked for its codes of a minute"},
    [LIMIT_ADDRESS_HOUR] = {PROBLEM_ADDRESS_LIMIT, "this end user's address has had its codes of an hour"},
    [LIMIT_DAY] = {PROBLEM_DAY_LIMIT, "all codes of a day are sent"},
    [LIMIT_HELD] = {PROBLEM_HELD,
        "hardly any code to numbers of this prefix was approved; kezekctl guard shows and lifts it"},
    [LIMIT_LOCKED] = {PROBLEM_PHONE_LOCKED, "too many wrong tries for this phone"},
    [LIMIT_TRIES] = {PROBLEM_CODE_OVER, "its tries are used up"},
};

static unsigned proof_after_s(int64_t after_ms)
{
	return after_ms > 0 ? (unsigned)((after_ms + 999) / 1000) : 1;
}

static struct problem proof_limited(const struct verify_why *why)
{
	const struct limit_row *row = &limits[why->limit];
	struct problem p = problem_make(row->code, NULL, "%s", row->detail);

	p.after_s = proof_after_s(why->after_ms);
	return p;
}

static struct problem proof_over(const struct verify_why *why)
{
	const char *word = code_verdict_name(why->verdict);
	struct problem p = problem_make(PROBLEM_CODE_OVER, NULL, "it is %s", word);

	p.result = word;
	return p;
}

static struct problem proof_unsendable(const struct verify_why *why)
{
	const struct send_preview v = {.cost = {.parts = why->parts}};

	if (why->sendable == KZ_TOO_LONG)
		return problem_make(PROBLEM_TEXT_TOO_LONG, "purpose",
		    "its template makes %u SMS, and message.max_parts allows fewer", why->parts);
	return wish_problem(why->sendable, &v, 0);
}

struct problem proof_problem(enum verify_word word, const struct verify_why *why)
{
	switch (word) {
	case VERIFY_OVER:
		return proof_over(why);
	case VERIFY_LIMITED:
		return proof_limited(why);
	case VERIFY_UNSENDABLE:
		return proof_unsendable(why);
	case VERIFY_NOT_ADMITTED:
		return preview_not_admitted(KZ_BUSY, why->class, proof_after_s(why->after_ms));
	case VERIFY_NOT_FOUND:
		return problem_make(
		    PROBLEM_NOT_FOUND, NULL, "no code of yours has this id, or it is older than a day");
	case VERIFY_PAIR:
		return problem_make(PROBLEM_NOT_FOUND, NULL,
		    "this is the id of a pair: ask with the id of one of its codes, in the answer's codes");
	case VERIFY_NOT_A_CODE:
		return problem_make(
		    PROBLEM_INVALID_CODE, "code", "it must be %u digits; no try was taken", why->length);
	case VERIFY_LONG_CODE:
		return problem_make(PROBLEM_INVALID_CODE, "code",
		    "the texts of the purpose have room for %u digits", why->length);
	case VERIFY_OTHER_BINDING:
		return problem_make(PROBLEM_BINDING_MISMATCH, "binding",
		    "give the binding that the code was asked for with; no try was taken");
	case VERIFY_KEY_REUSED:
		return problem_make(PROBLEM_KEY_REUSED, "Idempotency-Key",
		    "it came with another body within 24 hours; use a new key");
	case VERIFY_NO_RESENDS:
		return problem_make(PROBLEM_RESENDS_EXHAUSTED, NULL, "ask for a new code");
	case VERIFY_RANGE:
		return problem_make(PROBLEM_RANGE_NOT_ALLOWED, "to",
		    "codes are sent to the ranges of guard.ranges alone; see kezek.yaml");
	case VERIFY_UNKNOWN_PURPOSE:
		return problem_make(
		    PROBLEM_UNKNOWN_PURPOSE, "purpose", "its name is not in config/purposes.yaml");
	case VERIFY_NEEDS_BINDING:
		return problem_make(
		    PROBLEM_MISSING_FIELD, "binding", "this purpose needs what the code is for");
	case VERIFY_TAKES_NO_BINDING:
		return problem_make(PROBLEM_INVALID_VALUE, "binding", "this purpose takes none");
	default:
		return post_unavailable(2);
	}
}
