#include "smsc_report.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "smsc_block.h"
#include "text/utf8.h"

/* Every event is counted; it is made into JSON or a block only when somebody sees it, since benches run with
 * neither. */

struct smsc_report {
	const struct smsc_options *options;
	const struct clock *clock;
	FILE *log;
	struct {
		uint64_t submits, accepted, sms, pages, receipts, acknowledged, odd;
	} count;
};

struct smsc_report *smsc_report_new(const struct smsc_options *o, const struct clock *clock)
{
	FILE *log = NULL;

	if (*o->log && !(log = fopen(o->log, "ae"))) {
		fprintf(stderr, "kezek-smsc: %s: %s\n", o->log, strerror(errno));
		return NULL;
	}
	struct smsc_report *r = mem_new(sizeof *r);
	r->options = o;
	r->clock = clock;
	r->log = log;
	return r;
}

static bool wants_json(const struct smsc_report *r)
{
	return r->log || (r->options->json && !r->options->quiet);
}

static bool wants_block(const struct smsc_report *r)
{
	return !r->options->json && !r->options->quiet;
}

bool smsc_report_wants_sms(const struct smsc_report *r)
{
	return wants_json(r) || wants_block(r);
}

/* A peer's octets as a JSON string; what is no UTF-8 is read as Latin-1. */
static json_t *printable(const char *text)
{
	struct buf b = {0};

	if (utf8_check(text, strlen(text)) == KZ_OK)
		return json_string(text);
	for (; *text; text++)
		utf8_put(&b, (unsigned char)*text);
	json_t *j = json_string(buf_text(&b));
	buf_fini(&b);
	return j;
}

/* Takes event over. always: even with --quiet. */
static void write_json(struct smsc_report *r, json_t *event, bool always)
{
	json_object_set_new(event, "at", json_integer(clock_wall_ms(r->clock)));
	char *line = json_dumps(event, JSON_COMPACT);

	json_decref(event);
	if (!line)
		return;
	if (r->log) {
		fprintf(r->log, "%s\n", line);
		fflush(r->log);
	}
	if (r->options->json && (always || !r->options->quiet)) {
		puts(line);
		fflush(stdout);
	}
	free(line);
}

static void write_line(struct smsc_report *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void write_line(struct smsc_report *r, const char *fmt, ...)
{
	char at[SMSC_BLOCK_TIME];
	struct buf line = {0};
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	smsc_block_plain(text, &line);
	printf("%s  %s\n", smsc_block_time(r->clock->wall_us(), at), buf_text(&line));
	fflush(stdout);
	buf_fini(&line);
}

void smsc_report_free(struct smsc_report *r)
{
	if (!r)
		return;
	if (wants_json(r) || r->options->json)
		write_json(r,
		    json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "event", "end", "submits",
		        (json_int_t)r->count.submits, "accepted", (json_int_t)r->count.accepted, "sms",
		        (json_int_t)r->count.sms, "pages", (json_int_t)r->count.pages, "receipts",
		        (json_int_t)r->count.receipts, "acknowledged", (json_int_t)r->count.acknowledged,
		        "odd", (json_int_t)r->count.odd),
		    true);
	if (!r->options->json)
		printf("%llu submitted, %llu accepted, %llu SMS, %llu receipts sent, %llu acknowledged, %llu "
		       "odd\n",
		    (unsigned long long)r->count.submits, (unsigned long long)r->count.accepted,
		    (unsigned long long)r->count.sms, (unsigned long long)r->count.receipts,
		    (unsigned long long)r->count.acknowledged, (unsigned long long)r->count.odd);
	fflush(stdout);
	if (r->log)
		fclose(r->log);
	free(r);
}

void smsc_report_listen(struct smsc_report *r, const char *address, unsigned port)
{
	if (wants_json(r) || r->options->json)
		write_json(r,
		    json_pack("{s:s,s:s,s:i}", "event", "listen", "address", address, "port", (int)port),
		    true);
	if (!r->options->json)
		printf("kezek-smsc listens on %s\n", address);
	fflush(stdout);
}

void smsc_report_bind(
    struct smsc_report *r, const char *system_id, const char *mode, const char *peer, uint32_t status)
{
	if (wants_json(r))
		write_json(r,
		    json_pack("{s:s,s:o,s:s,s:s,s:I}", "event", "bind", "system_id", printable(system_id),
		        "mode", mode, "peer", peer, "status", (json_int_t)status),
		    false);
	if (wants_block(r) && !status)
		write_line(r, "%s bound as %s from %s", system_id, mode, peer);
	else if (wants_block(r))
		write_line(r, "%s refused as %s from %s: 0x%08x", system_id, mode, peer, (unsigned)status);
}

void smsc_report_unbind(struct smsc_report *r, const char *system_id, const char *peer, const char *why)
{
	if (wants_json(r))
		write_json(r,
		    json_pack("{s:s,s:o,s:s,s:s}", "event", "unbind", "system_id", printable(system_id),
		        "peer", peer, "why", why),
		    false);
	if (wants_block(r))
		write_line(r, "%s left (%s): %s", system_id, peer, why);
}

