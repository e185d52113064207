/* kezekctl import: a file of records, piece by piece. How far it has come stands with the records, so a run
 * that ended anywhere is gone on with by the same command: the import has the id that follows from the file,
 * unless another is given. While the daemon is away a run waits for it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ctl_client.h"
#include "ctl_pieces.h"
#include "ctl_text.h"

#define PIECE_OCTETS 524288
#define AGAIN_MS     500
#define PATIENCE_MS  600000 /* without any line taken */
#define PROGRESS_MS  5000
#define FAULTS_PAGE  1000 /* an answer has no more */

struct import {
	const struct ctl *ctl;
	struct ctl_pieces *pieces;
	const char *path, *given; /* given: the id, NULL: the file's */
	char id[65], *escaped;
	bool notices;
	size_t room;
	uint64_t begun_at, next_line, good, bad; /* as the daemon says */
	uint64_t faults;                         /* that were printed */
	int64_t began_ms, told_ms, moved_ms;
};

enum { OPT_ID = 1, OPT_NOTICES };

static int64_t now_ms(void)
{
	return clock_mono_ms(&clock_real);
}

static int import_failed(const struct import *m, const char *why)
{
	fprintf(stderr, "kezekctl: %s: %s\n", m->path, why);
	return CTL_FAILED;
}

static void import_wait(void)
{
	const struct timespec t = {.tv_nsec = AGAIN_MS * 1000000L};

	nanosleep(&t, NULL);
}

static void import_put_fault(const struct import *m, const json_t *fault)
{
	struct buf b = {0};

	if (m->ctl->json) {
		char *text = json_dumps(fault, JSON_COMPACT | JSON_ENSURE_ASCII);

		buf_str(&b, text ? text : "{}");
		free(text);
	} else {
		const char *field = ctl_text_field(fault, "field", "");

		buf_printf(&b, "line %" PRId64 ": ", ctl_number_field(fault, "line"));
		if (*field) {
			ctl_text_clean(&b, field);
			buf_str(&b, ": ");
		}
		ctl_text_clean(&b, ctl_text_field(fault, "code", "?"));
		buf_str(&b, ": ");
		ctl_text_clean(&b, ctl_text_field(fault, "detail", ""));
	}
	puts(buf_text(&b));
	buf_fini(&b);
}

/* Prints those of an answer that are before a line; how many it had. *ret_last: the line of the last. */
static size_t import_put_faults(struct import *m, const json_t *answer, uint64_t before, uint64_t *ret_last)
{
	json_t *fault;
	size_t i;

	json_array_foreach(json_object_get(answer, "faults"), i, fault)
	{
		*ret_last = (uint64_t)ctl_number_field(fault, "line");
		if (*ret_last >= before)
			break;
		import_put_fault(m, fault);
		m->faults++;
	}
	return i;
}

static void import_note(struct import *m, const json_t *answer)
{
	m->next_line = (uint64_t)ctl_number_field(answer, "next_line");
	m->good = (uint64_t)ctl_number_field(answer, "good");
	m->bad = (uint64_t)ctl_number_field(answer, "bad");
}

/* CTL_DONE with *ret NULL: there is none yet. */
static int import_ask(struct import *m, uint64_t after, json_t **ret)
{
	char *path = mem_printf("/v1/records/import/%s?after=%" PRIu64, m->escaped, after);
	const struct ctl_question q = {.method = "GET", .path = path};
	struct ctl_answer a = {0};
	int code = ctl_client_call(m->ctl, &q, &a);

	free(path);
	*ret = NULL;
	if (code != CTL_DONE)
		return code;
	if (a.status == 404 && !strcmp(ctl_text_field(a.json, "code", ""), "not_found")) {
		json_decref(a.json);
		return CTL_DONE;
	}
	if (a.status != 200 || !json_is_object(a.json))
		return ctl_client_refused(m->ctl, &a);
	*ret = a.json;
	return CTL_DONE;
}

