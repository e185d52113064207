/* The body of a request about a code, from a client with a key: JSON, then what is wanted sent, or a try.
 * Either what the flow may take as it is, or a problem that can be answered. The first octet chooses. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "api/proof_wish.h"
#include "text/utf8.h"

#define FUZZ_MAX 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *s, size_t max)
{
	enum kz r = utf8_check(s, strlen(s));

	assert(r == KZ_OK && *s && strlen(s) <= max);
}

static void check_digits(const char *digits, size_t min)
{
	size_t n = strspn(digits, "0123456789");

	assert(!digits[n] && n >= min && n <= CODE_MAX);
}

static void check_wish(const struct proof_wish *w)
{
	const struct verify_wish *v = &w->verify;
	struct msisdn m;

	assert(v->purpose && w->has_language && v->language < LANGUAGES);
	assert(v->to_n >= 1 && v->to_n <= VERIFY_PHONES);
	for (size_t i = 0; i < v->to_n; i++) {
		enum kz r = msisdn_from_digits(v->to[i].digits, &m);

		assert(r == KZ_OK);
	}
	assert(v->to[0].digits != v->to[1].digits && v->to[0].digits != v->second.digits);
	if (v->binding)
		check_line(v->binding, 128 * 4);
	if (v->client_ref)
		check_line(v->client_ref, 64 * 4);
	if (v->digits)
		check_digits(v->digits, CODE_MIN);
}

static void check_problem(const struct problem *p)
{
	enum kz r = utf8_check(p->field, strlen(p->field));

	assert(r == KZ_OK && p->status == 422 && p->code && p->title && !p->retryable && *p->detail);
}

static void fuzz_wish(const json_t *o)
{
	struct problem problem = {0};
	struct proof_wish wish;

	if (proof_wish_read(o, &wish, &problem) == KZ_OK)
		check_wish(&wish);
	else
		check_problem(&problem);
	proof_wish_fini(&wish);
}

static void fuzz_try(const json_t *o)
{
	struct problem problem = {0};
	struct proof_try t;

	if (proof_try_read(o, &t, &problem) != KZ_OK) {
		check_problem(&problem);
		return;
	}
	check_digits(t.digits, 1);
	if (t.binding)
		check_line(t.binding, 128 * 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size || size > FUZZ_MAX)
		return 0;
	json_t *o = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES, NULL);
	if (!o)
		return 0;
	if (data[0] == 't')
		fuzz_try(o);
	else
		fuzz_wish(o);
	json_decref(o);
	return 0;
}
