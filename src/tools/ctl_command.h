/* ctl_command: what the commands of kezekctl share: where the daemon is, how a command is told its options,
 * how it ends. */
#ifndef TOOLS_CTL_COMMAND_H
#define TOOLS_CTL_COMMAND_H

#include <getopt.h>
#include <stdbool.h>

#define CTL_SOCKET "/run/kezek/control.sock"

enum ctl_exit {
	CTL_DONE = 0,
	CTL_FAILED = 1,      /* the daemon refused, or the message did not arrive */
	CTL_USAGE = 2,       /* the command line is wrong; the daemon was not asked */
	CTL_UNREACHABLE = 3, /* no daemon, or it did not answer */
};

struct ctl_command;

/* A value: one run of kezekctl. */
struct ctl {
	const char *socket;
	bool json; /* print the daemon's JSON and nothing else on standard output */
	const struct ctl_command *command;
};

struct ctl_command {
	const char *name;
	const char *summary; /* one line for kezekctl --help */
	const char *usage;   /* for kezekctl NAME --help */
	/* argv[0] is a name for messages; answers an enum ctl_exit */
	int (*run)(struct ctl *c, int argc, char **argv);
};

extern const struct ctl_command ctl_status_command, ctl_trace_command, ctl_send_command, ctl_key_command,
    ctl_webhook_command, ctl_keyring_command, ctl_aside_command, ctl_guard_command, ctl_late_command,
    ctl_import_command, ctl_news_command, ctl_sample_command, ctl_dial_command, ctl_dialog_command;

/* The first rows of every command's option table. */
enum { CTL_OPT_SOCKET = 1000, CTL_OPT_JSON, CTL_OPT_HELP, CTL_OPT_VERSION };
#define CTL_OPTIONS                                                                                          \
	{"socket", required_argument, NULL, CTL_OPT_SOCKET}, {"json", no_argument, NULL, CTL_OPT_JSON},      \
	    {"help", no_argument, NULL, CTL_OPT_HELP},                                                       \
	{                                                                                                    \
		"version", no_argument, NULL, CTL_OPT_VERSION                                                \
	}

/* Deals with an option that every command has, or with one that getopt did not know. -1: parse on; else the
 * exit code. */
int ctl_option(struct ctl *c, int opt);
/* Says what is wrong with the command line and where help is. Returns CTL_USAGE. */
int ctl_usage(const struct ctl *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
