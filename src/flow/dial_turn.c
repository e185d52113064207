/* A turn goes one way: the session is read, its dialog found, the engine steps, services answer, the session
 * is kept, the page said. Of two daemons with one answer the second finds the session changed, reads it again
 * and says the page that stands there: what was done was done once, by its token. To say the page before it
 * is kept was rejected: a repeated request could then do twice what it asks for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "flow/dial_turn.h"
#include "store/callers.h"

#define ROUNDS   4              /* how often the session may have changed under a turn */
#define ASKS     16             /* services of one turn */
#define CLOSE_MS 500            /* to keep what stands once the deadline has passed */
#define ENDED_MS INT64_C(60000) /* an ended session is kept so long, for repeated requests */

static struct session *turn_session(struct turn *t)
{
	return &t->record->session;
}

/* What stands in the session. */
static void turn_say_page(struct turn *t)
{
	const struct session *s = turn_session(t);

	dial_menu_count(t->menu, s->screen, s->ended ? SEEN_END : SEEN_SHOWN);
	turn_say(t, s->page, s->ended);
}

/* What can be said without a session: text is in the dialog in force. */
static void turn_say_text(struct turn *t, enum language l)
{
	const struct dialog *dialog = t->menu->dialog;
	const struct dialog_text *text = t->closing == CLOSE_OVER ? &dialog->over : &dialog->down;

	metric_add(t->dial->closed[t->closing], 1);
	turn_say(t, text->in[l], true);
}

static void turn_on_language(void *arg, enum kz r, enum language l);

/* Which language she speaks, then on. */
static void turn_ask_language(struct turn *t)
{
	turn_enter(t, TURN_SPEAKING);
	t->busy = pg_is_up(t->dial->base.pg) &&
	          callers_language(t->dial->base.pg, t->phone_key, turn_on_language, t) == KZ_OK;
	if (!t->busy)
		turn_on_language(t, KZ_LOST, LANGUAGE_KK);
}

/* Nobody waits for a page of it. */
static bool turn_is_silent(const struct turn *t)
{
	return t->pushed || t->in.said == USSD_CANCELLED;
}

static void turn_close_as(struct turn *t, enum dial_close how)
{
	t->closing = how;
	if (turn_is_silent(t))
		turn_hush(t);
	else if (t->known)
		turn_say_text(t, turn_session(t)->language);
	else
		turn_ask_language(t);
}

void turn_close(struct turn *t)
{
	t->closing = CLOSE_DOWN;
	if (turn_is_silent(t))
		turn_hush(t);
	else
		turn_say_text(t, t->known || t->place == TURN_ASKING || t->place == TURN_KEEPING
		                     ? turn_session(t)->language
		                     : t->menu->dialog->first);
}

static void turn_on_got(void *arg, enum kz r, const void *bytes, size_t n, uint64_t revision);

static void turn_read(struct turn *t)
{
	turn_enter(t, TURN_READING);
	t->busy = sessions_get(t->dial->sessions, t->phone_key, turn_on_got, t) == KZ_OK;
	if (!t->busy)
		turn_close_as(t, CLOSE_DOWN);
}

static void turn_on_kept(void *arg, enum kz r)
{
	struct turn *t = arg;

	t->busy = false;
	if (t->place == TURN_TOLD)
		turn_free(t);
	else if (r == KZ_OK || (r == KZ_LOST && turn_session(t)->ended))
		turn_say_page(t);
	else if (r == KZ_CONFLICT && t->rounds++ < ROUNDS)
		turn_read(t);
	else
		turn_close(t);
}

/* The end of a dialogue is kept too, so that a repeated request gets it again. */
void turn_keep(struct turn *t)
{
	struct dial_record *r = t->record;
	struct dial *d = t->dial;
	struct buf bytes = {.wiped = true};
	bool ended = r->session.ended;

	turn_enter(t, TURN_KEEPING);
	r->phone = t->in.phone;
	memcpy(r->carrier, t->carrier, sizeof r->carrier);
	memcpy(r->key, t->in.peer.key, sizeof r->key);
	r->key_n = t->in.peer.key_n;
	snprintf(r->code, sizeof r->code, "%s", t->in.peer.code.text);
	r->said = t->said;
	r->at_ms = dial_wall_ms(d);
	dial_record_pack(r, &bytes);
	t->busy = sessions_put(d->sessions, t->phone_key, &t->revision, bytes.data, bytes.len,
	              ended ? ENDED_MS : t->way.person_ms + d->files.conf->ussd_continue_ms,
	              ended ? 0 : t->way.person_ms, turn_on_kept, t) == KZ_OK;
	buf_wipe(&bytes);
	if (!t->busy)
		turn_on_kept(t, KZ_LOST);
}

void turn_follow(struct turn *t, const struct engine_step *step)
{
	if (step->does == ENGINE_SAY) {
		if (t->pushed)
			dial_push_end(t);
		else
			turn_keep(t);
		return;
	}
	turn_enter(t, TURN_ASKING);
	if (t->asks++ < ASKS)
		dial_ask_begin(t, step->service);
	else
		turn_close(t);
}

void turn_walk(struct turn *t, const struct engine_step *step)
{
	dial_menu_count_step(t->menu, step);
	if (dial_menu_chose_language(t->menu, step, turn_session(t)->language))
		turn_note_language(t, step);
	else
		turn_follow(t, step);
}

static void turn_dial(struct turn *t, enum language l)
{
	struct session *s = turn_session(t);
	char path[DIALOG_PATH];
	uint64_t uid;

	secret_random(&uid, sizeof uid);
	memset(t->record, 0, sizeof *t->record);
	session_start(s, t->menu->dialog, uid);
	s->language = l;
	dial_push_begin(t);
	engine_path(t->in.text, path);
	const struct engine_step step = engine_dial(t->menu->dialog, s, path);
	turn_walk(t, &step);
}

