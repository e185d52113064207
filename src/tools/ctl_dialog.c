/* kezekctl dialog: for those who write the menu. Asks no daemon. */
#include "ctl_dialog.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(struct ctl *c, int argc, char **argv);
} verbs[] = {{"check", ctl_dialog_check}, {"graph", ctl_dialog_graph}, {"pages", ctl_dialog_pages},
    {"replay", ctl_dialog_replay}};

struct dialog *ctl_dialog_load(const char *menu, const char *services, struct faults *faults)
{
	struct dialog_source s;
	struct dialog *d =
	    dialog_source_read(menu, services, &s, faults) ? dialog_load(&s, &words_usual, faults) : NULL;

	dialog_source_fini(&s);
	return d;
}

static int dialog_run(struct ctl *c, int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {0}};
	int opt, code;

	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1)
		if ((code = ctl_option(c, opt)) >= 0)
			return code;
	for (size_t i = 0; optind < argc && i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(argv[optind], verbs[i].name) == 0) {
			int at = optind;

			argv[at] = argv[0];
			optind = 0;
			return verbs[i].run(c, argc - at, argv + at);
		}
	return ctl_usage(
	    c, optind < argc ? "there is no 'dialog %s'" : "what to do is expected", argv[optind]);
}

const struct ctl_command ctl_dialog_command = {"dialog", "look at the parents' menu",
    "usage: kezekctl dialog check|graph|pages [--menu PATH] [--services PATH]\n"
    "       kezekctl dialog replay [OPTION]... FILE...\n\n"
    "check proves the menu, as kezekd -t does. graph prints it for Graphviz: | dot -Tsvg. pages prints every "
    "page in\n"
    "every language with its widest values and their length.\n"
    "replay walks transcripts, dialogs/transcripts/*.yaml, and fails unless the phone shows every page as it "
    "is\n"
    "written there.\n\n"
    "  --menu PATH      the menu; else " CTL_DIALOG_MENU "\n"
    "  --services PATH  its services; else " CTL_DIALOG_SERVICES "\n"
    "  --cover          fail also when a screen, an option, a result or an error is in no transcript\n"
    "  --write          write to the files what the phone shows now\n",
    dialog_run};
