/* kezekctl dialog check, graph and pages: the proof of a menu, the menu as a picture, and all of its pages
 * as a table. What is printed comes from the author's own files, cleaned all the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_dialog.h"
#include "ctl_table.h"
#include "ctl_text.h"
#include "ussd/audit.h"

struct show {
	const char *menu, *services;
	struct dialog_source source;
	struct dialog *dialog; /* NULL: it could not be loaded */
	struct faults faults;
};

typedef int show_fn(struct show *s);

static int show_options(struct ctl *c, int argc, char **argv, struct show *s)
{
	static const struct option options[] = {CTL_OPTIONS, {"menu", required_argument, NULL, 'm'},
	    {"services", required_argument, NULL, 's'}, {0}};
	int opt, code;

	s->menu = CTL_DIALOG_MENU;
	s->services = CTL_DIALOG_SERVICES;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'm')
			s->menu = optarg;
		else if (opt == 's')
			s->services = optarg;
		else if ((code = ctl_option(c, opt)) >= 0)
			return code;
	}
	return optind < argc ? ctl_usage(c, "no argument is expected: %s", argv[optind]) : -1;
}

static void show_faults(const struct show *s)
{
	const char *line = buf_text(&s->faults.text);
	struct buf clean = {0};

	while (*line) {
		size_t n = strcspn(line, "\n");
		char *one = strndup(line, n);

		buf_clear(&clean);
		ctl_text_clean(&clean, one ? one : "");
		fprintf(stderr, "%s\n", buf_text(&clean));
		free(one);
		line += n + (line[n] == '\n');
	}
	buf_fini(&clean);
}

/* With the menu loaded, whatever the proof says of it. */
static int show_run(struct ctl *c, int argc, char **argv, show_fn *of)
{
	struct show s = {0};
	int code = show_options(c, argc, argv, &s);

	if (code >= 0)
		return code;
	if (dialog_source_read(s.menu, s.services, &s.source, &s.faults))
		s.dialog = dialog_load(&s.source, &words_usual, &s.faults);
	code = s.dialog ? of(&s) : CTL_FAILED;
	show_faults(&s);
	dialog_free(s.dialog);
	dialog_source_fini(&s.source);
	faults_fini(&s.faults);
	return code;
}

struct show_widest {
	size_t pages;
	unsigned ucs2, gsm7; /* units of the widest */
};

static void show_count(void *arg, const struct audit_page *p)
{
	struct show_widest *w = arg;
	unsigned *widest = p->gsm7 ? &w->gsm7 : &w->ucs2;

	w->pages++;
	*widest = p->units > *widest ? p->units : *widest;
}

static int show_check(struct show *s)
{
	struct show_widest w = {0};

	if (!audit_check(s->dialog, &s->source, &s->faults)) {
		fprintf(stderr, "kezekctl: %s: %d fault%s\n", s->menu, s->faults.count,
		    s->faults.count == 1 ? "" : "s");
		return CTL_FAILED;
	}
	audit_pages(s->dialog, show_count, &w);
	printf("%s %s: proved: %zu screens, %zu pages, the widest %u of %u in UCS-2, %u of %u in GSM 7-bit\n",
	    s->dialog->name, s->dialog->version, s->dialog->screens_n, w.pages, w.ucs2,
	    s->dialog->limits.ucs2, w.gsm7, s->dialog->limits.gsm7);
	return CTL_DONE;
}

/* A page is one cell: its lines are parted by " / ". */
static void show_page(void *arg, const struct audit_page *p)
{
	struct ctl_table *t = arg;
	struct buf line = {0}, cell = {0};

	for (const char *at = p->text; *at; at++)
		if (*at == '\n')
			buf_str(&line, " / ");
		else
			buf_char(&line, *at);
	ctl_text_clean(&cell, buf_text(&line));
	ctl_table_cell(t, "%s", p->screen);
	ctl_table_cell(t, "%s", p->form);
	ctl_table_cell(t, "%s", language_name(p->language));
	ctl_table_cell(t, "%s", p->gsm7 ? "GSM 7-bit" : "UCS-2");
	ctl_table_cell(t, "%u", p->units);
	ctl_table_cell(t, "%u", p->room);
	ctl_table_take(t, &cell);
	buf_fini(&line);
}

static int show_pages(struct show *s)
{
	static const char *const heads[] = {
	    "SCREEN", "FORM", "LANGUAGE", "ALPHABET", "LENGTH", "ROOM", "PAGE"};
	struct ctl_table *t = ctl_table_new("llllrrl", 0);

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		ctl_table_cell(t, "%s", heads[i]);
	audit_pages(s->dialog, show_page, t);
	ctl_table_print(t);
	ctl_table_free(t);
	return CTL_DONE;
}

static void graph_way(const struct dialog *d, int from, int to, const char *label, const char *style)
{
	if (to >= 0)
		printf("\t%s -> %s [label=\"%s\"%s];\n", d->screens[from].name, d->screens[to].name, label,
		    style);
}

static void graph_results(const struct dialog *d, int i)
{
	const struct dialog_screen *s = &d->screens[i];
	const struct service_result *r = service_shape(s->service)->results;

	for (size_t n = 0; r[n].name; n++)
		graph_way(d, i, s->branches[n], r[n].name,
		    !strcmp(r[n].name, "down") ? ", style=dotted" : ", style=dashed");
}

static void graph_screen(const struct dialog *d, int i)
{
	static const char *const shapes[] = {[SCREEN_PAGE] = "box",
	    [SCREEN_INPUT] = "invhouse",
	    [SCREEN_LIST] = "folder",
	    [SCREEN_DO] = "ellipse",
	    [SCREEN_END] = "octagon"};
	const struct dialog_screen *s = &d->screens[i];
	bool asks = s->kind == SCREEN_DO || s->kind == SCREEN_LIST;

	printf("\t%s [shape=%s, label=\"%s%s%s\"%s];\n", s->name, shapes[s->kind], s->name, asks ? "\\n" : "",
	    asks ? service_shape(s->service)->name : "", i == d->entry ? ", penwidth=3" : "");
	for (size_t o = 0; o < s->options_n; o++)
		graph_way(d, i, s->options[o].go, s->options[o].key, "");
	if (s->kind == SCREEN_INPUT)
		graph_way(d, i, s->go, d->contracts->values[s->value].name, "");
	if (s->kind == SCREEN_LIST)
		graph_way(d, i, s->go, "picked", "");
	if (asks)
		graph_results(d, i);
}

/* Names are of a-z, 0-9 and _, so nothing is to be quoted. */
static int show_graph(struct show *s)
{
	const struct dialog *d = s->dialog;

	puts("digraph dialog {\n\trankdir=LR;\n\tnode [fontname=sans];\n\tedge [fontname=sans];");
	for (size_t i = 0; i < d->screens_n; i++)
		graph_screen(d, (int)i);
	for (size_t i = 0; i < d->shortcuts_n; i++)
		printf("\tshort%zu [shape=plaintext, label=\"*%s#\"];\n\tshort%zu -> %s;\n", i,
		    d->shortcuts[i].digits, i, d->screens[d->shortcuts[i].screen].name);
	puts("}");
	return CTL_DONE;
}

int ctl_dialog_check(struct ctl *c, int argc, char **argv)
{
	return show_run(c, argc, argv, show_check);
}

int ctl_dialog_pages(struct ctl *c, int argc, char **argv)
{
	return show_run(c, argc, argv, show_pages);
}

int ctl_dialog_graph(struct ctl *c, int argc, char **argv)
{
	return show_run(c, argc, argv, show_graph);
}