static void turn_set_menu(struct turn *t, struct dial_menu *m)
{
	struct dial_menu *before = t->menu;

	t->menu = m;
	dial_menu_enter(m);
	dial_menu_leave(t->dial, before);
}

static void turn_on_language(void *arg, enum kz r, enum language l)
{
	struct turn *t = arg;

	t->busy = false;
	if (t->place == TURN_TOLD) {
		turn_free(t);
		return;
	}
	if (r != KZ_OK)
		l = t->menu->dialog->first;
	if (t->closing != CLOSE_NONE)
		turn_say_text(t, l);
	else
		turn_dial(t, l);
}

/* Nothing of before counts. */
static void turn_open(struct turn *t)
{
	enum language l = turn_session(t)->language;

	if (t->dial->menu)
		turn_set_menu(t, t->dial->menu);
	if (t->known)
		turn_dial(t, l);
	else
		turn_ask_language(t);
}

/* m: the dialog of the session that was read, with KZ_OK. Only what is known to be none is begun anew: else
 * the session stays as it is, for a new call. */
static void turn_go_on(struct turn *t, enum kz r, struct dial_menu *m)
{
	struct session *s = turn_session(t);

	if (r != KZ_OK && r != KZ_NOT_FOUND) {
		turn_close_as(t, CLOSE_DOWN);
		return;
	}
	if (r != KZ_OK || !engine_fits(m->dialog, s)) {
		if (t->in.said == USSD_DIALLED)
			turn_open(t);
		else
			turn_close_as(t, CLOSE_OVER);
		return;
	}
	turn_set_menu(t, m);
	t->spoke = s->language;
	if (t->beaten && t->in.said == USSD_TYPED) {
		turn_say_page(t);
		return;
	}
	const struct engine_step step = t->in.said == USSD_DIALLED
	                                    ? engine_resume(m->dialog, s)
	                                    : engine_type(m->dialog, s, t->in.text, strlen(t->in.text));
	turn_walk(t, &step);
}

static void turn_on_menu(void *arg, enum kz r, struct dial_menu *m)
{
	struct turn *t = arg;

	t->busy = false;
	if (t->place == TURN_TOLD)
		turn_free(t);
	else
		turn_go_on(t, r, m);
}

static void turn_seek(struct turn *t)
{
	struct dial_menu *m = dial_menu_get(t->dial, turn_session(t)->dialog);

	if (m) {
		turn_go_on(t, KZ_OK, m);
		return;
	}
	turn_enter(t, TURN_SEEKING);
	t->busy = dial_menu_seek(t->dial, turn_session(t)->dialog, turn_on_menu, t) == KZ_OK;
	if (!t->busy)
		turn_go_on(t, KZ_LOST, NULL);
}

static void turn_hang_up(struct turn *t)
{
	if (dial_record_is_of(t->record, t->carrier, &t->in.peer) && !turn_session(t)->ended)
		dial_drop_begin(t->dial, t->record, t->phone_key, t->revision);
	turn_hush(t);
}

static void turn_judge(struct turn *t)
{
	const struct session *s = turn_session(t);
	char path[DIALOG_PATH];

	if (t->in.said == USSD_CANCELLED) {
		turn_hang_up(t);
	} else if (t->pushed && t->known && !s->ended) {
		turn_hush(t); /* she is in a call, or can go on with one */
	} else if (!t->pushed && turn_is_repeated(t)) {
		metric_add(t->dial->repeated, 1);
		turn_say(t, s->page, s->ended);
	} else if (t->in.said == USSD_DIALLED) {
		/* Who dials a shortcut, as an SMS told her to, wants that and not what was dropped. */
		engine_path(t->in.text, path);
		if (t->known && !s->ended && s->typed && !*path)
			turn_seek(t);
		else
			turn_open(t);
	} else if (dial_record_is_of(t->record, t->carrier, &t->in.peer) && !s->ended) {
		turn_seek(t);
	} else {
		turn_close_as(t, CLOSE_OVER);
	}
}

/* A session that changed under the turn and stands where it stood, since only that the call was dropped was
 * written down, has not heard this answer. */
static void turn_look_back(struct turn *t)
{
	const struct session *s = turn_session(t);

	t->beaten = t->rounds > 0 && (t->uid != s->uid || t->stood != s->turn);
	t->uid = s->uid;
	t->stood = s->turn;
}

static void turn_on_got(void *arg, enum kz r, const void *bytes, size_t n, uint64_t revision)
{
	struct turn *t = arg;

	t->busy = false;
	if (t->place == TURN_TOLD) {
		turn_free(t);
		return;
	}
	t->revision = revision;
	t->known = r == KZ_OK && dial_record_unpack(bytes, n, t->record) == KZ_OK;
	if (!t->known)
		memset(t->record, 0, sizeof *t->record);
	turn_look_back(t);
	dial_record_tell_code(t->record, t->carrier, &t->in.peer);
	if (r != KZ_LOST)
		turn_judge(t);
	else
		turn_close_as(t, CLOSE_DOWN);
}

/* The network does not wait any longer. */
void turn_on_late(void *arg)
{
	struct turn *t = arg;

	if (t->place != TURN_ASKING || t->late || t->pushed) {
		turn_close(t);
		return;
	}
	t->late = true;
	timer_start(t->timer, CLOSE_MS);
	if (!t->ask->keeps)
		dial_late_keep(t->ask);
}

void turn_begin(struct turn *t)
{
	if (t->dial->stopped)
		return turn_close(t);
	t->record = mem_new(sizeof *t->record);
	turn_read(t);
}
