#include <jansson.h>
#include <stdlib.h>

#include "api/proof.h"
#include "api/proof_problem.h"
#include "base/ids.h"
#include "base/mem.h"
#include "store/codes_show.h"

/* One GET; the codes gather until the database is done. */
struct proof_look {
	struct call *call;
	const struct door *door;
	uint64_t id;
	int64_t now_us;
	json_t *codes;
	bool pair;
	enum code_verdict states[VERIFY_PHONES];
};

static void proof_put_us(json_t *o, const char *name, int64_t wall_us)
{
	char text[32];

	json_object_set_new(o, name, json_string(clock_rfc3339(wall_us, text)));
}

static enum code_verdict proof_state(const struct code_state *s, int64_t now_us)
{
	if (s->verdict)
		return s->verdict;
	return s->wrong >= s->tries ? CODE_EXHAUSTED : s->expires_us <= now_us ? CODE_EXPIRED : CODE_OPEN;
}

static json_t *proof_sends(const struct code_shown *c)
{
	json_t *sends = json_array();
	char id[IDS_TEXT];

	for (size_t i = 0; i < c->sends_n; i++) {
		const struct code_sending *s = &c->sends[i];
		json_t *o = json_pack(
		    "{s:s, s:s}", "message", ids_text(s->message_id, id), "why", code_why_name(s->why));

		proof_put_us(o, "at", s->at_us);
		json_object_set_new(o, "state", json_string(message_state_name(s->state)));
		json_array_append_new(sends, o);
	}
	return sends;
}

static void proof_put_left(json_t *o, const struct code_state *s, int64_t resends)
{
	unsigned most = (unsigned)resends;

	json_object_set_new(o, "tries_left", json_integer(s->tries > s->wrong ? s->tries - s->wrong : 0));
	json_object_set_new(o, "resends_left", json_integer(most > s->resends ? most - s->resends : 0));
}

static json_t *proof_code(const struct proof_look *l, const struct code_shown *c, enum code_verdict state)
{
	const struct code_state *s = &c->state;
	char id[IDS_TEXT], to[MSISDN_TEXT] = "";
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "id", ids_text(s->id, id), "purpose", s->purpose,
	    "state", code_verdict_name(state), "language", language_name((enum language)s->language));

	if (s->pair)
		json_object_set_new(o, "pair", json_string(ids_text(s->pair, id)));
	if (c->to.digits)
		json_object_set_new(o, "to", json_string(msisdn_masked(c->to, to)));
	if (c->client_ref)
		json_object_set_new(o, "client_ref", json_string(c->client_ref));
	proof_put_us(o, "created_at", ids_wall_ms(s->id) * 1000);
	proof_put_us(o, "expires_at", s->expires_us);
	proof_put_left(o, s, l->door->conf->codes_resends);
	json_object_set_new(o, "sends", proof_sends(c));
	if (s->verdict)
		proof_put_us(o, "ended_at", s->ended_us);
	else if (state == CODE_EXPIRED)
		proof_put_us(o, "ended_at", s->expires_us);
	return o;
}

static void proof_on_shown(void *arg, const struct code_shown *c)
{
	struct proof_look *l = arg;
	size_t n = json_array_size(l->codes);

	if (n >= VERIFY_PHONES || ids_wall_ms(c->state.id) + CODE_READ_MS <= l->now_us / 1000)
		return;
	l->states[n] = proof_state(&c->state, l->now_us);
	l->pair = c->state.id != l->id;
	json_array_append_new(l->codes, proof_code(l, c, l->states[n]));
}

/* Approved when all are; open while all may still become so; else what ended the hope. */
static enum code_verdict proof_pair_state(const struct proof_look *l)
{
	enum code_verdict state = CODE_APPROVED;

	for (size_t i = 0; i < json_array_size(l->codes); i++) {
		if (l->states[i] > CODE_APPROVED)
			return l->states[i];
		if (l->states[i] == CODE_OPEN)
			state = CODE_OPEN;
	}
	return state;
}

static void proof_reply(struct proof_look *l)
{
	char id[IDS_TEXT];
	json_t *o = l->pair ? json_pack("{s:s, s:s, s:O}", "id", ids_text(l->id, id), "state",
	                          code_verdict_name(proof_pair_state(l)), "codes", l->codes)
	                    : json_incref(json_array_get(l->codes, 0));
	char *text = json_dumps(o, JSON_COMPACT);

	door_reply_json(l->call, 200, text ? text : "{}");
	free(text);
	json_decref(o);
}

static void proof_on_done(void *arg, enum kz r)
{
	struct proof_look *l = arg;

	if (r == KZ_OK && json_array_size(l->codes)) {
		proof_reply(l);
	} else {
		const struct problem p = proof_problem(r == KZ_OK ? VERIFY_NOT_FOUND : VERIFY_LOST, NULL);

		problem_reply(l->call, &p);
	}
	json_decref(l->codes);
	free(l);
}

void proof_get(struct door *d, struct call *c, const struct door_caller *who, const char *text)
{
	struct proof_look *l = mem_new(sizeof *l);

	*l = (struct proof_look){
	    .call = c, .door = d, .now_us = loop_clock(d->loop)->wall_us(), .codes = json_array()};
	if (ids_parse(text, &l->id) != KZ_OK)
		proof_on_done(l, KZ_OK);
	else if (codes_show(d->pg, d->keyring, l->id, who->client, l->now_us, proof_on_shown, proof_on_done,
	             l) != KZ_OK)
		proof_on_done(l, KZ_LOST);
}
