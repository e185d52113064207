/* kezekctl: the command line of the person on duty. A thin client: it asks the daemon over its control socket
 * and prints the answer; it reads no configuration and opens no database. keyring and sample ask nobody: they
 * make a file and lines. One file per command, ctl_<command>.c. */
#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_command.h"

static const struct ctl_command *const commands[] = {&ctl_status_command, &ctl_trace_command,
    &ctl_send_command, &ctl_key_command, &ctl_webhook_command, &ctl_news_command, &ctl_keyring_command,
    &ctl_guard_command, &ctl_aside_command, &ctl_late_command, &ctl_import_command, &ctl_sample_command,
    &ctl_dial_command, &ctl_dialog_command};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char common_help[] =
    "\noptions of every command:\n"
    "  --socket PATH  the daemon's control socket; else KEZEK_SOCKET, else " CTL_SOCKET "\n"
    "  --json         print the daemon's JSON\n"
    "  --help         this text\n"
    "  --version      the version\n"
    "\nexit: 0 done, 1 refused or not delivered, 2 wrong command line, 3 no daemon reached\n";

static void help_print(void)
{
	puts("usage: kezekctl COMMAND [OPTION]...\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
	puts("\nkezekctl COMMAND --help tells more.");
	fputs(common_help, stdout);
}

static int usage_hint(const struct ctl *c)
{
	fprintf(stderr, "try kezekctl%s%s --help\n", c->command != NULL ? " " : "",
	    c->command != NULL ? c->command->name : "");
	return CTL_USAGE;
}

int ctl_usage(const struct ctl *c, const char *fmt, ...)
{
	va_list ap;

	fputs("kezekctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return usage_hint(c);
}

int ctl_option(struct ctl *c, int opt)
{
	switch (opt) {
	case CTL_OPT_SOCKET:
		c->socket = optarg;
		return -1;
	case CTL_OPT_JSON:
		c->json = true;
		return -1;
	case CTL_OPT_VERSION:
		puts("kezekctl " KEZEK_VERSION);
		return CTL_DONE;
	case CTL_OPT_HELP:
		if (c->command != NULL)
			printf("%s%s", c->command->usage, common_help);
		else
			help_print();
		return CTL_DONE;
	default:
		return usage_hint(c); /* getopt has said what is wrong */
	}
}

static const struct ctl_command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static int command_run(struct ctl *c, int argc, char **argv)
{
	char title[32];
	int code;

	c->command = command_find(argv[0]);
	if (c->command == NULL)
		return ctl_usage(c, "there is no command '%s'", argv[0]);
	snprintf(title, sizeof(title), "kezekctl %s", c->command->name);
	argv[0] = title; /* getopt's messages begin with it */
	optind = 0;      /* and it starts anew */
	curl_global_init(CURL_GLOBAL_DEFAULT);
	code = c->command->run(c, argc, argv);
	curl_global_cleanup();
	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {0}};
	const char *socket = getenv("KEZEK_SOCKET");
	struct ctl c = {.socket = socket != NULL && *socket != '\0' ? socket : CTL_SOCKET};
	int opt, code;

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if ((code = ctl_option(&c, opt)) >= 0)
			return code;
	}
	if (optind == argc)
		return ctl_usage(&c, "a command is expected");
	code = command_run(&c, argc - optind, argv + optind);
	if (fflush(stdout) != 0 && code == CTL_DONE) {
		perror("kezekctl: standard output");
		return CTL_FAILED;
	}
	return code;
}
