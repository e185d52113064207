#include "api/wish.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "text/utf8.h"

#define TEXT_MAX   8192 /* octets, before anything is counted */
#define PARAMS_MAX 32

/* One reading. */
struct wish_read {
	const json_t *object;
	const struct templates *templates;
	struct wish *wish;
	struct problem *problem;
	const char *text, *template, *language;
	const json_t *params;
};

typedef bool wish_member_fn(struct wish_read *r, const json_t *value);

static bool wish_fail(struct wish_read *r, struct problem p)
{
	*r->problem = p;
	return false;
}

static bool wish_to(struct wish_read *r, const json_t *value)
{
	struct msisdn_refusal why;

	if (msisdn_parse(json_string_value(value), &r->wish->send.to, &why) == KZ_OK)
		return true;
	return wish_fail(r, problem_make(PROBLEM_INVALID_NUMBER, "to", "%s: %s", why.code, why.remedy));
}

static bool wish_text(struct wish_read *r, const json_t *value)
{
	r->text = json_string_value(value);
	if (json_string_length(value) > TEXT_MAX)
		return wish_fail(
		    r, problem_make(PROBLEM_TEXT_TOO_LONG, "text", "longer than %d octets", TEXT_MAX));
	return true;
}

static bool wish_template(struct wish_read *r, const json_t *value)
{
	r->template = json_string_value(value);
	return true;
}

static bool wish_params(struct wish_read *r, const json_t *value)
{
	r->params = value;
	return true;
}

static bool wish_language(struct wish_read *r, const json_t *value)
{
	enum language l;

	if (language_parse(json_string_value(value), &l) != KZ_OK)
		return wish_fail(r, problem_make(PROBLEM_INVALID_VALUE, "language", "one of kk, ru, en"));
	r->wish->send.language = (int)l;
	return true;
}

static bool wish_class(struct wish_read *r, const json_t *value)
{
	if (message_class_parse(json_string_value(value), &r->wish->send.class) == KZ_OK)
		return true;
	return wish_fail(r, problem_make(PROBLEM_INVALID_VALUE, "class", "one of code, notice, bulk"));
}

/* Alphanumeric up to 11 of the GSM alphabet's plain characters, or digits up to 15. */
static bool wish_sender(struct wish_read *r, const json_t *value)
{
	const char *s = json_string_value(value);
	size_t len = strlen(s), digits = strspn(s, "0123456789");
	bool good = len >= 1 && (digits == len ? len <= 15 : len <= 11);

	for (const char *c = s; *c && good; c++)
		good = isalnum((unsigned char)*c) || strchr(" ._-&+", *c);
	if (!good)
		return wish_fail(
		    r, problem_make(PROBLEM_INVALID_VALUE, "sender",
		           "up to 11 Latin letters, digits and . _ - & + or space, or up to 15 digits"));
	r->wish->send.sender = s;
	return true;
}

static bool wish_expires(struct wish_read *r, const json_t *value)
{
	int64_t us = clock_parse_rfc3339(json_string_value(value));

	if (us < 0)
		return wish_fail(
		    r, problem_make(PROBLEM_INVALID_VALUE, "expires_at",
		           "a time by RFC 3339 with its zone, such as 2026-01-31T18:00:00+05:00"));
	r->wish->send.expires_wall_ms = us / 1000 > 0 ? us / 1000 : 1;
	return true;
}

bool wish_line_is_good(const char *s, size_t most)
{
	size_t n = 0;

	for (const char *c = s; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
		n += ((unsigned char)*c & 0xc0) != 0x80;
	}
	return n >= 1 && n <= most;
}

static bool wish_client_ref(struct wish_read *r, const json_t *value)
{
	const char *s = json_string_value(value);

	if (!wish_line_is_good(s, 64))
		return wish_fail(r, problem_make(PROBLEM_INVALID_VALUE, "client_ref",
		                        "1 to 64 characters, no control characters"));
	r->wish->send.client_ref = s;
	return true;
}

static bool wish_dry_run(struct wish_read *r, const json_t *value)
{
	r->wish->dry_run = json_is_true(value);
	return true;
}

enum wish_type { WISH_STRING, WISH_OBJECT, WISH_BOOLEAN };

static const struct wish_member {
	const char *name;
	enum wish_type type;
	wish_member_fn *take;
} members[] = {
    {"to", WISH_STRING, wish_to},
    {"text", WISH_STRING, wish_text},
    {"template", WISH_STRING, wish_template},
    {"params", WISH_OBJECT, wish_params},
    {"language", WISH_STRING, wish_language},
    {"class", WISH_STRING, wish_class},
    {"sender", WISH_STRING, wish_sender},
    {"expires_at", WISH_STRING, wish_expires},
    {"client_ref", WISH_STRING, wish_client_ref},
    {"dry_run", WISH_BOOLEAN, wish_dry_run},
};
#define MEMBERS (sizeof members / sizeof *members)

static bool wish_is_type(const json_t *v, enum wish_type t)
{
	return t == WISH_STRING   ? json_is_string(v)
	       : t == WISH_OBJECT ? json_is_object(v)
	                          : json_is_boolean(v);
}

