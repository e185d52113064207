#include "smsc_options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/keys.h"
#include "base/secret.h"
#include "smsc_dialect.h"
#include "smsc_options_body.h"

/* The rows are base/keys' rows, so that numbers, times and choices are read and refused as in kezek's files;
 * only what holds two values in one (N:STATUS, STATUS:PREFIX) is read apart. */

#define HELP_COLUMN 34

static const char *const id_forms[] = {"decimal", "hex", "padded", NULL};
static const char *const receipt_ids[] = {"same", "hex", "decimal", NULL};
static const char *const receipt_forms[] = {"text", "tlv", "both", NULL};
static const char *const receipt_pdus[] = {"deliver_sm", "data_sm", NULL};
static const char *const pushes[] = {"none", "tell", "ask", NULL};
static const char *const gsm_wires[] = {"unpacked", "packed", "latin1", "ascii", NULL};
/* In the order of message_state, which begins with 1. SMPP 3.4, 5.2.28. */
static const char *const states[] = {
    "ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", NULL};

#define ROW(name_, type_, field_, fallback_, min_, max_, unit_, help_)                                       \
	{                                                                                                    \
		.name = name_, .type = type_, .offset = offsetof(struct smsc_options, field_),               \
		.fallback = fallback_, .min = min_, .max = max_, .unit = unit_, .help = help_                \
	}
#define TEXT(name, field, fallback, max, unit, help) ROW(name, KEY_TEXT, field, fallback, 0, max, unit, help)
#define MS(name, field, fallback, max, help)         ROW(name, KEY_MS, field, fallback, 0, max, "TIME", help)
#define COUNT(name, field, help)                     ROW(name, KEY_INT, field, "0", 0, SMSC_COUNT_MAX, "N", help)
#define FLAG(name, field, help)                      ROW(name, KEY_BOOL, field, "no", 0, 0, "", help)
#define CHOICE(name_, field_, choices_, fallback_, help_)                                                    \
	{                                                                                                    \
		.name = name_, .type = KEY_CHOICE, .offset = offsetof(struct smsc_options, field_),          \
		.fallback = fallback_, .choices = choices_, .unit = "", .help = help_                        \
	}