/* The faults of lines after one and before another, which stand with the daemon. */
static int import_list(struct import *m, uint64_t after, uint64_t before)
{
	json_t *answer;
	int code;
	size_t n;

	do {
		code = import_ask(m, after, &answer);
		n = code == CTL_DONE && answer ? import_put_faults(m, answer, before, &after) : 0;
		json_decref(answer);
	} while (n >= FAULTS_PAGE);
	return code;
}

static void import_tell(struct import *m)
{
	const int64_t now = now_ms(), took = now - m->began_ms;

	if (now - m->told_ms < PROGRESS_MS)
		return;
	m->told_ms = now;
	fprintf(stderr, "kezekctl: %" PRIu64 " lines, %.0f a second, %" PRIu64 " bad\n", m->next_line - 1,
	    took > 0 ? (double)(m->next_line - m->begun_at) * 1000 / (double)took : 0, m->bad);
}

static void import_say_waiting(const struct import *m, const json_t *answer)
{
	struct buf b = {0};

	if (answer)
		ctl_text_clean(&b, ctl_text_field(answer, "code", "refused for now"));
	else
		buf_str(&b, "the daemon does not answer");
	fprintf(stderr, "kezekctl: %s: %s: waiting, and going on by itself\n", m->path, buf_text(&b));
	buf_fini(&b);
}

/* Says once what is being waited for; false when that took too long. */
static bool import_is_patient(struct import *m, bool *waiting, const struct ctl_answer *a)
{
	if (!*waiting)
		import_say_waiting(m, a->json);
	*waiting = true;
	if (now_ms() - m->moved_ms > PATIENCE_MS)
		return false;
	import_wait();
	return true;
}

static int import_send(struct import *m, const struct buf *lines, uint64_t line, struct ctl_answer *ret)
{
	char *path = mem_printf("/v1/records/import?import=%s&line=%" PRIu64 "%s", m->escaped, line,
	    m->notices ? "&notices=yes" : "");
	const struct ctl_question q = {.method = "POST", .path = path, .lines = lines, .quiet = true};
	int code = ctl_client_call(m->ctl, &q, ret);

	free(path);
	return code;
}

/* One piece until it is judged: sent again when nobody knows, or it is refused for now. */
static int import_piece(struct import *m, const struct buf *lines, uint64_t line, struct ctl_answer *ret)
{
	bool waiting = false;
	int code;

	for (;;) {
		*ret = (struct ctl_answer){0};
		code = import_send(m, lines, line, ret);
		if (code == CTL_DONE && !json_is_true(json_object_get(ret->json, "retryable")))
			return code;
		if (!import_is_patient(m, &waiting, ret))
			return code == CTL_DONE ? ctl_client_refused(m->ctl, ret) : code;
		json_decref(ret->json);
	}
}

/* A piece is in: counted, its bad lines printed. */
static int import_on_taken(struct import *m, struct ctl_answer *a, uint64_t after, uint64_t n)
{
	uint64_t last = 0;

	import_note(m, a->json);
	m->moved_ms = now_ms();
	size_t faults = import_put_faults(m, a->json, after + n, &last);
	json_decref(a->json);
	import_tell(m);
	return faults >= FAULTS_PAGE ? import_list(m, last, after + n) : CTL_DONE;
}

/* -1: on with the next one. */
static int import_step(struct import *m, struct buf *lines)
{
	struct ctl_answer a;
	uint64_t line, n;

	if (ctl_pieces_next(m->pieces, m->room, lines, &line, &n) != KZ_OK)
		return import_failed(m, strerror(errno));
	if (!n)
		return CTL_DONE;
	int code = import_piece(m, lines, line, &a);
	if (code != CTL_DONE)
		return code;
	if (a.status == 413 && n > 1) {
		json_decref(a.json);
		m->room = lines->len / 2;
		ctl_pieces_back(m->pieces, lines, n);
		return -1;
	}
	if (a.status != 200 || !json_is_object(a.json))
		return ctl_client_refused(m->ctl, &a);
	code = import_on_taken(m, &a, line, n);
	return code == CTL_DONE ? -1 : code;
}

