/* kezekctl in front of a daemon that lies: the answer to each question is any JSON, or none, with any status.
 * The first octet chooses the command and the status. No control octet of the answer reaches the terminal. */
#include <assert.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ctl_client.h"
#include "ctl_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static const uint8_t *answer;
static size_t answer_len;
static long answer_status;
static int questions;

/* The place of ctl_client.c, which only carries octets. */
int ctl_client_call(const struct ctl *c, const struct ctl_question *q, struct ctl_answer *ret)
{
	(void)c;
	assert(q->path[0] == '/');
	if (++questions > 4)
		return CTL_UNREACHABLE; /* it waits for a message's end */
	*ret = (struct ctl_answer){
	    answer_status, json_loadb((const char *)answer, answer_len, JSON_DECODE_ANY, NULL)};
	return CTL_DONE;
}

int ctl_client_refused(const struct ctl *c, struct ctl_answer *a)
{
	(void)c;
	json_decref(a->json);
	a->json = NULL;
	return CTL_FAILED;
}

int ctl_client_ask(const struct ctl *c, const struct ctl_question *q, json_t **ret)
{
	struct ctl_answer a = {0};
	int code = ctl_client_call(c, q, &a);

	if (code != CTL_DONE)
		return code;
	if (a.status < 200 || a.status > 299 || (a.json == NULL && a.status != 204))
		return ctl_client_refused(c, &a);
	*ret = a.json;
	return CTL_DONE;
}

char *ctl_client_escape(const char *text)
{
	return mem_str(text);
}

void ctl_client_print(const json_t *value)
{
	struct buf b = {0};

	ctl_text_json(&b, value);
	puts(buf_text(&b));
	buf_fini(&b);
}

int ctl_option(struct ctl *c, int opt)
{
	(void)c;
	(void)opt;
	return CTL_USAGE;
}

int ctl_usage(const struct ctl *c, const char *fmt, ...)
{
	(void)c;
	(void)fmt;
	return CTL_USAGE;
}

static FILE *screen;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	screen = tmpfile();
	if (!screen || dup2(fileno(screen), STDOUT_FILENO) < 0)
		abort();
	return 0;
}

static void check_screen(void)
{
	char bytes[65536];
	ssize_t n;

	fflush(stdout);
	lseek(STDOUT_FILENO, 0, SEEK_SET);
	while ((n = read(STDOUT_FILENO, bytes, sizeof bytes)) > 0)
		for (ssize_t i = 0; i < n; i++)
			assert(bytes[i] == '\n' || ((unsigned char)bytes[i] >= 0x20 && bytes[i] != 0x7f));
	lseek(STDOUT_FILENO, 0, SEEK_SET);
	if (ftruncate(STDOUT_FILENO, 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char words[][6][16] = {{"status"}, {"trace", "2vnek4t6wc51j"}, {"trace", "order-1"},
	    {"key", "list"}, {"key", "add", "portal", "--scope", "metrics"},
	    {"send", "--to", "87011234567", "--text", "x"}, {"webhook", "list"}, {"guard"}, {"aside"},
	    {"late"}, {"news", "7"}};
	static const struct ctl_command *const commands[] = {&ctl_status_command, &ctl_trace_command,
	    &ctl_trace_command, &ctl_key_command, &ctl_key_command, &ctl_send_command, &ctl_webhook_command,
	    &ctl_guard_command, &ctl_aside_command, &ctl_late_command, &ctl_news_command};
	static const long statuses[] = {200, 202, 204, 404};

	if (!size || size > 60000)
		return 0;
	unsigned which = data[0] & 0x40 ? 8 + (data[0] & 3) % 3 : data[0] & 7;
	char *argv[7] = {NULL};
	int argc = 0;
	struct ctl c = {.socket = "s", .json = data[0] & 8, .command = commands[which]};
	for (; argc < 6 && *words[which][argc]; argc++)
		argv[argc] = words[which][argc];
	answer = data + 1;
	answer_len = size - 1;
	answer_status = statuses[data[0] >> 4 & 3];
	questions = 0;
	optind = 0;
	(void)commands[which]->run(&c, argc, argv);
	check_screen();
	return 0;
}
