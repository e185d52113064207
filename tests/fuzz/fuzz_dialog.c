/* The two files of a dialog from anybody's hand, apart by an octet 0x1e; without one they are the
 * dialog alone. What loads can be walked: every index is within it, every
 * text is there, and the proof says something of it. What does not load says why. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/utf8.h"
#include "ussd/audit.h"
#include "ussd/dialog.h"
#include "ussd/input.h"

#define FUZZ_MAX 60000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct dialog_text *t)
{
	for (enum language l = 0; l < LANGUAGES; l++) {
		assert(t->in[l] && *t->in[l]);
		assert(utf8_check(t->in[l], strlen(t->in[l])) == KZ_OK);
	}
}

static void check_screen_index(const struct dialog *d, int at, bool may_be_none)
{
	assert(at < (int)d->screens_n && (at >= 0 || may_be_none));
}

static void check_page(const struct dialog *d, const struct dialog_screen *s)
{
	assert(s->options_n >= 1 && s->options_n <= DIALOG_OPTIONS);
	for (size_t i = 0; i < s->options_n; i++) {
		check_text(&s->options[i].text);
		check_screen_index(d, s->options[i].go, s->resume);
		for (size_t k = 0; k < s->options[i].sets_n; k++)
			assert(s->options[i].sets[k].value < (int)d->contracts->values_n &&
			       s->options[i].sets[k].to);
	}
}

static void check_screen(const struct dialog *d, const struct dialog_screen *s)
{
	assert(s->kind == SCREEN_DO || s->text.in[0]);
	if (s->kind != SCREEN_DO)
		check_text(&s->text);
	if (s->kind == SCREEN_PAGE)
		check_page(d, s);
	if (s->kind == SCREEN_INPUT || s->kind == SCREEN_LIST)
		check_screen_index(d, s->go, false);
	if (s->kind == SCREEN_INPUT) {
		assert(s->value >= 0 && s->value < (int)d->contracts->values_n);
		for (enum input_error e = 0; e < INPUT_ERRORS; e++)
			if (input_may(d->contracts->values[s->value].type, e))
				check_text(&s->errors[e]);
	}
	if (s->kind == SCREEN_DO || s->kind == SCREEN_LIST) {
		assert(s->service < SERVICES);
		for (size_t i = 0; i < SERVICE_RESULTS; i++)
			check_screen_index(d, s->branches[i], true);
	}
	if (s->kind == SCREEN_LIST) {
		check_text(&s->item);
		assert(s->picks >= 0 && s->picks < (int)d->contracts->values_n && s->min_items >= 1);
	}
}

static void check_dialog(const struct dialog *d)
{
	check_screen_index(d, d->entry, false);
	check_screen_index(d, d->resume, false);
	assert(d->screens[d->resume].resume && d->limits.ucs2 >= 20 && d->limits.gsm7 >= 20);
	check_text(&d->next);
	check_text(&d->back);
	check_text(&d->invalid);
	check_text(&d->down);
	check_text(&d->over);
	check_text(&d->hidden);
	for (size_t i = 0; i < d->screens_n; i++)
		check_screen(d, &d->screens[i]);
	for (size_t i = 0; i < d->shortcuts_n; i++)
		check_screen_index(d, d->shortcuts[i].screen, false);
	for (size_t i = 0; i < d->tasks_n; i++)
		check_screen_index(d, d->tasks[i].screen, false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char names[2][2] = {"d", "s"};
	const uint8_t *cut = memchr(data, 0x1e, size);
	size_t n = cut ? (size_t)(cut - data) : size;
	struct faults faults = {0};

	if (size > FUZZ_MAX)
		return 0;
	struct dialog_source s = {.name = {names[0], names[1]},
	    .bytes = {mem_strn((const char *)data, n),
	        cut ? mem_strn((const char *)cut + 1, size - n - 1) : mem_str("")},
	    .len = {n, cut ? size - n - 1 : 0}};
	struct dialog *d = dialog_load(&s, &words_usual, &faults);
	assert(!d == (faults.count > 0));
	if (d) {
		check_dialog(d);
		(void)audit_check(d, &s, &faults);
	}
	dialog_free(d);
	free(s.bytes[0]);
	free(s.bytes[1]);
	faults_fini(&faults);
	return 0;
}