void smsc_report_submit(struct smsc_report *r, const struct smsc_submission *s)
{
	r->count.submits++;
	r->count.accepted += !s->status;
	if (wants_json(r))
		write_json(r,
		    json_pack("{s:s,s:o,s:s,s:I,s:s,s:o,s:i,s:i,s:I,s:b}", "event", "submit", "system_id",
		        printable(s->system_id), "command", s->command, "sequence", (json_int_t)s->sequence,
		        "id", s->id, "to", printable(s->to), "part", (int)s->part, "total", (int)s->total,
		        "status", (json_int_t)s->status, "answered", s->answered),
		    false);
	if (wants_block(r) && s->status)
		write_line(r, "%s to %s refused: 0x%08x", s->command, s->to, (unsigned)s->status);
	else if (wants_block(r) && !s->answered)
		write_line(r, "%s to %s taken and not answered", s->command, s->to);
}

static json_t *sms_json(const struct smsc_sms *sms)
{
	json_t *ids = json_array();

	for (unsigned i = 0; i < sms->parts; i++)
		json_array_append_new(ids, json_string(sms->ids[i]));
	return json_pack("{s:s,s:o,s:o,s:s,s:i,s:s,s:s,s:i,s:o,s:o,s:o,s:o,s:i,s:i,s:i}", "event", "sms",
	    "from", printable(sms->from), "to", printable(sms->to), "text", sms->text ? sms->text : "",
	    "parts", (int)sms->parts, "alphabet", sms->alphabet, "concat", sms->concat, "data_coding",
	    (int)sms->data_coding, "ids", ids, "system_id", printable(sms->system_id), "service_type",
	    printable(sms->service_type), "validity", printable(sms->validity), "registered",
	    (int)sms->registered, "from_ton", (int)sms->from_ton, "from_npi", (int)sms->from_npi);
}

static void sms_write_json(struct smsc_report *r, const struct smsc_sms *sms)
{
	json_t *event = sms_json(sms);

	if (!sms->text) {
		char *hex = mem_new(sms->bytes_len * 2 + 1);

		secret_hex(sms->bytes, sms->bytes_len, hex);
		json_object_set_new(event, "hex", json_string(hex));
		free(hex);
	}
	write_json(r, event, false);
}

void smsc_report_sms(struct smsc_report *r, const struct smsc_sms *sms)
{
	struct buf block = {0};

	r->count.sms++;
	if (wants_json(r))
		sms_write_json(r, sms);
	if (wants_block(r)) {
		smsc_block_sms(sms, r->clock->wall_us(), &block);
		fputs(buf_text(&block), stdout);
		fflush(stdout);
		buf_fini(&block);
	}
}

void smsc_report_sms_quiet(struct smsc_report *r)
{
	r->count.sms++;
}

void smsc_report_said(struct smsc_report *r, const char *phone, const char *verb, const char *text)
{
	if (wants_json(r))
		write_json(r,
		    json_pack("{s:s,s:o,s:s,s:o}", "event", "ussd", "phone", printable(phone), "said", verb,
		        "text", printable(text)),
		    false);
	if (wants_block(r))
		write_line(r, "%s: %s %s", phone, verb, text);
}

void smsc_report_page(struct smsc_report *r, const struct smsc_page *page)
{
	struct buf block = {0};

	r->count.pages++;
	if (wants_json(r)) {
		json_t *event = smsc_page_json(page);

		json_object_set_new(event, "event", json_string("page"));
		json_object_set_new(event, "system_id", printable(page->system_id));
		write_json(r, event, false);
	}
	if (wants_block(r)) {
		smsc_block_page(page, r->clock->wall_us(), &block);
		fputs(buf_text(&block), stdout);
		fflush(stdout);
		buf_fini(&block);
	}
}

void smsc_report_receipt_sent(struct smsc_report *r)
{
	r->count.receipts++;
}

void smsc_report_receipt(
    struct smsc_report *r, const char *system_id, const char *id, const char *state, uint32_t acked_status)
{
	r->count.acknowledged += !acked_status;
	if (wants_json(r))
		write_json(r,
		    json_pack("{s:s,s:o,s:s,s:s,s:I}", "event", "receipt", "system_id", printable(system_id),
		        "id", id, "state", state, "acked_status", (json_int_t)acked_status),
		    false);
	if (wants_block(r) && !acked_status)
		write_line(r, "receipt of %s acknowledged: %s", id, state);
	else if (wants_block(r))
		write_line(r, "receipt of %s refused: 0x%08x", id, (unsigned)acked_status);
}

void smsc_report_odd(struct smsc_report *r, const char *who, const char *fmt, ...)
{
	char what[200];
	va_list args;

	r->count.odd++;
	if (!wants_json(r) && !wants_block(r))
		return;
	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	if (wants_json(r))
		write_json(r,
		    json_pack(
		        "{s:s,s:o,s:o}", "event", "odd", "who", printable(who), "what", printable(what)),
		    false);
	if (wants_block(r))
		write_line(r, "odd (%s): %s", who, what);
}
