/* The language that a phone speaks from now on: the page in it is said once it is noted, and an SMS follows,
 * but where it was the answer to the first question of all. Where it cannot be noted nothing was chosen: what
 * stands behind that page would not answer either. */
#include "flow/dial_turn.h"
#include "store/callers.h"

static void turn_on_noted(void *arg, enum kz r)
{
	struct turn *t = arg;

	t->busy = false;
	if (r == KZ_OK)
		dial_debts_speak(t->dial);
	if (t->place == TURN_TOLD)
		turn_free(t);
	else if (r == KZ_OK)
		turn_follow(t, &t->step);
	else
		turn_close(t);
}

static bool turn_asks_to_note(struct turn *t)
{
	struct dial *d = t->dial;
	const struct session *s = &t->record->session;
	struct owed owed = {0};

	if (s->turn > 1 && s->language != t->spoke)
		dial_owe_to(d, t->in.phone, s->language, dial_ask_token(d, s, SERVICES), "ussd_language",
		    NULL, 0, &owed);
	enum kz r = callers_set_language(d->base.pg, t->phone_key, s->language, &owed, turn_on_noted, t);
	owed_fini(&owed);
	return r == KZ_OK;
}

void turn_note_language(struct turn *t, const struct engine_step *step)
{
	turn_enter(t, TURN_NOTING);
	t->step = *step;
	t->busy = pg_is_up(t->dial->base.pg) && turn_asks_to_note(t);
	if (!t->busy)
		turn_close(t);
}
