/* Answers that no phone waits for any more. Before the phone is told that an SMS will come it is written down
 * in Redis what was asked, as the session stood then: from there any daemon asks a service that is down again
 * for most of an hour, under the same token, so what it did meanwhile it tells. The answer goes by the SMS
 * that the contract names, and what was written down goes when that is kept. To keep it in the memory of the
 * daemon that was asked was rejected: it breaks a promise whenever that daemon ends, and where PostgreSQL is
 * away the promises are thousands. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/dial_turn.h"
#include "ussd/screen.h"

#define LATE_MS    (50 * INT64_C(60000)) /* an answer is of use for so long */
#define LIFE_MS    (60 * INT64_C(60000)) /* and can be counted as given up, once the database is back */
#define FIRST_MS   INT64_C(2000)         /* until it is asked again, then after as long as it waits already */
#define LONGEST_MS INT64_C(60000)
#define HELD_MS    INT64_C(20000) /* it is left to the handler that has it */
#define TICK_MS    1000
#define LATE_SMS   15 /* of its token: another one than that which is owed for what was done */
#define PARAMS     8

enum late_end { LATE_TOLD, LATE_SILENT, LATE_GIVEN_UP };

static void late_on_nothing(void *arg, enum kz r)
{
	(void)arg;
	(void)r;
}

/* Should it stay there, it is asked again, and its SMS is the one that was kept. */
static void late_end(struct dial_ask *a, enum late_end how)
{
	struct dial *d = a->call.dial;

	metric_add(d->late[how], 1);
	if (a->revision && sessions_remove(d->owed, a->call.token, a->revision, late_on_nothing, d) != KZ_OK)
		log_debug("ussd", "an answer that is owed no more stays in Redis");
	dial_ask_free(a);
}

/* Owed in wait_ms again. done as of sessions_put; KZ_OK: it will be called. */
static enum kz late_put(struct dial_ask *a, int64_t wait_ms, sessions_done_fn *done)
{
	struct dial_record *r = mem_new(sizeof *r);
	struct buf bytes = {.wiped = true};

	r->phone = a->call.phone;
	r->at_ms = a->at_ms;
	r->session = a->call.session;
	r->session.asks = false;
	*r->session.page = '\0';
	r->session.items_n = r->session.item_first = r->session.back_n = r->session.undo_n = 0;
	dial_record_pack(r, &bytes);
	enum kz put = sessions_put(a->call.dial->owed, a->call.token, &a->revision, bytes.data, bytes.len,
	    LIFE_MS, wait_ms, done, a);
	buf_wipe(&bytes);
	session_wipe(&r->session);
	free(r);
	return put;
}

static void late_count(struct dial *d, size_t n)
{
	d->late_n = n;
	metric_set(d->late_gauge, (double)n);
}

/* The page that the dialog has for it says that an SMS will come; what is not owed gets the one that does
 * not. */
static void late_go_without(struct turn *t, bool owed)
{
	struct answer *down;

	if (!owed) {
		turn_close(t);
		return;
	}
	down = mem_new(sizeof *down);
	answer_start(down, "down");
	const struct engine_step step = engine_give(t->menu->dialog, &t->record->session, down);
	free(down);
	turn_walk(t, &step);
}

/* KZ_CONFLICT: another daemon owes it, that had the same press of the key. */
static void late_on_kept(void *arg, enum kz r)
{
	struct dial_ask *a = arg;
	struct turn *t = a->turn;

	a->keeps = false;
	if (r == KZ_OK)
		late_count(a->call.dial, a->call.dial->late_n + 1);
	else
		a->revision = 0;
	if (t)
		dial_ask_part(a);
	if (!a->out && dial_ask_is_down(a))
		dial_ask_free(a);
	else if (!a->out)
		dial_late_tell(a);
	if (t)
		late_go_without(t, r == KZ_OK || r == KZ_CONFLICT);
}

void dial_late_keep(struct dial_ask *a)
{
	a->keeps = true;
	if (late_put(a, a->out ? HELD_MS : FIRST_MS, late_on_kept) != KZ_OK)
		late_on_kept(a, KZ_LOST);
}

static void late_on_put(void *arg, enum kz r)
{
	(void)r;
	dial_ask_free(arg);
}

/* Nobody can be told now. What nobody was promised is let go; what is not put is asked for when its lease has
 * passed. */
static void late_wait(struct dial_ask *a)
{
	struct dial *d = a->call.dial;
	int64_t age_ms = dial_wall_ms(d) - a->at_ms;
	int64_t wait_ms = age_ms < FIRST_MS ? FIRST_MS : age_ms < LONGEST_MS ? age_ms : LONGEST_MS;

	if (!a->revision || d->stopped)
		dial_ask_free(a);
	else if (age_ms + wait_ms > LATE_MS)
		late_end(a, LATE_GIVEN_UP);
	else if (late_put(a, wait_ms, late_on_put) != KZ_OK)
		dial_ask_free(a);
}

static const char *late_template(const struct dial_ask *a)
{
	int r = service_result_find(a->call.service, a->call.answer.result);

	return r < 0 ? "" : a->call.dialog->contracts->late[a->call.service][r];
}

