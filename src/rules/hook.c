#include "rules/hook.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/secret.h"

void hook_secret_text(const uint8_t secret[HOOK_SECRET], char text[HOOK_SECRET_TEXT])
{
	memcpy(text, "whsec_", 6);
	secret_base64(secret, HOOK_SECRET, text + 6);
}

char *hook_id(const struct hook_event *e, char text[HOOK_ID])
{
	static const char *const words[HOOK_ABOUTS] = {"end", "code", "news"};
	char id[IDS_TEXT];

	snprintf(text, HOOK_ID, "%s_%s", words[e->about], ids_text(e->id, id));
	return text;
}

/* RFC 8259, 7. The texts are UTF-8: the database keeps no other. */
static void hook_put_text(struct buf *out, const char *text)
{
	buf_char(out, '"');
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_printf(out, "\\%c", *p);
		else if ((unsigned char)*p < 0x20 || *p == 0x7f)
			buf_printf(out, "\\u%04x", (unsigned)*p);
		else
			buf_char(out, *p);
	}
	buf_char(out, '"');
}

static void hook_put_field(struct buf *out, const char *name, const char *text)
{
	if (!*text)
		return;
	buf_printf(out, ",\"%s\":", name);
	hook_put_text(out, text);
}

static void hook_put_id(struct buf *out, const char *name, uint64_t id)
{
	char text[IDS_TEXT];

	if (id)
		buf_printf(out, ",\"%s\":\"%s\"", name, ids_text(id, text));
}

static void hook_put_code(struct buf *out, const struct hook_event *e, const char *at)
{
	hook_put_id(out, "pair", e->pair);
	hook_put_field(out, "purpose", e->purpose);
	buf_printf(out, ",\"state\":\"%s\",\"ended_at\":\"%s\"", code_verdict_name(e->verdict), at);
}

static void hook_put_message(struct buf *out, const struct hook_event *e, const char *at)
{
	hook_put_id(out, "code", e->code);
	hook_put_field(out, "purpose", e->purpose);
	buf_printf(out,
	    ",\"state\":\"%s\",\"class\":\"%s\",\"segments\":%u,\"possible_duplicate\":%s,\"ended_at\":\"%"
	    "s\"",
	    message_state_name(e->state), message_class_name(e->class), e->parts,
	    e->resent ? "true" : "false", at);
	hook_put_field(out, "status", e->status);
	hook_put_field(out, "detail", e->detail);
}

static void hook_put_count(struct buf *out, const char *name, uint64_t n)
{
	if (n)
		buf_printf(out, ",\"%s\":%llu", name, (unsigned long long)n);
}

static void hook_put_news(struct buf *out, const struct hook_event *e)
{
	const struct hook_news *n = &e->news;
	char until[32], request[IDS_TEXT];

	if (n->kind == NEWS_REQUESTED)
		buf_printf(out, "\"request\":\"%s\"", ids_text(e->id, request));
	else
		buf_printf(out, "\"application\":%llu", (unsigned long long)n->application);
	buf_printf(out, ",\"seq\":%llu,\"via\":\"%s\"", (unsigned long long)n->seq, news_via_name(n->via));
	hook_put_count(out, "group", n->play_group);
	hook_put_count(out, "kindergarten", n->kindergarten);
	if (n->referral)
		buf_printf(out, ",\"referral\":{\"number\":%llu", (unsigned long long)n->referral);
	if (n->referral && n->until_us)
		buf_printf(out, ",\"until\":\"%s\"", clock_rfc3339(n->until_us, until));
	if (n->referral)
		buf_char(out, '}');
	hook_put_field(out, "detail", e->detail);
}

static void hook_put_end(struct buf *out, const struct hook_event *e, const char *at)
{
	char id[IDS_TEXT];

	buf_printf(out, "\"id\":\"%s\"", ids_text(e->id, id));
	hook_put_field(out, "client_ref", e->client_ref);
	if (e->about == HOOK_CODE)
		hook_put_code(out, e, at);
	else
		hook_put_message(out, e, at);
}

static void hook_put_type(struct buf *out, const struct hook_event *e)
{
	if (e->about == HOOK_NEWS)
		buf_str(out, news_kind_name(e->news.kind));
	else if (e->about == HOOK_CODE)
		buf_printf(out, "code.%s", code_verdict_name(e->verdict));
	else
		buf_printf(out, "message.%s", message_state_name(e->state));
}

void hook_body(const struct hook_event *e, struct buf *out)
{
	char seq[IDS_TEXT], at[32];

	buf_str(out, "{\"type\":\"");
	hook_put_type(out, e);
	buf_printf(out, "\",\"timestamp\":\"%s\",\"seq\":\"%s\",\"data\":{", clock_rfc3339(e->at_us, at),
	    ids_text(e->feed, seq));
	if (e->about == HOOK_NEWS)
		hook_put_news(out, e);
	else
		hook_put_end(out, e, at);
	buf_str(out, "}}");
}

void hook_sign(const uint8_t *secret, size_t secret_n, const char *id, int64_t timestamp_s, const char *body,
    size_t body_n, char signature[HOOK_SIGNATURE])
{
	struct buf signed_text = {0};
	uint8_t mac[SECRET_HASH];

	buf_printf(&signed_text, "%s.%lld.", id, (long long)timestamp_s);
	buf_add(&signed_text, body, body_n);
	secret_hmac(secret, secret_n, signed_text.data, signed_text.len, mac);
	memcpy(signature, "v1,", 3);
	secret_base64(mac, sizeof mac, signature + 3);
	buf_fini(&signed_text);
}

/* With 5 s first: 30 s, 2 min, 10 min, 1 h, 3 h, 6 h, 12 h, 24 h, 24 h; 71 hours in all. With more first a
 * day stays the longest: messages are dropped some time. */
static const int64_t waits[] = {1, 6, 24, 120, 720, 2160, 4320, 8640, 17280, 17280};
#define WAITS      (sizeof waits / sizeof *waits)
#define WAIT_MAX   INT64_C(86400000)
#define PROBE_LAST 3

_Static_assert(WAITS == HOOK_ATTEMPTS - 1, "a wait between each two attempts");

static int64_t hook_nth_ms(unsigned n, int64_t first_ms)
{
	int64_t wait_ms = waits[n - 1] * first_ms;

	return wait_ms < WAIT_MAX ? wait_ms : WAIT_MAX;
}

int64_t hook_wait_ms(unsigned attempts, int64_t first_ms)
{
	return attempts <= WAITS ? hook_nth_ms(attempts, first_ms) : -1;
}

int64_t hook_probe_ms(unsigned probes, int64_t first_ms)
{
	return hook_nth_ms(probes <= PROBE_LAST ? probes : PROBE_LAST + 1, first_ms);
}