static bool wish_member(struct wish_read *r, const char *name, const json_t *value, bool batch)
{
	static const char *const types[] = {"a string", "an object", "true or false"};

	for (size_t i = 0; i < MEMBERS; i++) {
		const struct wish_member *m = &members[i];

		if (strcmp(m->name, name) != 0 || (batch && m->take == wish_dry_run))
			continue;
		if (!wish_is_type(value, m->type))
			return wish_fail(
			    r, problem_make(PROBLEM_WRONG_TYPE, name, "must be %s", types[m->type]));
		return m->take(r, value);
	}
	return wish_fail(
	    r, problem_make(PROBLEM_UNKNOWN_FIELD, name,
	           "known are to, text, template, params, language, class, sender, expires_at, client_ref%s",
	           batch ? "" : ", dry_run"));
}

static bool wish_fill(struct wish_read *r, struct buf *raw)
{
	struct template_param params[PARAMS_MAX];
	char why[TEMPLATE_WHY];
	const char *key;
	json_t *value;
	size_t n = 0;

	if (r->wish->send.language < 0)
		return wish_fail(
		    r, problem_make(PROBLEM_MISSING_FIELD, "language", "a template needs kk, ru or en"));
	json_object_foreach((json_t *)(uintptr_t)r->params, key, value)
	{
		if (!json_is_string(value))
			return wish_fail(r,
			    problem_make(PROBLEM_WRONG_TYPE, "params", "every parameter must be a string"));
		if (n == PARAMS_MAX)
			return wish_fail(
			    r, problem_make(PROBLEM_INVALID_PARAMS, "params", "more than %d", PARAMS_MAX));
		params[n++] = (struct template_param){key, json_string_value(value)};
	}
	switch (template_fill(
	    r->templates, r->template, (enum language)r->wish->send.language, params, n, raw, why)) {
	case KZ_OK:
		return true;
	case KZ_NOT_FOUND:
		return wish_fail(r, problem_make(PROBLEM_UNKNOWN_TEMPLATE, "template",
		                        "its name is not in the templates' file"));
	default:
		return wish_fail(r, problem_make(PROBLEM_INVALID_PARAMS, "params", "%s", why));
	}
}

static bool wish_compose(struct wish_read *r)
{
	struct buf raw = {.wiped = true};
	bool good = true;

	if (r->template && !r->text)
		good = wish_fill(r, &raw);
	else
		buf_str(&raw, r->text);
	if (good && utf8_for_phone(buf_text(&raw), raw.len, &r->wish->text) != KZ_OK)
		good = wish_fail(
		    r, problem_make(PROBLEM_INVALID_VALUE, r->text ? "text" : "params",
		           "control characters other than a line break cannot be shown by a phone"));
	else if (good && !r->wish->text.len)
		good = wish_fail(r, problem_make(PROBLEM_EMPTY_TEXT, "text", "at least one character"));
	buf_fini(&raw);
	r->wish->send.text = buf_text(&r->wish->text);
	return good;
}

static bool wish_is_whole(struct wish_read *r)
{
	if (!r->wish->send.to.digits)
		return wish_fail(
		    r, problem_make(PROBLEM_MISSING_FIELD, "to", "the phone's number is required"));
	if (!r->text && !r->template)
		return wish_fail(
		    r, problem_make(PROBLEM_MISSING_FIELD, "text", "give text, or template and language"));
	if (r->text && (r->template || r->params))
		return wish_fail(r, problem_make(PROBLEM_INVALID_VALUE, r->template ? "template" : "params",
		                        "give text alone, or template with params"));
	return true;
}

enum kz wish_read(
    const json_t *o, const struct templates *t, bool batch, struct wish *ret, struct problem *ret_problem)
{
	struct wish_read r = {.object = o, .templates = t, .wish = ret, .problem = ret_problem};
	const char *key;
	json_t *value;

	*ret = (struct wish){.send = {.class = MESSAGE_NOTICE, .language = -1, .text = ""},
	    .text = {.wiped = true}}; /* a portal may send a code of its own */
	if (!json_is_object(o)) {
		*ret_problem = problem_make(PROBLEM_WRONG_TYPE, NULL, "the body must be one JSON object");
		return KZ_INVALID;
	}
	json_object_foreach(
	    (json_t *)(uintptr_t)o, key, value) if (!wish_member(&r, key, value, batch)) return KZ_INVALID;
	return wish_is_whole(&r) && wish_compose(&r) ? KZ_OK : KZ_INVALID;
}

const char *wish_encoding(enum alphabet a)
{
	return a == ALPHABET_GSM7 ? "gsm7" : "ucs2";
}

void wish_fini(struct wish *w)
{
	buf_fini(&w->text);
}

struct problem wish_problem(enum kz r, const struct send_preview *p, int64_t max_parts)
{
	switch (r) {
	case KZ_TOO_LONG:
		if (!p->cost.parts)
			return problem_make(PROBLEM_TEXT_TOO_LONG, "text",
			    "more than %d SMS; at most %lld are allowed", SEGMENT_MAX_PARTS,
			    (long long)max_parts);
		return problem_make(PROBLEM_TEXT_TOO_LONG, "text", "%u SMS; at most %lld are allowed",
		    p->cost.parts, (long long)max_parts);
	case KZ_EXPIRED:
		return problem_make(
		    PROBLEM_EXPIRES_IN_PAST, "expires_at", "must lie in the future, within 7 days");
	case KZ_NOT_FOUND:
		return problem_make(PROBLEM_NO_ROUTE, "to",
		    "no operator's profile serves this number; see prefixes in config/operators");
	default:
		return problem_make(PROBLEM_EMPTY_TEXT, "text", "at least one character");
	}
}
