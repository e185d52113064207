#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "smsc_handset_body.h"

/* A page belongs to the oldest question of its phone, as on the air: so an answer that came twice has two
 * pages, and a page without a question is a fault of its sender. What is said goes to the links in turn. */

struct flight_key {
	const struct smsc_receiver *receiver;
	uint32_t sequence;
};

static bool number_is(const struct map_node *n, const void *key)
{
	return !strcmp(map_entry(n, struct handset, by_number)->number, key);
}

static bool address_is(const struct map_node *n, const void *key)
{
	return !strcmp(map_entry(n, struct handset, by_address)->address, key);
}

static bool flight_is(const struct map_node *n, const void *key)
{
	const struct flight *f = map_entry(n, struct flight, node);
	const struct flight_key *k = key;

	return f->receiver == k->receiver && f->sequence == k->sequence;
}

static uint64_t text_hash(const char *text)
{
	return map_hash_bytes(text, strlen(text));
}

static struct handset *handset_at_number(const struct smsc_handsets *h, const char *number)
{
	struct map_node *n = map_get(&h->by_number, text_hash(number), number);

	return n ? map_entry(n, struct handset, by_number) : NULL;
}

struct handset *handset_at_address(const struct smsc_handsets *h, const char *address)
{
	struct map_node *n = map_get(&h->by_address, text_hash(address), address);

	return n ? map_entry(n, struct handset, by_address) : NULL;
}

struct handset *handset_add(struct smsc_handsets *h, const char *number, const char *address)
{
	if (h->by_number.count == SMSC_HANDSETS)
		return NULL;
	struct handset *t = mem_new(sizeof *t);
	snprintf(t->number, sizeof t->number, "%s", number);
	snprintf(t->address, sizeof t->address, "%s", address);
	list_init(&t->asks);
	t->text = mem_str("");
	map_put(&h->by_number, &t->by_number, text_hash(t->number));
	map_put(&h->by_address, &t->by_address, text_hash(t->address));
	return t;
}

static struct smsc_receiver *receiver_for(struct smsc_handsets *h, const struct handset *t)
{
	list_each(&h->receivers, n, next)
	{
		struct smsc_receiver *r = list_entry(n, struct smsc_receiver, phones);

		if (!r->ready(r->arg) ||
		    (*t->system_id && strcmp(t->system_id, smsc_account_system_id(r->account))))
			continue;
		list_remove(&h->receivers, n);
		list_append(&h->receivers, n);
		return r;
	}
	return NULL;
}

static void flight_add(struct smsc_handsets *h, struct handset *t, struct smsc_receiver *r, uint32_t sequence)
{
	struct flight *f = mem_new(sizeof *f);

	f->handset = t;
	f->receiver = r;
	f->sequence = sequence;
	map_put(&h->flights, &f->node, map_hash_u64((uintptr_t)r ^ sequence));
	list_append(&r->said, &f->of_receiver);
}

static void flight_free(struct smsc_handsets *h, struct flight *f)
{
	map_remove(&h->flights, &f->node);
	list_remove(&f->receiver->said, &f->of_receiver);
	free(f);
}

/* What the handset said last, again or for the first time. */
static bool handset_send(struct smsc_handsets *h, struct handset *t)
{
	struct smsc_receiver *r = receiver_for(h, t);
	struct smsc_say s = {.said = t->said,
	    .from = t->address,
	    .code = t->code,
	    .text = t->text,
	    .dialogue = t->dialogue,
	    .turn = t->turn};

	if (!r)
		return false;
	uint32_t sequence = smsc_receiver_sequence(r);
	buf_clear(&h->pdu);
	if (smsc_dialect_put(h->dialect, &s, (enum gsm_wire)h->options->gsm, sequence, &h->pdu) != KZ_OK)
		return false;
	smsc_report_said(
	    h->report, t->number, smsc_said_name(t->said), t->said == SMSC_DIALLED ? t->code : t->text);
	flight_add(h, t, r, sequence);
	r->write(r->arg, &h->pdu); /* may make the session leave, which ends the flight */
	return true;
}

bool handset_say(struct smsc_handsets *h, struct handset *t, enum smsc_said said, const char *text)
{
	char *kept = mem_str(text);

	free(t->text);
	t->text = kept;
	t->said = said;
	if (said == SMSC_TYPED)
		t->turn++;
	t->dialogue = smsc_dialect_turn(h->dialect, &t->dialogue, t->turn);
	return handset_send(h, t);
}

static void dialogue_begin(struct smsc_handsets *h, struct handset *t, const char *code)
{
	h->dialogues = h->dialogues % 0x7FFF + 1;
	t->dialogue = smsc_dialect_begin(h->dialect, h->dialogues);
	t->turn = 1;
	t->pardoned = 0;
	t->state = HANDSET_TALKS;
	snprintf(t->code, sizeof t->code, "%s", code);
}

static const char *order_ask(struct smsc_handsets *h, struct handset *t, const struct smsc_order *o)
{
	bool said;

	if (t->asks.count == SMSC_HANDSET_ASKS)
		return "too many questions wait for their pages";
	if (o->kind == SMSC_ORDER_DIAL)
		dialogue_begin(h, t, o->text);
	if (o->kind == SMSC_ORDER_REPEAT)
		said = handset_send(h, t);
	else
		said = handset_say(h, t, o->kind == SMSC_ORDER_DIAL ? SMSC_DIALLED : SMSC_TYPED, o->text);
	if (!said)
		return "nobody is bound who could hear it";
	t->state = HANDSET_TALKS;
	handset_ask(h, t, o->ticket);
	return NULL;
}

