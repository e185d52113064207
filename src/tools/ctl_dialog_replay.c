/* kezekctl dialog replay: transcripts held against a dialog. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_dialog.h"
#include "ctl_replay.h"

enum { OPT_MENU = 1, OPT_SERVICES, OPT_COVER, OPT_WRITE };

struct replay_wish {
	const char *menu, *services;
	bool cover, write;
};

/* The file as it should be takes its place at once, or stays. */
static bool replay_write(const char *path, const struct buf *text)
{
	struct buf fresh = {0};
	FILE *f;
	bool good;

	buf_printf(&fresh, "%s.new", path);
	f = fopen(buf_text(&fresh), "we");
	good = f && fwrite(buf_text(text), 1, text->len, f) == text->len;
	good = f && fclose(f) == 0 && good && rename(buf_text(&fresh), path) == 0;
	if (!good)
		perror(path);
	buf_fini(&fresh);
	return good;
}

static bool replay_one(struct replay *r, const char *path, bool write, size_t *n, struct faults *faults)
{
	struct buf text = {0};
	int before = faults->count;
	bool good = true;

	*n += replay_file(r, path, write ? &text : NULL, faults);
	if (write && faults->count == before)
		good = replay_write(path, &text);
	buf_fini(&text);
	return good;
}

static int replay_all(
    const struct dialog *d, const struct replay_wish *w, char **files, struct faults *faults)
{
	struct replay *r = replay_new(d);
	bool good = true;
	size_t n = 0;

	for (; *files; files++)
		good = replay_one(r, *files, w->write, &n, faults) && good;
	if (w->cover)
		replay_uncovered(r, faults);
	replay_free(r);
	fputs(buf_text(&faults->text), stderr);
	if (faults->count == 0 && good)
		printf("%zu transcripts: every page is as it was written%s\n", n,
		    w->cover ? ", every screen and branch was walked" : "");
	else if (faults->count > 0)
		fprintf(stderr, "%d fault%s\n", faults->count, faults->count == 1 ? "" : "s");
	return faults->count == 0 && good ? CTL_DONE : CTL_FAILED;
}

int ctl_dialog_replay(struct ctl *c, int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {"menu", required_argument, NULL, OPT_MENU},
	    {"services", required_argument, NULL, OPT_SERVICES}, {"cover", no_argument, NULL, OPT_COVER},
	    {"write", no_argument, NULL, OPT_WRITE}, {0}};
	struct replay_wish w = {CTL_DIALOG_MENU, CTL_DIALOG_SERVICES, false, false};
	struct faults faults = {0};
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == OPT_MENU)
			w.menu = optarg;
		else if (opt == OPT_SERVICES)
			w.services = optarg;
		else if (opt == OPT_COVER)
			w.cover = true;
		else if (opt == OPT_WRITE)
			w.write = true;
		else if ((code = ctl_option(c, opt)) >= 0)
			return code;
	}
	if (optind == argc)
		return ctl_usage(c, "files of transcripts are expected");
	struct dialog *d = ctl_dialog_load(w.menu, w.services, &faults);
	if (!d)
		fputs(buf_text(&faults.text), stderr);
	code = d ? replay_all(d, &w, argv + optind, &faults) : CTL_FAILED;
	dialog_free(d);
	faults_fini(&faults);
	return code;
}
