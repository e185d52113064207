#include "api/problem.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "text/utf8.h"

static const struct problem_row {
	int status;
	const char *code, *title;
	bool retryable;
} rows[PROBLEM_CODES] = {
    [PROBLEM_UNAUTHORIZED] = {401, "unauthorized", "No valid API key", false},
    [PROBLEM_FORBIDDEN] = {403, "forbidden", "The key lacks the scope", false},
    [PROBLEM_NOT_FOUND] = {404, "not_found", "Nothing is here", false},
    [PROBLEM_METHOD_NOT_ALLOWED] = {405, "method_not_allowed", "Not with this method", false},
    [PROBLEM_MALFORMED_JSON] = {400, "malformed_json", "The body is not JSON", false},
    [PROBLEM_UNKNOWN_PARAMETER] = {400, "unknown_parameter", "A parameter that is not known", false},
    [PROBLEM_MISSING_IDEMPOTENCY_KEY] = {400, "missing_idempotency_key", "Idempotency-Key is missing", false},
    [PROBLEM_INVALID_IDEMPOTENCY_KEY] = {400, "invalid_idempotency_key", "Idempotency-Key is malformed",
        false},
    [PROBLEM_UNSUPPORTED_MEDIA_TYPE] = {415, "unsupported_media_type", "Another Content-Type is wanted",
        false},
    [PROBLEM_UNKNOWN_FIELD] = {422, "unknown_field", "A member that is not known", false},
    [PROBLEM_MISSING_FIELD] = {422, "missing_field", "A member is missing", false},
    [PROBLEM_WRONG_TYPE] = {422, "wrong_type", "A member has another type", false},
    [PROBLEM_INVALID_VALUE] = {422, "invalid_value", "A member has a value that is not allowed", false},
    [PROBLEM_INVALID_NUMBER] = {422, "invalid_number", "Not a mobile number of Kazakhstan", false},
    [PROBLEM_EMPTY_TEXT] = {422, "empty_text", "The text is empty", false},
    [PROBLEM_TEXT_TOO_LONG] = {422, "text_too_long", "The text needs too many SMS", false},
    [PROBLEM_UNKNOWN_TEMPLATE] = {422, "unknown_template", "No such template", false},
    [PROBLEM_INVALID_PARAMS] = {422, "invalid_params", "The template's parameters do not fit", false},
    [PROBLEM_EXPIRES_IN_PAST] = {422, "expires_in_past", "expires_at is not within the next 7 days", false},
    [PROBLEM_NO_ROUTE] = {422, "no_route", "No operator serves this number", false},
    [PROBLEM_KEY_REUSED] = {422, "idempotency_key_reused", "The Idempotency-Key belongs to another request",
        false},
    [PROBLEM_IN_PROGRESS] = {409, "idempotency_in_progress", "The first request with this key still runs",
        true},
    [PROBLEM_TOO_MANY_MESSAGES] = {429, "too_many_messages", "Too many messages wait", true},
    [PROBLEM_UNKNOWN_PURPOSE] = {422, "unknown_purpose", "No such purpose", false},
    [PROBLEM_INVALID_CODE] = {422, "invalid_code", "This cannot be the code", false},
    [PROBLEM_BINDING_MISMATCH] = {409, "binding_mismatch", "The code was sent for something else", false},
    [PROBLEM_CODE_OVER] = {409, "code_over", "The code is not open any more", false},
    [PROBLEM_RESENDS_EXHAUSTED] = {409, "resends_exhausted", "The code may not be sent again", false},
    [PROBLEM_RANGE_NOT_ALLOWED] = {403, "range_not_allowed", "Codes are not sent to such numbers", false},
    [PROBLEM_TOO_SOON] = {429, "too_soon", "A code was sent a moment ago", true},
    [PROBLEM_PHONE_LIMIT] = {429, "phone_limit", "Too many codes for this phone", true},
    [PROBLEM_PREFIX_LIMIT] = {429, "prefix_limit", "Too many codes for numbers like this", true},
    [PROBLEM_KEY_LIMIT] = {429, "key_limit", "Too many codes by this key", true},
    [PROBLEM_ADDRESS_LIMIT] = {429, "address_limit", "Too many codes for this address", true},
    [PROBLEM_DAY_LIMIT] = {429, "day_limit", "Too many codes today", true},
    [PROBLEM_HELD] = {429, "held", "Hardly any code to such numbers is used", true},
    [PROBLEM_PHONE_LOCKED] = {429, "phone_locked", "Too many wrong tries for this phone", true},
    [PROBLEM_INVALID_IIN] = {422, "invalid_iin", "Not the IIN of a person", false},
    [PROBLEM_UNKNOWN_REFERENCE] = {422, "unknown_reference", "It refers to what is not there", false},
    [PROBLEM_REFERRAL_OPEN] = {409, "referral_open", "The application has an open referral", false},
    [PROBLEM_CHANGED_MEANWHILE] = {412, "changed_meanwhile", "It does not stand as you think", false},
    [PROBLEM_CLOSED] = {409, "closed", "The application is over", false},
    [PROBLEM_TOO_MANY_WATCHES] = {409, "too_many_watches", "No more kindergartens may be watched", false},
    [PROBLEM_IMPORT_LINE] = {409, "import_line", "Not the next line of the import", false},
    [PROBLEM_IMPORT_RUNS] = {409, "import_runs", "The import is being gone on with elsewhere", true},
    [PROBLEM_TOO_MANY_IMPORTS] = {429, "too_many_imports", "Too many imports at once", true},
    [PROBLEM_ALREADY] = {409, "already", "The application has a referral", false},
    [PROBLEM_NOT_DISTRICT] = {409, "not_district", "Another district", false},
    [PROBLEM_NOT_AGE] = {409, "not_age", "Another age", false},
    [PROBLEM_NOT_LANGUAGE] = {409, "not_language", "Another language", false},
    [PROBLEM_GONE] = {409, "gone", "No place is free", false},
    [PROBLEM_STOP_LIST] = {409, "stop_list", "The application is passed over", false},
    [PROBLEM_NOT_TURN] = {409, "not_turn", "Others go first", false},
    [PROBLEM_NOT_BEGUN] = {409, "not_begun", "The referral has not begun", false},
    [PROBLEM_PAST_END] = {409, "past_end", "The referral has ended", false},
    [PROBLEM_NOT_DUE] = {409, "not_due", "The referral has not ended", false},
    [PROBLEM_NOT_ACCEPTED] = {409, "not_accepted", "The referral was not accepted", false},
    [PROBLEM_NO_EXTENSION] = {409, "no_extension", "There is no extension", false},
    [PROBLEM_ALREADY_EXTENDED] = {409, "already_extended", "The referral was extended", false},
    [PROBLEM_ALREADY_ACCEPTED] = {409, "already_accepted", "The referral was accepted", false},
    [PROBLEM_ALREADY_DECLINED] = {409, "already_declined", "The referral was declined", false},
    [PROBLEM_ALREADY_CANCELLED] = {409, "already_cancelled", "The referral was cancelled", false},
    [PROBLEM_ALREADY_ENROLLED] = {409, "already_enrolled", "The child is enrolled", false},
    [PROBLEM_NUMBER_TAKEN] = {409, "number_taken", "The number is another referral's", false},
    [PROBLEM_EARLIER_END] = {409, "earlier_end", "An earlier end than was said", false},
    [PROBLEM_UNAVAILABLE] = {503, "unavailable", "Nothing can be kept now", true},
    [PROBLEM_INTERNAL_ERROR] = {500, "internal_error", "A fault of kezek", false},
};

