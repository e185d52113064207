/* A question lives until its handler has answered, whoever still waits for it: a handler holds what cannot be
 * taken back, and what it changed is told by SMS when the phone has gone. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "flow/dial_turn.h"

static struct dial_ask *ask_of(struct dial_call *c)
{
	return list_entry(c, struct dial_ask, call);
}

int64_t dial_ask_token(const struct dial *d, const struct session *s, enum service service)
{
	const struct {
		uint64_t uid;
		uint32_t turn, service;
	} what = {s->uid, s->turn, (uint32_t)service};

	return keyring_lookup(d->base.keyring, "ussd token", &what, sizeof what);
}

void dial_ask_free(struct dial_ask *a)
{
	struct dial *d = a->call.dial;

	list_remove(&d->asks, &a->node);
	defer_cancel(&a->answered);
	if (a->menu)
		dial_menu_leave(d, a->menu);
	session_wipe(&a->call.session);
	answer_wipe(&a->call.answer);
	free(a);
}

static void ask_give(struct dial_ask *a)
{
	struct turn *t = a->turn;

	dial_ask_part(a);
	const struct engine_step step = engine_give(a->menu->dialog, &t->record->session, &a->call.answer);
	dial_ask_free(a);
	turn_walk(t, &step);
}

static void ask_on_answer(void *arg)
{
	struct dial_ask *a = arg;

	a->out = false;
	if (a->keeps)
		return; /* looked at when it is written down that it is owed */
	if (!a->turn)
		dial_late_tell(a);
	else if (dial_ask_is_down(a) && !a->mute)
		dial_late_keep(a);
	else
		ask_give(a);
}

bool dial_ask_is_down(const struct dial_ask *a)
{
	return strcmp(a->call.answer.result, "down") == 0;
}

void dial_answer(struct dial_call *c)
{
	assert(answer_is_whole(&c->answer, c->service));
	struct dial_ask *a = ask_of(c);

	loop_defer(c->dial->base.loop, &a->answered, ask_on_answer, a);
}

void dial_ask_go(struct dial_ask *a)
{
	a->out = true;
	answer_start(&a->call.answer, "down");
	a->call.now_us = dial_wall_ms(a->call.dial) * 1000;
	if (pg_is_up(a->call.dial->base.pg))
		dial_services[a->call.service](&a->call);
	else
		dial_answer(
		    &a->call); /* down at once: who waits for a connection waits too long for a phone */
}

void dial_ask_begin(struct turn *t, enum service service)
{
	struct dial *d = t->dial;
	struct dial_ask *a = mem_new(sizeof *a);

	a->call = (struct dial_call){.dial = d,
	    .service = service,
	    .dialog = t->menu->dialog,
	    .session = t->record->session,
	    .phone = t->in.phone,
	    .phone_key = t->phone_key,
	    .token = dial_ask_token(d, &t->record->session, service)};
	a->turn = t;
	a->at_ms = dial_wall_ms(d);
	a->mute = t->pushed != USSD_PUSH_NEVER;
	a->menu = t->menu;
	dial_menu_enter(a->menu);
	list_append(&d->asks, &a->node);
	t->ask = a;
	dial_ask_go(a);
}

void dial_ask_part(struct dial_ask *a)
{
	a->turn->ask = NULL;
	a->turn = NULL;
}

const char *dial_value(const struct dial_call *c, const char *name)
{
	return session_value(&c->session, c->dialog, name);
}

uint64_t dial_number(const struct dial_call *c, const char *name)
{
	const char *text = dial_value(c, name);
	size_t n = strspn(text, "0123456789");

	return n && !text[n] && n < 20 ? strtoull(text, NULL, 10) : 0;
}
