#include "api/proof_wish.h"

#include <string.h>

#include "api/wish.h"
#include "net/address.h"
#include "text/digits.h"

#define BINDING_MAX 128 /* characters */

struct proof_read {
	struct proof_wish *wish;
	struct problem *problem;
};

typedef bool proof_member_fn(struct proof_read *r, const json_t *value);

static bool proof_fail(struct proof_read *r, struct problem p)
{
	*r->problem = p;
	return false;
}

static bool proof_number(struct proof_read *r, const char *field, const json_t *value, struct msisdn *ret)
{
	struct msisdn_refusal why;

	if (!json_is_string(value))
		return proof_fail(r, problem_make(PROBLEM_WRONG_TYPE, field, "must be a number as a string"));
	if (msisdn_parse(json_string_value(value), ret, &why) == KZ_OK)
		return true;
	return proof_fail(r, problem_make(PROBLEM_INVALID_NUMBER, field, "%s: %s", why.code, why.remedy));
}

static bool proof_to(struct proof_read *r, const json_t *value)
{
	struct verify_wish *w = &r->wish->verify;

	w->to_n = json_is_array(value) ? json_array_size(value) : 1;
	if (!json_is_array(value))
		return proof_number(r, "to", value, &w->to[0]);
	if (w->to_n != VERIFY_PHONES)
		return proof_fail(
		    r, problem_make(PROBLEM_INVALID_VALUE, "to", "one number, or a list of two"));
	for (size_t i = 0; i < w->to_n; i++)
		if (!proof_number(r, "to", json_array_get(value, i), &w->to[i]))
			return false;
	if (w->to[0].digits == w->to[1].digits)
		return proof_fail(
		    r, problem_make(PROBLEM_INVALID_VALUE, "to", "the two numbers of a pair must differ"));
	return true;
}

static bool proof_second(struct proof_read *r, const json_t *value)
{
	return proof_number(r, "second", value, &r->wish->verify.second);
}

static bool proof_purpose(struct proof_read *r, const json_t *value)
{
	r->wish->verify.purpose = json_string_value(value);
	return true;
}

static bool proof_language(struct proof_read *r, const json_t *value)
{
	r->wish->has_language = true;
	if (language_parse(json_string_value(value), &r->wish->verify.language) == KZ_OK)
		return true;
	return proof_fail(r, problem_make(PROBLEM_INVALID_VALUE, "language", "one of kk, ru, en"));
}

static bool proof_line(
    struct proof_read *r, const char *field, const json_t *value, size_t most, const char **ret)
{
	*ret = json_string_value(value);
	if (wish_line_is_good(*ret, most))
		return true;
	return proof_fail(r,
	    problem_make(PROBLEM_INVALID_VALUE, field, "1 to %zu characters, no control characters", most));
}

static bool proof_binding(struct proof_read *r, const json_t *value)
{
	return proof_line(r, "binding", value, BINDING_MAX, &r->wish->verify.binding);
}

static bool proof_client_ref(struct proof_read *r, const json_t *value)
{
	return proof_line(r, "client_ref", value, 64, &r->wish->verify.client_ref);
}

static bool proof_code(struct proof_read *r, const json_t *value)
{
	char *digits = r->wish->digits;

	if (digits_parse(json_string_value(value), json_string_length(value), CODE_MAX, digits) != KZ_OK ||
	    strlen(digits) < CODE_MIN)
		return proof_fail(
		    r, problem_make(PROBLEM_INVALID_CODE, "code", "%d to %d digits", CODE_MIN, CODE_MAX));
	r->wish->verify.digits = digits;
	return true;
}

/* One person has a whole /64 of IPv6. */
static bool proof_client_address(struct proof_read *r, const json_t *value)
{
	struct address a;
	uint8_t *to = r->wish->address;

	if (!address_parse(json_string_value(value), 0, &a))
		return proof_fail(r, problem_make(PROBLEM_INVALID_VALUE, "client_address",
		                         "an IPv4 or IPv6 address, such as 203.0.113.7"));
	if (a.sa.sa_family == AF_INET)
		memcpy(to + 12, &a.in.sin_addr, 4);
	else if (IN6_IS_ADDR_V4MAPPED(&a.in6.sin6_addr))
		memcpy(to + 12, a.in6.sin6_addr.s6_addr + 12, 4);
	else
		memcpy(to, a.in6.sin6_addr.s6_addr, 8);
	r->wish->verify.address = to;
	return true;
}

static bool proof_dry_run(struct proof_read *r, const json_t *value)
{
	r->wish->dry_run = json_is_true(value);
	return true;
}

enum proof_type { PROOF_STRING, PROOF_ANY, PROOF_BOOLEAN };

