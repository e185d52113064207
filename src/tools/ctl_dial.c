/* kezekctl dial: a phone in a terminal: what is typed is what is pressed, and the page is what is shown.
 * --offline is the engine alone: no daemon, services answer with the samples of their contracts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_dial_live.h"
#include "ctl_dialog.h"
#include "ctl_handset.h"
#include "text/msisdn.h"
#include "ussd/screen.h"

#define ANSWERS 32
#define CODE    "*1234#"

enum { OPT_OFFLINE = 1, OPT_MENU, OPT_SERVICES, OPT_ANSWER, OPT_LANGUAGE, OPT_CODE };

struct dial_wish {
	bool offline;
	const char *menu, *services, *code;
	enum language language;
	const char *answers[ANSWERS]; /* "queue.by_child=none" */
	size_t answers_n;
	const struct dialog *dialog;
};

/* What --answer says of the service, NULL: nothing. */
static const char *dial_wanted(const struct dial_wish *w, const char *service)
{
	size_t n = strlen(service);

	for (size_t i = w->answers_n; i-- > 0;)
		if (strncmp(w->answers[i], service, n) == 0 && w->answers[i][n] == '=')
			return w->answers[i] + n + 1;
	return NULL;
}

static bool dial_answer_sample(void *arg, enum service service, struct answer *a)
{
	const struct dial_wish *w = arg;
	const char *name = service_shape(service)->name, *result = dial_wanted(w, name);

	if (!handset_sample(w->dialog, service, result, a)) {
		fprintf(stderr, "kezekctl: %s has no result '%s'\n", name, result);
		return false;
	}
	printf("  (%s: %s)\n", name, a->result);
	return true;
}

static void dial_show(const struct session *s)
{
	struct screen_width w = screen_measure(s->page);

	printf("\n%s\n  (%u %s%s)\n", s->page, w.units, w.gsm7 ? "septets" : "units",
	    s->ended ? ", the end" : "");
}

/* A line of standard input without its end; false: there is none. */
static bool dial_read(char line[512])
{
	fputs("> ", stdout);
	fflush(stdout);
	if (!fgets(line, 512, stdin))
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	return true;
}

static int dial_offline(struct ctl *c, struct dial_wish *w)
{
	struct faults faults = {0};
	struct dialog *d = ctl_dialog_load(w->menu, w->services, &faults);
	struct handset h = {.dialog = d, .answer = dial_answer_sample, .arg = w};
	char line[512];
	bool good;

	(void)c;
	fputs(buf_text(&faults.text), stderr);
	faults_fini(&faults);
	w->dialog = d;
	good = d && handset_dial(&h, w->code, w->language);
	if (good)
		dial_show(&h.session);
	while (good && !h.session.ended && dial_read(line))
		if ((good = handset_type(&h, line, NULL)))
			dial_show(&h.session);
	session_wipe(&h.session);
	dialog_free(d);
	return good ? CTL_DONE : CTL_FAILED;
}

/* "queue.by_child=none": a service of the table and one of its results. */
static int dial_set_answer(struct ctl *c, struct dial_wish *w, const char *text)
{
	size_t n = strcspn(text, "=");
	enum service service = service_find(text, n);
	const struct service_result *r;

	if (!text[n] || w->answers_n == ANSWERS)
		return ctl_usage(c, "--answer: SERVICE=RESULT is expected, %d at most", ANSWERS);
	if (service == SERVICES)
		return ctl_usage(c, "--answer: there is no service '%.*s'; services.yaml names all",
		    (int)(n < 40 ? n : 40), text);
	for (r = service_shape(service)->results; r->name && strcmp(r->name, text + n + 1) != 0; r++)
		;
	if (!r->name)
		return ctl_usage(c, "--answer: %s has no result '%.40s'; services.yaml names all",
		    service_shape(service)->name, text + n + 1);
	w->answers[w->answers_n++] = text;
	return -1;
}

/* As a keypad dials it: a star, digits and stars, a hash. */
static int dial_set_code(struct ctl *c, struct dial_wish *w, const char *text)
{
	size_t n = strspn(text, "*0123456789");

	if (text[0] != '*' || n < 2 || strcmp(text + n, "#") != 0)
		return ctl_usage(c, "--code: what is dialled is expected, *1234# or *1234*2#");
	w->code = text;
	return -1;
}

static int dial_set(struct ctl *c, struct dial_wish *w, int opt)
{
	switch (opt) {
	case OPT_OFFLINE:
		w->offline = true;
		return -1;
	case OPT_MENU:
		w->menu = optarg;
		return -1;
	case OPT_SERVICES:
		w->services = optarg;
		return -1;
	case OPT_CODE:
		return dial_set_code(c, w, optarg);
	case OPT_LANGUAGE:
		return language_parse(optarg, &w->language) == KZ_OK
		           ? -1
		           : ctl_usage(c, "--language: kk, ru or en");
	case OPT_ANSWER:
		return dial_set_answer(c, w, optarg);
	default:
		return ctl_option(c, opt);
	}
}

static int dial_run(struct ctl *c, int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {"offline", no_argument, NULL, OPT_OFFLINE},
	    {"menu", required_argument, NULL, OPT_MENU}, {"services", required_argument, NULL, OPT_SERVICES},
	    {"answer", required_argument, NULL, OPT_ANSWER},
	    {"language", required_argument, NULL, OPT_LANGUAGE}, {"code", required_argument, NULL, OPT_CODE},
	    {0}};
	struct dial_wish w = {false, CTL_DIALOG_MENU, CTL_DIALOG_SERVICES, CODE, LANGUAGES, {0}, 0, NULL};
	struct msisdn_refusal why;
	struct msisdn phone;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		if ((code = dial_set(c, &w, opt)) >= 0)
			return code;
	if (optind + 1 != argc)
		return ctl_usage(c, "the phone that calls is expected, +77011234567");
	if (msisdn_parse(argv[optind], &phone, &why) != KZ_OK)
		return ctl_usage(c, "%s: %s", argv[optind], why.remedy);
	if (!w.offline)
		return ctl_dial_live(c, argv[optind], w.code);
	return dial_offline(c, &w);
}

const struct ctl_command ctl_dial_command = {"dial", "a phone that dials the menu, in the terminal",
    "usage: kezekctl dial [OPTION]... PHONE\n\n"
    "Each line that is typed is an answer to the page that is shown; the end of the input hangs up. With "
    "the\n"
    "daemon everything happens as if the phone had called: places are taken, SMS are sent.\n\n"
    "  --code CODE      what is dialled, *1234# without it, *1234*2# for a shortcut\n"
    "  --offline        no daemon: the menu alone, its services answer with samples\n"
    "  --menu PATH      offline: the menu; else " CTL_DIALOG_MENU "\n"
    "  --services PATH  offline: its services; else " CTL_DIALOG_SERVICES "\n"
    "  --answer S=R     offline: service S gives result R; may be said again for others\n"
    "  --language L     offline: the language that the caller chose before: kk, ru or en\n",
    dial_run};
