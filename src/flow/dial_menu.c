/* Dialogs in memory: the one in force and a few that sessions began with, before a reload or at another
 * daemon. One that somebody walks stays, however old. */
#include "flow/dial_turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/dialogs.h"

#define KEEP_MS  (60 * INT64_C(60000)) /* it is said again that the dialog is in force */
#define AGAIN_MS 2000                  /* the database was away */

static void menu_free(struct dial *d, struct dial_menu *m)
{
	list_remove(&d->menus, &m->node);
	dialog_free(m->dialog);
	if (m->source) {
		dialog_source_fini(m->source);
		free(m->source);
	}
	free(m->seen);
	free(m);
}

/* The oldest go that nobody walks. */
static void menus_trim(struct dial *d)
{
	size_t spare = d->menus.count > DIAL_MENUS + 1 ? d->menus.count - DIAL_MENUS - 1 : 0;

	list_each(&d->menus, n, next)
	{
		struct dial_menu *m = list_entry(n, struct dial_menu, node);

		if (spare && m != d->menu && !m->walkers) {
			menu_free(d, m);
			spare--;
		}
	}
}

static struct dial_menu *menu_new(struct dial *d, struct dialog *dialog, struct dialog_source *source)
{
	struct dial_menu *m = mem_new(sizeof *m);

	m->dialog = dialog;
	m->source = source;
	m->seen = mem_array(dialog->screens_n ? dialog->screens_n : 1, sizeof *m->seen);
	list_append(&d->menus, &m->node);
	return m;
}

static void menu_on_kept(void *arg, enum kz r)
{
	struct dial *d = arg;

	d->keeping = false;
	timer_start(d->keep_timer, d->renewed ? 0 : r == KZ_OK ? KEEP_MS : AGAIN_MS);
}

void dial_menu_keep(void *arg)
{
	struct dial *d = arg;
	const struct dial_menu *m = d->menu;

	if (!m || !m->source || d->keeping || d->stopped)
		return;
	d->renewed = false;
	const struct words w = words_of(d->files.conf);
	d->keeping = dialogs_keep(d->base.pg, m->dialog->hash, m->source, &w, menu_on_kept, d) == KZ_OK;
	if (!d->keeping)
		timer_start(d->keep_timer, AGAIN_MS);
}

void dial_menu_set(struct dial *d, struct dialog *dialog, struct dialog_source *source)
{
	struct dial_menu *same = dialog ? dial_menu_get(d, dialog->hash) : NULL;

	if (same) {
		dialog_free(dialog);
		if (same->source) {
			dialog_source_fini(source);
			free(source);
		} else {
			same->source = source;
		}
		d->menu = same;
	} else {
		d->menu = dialog ? menu_new(d, dialog, source) : NULL;
	}
	menus_trim(d);
	d->renewed = true;
	timer_start(d->keep_timer, 0);
}

struct dial_menu *dial_menu_get(const struct dial *d, const uint8_t hash[DIALOG_HASH])
{
	list_each(&d->menus, n, next)
	{
		struct dial_menu *m = list_entry(n, struct dial_menu, node);

		if (memcmp(m->dialog->hash, hash, DIALOG_HASH) == 0)
			return m;
	}
	return NULL;
}

/* One look into the database. */
struct menu_look {
	struct dial *dial;
	uint8_t hash[DIALOG_HASH];
	dial_menu_fn *done;
	void *arg;
};

/* Others may have looked for it meanwhile. */
static struct dial_menu *menu_load(
    const struct menu_look *l, const struct dialog_source *s, const struct words *w)
{
	struct faults faults = {0};
	struct dial_menu *m = dial_menu_get(l->dial, l->hash);
	struct dialog *dialog = m ? NULL : dialog_load(s, w, &faults);

	if (dialog && memcmp(dialog->hash, l->hash, DIALOG_HASH) == 0) {
		menus_trim(l->dial); /* before it is there: nobody walks it yet */
		m = menu_new(l->dial, dialog, NULL);
	} else {
		dialog_free(dialog);
	}
	faults_fini(&faults);
	return m;
}