static const struct key session_rows[] = {
    TEXT("listen", listen, "127.0.0.1:2775", 100, "ADDRESS",
        "where to listen; port 0 takes a free one and prints it"),
    TEXT("system-id", system_id, "", 32, "ID", "the only system_id that may bind; any without this"),
    TEXT("password-file", password_file, "", 0, "FILE",
        "file with the password that a bind must bring; any without this"),
    CHOICE("id", id, id_forms, "decimal", "how message ids are written"),
    TEXT("id-prefix", id_prefix, "", 20, "TEXT", "put before every message id"),
    ROW("id-first", KEY_INT, id_first, "0", 0, INT64_MAX / 2, "N",
        "the first id; 0 takes one from the wall clock"),
    TEXT("journal", journal, "", 0, "FILE", "note there what was taken and acknowledged, and go on from it"),
};
static const struct key receipt_rows[] = {
    MS("receipt-delay", receipt_delay_ms, "200ms", 86400000, "from the submission to its receipt"),
    CHOICE("receipt-form", receipt_form, receipt_forms, "both", "where a receipt says what it says"),
    CHOICE("receipt-state", receipt_state, states, "DELIVRD", "what became of every message"),
    TEXT("receipt-err", receipt_err, "", 8, "TEXT",
        "err of the receipts; 000 or 001 by the state without this"),
    CHOICE("receipt-id", receipt_id, receipt_ids, "same", "the base of ids in receipts"),
    CHOICE("receipt-pdu", receipt_pdu, receipt_pdus, "deliver_sm", "what carries a receipt"),
    ROW("receipt-retry", KEY_MS, receipt_retry_ms, "5s", 10, 86400000, "TIME",
        "until one that was not acknowledged, or with 0x58 or 0x64, is sent again"),
    ROW("receipt-window", KEY_INT, receipt_window, "500", 1, 1000, "N",
        "receipts unacknowledged on a session at most"),
    COUNT("no-receipt-every", no_receipt_every, "every Nth message gets no receipt"),
    FLAG("receipt-twice", receipt_twice, "every receipt comes twice"),
    FLAG("early-receipt", early_receipt, "receipts come before the submit_sm_resp"),
    {.name = "odd-receipt",
        .type = KEY_LIST,
        .unit = "FORM",
        .help = "spelling, ucs2, bare, cut, unknown, garbled: receipts are so, in turn; up to 16 times"},
};
static const struct key fault_rows[] = {
    MS("response-delay", response_delay_ms, "0ms", 3600000, "answer each submission so late"),
    COUNT("throttle", throttle, "over N submissions a second answer 0x58"),
    COUNT("window", window, "over N unanswered submissions on a session answer 0x58"),
    COUNT("queue-full-every", queue_full_every, "every Nth submission is answered 0x14"),
    {.name = "status-every",
        .type = KEY_LIST,
        .unit = "N:STATUS",
        .help = "every Nth submission is answered STATUS"},
    {.name = "refuse",
        .type = KEY_LIST,
        .unit = "STATUS:PREFIX",
        .help = "destinations that begin with PREFIX are answered STATUS; up to 32 times"},
    COUNT("no-answer-every", no_answer_every, "every Nth submission is taken and never answered"),
    COUNT(
        "drop-after", drop_after, "the Nth submission on a connection is taken, then the connection closed"),
    COUNT("unbind-after", unbind_after, "after N submissions on a connection send unbind"),
    COUNT("freeze-after", freeze_after,
        "after N submissions on a connection it is half open: nothing is read or said any more"),
    COUNT("mute-binds", mute_binds, "the first N binds are never answered"),
    COUNT("read-rate", read_rate, "read at most N octets a second from a connection"),
    {.name = "nack-every",
        .type = KEY_LIST,
        .unit = "N:STATUS",
        .help = "every Nth submission is answered with a generic_nack of STATUS"},
    COUNT("garbage-every", garbage_every, "after every Nth submission send a PDU that makes no sense"),
    COUNT("bad-length-after", bad_length_after,
        "after N submissions on a connection send a command_length that cannot be"),
};
static const struct key ussd_rows[] = {
    CHOICE("ussd", ussd, smsc_dialect_names, "none", "the dialect of USSD that is spoken"),
    TEXT("phones", phones, "", 100, "SOCKET", "a socket on which phones are told to dial and to type"),
    CHOICE("ussd-push", ussd_push, pushes, "none", "what may come without having been asked for"),
    ROW("ussd-septets", KEY_INT, ussd_gsm7, "182", 1, 1000, "N", "longest page in septets"),
    ROW("ussd-units", KEY_INT, ussd_ucs2, "80", 1, 1000, "N", "longest page in UCS-2"),
    ROW("ussd-deadline", KEY_MS, ussd_deadline_ms, "30s", 10, 86400000, "TIME",
        "how long a page may take; then the network hangs up"),
};
static const struct key output_rows[] = {
    CHOICE("gsm", gsm, gsm_wires, "unpacked", "what data_coding 0 is"),
    ROW("join-limit", KEY_MS, join_ms, "5m", 10, 86400000, "TIME", "how long parts wait for the others"),
    FLAG("json", json, "one JSON object a line for each event instead of blocks"),
    TEXT("log", log, "", 0, "FILE", "append the JSON lines to a file"),
    FLAG("quiet", quiet, "print the address at the start and the counts at the end only"),
};

static const struct smsc_section {
	const char *title;
	const struct key *rows;
	size_t n;
} sections[] = {
#define SECTION(title, rows)                                                                                 \
	{                                                                                                    \
		title, rows, sizeof rows / sizeof *rows                                                      \
	}
    SECTION("Sessions and ids", session_rows),
    SECTION("Receipts", receipt_rows),
    SECTION("Faults", fault_rows),
    SECTION("USSD", ussd_rows),
    SECTION("Output", output_rows),
};
#define SECTIONS (sizeof sections / sizeof *sections)
#define ROWS_MAX 64

static const struct key *row_at(size_t at)
{
	for (size_t i = 0; i < SECTIONS; at -= sections[i++].n)
		if (at < sections[i].n)
			return &sections[i].rows[at];
	return NULL;
}

static void help_row(const struct key *k, struct buf *out)
{
	size_t begin = out->len;

	buf_printf(out, "  --%s ", k->name);
	if (k->type != KEY_CHOICE)
		buf_str(out, k->unit);
	for (int i = 0; k->type == KEY_CHOICE && k->choices[i]; i++)
		buf_printf(out, "%s%s", i ? "|" : "", k->choices[i]);
	if (out->len - begin > HELP_COLUMN - 2) {
		buf_char(out, '\n');
		begin = out->len;
	}
	buf_printf(out, "%*s", (int)(HELP_COLUMN - (out->len - begin)), "");
	buf_str(out, k->help);
	if (k->fallback && strcmp(k->fallback, "") && strcmp(k->fallback, "0") &&
	    strcmp(k->fallback, "0ms") && k->type != KEY_BOOL)
		buf_printf(out, " [%s]", k->fallback);
	buf_char(out, '\n');
}