/* To the line that it had come to, with what was bad before it. */
static int import_resume(struct import *m)
{
	json_t *answer;
	int code = import_ask(m, 0, &answer);

	m->next_line = 1;
	if (code != CTL_DONE)
		return code;
	if (answer)
		import_note(m, answer);
	json_decref(answer);
	m->begun_at = m->next_line;
	if (m->next_line == 1)
		return CTL_DONE;
	fprintf(stderr, "kezekctl: import %s goes on at line %" PRIu64 "\n", m->id, m->next_line);
	enum kz r = ctl_pieces_skip(m->pieces, m->next_line);
	if (r != KZ_OK)
		return import_failed(
		    m, r == KZ_LOST ? strerror(errno) : "has fewer lines than were taken of this import");
	return import_list(m, 0, m->next_line);
}

static int import_all(struct import *m)
{
	struct buf lines = {0};
	int code = import_resume(m);

	while (code == CTL_DONE) {
		code = import_step(m, &lines);
		if (code == CTL_DONE)
			break;
		if (code == -1)
			code = CTL_DONE;
	}
	buf_fini(&lines);
	if (code != CTL_DONE)
		return code;
	if (m->bad > m->faults)
		fprintf(
		    stderr, "kezekctl: %" PRIu64 " more bad lines are only counted\n", m->bad - m->faults);
	fprintf(stderr, "kezekctl: import %s: %" PRIu64 " lines, %" PRIu64 " good, %" PRIu64 " bad, %.1f s\n",
	    m->id, m->next_line - 1, m->good, m->bad, (double)(now_ms() - m->began_ms) / 1000);
	return m->bad ? CTL_FAILED : CTL_DONE;
}

static int import_begin(struct ctl *c, struct import *m)
{
	m->ctl = c;
	m->pieces = ctl_pieces_open(m->path);
	if (!m->pieces || (!m->given && ctl_pieces_id(m->pieces, m->id) != KZ_OK))
		return import_failed(m, strerror(errno));
	if (m->given)
		snprintf(m->id, sizeof m->id, "%s", m->given);
	else
		fprintf(stderr, "kezekctl: this is import %s\n", m->id);
	m->escaped = ctl_client_escape(m->id);
	m->room = PIECE_OCTETS;
	m->began_ms = m->moved_ms = m->told_ms = now_ms();
	return import_all(m);
}

static int import_run(struct ctl *c, int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {"id", required_argument, NULL, OPT_ID},
	    {"notices", no_argument, NULL, OPT_NOTICES}, {0}};
	struct import m = {0};
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == OPT_ID)
			m.given = optarg;
		else if (opt == OPT_NOTICES)
			m.notices = true;
		else if ((code = ctl_option(c, opt)) >= 0)
			return code;
	}
	if (optind + 1 != argc)
		return ctl_usage(c, "one FILE is expected, or - for standard input");
	if (m.given && (!*m.given || strlen(m.given) >= sizeof m.id))
		return ctl_usage(c, "--id wants 1 to %zu characters", sizeof m.id - 1);
	m.path = argv[optind];
	code = import_begin(c, &m);
	ctl_pieces_close(m.pieces);
	free(m.escaped);
	return code;
}

const struct ctl_command ctl_import_command = {
    .name = "import",
    .summary = "records from a file of lines; goes on where it was cut short",
    .usage =
        "usage: kezekctl import FILE|- [--id ID] [--notices]\n"
        "\n"
        "One JSON object a line, as kezekctl sample writes them. Bad lines go to standard output, how far\n"
        "it is to standard error. The same command again goes on where this one ended, whyever it did.\n"
        "exit: 0 all lines are good, 1 some are bad\n"
        "\n"
        "  --id ID    instead of the id that follows from what is in the file; for - one is made up\n"
        "  --notices  new applications get the notices that they would get one by one\n",
    .run = import_run,
};