/* Cut to what the template has room for. */
static void late_value(const struct dial_ask *a, const char *name, char ret[SESSION_VALUE])
{
	const struct contracts *c = a->call.dialog->contracts;
	int value = contract_value(c, name, strlen(name));
	const char *text = answer_field(&a->call.answer, name, strlen(name));

	if (value >= 0)
		text = contract_show(c->values[value].type, text, a->call.session.language);
	if (value >= 0 && c->values[value].type->kind == VALUE_TEXT)
		screen_cut(text, c->values[value].type->max, ret);
	else
		memccpy(ret, text, '\0', SESSION_VALUE);
	ret[SESSION_VALUE - 1] = '\0';
}

static void late_on_sms(void *arg, enum kz r)
{
	if (r == KZ_OK)
		late_end(arg, LATE_TOLD);
	else
		late_wait(arg);
}

static void late_speak(struct dial_ask *a, const struct template *t, const char *name)
{
	struct template_param params[PARAMS];
	char values[PARAMS][SESSION_VALUE];
	struct param_type type;
	size_t n = 0;

	for (; n < PARAMS && (params[n].name = template_param(t, n, &type)) != NULL; n++) {
		if (strcmp(params[n].name, "at") == 0)
			dial_moment(a->call.now_us, values[n]);
		else
			late_value(a, params[n].name, values[n]);
		params[n].value = values[n];
	}
	dial_sms_to(a->call.dial, a->call.phone, a->call.session.language, a->call.token, LATE_SMS, name,
	    params, n, late_on_sms, a);
}

void dial_late_tell(struct dial_ask *a)
{
	const char *name = late_template(a);
	const struct template *t = *name ? template_find(a->call.dial->files.templates, name) : NULL;

	if (a->mute)
		dial_ask_free(a);
	else if (dial_ask_is_down(a) || a->call.dial->stopped)
		late_wait(a);
	else if (!t)
		late_end(a, LATE_SILENT);
	else
		late_speak(a, t, name);
}

/* What another version of the daemon wrote may be of a dialog that is none here. */
static bool late_fits(const struct dial_ask *a, const struct dialog *d)
{
	const struct session *s = &a->call.session;
	const struct dialog_screen *c = (size_t)s->screen < d->screens_n ? &d->screens[s->screen] : NULL;

	return c && (c->kind == SCREEN_DO || c->kind == SCREEN_LIST) &&
	       dial_ask_token(a->call.dial, s, c->service) == a->call.token;
}

static void late_on_menu(void *arg, enum kz r, struct dial_menu *m)
{
	struct dial_ask *a = arg;

	if (a->call.dial->stopped || (r != KZ_OK && r != KZ_NOT_FOUND)) {
		dial_ask_free(a);
		return;
	}
	if (r != KZ_OK || !late_fits(a, m->dialog)) {
		late_end(a, LATE_GIVEN_UP);
		return;
	}
	a->menu = m;
	dial_menu_enter(m);
	a->call.dialog = m->dialog;
	a->call.service = m->dialog->screens[a->call.session.screen].service;
	dial_ask_go(a);
}

static bool late_read(struct dial_ask *a, const void *bytes, size_t n)
{
	struct dial_record *r = mem_new(sizeof *r);
	bool good = dial_record_unpack(bytes, n, r) == KZ_OK;

	a->call.session = r->session;
	a->call.phone = r->phone;
	a->call.phone_key = person_phone(a->call.dial->base.keyring, r->phone);
	a->at_ms = r->at_ms;
	session_wipe(&r->session);
	free(r);
	return good && dial_wall_ms(a->call.dial) - a->at_ms <= LATE_MS;
}

static void late_on_got(void *arg, enum kz r, const void *bytes, size_t n, uint64_t revision)
{
	struct dial_ask *a = arg;
	struct dial *d = a->call.dial;
	const uint8_t *hash = a->call.session.dialog;
	struct dial_menu *m;

	a->revision = revision;
	if (!revision || d->stopped)
		dial_ask_free(a); /* told meanwhile, or nobody knows */
	else if (r != KZ_OK || !late_read(a, bytes, n))
		late_end(a, LATE_GIVEN_UP);
	else if ((m = dial_menu_get(d, hash)) != NULL)
		late_on_menu(a, KZ_OK, m);
	else if (dial_menu_seek(d, hash, late_on_menu, a) != KZ_OK)
		dial_ask_free(a);
}

static void late_begin(struct dial *d, int64_t token)
{
	struct dial_ask *a = mem_new(sizeof *a);

	a->call.dial = d;
	a->call.token = token;
	list_append(&d->asks, &a->node);
	if (sessions_get(d->owed, token, late_on_got, a) != KZ_OK)
		dial_ask_free(a);
}

static void late_on_due(void *arg, enum kz r, const int64_t *tokens, size_t n, size_t all)
{
	struct dial *d = arg;

	d->late_looking = false;
	if (r == KZ_OK)
		late_count(d, all);
	for (size_t i = 0; i < n; i++)
		late_begin(d, tokens[i]);
}

/* How many can be asked for now: none while nothing could be answered, or no SMS kept. */
static size_t late_room(const struct dial *d)
{
	size_t room = DIAL_ABREAST + DIAL_LATE - d->asks.count;

	if (!pg_is_up(d->base.pg) || feed_slot(d->base.feed) < 0 || d->asks.count >= DIAL_ABREAST + DIAL_LATE)
		return 0;
	return room < DIAL_LATE ? room : DIAL_LATE;
}

void dial_late_on_timer(void *arg)
{
	struct dial *d = arg;

	if (d->stopped)
		return;
	timer_start(d->late_timer, TICK_MS);
	if (!d->late_looking)
		d->late_looking = sessions_due(d->owed, late_room(d), late_on_due, d) == KZ_OK;
}
