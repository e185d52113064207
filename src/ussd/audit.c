/* The proof walks no session: it looks at all screens and ways at once, so that what it says holds for every
 * parent. Where it cannot know (which result a service gives) it takes all of them. A model checker over the
 * engine was thought of and left: what a page can hold is not finite, and an author wants to be told the
 * line, not a walk. */
#include "ussd/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ussd/audit_body.h"
#include "ussd/input.h"

#define FAULT 320 /* octets of one line */

void audit_fault(struct audit *p, int line, int column, const char *fmt, ...)
{
	char text[FAULT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	faults_add(p->faults, "%s:%d:%d: %s", p->file, line, column, text);
}

void audit_screen_texts(struct audit *p, const struct dialog_screen *s, audit_text_fn *each, void *arg)
{
	if (s->kind != SCREEN_DO)
		each(p, s, &s->text, AUDIT_TEXT, arg);
	if (s->told.in[0])
		each(p, s, &s->told, AUDIT_TEXT, arg);
	for (size_t i = 0; i < s->options_n; i++)
		each(p, s, &s->options[i].text, AUDIT_OPTION, arg);
	if (s->kind == SCREEN_LIST)
		each(p, s, &s->item, AUDIT_ITEM, arg);
	for (size_t e = 0; e < INPUT_ERRORS; e++)
		if (s->errors[e].in[0])
			each(p, s, &s->errors[e], AUDIT_ERROR, arg);
}

const char *audit_next_param(const char **text, size_t *ret_n)
{
	const char *open = strchr(*text, '{'), *close = open ? strchr(open, '}') : NULL;

	if (!close)
		return NULL;
	*ret_n = (size_t)(close - open) - 1;
	*text = close + 1;
	return open + 1;
}

bool audit_has_param(const char *text, const char *name, size_t n)
{
	const char *at;
	size_t len;

	while ((at = audit_next_param(&text, &len)) != NULL)
		if (len == n && !memcmp(at, name, n))
			return true;
	return false;
}

int audit_items_result(const struct dialog_screen *s)
{
	const struct service_result *r = service_shape(s->service)->results;

	for (int i = 0; s->kind == SCREEN_LIST && r[i].name; i++)
		if (r[i].items)
			return i;
	return -1;
}

static void way_add(struct audit *p, int from, int to, enum audit_by by, size_t at)
{
	if (to >= 0)
		p->ways[p->ways_n++] = (struct audit_way){from, to, by, at};
}

static void ways_collect(struct audit *p)
{
	const struct dialog *d = p->d;

	p->ways = mem_array(d->screens_n * (SERVICE_RESULTS + DIALOG_OPTIONS + 1), sizeof *p->ways);
	for (size_t i = 0; i < d->screens_n; i++) {
		const struct dialog_screen *s = &d->screens[i];
		bool asks = s->kind == SCREEN_DO || s->kind == SCREEN_LIST;

		for (size_t o = 0; o < s->options_n; o++)
			way_add(p, (int)i, s->options[o].go, AUDIT_BY_OPTION, o);
		for (size_t r = 0; asks && r < SERVICE_RESULTS; r++)
			way_add(p, (int)i, s->branches[r], AUDIT_BY_RESULT, r);
		if (s->kind == SCREEN_INPUT)
			way_add(p, (int)i, s->go, AUDIT_BY_INPUT, 0);
		if (s->kind == SCREEN_LIST)
			way_add(p, (int)i, s->go, AUDIT_BY_PICK, 0);
	}
}

bool audit_check(const struct dialog *d, const struct dialog_source *s, struct faults *faults)
{
	struct audit p = {.d = d, .file = s->name[0], .faults = faults};
	int before = faults->count;

	ways_collect(&p);
	audit_check_ways(&p);
	audit_check_values(&p);
	audit_check_texts(&p);
	audit_check_pages(&p);
	free(p.ways);
	return faults->count == before;
}