static void menu_on_found(void *arg, enum kz r, const struct dialog_source *s, const struct words *w)
{
	struct menu_look *l = arg;
	struct dial_menu *m = r == KZ_OK ? menu_load(l, s, w) : NULL;

	l->done(l->arg, m ? KZ_OK : r == KZ_OK || r == KZ_NOT_FOUND ? KZ_NOT_FOUND : KZ_LOST, m);
	free(l);
}

enum kz dial_menu_seek(struct dial *d, const uint8_t hash[DIALOG_HASH], dial_menu_fn *done, void *arg)
{
	struct menu_look *l;

	if (!pg_is_up(d->base.pg))
		return KZ_LOST;
	l = mem_new(sizeof *l);
	*l = (struct menu_look){.dial = d, .done = done, .arg = arg};
	memcpy(l->hash, hash, DIALOG_HASH);
	enum kz r = dialogs_find(d->base.pg, hash, menu_on_found, l);
	if (r != KZ_OK)
		free(l);
	return r;
}

void dial_menu_enter(struct dial_menu *m)
{
	m->walkers++;
}

void dial_menu_leave(struct dial *d, struct dial_menu *m)
{
	assert(m->walkers > 0);
	m->walkers--;
	menus_trim(d);
}

void dial_menu_count(struct dial_menu *m, int screen, enum dial_seen what)
{
	static const char *const names[SEENS] = {[SEEN_SHOWN] = "shown",
	    [SEEN_OPTION] = "option",
	    [SEEN_WRONG] = "wrong_key",
	    [SEEN_BACK] = "back",
	    [SEEN_TIME_OUT] = "time_out",
	    [SEEN_DROPPED] = "dropped",
	    [SEEN_END] = "end"};
	char labels[96];

	if (screen < 0 || (size_t)screen >= m->dialog->screens_n)
		return;
	if (!m->seen[screen][what]) {
		snprintf(labels, sizeof labels, "screen=\"%s\",what=\"%s\"", m->dialog->screens[screen].name,
		    names[what]);
		m->seen[screen][what] = metric_counter(
		    "kezek_ussd_screens_total", "What happened on the screens of the USSD menu", labels);
	}
	metric_add(m->seen[screen][what], 1);
}

void dial_menu_count_step(struct dial_menu *m, const struct engine_step *step)
{
	static const enum dial_seen seen[ENGINE_EVENTS] = {[ENGINE_OPENED] = SEENS,
	    [ENGINE_OPTION] = SEEN_OPTION,
	    [ENGINE_TYPED] = SEEN_OPTION,
	    [ENGINE_PICKED] = SEEN_OPTION,
	    [ENGINE_NEXT] = SEEN_OPTION,
	    [ENGINE_BACK] = SEEN_BACK,
	    [ENGINE_HOME] = SEEN_BACK,
	    [ENGINE_WRONG_KEY] = SEEN_WRONG,
	    [ENGINE_WRONG_INPUT] = SEEN_WRONG,
	    [ENGINE_ANSWERED] = SEENS,
	    [ENGINE_RESUMED] = SEENS};

	if (seen[step->event] != SEENS)
		dial_menu_count(m, step->from, seen[step->event]);
}

bool dial_menu_chose_language(const struct dial_menu *m, const struct engine_step *step, enum language now)
{
	const struct dialog_screen *from =
	    step->event == ENGINE_OPTION && step->from >= 0 ? &m->dialog->screens[step->from] : NULL;

	for (size_t i = 0; from && i < from->options_n; i++)
		for (size_t k = 0; k < from->options[i].sets_n; k++)
			if (from->options[i].sets[k].value == -1 &&
			    strcmp(from->options[i].sets[k].to, language_name(now)) == 0)
				return true;
	return false;
}

void dial_menus_free(struct dial *d)
{
	list_each(&d->menus, n, next) menu_free(d, list_entry(n, struct dial_menu, node));
}