/* What waits will still be answered by one who does not know yet. */
static const char *order_leave(struct smsc_handsets *h, struct handset *t, bool tells)
{
	t->pardoned = t->asks.count;
	t->state = HANDSET_LEFT;
	handset_fail(h, t, tells ? "cancelled" : "hung up");
	return tells && !handset_say(h, t, SMSC_CANCELLED, "") ? "nobody is bound who could hear it" : NULL;
}

static const char *order_do(struct smsc_handsets *h, struct handset *t, const struct smsc_order *o)
{
	snprintf(t->system_id, sizeof t->system_id, "%s", o->system_id);
	switch (o->kind) {
	case SMSC_ORDER_DIAL:
	case SMSC_ORDER_TYPE:
	case SMSC_ORDER_REPEAT:
		return order_ask(h, t, o);
	case SMSC_ORDER_CANCEL:
	case SMSC_ORDER_HANG:
		return order_leave(h, t, o->kind == SMSC_ORDER_CANCEL);
	case SMSC_ORDER_SILENT:
		t->silent = true;
	}
	return NULL;
}

const char *smsc_handsets_order(struct smsc_handsets *h, const struct smsc_order *o)
{
	const char *address = o->from ? o->from : o->phone;
	struct handset *t = handset_at_number(h, o->phone);

	if (!*o->phone || strlen(o->phone) > 20 || strlen(address) > 20)
		return "a phone has 1 to 20 characters";
	if (strlen(o->text) > (o->kind == SMSC_ORDER_DIAL ? 31 : SMSC_HANDSET_TEXT) ||
	    strlen(o->system_id) > 32)
		return "too long";
	if (!t && handset_at_address(h, address))
		return "another phone has that address";
	if (!t && !(t = handset_add(h, o->phone, address)))
		return "too many phones";
	if (!*t->code && o->kind != SMSC_ORDER_DIAL)
		dialogue_begin(h, t, "*0#");
	if (o->from && strcmp(o->from, t->address))
		return "the phone has another address";
	return order_do(h, t, o);
}

void smsc_handsets_join(struct smsc_handsets *h, struct smsc_receiver *r)
{
	if (!h || !r->receives)
		return;
	list_init(&r->said);
	list_append(&h->receivers, &r->phones);
}

void smsc_handsets_leave(struct smsc_handsets *h, struct smsc_receiver *r)
{
	struct list_node *n;

	if (!h || !list_is_linked(&r->phones))
		return;
	list_remove(&h->receivers, &r->phones);
	while ((n = list_first(&r->said))) {
		struct flight *f = list_entry(n, struct flight, of_receiver);
		struct handset *t = f->handset;

		flight_free(h, f);
		handset_fail(h, t, "the link was lost");
	}
}

enum kz smsc_handsets_answered(
    struct smsc_handsets *h, struct smsc_receiver *r, uint32_t sequence, uint32_t status)
{
	struct flight_key key = {r, sequence};
	struct map_node *n = h ? map_get(&h->flights, map_hash_u64((uintptr_t)r ^ sequence), &key) : NULL;
	char why[40];

	if (!n)
		return KZ_NOT_FOUND;
	struct flight *f = map_entry(n, struct flight, node);
	struct handset *t = f->handset;
	flight_free(h, f);
	if (!status)
		return KZ_OK;
	snprintf(why, sizeof why, "refused: 0x%08x", (unsigned)status);
	smsc_report_odd(h->report, t->number, "%s", why);
	t->state = HANDSET_LEFT;
	handset_fail(h, t, why);
	return KZ_OK;
}

struct smsc_handsets *smsc_handsets_new(struct loop *l, const struct smsc_options *o, struct smsc_report *r,
    const struct smsc_handset_events *events, void *arg)
{
	struct smsc_handsets *h = mem_new(sizeof *h);

	h->loop = l;
	h->options = o;
	h->report = r;
	h->dialect = smsc_dialect_at(o->ussd);
	h->events = events;
	h->arg = arg;
	map_init(&h->by_number, number_is);
	map_init(&h->by_address, address_is);
	map_init(&h->flights, flight_is);
	list_init(&h->receivers);
	list_init(&h->dues);
	h->due_timer = timer_new(l, handset_on_due, h);
	return h;
}

void smsc_handsets_free(struct smsc_handsets *h)
{
	struct map_node *n;

	if (!h)
		return;
	while ((n = map_any(&h->by_number))) {
		struct handset *t = map_entry(n, struct handset, by_number);

		handset_forget(h, t);
		map_remove(&h->by_number, &t->by_number);
		map_remove(&h->by_address, &t->by_address);
		free(t->text);
		free(t);
	}
	map_fini(&h->by_number);
	map_fini(&h->by_address);
	map_fini(&h->flights);
	timer_free(h->due_timer);
	buf_fini(&h->pdu);
	buf_fini(&h->text);
	free(h);
}