static const struct proof_member {
	const char *name;
	enum proof_type type;
	proof_member_fn *take;
} members[] = {
    {"purpose", PROOF_STRING, proof_purpose},
    {"to", PROOF_ANY, proof_to},
    {"language", PROOF_STRING, proof_language},
    {"binding", PROOF_STRING, proof_binding},
    {"code", PROOF_STRING, proof_code},
    {"client_address", PROOF_STRING, proof_client_address},
    {"second", PROOF_STRING, proof_second},
    {"client_ref", PROOF_STRING, proof_client_ref},
    {"dry_run", PROOF_BOOLEAN, proof_dry_run},
};

static bool proof_member(struct proof_read *r, const char *name, const json_t *value)
{
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const struct proof_member *m = &members[i];

		if (strcmp(m->name, name) != 0)
			continue;
		if (m->type == PROOF_STRING && !json_is_string(value))
			return proof_fail(r, problem_make(PROBLEM_WRONG_TYPE, name, "must be a string"));
		if (m->type == PROOF_BOOLEAN && !json_is_boolean(value))
			return proof_fail(r, problem_make(PROBLEM_WRONG_TYPE, name, "must be true or false"));
		return m->take(r, value);
	}
	return proof_fail(
	    r, problem_make(PROBLEM_UNKNOWN_FIELD, name,
	           "known are purpose, to, language, binding, code, client_address, second, client_ref, "
	           "dry_run"));
}

static bool proof_is_whole(struct proof_read *r)
{
	const struct verify_wish *w = &r->wish->verify;
	const char *missing = !w->purpose              ? "purpose"
	                      : !w->to_n               ? "to"
	                      : !r->wish->has_language ? "language"
	                                               : NULL;

	if (missing)
		return proof_fail(r, problem_make(PROBLEM_MISSING_FIELD, missing, "it is required"));
	if (w->second.digits && w->to_n > 1)
		return proof_fail(
		    r, problem_make(PROBLEM_INVALID_VALUE, "second", "a pair has no second phone"));
	if (w->second.digits == w->to[0].digits)
		return proof_fail(
		    r, problem_make(PROBLEM_INVALID_VALUE, "second", "must be another number than to"));
	return true;
}

enum kz proof_wish_read(const json_t *o, struct proof_wish *ret, struct problem *ret_problem)
{
	struct proof_read r = {ret, ret_problem};
	const char *key;
	json_t *value;

	*ret = (struct proof_wish){.dry_run = false};
	if (!json_is_object(o)) {
		*ret_problem = problem_make(PROBLEM_WRONG_TYPE, NULL, "the body must be one JSON object");
		return KZ_INVALID;
	}
	json_object_foreach(
	    (json_t *)(uintptr_t)o, key, value) if (!proof_member(&r, key, value)) return KZ_INVALID;
	return proof_is_whole(&r) ? KZ_OK : KZ_INVALID;
}

void proof_wish_fini(struct proof_wish *w)
{
	secret_wipe(w->digits, sizeof w->digits);
}

/* NULL with the problem unless it is a string. */
static const json_t *proof_string(const json_t *value, const char *field, struct problem *ret_problem)
{
	if (json_is_string(value))
		return value;
	*ret_problem = problem_make(PROBLEM_WRONG_TYPE, field, "must be a string");
	return NULL;
}

static enum kz proof_try_member(
    const char *name, const json_t *value, struct proof_try *ret, struct problem *ret_problem)
{
	bool code = !strcmp(name, "code");

	if (!code && strcmp(name, "binding") != 0) {
		*ret_problem = problem_make(PROBLEM_UNKNOWN_FIELD, name, "known are code, binding");
		return KZ_INVALID;
	}
	if (!proof_string(value, name, ret_problem))
		return KZ_INVALID;
	if (code) {
		*ret_problem =
		    problem_make(PROBLEM_INVALID_CODE, "code", "it must be digits; no try was taken");
		return digits_parse(
		    json_string_value(value), json_string_length(value), CODE_MAX, ret->digits);
	}
	ret->binding = json_string_value(value);
	*ret_problem = problem_make(PROBLEM_INVALID_VALUE, "binding", "1 to %d characters", BINDING_MAX);
	return wish_line_is_good(ret->binding, BINDING_MAX) ? KZ_OK : KZ_INVALID;
}

enum kz proof_try_read(const json_t *o, struct proof_try *ret, struct problem *ret_problem)
{
	const char *key;
	json_t *value;
	bool code = false;

	*ret = (struct proof_try){.binding = NULL};
	if (!json_is_object(o)) {
		*ret_problem = problem_make(PROBLEM_WRONG_TYPE, NULL, "the body must be one JSON object");
		return KZ_INVALID;
	}
	json_object_foreach((json_t *)(uintptr_t)o, key, value)
	{
		code = code || !strcmp(key, "code");
		if (proof_try_member(key, value, ret, ret_problem) != KZ_OK)
			return KZ_INVALID;
	}
	*ret_problem = problem_make(PROBLEM_MISSING_FIELD, "code", "what the person typed is required");
	return code ? KZ_OK : KZ_INVALID;
}
