/* The code that came to the new phone; then that phone takes the place of the one that calls in all of its
 * applications, as a record of the portal would, with the same notices and news. An application that changed
 * between the reading and the writing is read again. Asked once more in the same session, the code is
 * approved as before, and what was changed is found done. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/dial_code.h"
#include "store/callers.h"
#include "store/holders.h"

#define ROUNDS_MOST 8

/* The change under way; in the room of its call. */
struct phone_change {
	struct dial_call *call;
	struct msisdn to;
	struct records *records;
	struct records_files files;
	unsigned rounds;
	bool done_before, unopened;
};

static uint64_t phone_notice_id(void *arg)
{
	return send_id(arg);
}

static const struct records_files *phone_files(void *arg)
{
	struct phone_change *p = arg;
	const struct dial_files *f = dial_files_of(p->call->dial);

	p->files = (struct records_files){f->regions, f->calendar};
	return &p->files;
}

static void phone_end(struct phone_change *p, const char *result)
{
	struct dial_call *c = p->call;

	records_free(p->records);
	free(p);
	c->room = NULL;
	c->answer.result = result;
	dial_answer(c);
}

static void phone_on_moved(void *arg, enum kz r)
{
	phone_end(arg, r == KZ_OK ? "ok" : "down");
}

/* The menu speaks to the new phone as it did to this one. */
static void phone_move_caller(struct phone_change *p)
{
	const struct dial_base *b = dial_base_of(p->call->dial);

	if (callers_move(b->pg, p->call->phone_key, person_phone(b->keyring, p->to), phone_on_moved, p) !=
	    KZ_OK)
		phone_on_moved(p, KZ_LOST);
}

static void phone_go(struct phone_change *p);

/* Whether there is more to do. */
static bool phone_is_left(const struct phone_change *p, bool *ret_bad)
{
	bool left = records_count(p->records) == HOLDERS_MOST;

	for (size_t i = 0; i < records_count(p->records); i++) {
		enum record_verdict v = records_verdict(p->records, i);

		left = left || v == RECORD_CHANGED_MEANWHILE;
		if (v != RECORD_CHANGED_MEANWHILE && !record_verdict_is_good(v)) {
			*ret_bad = true;
			log_error("ussd", "a phone of application %llu cannot be changed: %s",
			    (unsigned long long)records_at(p->records, i)->id, record_verdict_name(v));
		}
	}
	return left;
}

static void phone_on_put(void *arg, enum kz r, const struct pg_reply *reply, unsigned statement)
{
	struct phone_change *p = arg;
	bool bad = false;

	(void)reply;
	(void)statement;
	bool left = r == KZ_OK && phone_is_left(p, &bad);
	if (r != KZ_OK || bad)
		phone_end(p, "down");
	else if (left)
		phone_go(p);
	else
		phone_move_caller(p);
}

static void phone_put(struct phone_change *p)
{
	const struct records_plan plan = {
	    .files = phone_files, .arg = p, .notices = true, .via = NEWS_BY_USSD};

	if (records_put(p->records, &plan, phone_on_put, p) != KZ_OK)
		phone_end(p, "down");
}

static void phone_on_each(void *arg, const struct record *r, unsigned place, bool opened)
{
	struct phone_change *p = arg;
	struct record wish = *r;
	size_t i;

	wish.application.applicant.phones[place] = p->to;
	wish.application.verified |= 1u << place;
	wish.application.status = APPLICATION_STATUSES;
	p->unopened =
	    p->unopened || !opened || records_add(p->records, &wish, RECORDS_SAME_CLIENT, &i) != KZ_OK;
	record_wipe(&wish);
}

/* None are left: they were changed before, or the portal has taken the phone away meanwhile. */
static void phone_on_holders(void *arg, enum kz r, bool own, bool others)
{
	struct phone_change *p = arg;

	(void)own;
	(void)others;
	if (r != KZ_OK || p->unopened)
		phone_end(p, "down");
	else if (records_count(p->records))
		phone_put(p);
	else if (p->done_before || p->rounds > 1)
		phone_move_caller(p);
	else
		phone_end(p, "over");
}

static void phone_go(struct phone_change *p)
{
	const struct dial_base *b = dial_base_of(p->call->dial);
	const struct holders_wish w = {p->call->phone_key, person_phone(b->keyring, p->to)};

	records_clear(p->records);
	if (++p->rounds > ROUNDS_MOST ||
	    holders_find(b->pg, b->keyring, &w, phone_on_each, phone_on_holders, p) != KZ_OK)
		phone_end(p, "down");
}

static void phone_begin(struct phone_change *p, bool repeated)
{
	const struct dial_base *b = dial_base_of(p->call->dial);
	const struct records_base base = {b->loop, b->pg, b->feed, b->keyring, phone_notice_id, b->send};

	p->done_before = repeated;
	p->records = records_new(&base, HOLDERS_MOST);
	phone_go(p);
}

static void phone_on_tried(void *arg, const struct verify_tried *t)
{
	struct phone_change *p = arg;

	switch (t->word) {
	case VERIFY_OK:
		phone_begin(p, t->repeated);
		return;
	case VERIFY_WRONG:
		answer_set_number(&p->call->answer, "left", t->tries_left);
		phone_end(p, t->tries_left ? "wrong" : "locked");
		return;
	case VERIFY_LIMITED:
		phone_end(p, "locked");
		return;
	case VERIFY_OVER:
		phone_end(p, t->why.verdict == CODE_EXHAUSTED ? "locked" : "over");
		return;
	case VERIFY_LOST:
		phone_end(p, "down");
		return;
	default:
		phone_end(p, "over");
	}
}

/* Of the session and its code, not of the press of a key: she whose daemon died types the same digits again,
 * behind the offer to continue, and that is the same try. */
static void phone_keys(const struct dial_call *c, uint8_t key[SECRET_HASH], uint8_t body[SECRET_HASH])
{
	const struct keyring *k = dial_base_of(c->dial)->keyring;
	const uint64_t of[] = {c->session.uid, dial_number(c, "verify")};
	const char *digits = dial_value(c, "code");

	dial_code_key(keyring_lookup(k, "ussd confirm", of, sizeof of), key);
	keyring_mark(k, "ussd digits", digits, strlen(digits), body);
}

void dial_phone_confirm(struct dial_call *c)
{
	struct phone_change *p = c->room = mem_new(sizeof *p);
	char binding[DIAL_BINDING];
	uint8_t key[SECRET_HASH], body[SECRET_HASH];

	p->call = c;
	if (msisdn_from_digits(dial_number(c, "phone"), &p->to) != KZ_OK) {
		phone_end(p, "over");
		return;
	}
	phone_keys(c, key, body);
	const struct verify_try t = {.request = {NULL, 0, key, body},
	    .id = dial_number(c, "verify"),
	    .digits = dial_value(c, "code"),
	    .binding = dial_code_binding(c, p->to, binding)};
	if (verify_check(dial_base_of(c->dial)->verify, &t, phone_on_tried, p) != KZ_OK)
		phone_end(p, "down");
}