static void help_print(void)
{
	struct buf out = {0};

	buf_str(&out, "usage: kezek-smsc [options]\n\n"
	              "An SMPP 3.4 message centre for tests: takes binds and submissions, sends receipts, "
	              "and shows each\n"
	              "SMS as a phone would. TIME is written 250ms, 5s, 2m; STATUS 0x58 or 88.\n");
	for (size_t i = 0; i < SECTIONS; i++) {
		buf_printf(&out, "\n%s:\n", sections[i].title);
		for (size_t j = 0; j < sections[i].n; j++)
			help_row(&sections[i].rows[j], &out);
	}
	buf_str(&out, "\n  --help\n  --version\n");
	fputs(buf_text(&out), stdout);
	buf_fini(&out);
}

static bool option_set(struct smsc_options *o, const struct key *k, const char *text, char why[160])
{
	char ms[32];

	switch (k->type == KEY_LIST ? k->name[0] : '\0') {
	case 'r':
		return smsc_options_refuse(o, text, why);
	case 'o':
		return smsc_options_odd(o, text, why);
	case 's':
		return smsc_options_every(&o->status_every, &o->status_every_is, text, why);
	case 'n':
		return smsc_options_every(&o->nack_every, &o->nack_every_is, text, why);
	}
	if (k->type == KEY_MS && strlen(text) < 20 && text[strspn(text, "0123456789")] == '\0') {
		snprintf(ms, sizeof ms, "%sms", text); /* a bare number is milliseconds */
		text = ms;
	}
	return keys_set(k, text, o, why);
}

/* The table as getopt_long wants it: val is the row's number + 1. */
static void options_list(struct option list[ROWS_MAX])
{
	const struct key *k;
	int n = 0;

	for (; (k = row_at((size_t)n)); n++)
		list[n] = (struct option){.name = k->name,
		    .has_arg = k->type == KEY_BOOL ? no_argument : required_argument,
		    .val = n + 1};
	list[n++] = (struct option){.name = "help", .val = 'h' << 8};
	list[n++] = (struct option){.name = "version", .val = 'v' << 8};
	list[n] = (struct option){0};
}

static enum smsc_parsed usage(const char *option, const char *why)
{
	fprintf(stderr, "kezek-smsc: %s%s%s\nTry \"kezek-smsc --help\".\n", option, *option ? ": " : "", why);
	return SMSC_PARSED_USAGE;
}

static enum smsc_parsed options_read(struct smsc_options *o, int argc, char **argv)
{
	struct option list[ROWS_MAX];
	char why[160], name[64];

	options_list(list);
	for (int c; (c = getopt_long(argc, argv, "", list, NULL)) != -1;) {
		if (c == '?')
			return SMSC_PARSED_USAGE; /* getopt_long said why */
		if (c == 'h' << 8) {
			help_print();
			return SMSC_PARSED_DONE;
		}
		if (c == 'v' << 8) {
			puts("kezek-smsc " KEZEK_VERSION);
			return SMSC_PARSED_DONE;
		}
		const struct key *k = row_at((size_t)c - 1);
		snprintf(name, sizeof name, "--%s", k->name);
		if (!option_set(o, k, k->type == KEY_BOOL ? "yes" : optarg, why))
			return usage(name, why);
	}
	return optind < argc ? usage(argv[optind], "kezek-smsc takes no arguments, only options")
	                     : SMSC_PARSED_RUN;
}

static void options_default(struct smsc_options *o)
{
	const struct key *k;
	char why[160];

	for (size_t i = 0; (k = row_at(i)); i++)
		if (k->fallback && !keys_set(k, k->fallback, o, why))
			abort(); /* the table contradicts itself */
}

enum smsc_parsed smsc_options_parse(struct smsc_options *o, int argc, char **argv)
{
	options_default(o);
	enum smsc_parsed p = options_read(o, argc, argv);

	if (p == SMSC_PARSED_RUN && *o->phones && !o->ussd)
		return usage("--phones", "phones need --ussd");
	if (p != SMSC_PARSED_RUN || !*o->password_file)
		return p;
	if (secret_file(o->password_file, 32, &o->password) == KZ_OK)
		return p;
	fprintf(stderr, "kezek-smsc: %s: no password of 1 to 32 characters can be read there\n",
	    o->password_file);
	return SMSC_PARSED_FAILED;
}

void smsc_options_fini(struct smsc_options *o)
{
	for (size_t i = 0; i < SECTIONS; i++)
		for (size_t j = 0; j < sections[i].n; j++)
			if (sections[i].rows[j].type == KEY_TEXT)
				keys_fini(&sections[i].rows[j], 1, o);
	if (o->password)
		secret_wipe(o->password, strlen(o->password));
	free(o->password);
	*o = (struct smsc_options){0};
}

const char *smsc_options_state(const struct smsc_options *o)
{
	return states[o->receipt_state];
}