/* A name that is not known may be a number of a person in the wrong place, and is kept with an import. */
static void problem_mask_digits(char *field)
{
	size_t digits = 0;

	for (const char *c = field; *c; c++)
		digits += *c >= '0' && *c <= '9';
	for (char *c = field; digits > 3 && *c; c++)
		if (*c >= '0' && *c <= '9')
			*c = '*';
}

struct problem problem_make(enum problem_code code, const char *field, const char *fmt, ...)
{
	const struct problem_row *row = &rows[code];
	struct problem p = {
	    .status = row->status, .code = row->code, .title = row->title, .retryable = row->retryable};
	va_list ap;

	if (field)
		utf8_cut(p.field, sizeof p.field, field); /* half a character would be no JSON */
	if (code == PROBLEM_UNKNOWN_FIELD || code == PROBLEM_UNKNOWN_PARAMETER)
		problem_mask_digits(p.field);
	va_start(ap, fmt);
	vsnprintf(p.detail, sizeof p.detail, fmt, ap);
	va_end(ap);
	return p;
}

/* Marks one answer in the client's log and in ours. */
static void problem_request_id(char text[IDS_TEXT])
{
	uint64_t id;

	secret_random(&id, sizeof id);
	ids_text(id >> 1, text);
}

static void problem_count(const struct problem *p)
{
	char labels[64];

	snprintf(labels, sizeof labels, "code=\"%s\"", p->code);
	metric_add(
	    metric_counter("kezek_http_problems_total", "Requests answered with a problem", labels), 1);
}

void problem_reply(struct call *c, const struct problem *p)
{
	char type[64], id[IDS_TEXT], after[16], until[32];

	snprintf(type, sizeof type, "/problems/%s", p->code);
	problem_request_id(id);
	json_t *body =
	    json_pack("{s:s, s:s, s:i, s:s, s:s, s:b, s:s}", "type", type, "title", p->title, "status",
	        p->status, "code", p->code, "detail", p->detail, "retryable", p->retryable, "request_id", id);
	if (body && *p->field)
		json_object_set_new(body, "field", json_string(p->field));
	if (body && p->next_line)
		json_object_set_new(body, "next_line", json_integer((json_int_t)p->next_line));
	if (body && p->result)
		json_object_set_new(body, "result", json_string(p->result));
	if (body && p->until_us)
		json_object_set_new(body, "until", json_string(clock_rfc3339(p->until_us, until)));
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	if (p->after_s) {
		snprintf(after, sizeof after, "%u", p->after_s);
		call_header_add(c, "Retry-After", after);
	}
	if (p->status == 401)
		call_header_add(c, "WWW-Authenticate", "Bearer realm=\"kezek\"");
	/* An overload must not become a flood of lines: those are counted, and logged when asked for. */
	log_line(p->retryable       ? LOG_LEVEL_DEBUG
	         : p->status >= 500 ? LOG_LEVEL_ERROR
	                            : LOG_LEVEL_INFO,
	    "http", "request=%s status=%d code=%s", id, p->status, p->code);
	problem_count(p);
	call_reply(c, p->status, "application/problem+json", text ? text : "{}", text ? strlen(text) : 2);
	free(text);
	json_decref(body);
}
