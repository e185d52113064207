#include "ctl_cover.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/digits.h"

struct cover_screen {
	bool seen, told, typed;
	bool options[DIALOG_OPTIONS], results[SERVICE_RESULTS], errors[INPUT_ERRORS];
};

struct cover {
	const struct dialog *dialog;
	struct cover_screen screens[DIALOG_SCREENS];
};

struct cover *cover_new(const struct dialog *d)
{
	struct cover *c = mem_new(sizeof *c);

	c->dialog = d;
	return c;
}

void cover_free(struct cover *c)
{
	free(c);
}

void cover_screen(struct cover *c, int screen)
{
	c->screens[screen].seen = true;
}

void cover_told(struct cover *c, int screen)
{
	c->screens[screen].told = true;
}

void cover_result(struct cover *c, int screen, const char *result)
{
	const struct service_result *r = service_shape(c->dialog->screens[screen].service)->results;

	cover_screen(c, screen);
	for (int i = 0; r[i].name; i++)
		if (strcmp(r[i].name, result) == 0)
			c->screens[screen].results[i] = true;
}

static void cover_option(struct cover *c, int screen, const char *typed)
{
	const struct dialog_screen *s = &c->dialog->screens[screen];
	char keys[8];

	if (digits_parse(typed, strlen(typed), sizeof keys - 1, keys) != KZ_OK)
		return;
	for (size_t i = 0; i < s->options_n; i++)
		if (strcmp(s->options[i].key, keys) == 0)
			c->screens[screen].options[i] = true;
}

static void cover_error(struct cover *c, int screen, const char *typed)
{
	const struct dialog_screen *s = &c->dialog->screens[screen];
	char room[SESSION_VALUE];
	unsigned digits;
	enum input_error e =
	    input_read(c->dialog->contracts->values[s->value].type, typed, strlen(typed), room, &digits);

	if (e < INPUT_ERRORS)
		c->screens[screen].errors[e] = true;
}

void cover_typed(struct cover *c, const struct engine_step *step, const char *typed)
{
	if (step->from < 0)
		return;
	if (step->event == ENGINE_OPTION || step->event == ENGINE_RESUMED)
		cover_option(c, step->from, typed);
	else if (step->event == ENGINE_WRONG_INPUT)
		cover_error(c, step->from, typed);
	else if (step->event == ENGINE_TYPED || step->event == ENGINE_PICKED)
		c->screens[step->from].typed = true;
}

static void cover_miss(
    const struct dialog_screen *s, const char *what, const char *name, struct faults *faults)
{
	faults_add(faults, "line %d: screen %s: no transcript has %s%s%s", s->line, s->name, what,
	    *name ? " " : "", name);
}

static void cover_missing_branches(
    const struct cover_screen *c, const struct dialog_screen *s, struct faults *faults)
{
	const struct service_result *r = service_shape(s->service)->results;

	for (int i = 0; r[i].name; i++)
		if (!c->results[i] && (s->branches[i] >= 0 || (s->kind == SCREEN_LIST && r[i].items)))
			cover_miss(s, "the result", r[i].name, faults);
	if (s->kind == SCREEN_LIST && !c->typed)
		cover_miss(s, "an item picked", "", faults);
}

static void cover_missing_input(const struct dialog *d, const struct cover_screen *c,
    const struct dialog_screen *s, struct faults *faults)
{
	const struct contract_type *t = d->contracts->values[s->value].type;

	if (!c->typed)
		cover_miss(s, "a good input", "", faults);
	for (int e = 0; e < INPUT_ERRORS; e++)
		if (!c->errors[e] && input_may(t, (enum input_error)e))
			cover_miss(s, "the error", input_error_name((enum input_error)e), faults);
}

void cover_missing(const struct cover *c, struct faults *faults)
{
	for (size_t i = 0; i < c->dialog->screens_n; i++) {
		const struct dialog_screen *s = &c->dialog->screens[i];
		const struct cover_screen *seen = &c->screens[i];

		if (!seen->seen) {
			cover_miss(s, "it", "", faults);
			continue;
		}
		for (size_t o = 0; o < s->options_n; o++)
			if (!seen->options[o])
				cover_miss(s, "the option", s->options[o].key, faults);
		if (s->told.in[0] && !seen->told)
			cover_miss(s, "it told: push: yes", "", faults);
		if (s->kind == SCREEN_DO || s->kind == SCREEN_LIST)
			cover_missing_branches(seen, s, faults);
		else if (s->kind == SCREEN_INPUT)
			cover_missing_input(c->dialog, seen, s, faults);
	}
}
