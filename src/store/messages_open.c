/* What a slot has unfinished, read back with its texts. Where a text has a hole for a code's digits they are
 * made again here: from the keyring, or from what the portal gave. */
#include "store/messages.h"

#include <string.h>

#include "rules/code.h"
#include "store/pg_array.h"

#define OPEN_ROOM                                                                                            \
	16384 /* of a text, so that it does not grow and leave digits behind in what it grew out of */

struct open_quest {
	messages_open_fn *each;
	messages_open_done_fn *done;
	void *arg;
	const struct keyring *keyring;
};

/* Where the texts of the row at hand are; wiped after each page. */
struct open_texts {
	struct buf person, digits, filled;
};

static const uint32_t open_types[] = {PG_INT4, PG_INT8, PG_INT8, PG_INT4};
/* A page is counted in messages looked at: between two open ones may lie a day of finished ones, and no
 * statement may walk them all. The last row says how far the page went. Events may stand twice, hence
 * "distinct". Taken is what the carrier of the newest submission has, cut as that one: what others had before
 * went anew, and only its phone can join the rest. Heard are the parts that have an outcome since they may
 * have been written (kinds 9 and 11: rules/message.h); the others are on the wire as far as anybody knows. A
 * doubt that is over (message_said) was no doubt, and the attempt is counted with its refusal. */
static const struct pg_sql sql_open = {"messages_open",
    "with page as materialized ("
    " select * from message where id > $2 and id < $3 order by id limit $4"
    "), open as ("
    " select m.id, m.class, coalesce(e.parts, m.parts) as parts, m.alphabet, m.reference, m.language, "
    "m.expires_at,"
    "  m.client_ref, p.phone, p.code, p.sealed, g.sealed as given, coalesce(e.mask, 0) as mask,"
    "  coalesce(e.doubt & ~coalesce(e.mask, 0), 0) as doubt,"
    "  case when (m.at_once or e.sent) and not coalesce(e.held, false)"
    "   then ((1::int8 << coalesce(e.parts, m.parts)) - 1) & ~coalesce(e.heard, 0) & ~coalesce(e.mask, 0) "
    "else 0 end"
    "   as wire,"
    "  coalesce(e.attempts, 0) as attempts, coalesce(e.doubts, 0) as doubts, e.carrier, e.newest"
    " from page m left join message_person p using (id) left join code_given g on g.code_id = p.code"
    " left join lateral ("
    "  select bool_or(final) as final, max(parts) filter (where taken) as parts,"
    "   bit_or(1::int8 << (part - 1)) filter (where taken) as mask,"
    "   bit_or(1::int8 << (part - 1)) filter (where kind in (1, 3, 10) and not over) as doubt,"
    "   bool_or(kind = 9) as sent, bool_or(kind = 11 and since and part is null) as held,"
    "   bit_or(1::int8 << (part - 1)) filter (where kind in (1, 2, 3, 10, 11) and since) as heard,"
    "   count(distinct (at, kind, part)) filter (where kind in (2, 3, 10) and not over) as attempts,"
    "   count(distinct (at, part)) filter (where kind = 3 and not over) as doubts,"
    "   max(carrier) filter (where taken) as carrier, max(at) as newest"
    "  from (select *, kind = 1 and carrier = first_value(carrier) over newest"
    "    and parts = first_value(parts) over newest as taken,"
    "    at >= coalesce(max(at) filter (where kind = 9) over (), '-infinity') as since"
    "   from message_said where message_id = m.id"
    "   window newest as (order by kind = 1 desc, at desc)) said) e on true"
    " where ((m.id >> 14) & 255) = $1 and not coalesce(e.final, false)"
    "  and coalesce(e.mask, 0) <> (1::int8 << coalesce(e.parts, m.parts)) - 1"
    ") select o.*, null::int8 as looked from open o"
    " union all select max(id), null, null, null, null, null, null, null, null, null, null, null, null, "
    "null, "
    "null, "
    "null, null, null, null,"
    "  count(*) from page",
    4, open_types};

enum open_column {
	OPEN_ID,
	OPEN_CLASS,
	OPEN_PARTS,
	OPEN_ALPHABET,
	OPEN_REFERENCE,
	OPEN_LANGUAGE,
	OPEN_EXPIRES,
	OPEN_CLIENT_REF,
	OPEN_PHONE,
	OPEN_CODE, /* its given digits are joined by it; what counts is sealed */
	OPEN_SEALED,
	OPEN_GIVEN,
	OPEN_MASK,
	OPEN_DOUBT,
	OPEN_WIRE,
	OPEN_ATTEMPTS,
	OPEN_DOUBTS,
	OPEN_CARRIER,
	OPEN_NEWEST,
	OPEN_LOOKED
};

static const char *open_text(const struct pg_reply *reply, size_t row, enum open_column column)
{
	return pg_is_null(reply, 0, row, (int)column) ? NULL : pg_text(reply, 0, row, (int)column, NULL);
}

static enum kz open_digits(const struct keyring *k, const struct pg_reply *reply, size_t row,
    const struct message_code *code, struct buf *out)
{
	char digits[CODE_MAX + 1];
	size_t n;

	buf_clear(out);
	if (!code->key) {
		const char *given = pg_text(reply, 0, row, OPEN_GIVEN, &n);

		return person_open_given(k, code->id, given, n, out);
	}
	if (!code->length || code->length > CODE_MAX)
		return KZ_INVALID;
	enum kz r = code_derive(k, code->key, code->id, code->issue, code->length, digits);
	if (r == KZ_OK)
		buf_add(out, digits, code->length);
	secret_wipe(digits, sizeof digits);
	return r;
}

static void open_fill(const struct open_quest *q, const struct pg_reply *reply, size_t row,
    struct open_texts *t, struct message *m)
{
	enum kz r = open_digits(q->keyring, reply, row, &m->code, &t->digits);

	buf_clear(&t->filled);
	if (r == KZ_OK) {
		code_fill(m->text, t->digits.data, &t->filled);
		m->text = buf_text(&t->filled);
	} else if (r == KZ_NOT_FOUND) {
		m->text = NULL;
	} else {
		m->text = "";
		m->expires_wall_ms = 1; /* 0 is for what has no end */
	}
}

/* false: its personal fields are gone. */
static bool open_read_person(const struct open_quest *q, const struct pg_reply *reply, size_t row,
    struct open_texts *t, struct message *m)
{
	struct person p = {0};
	size_t n;

	if (pg_is_null(reply, 0, row, OPEN_SEALED))
		return false;
	const char *sealed = pg_text(reply, 0, row, OPEN_SEALED, &n);
	m->phone = pg_int(reply, 0, row, OPEN_PHONE);
	if (person_open(q->keyring, m->id, sealed, n, &t->person, &p) != KZ_OK)
		return true;
	m->to = p.to;
	m->sender = p.sender;
	m->text = p.text;
	m->code = p.code;
	if (p.code.id)
		open_fill(q, reply, row, t, m);
	return true;
}

/* false: a row that no program of ours writes, or whose personal fields are gone. */
static bool open_read(const struct open_quest *q, const struct pg_reply *reply, size_t row,
    struct open_texts *t, struct message_open *o)
{
	struct message *m = &o->message;
	int64_t parts = pg_int(reply, 0, row, OPEN_PARTS);

	*o = (struct message_open){.done_mask = (uint32_t)pg_int(reply, 0, row, OPEN_MASK),
	    .doubt_mask = (uint32_t)pg_int(reply, 0, row, OPEN_DOUBT),
	    .wire_mask = (uint32_t)pg_int(reply, 0, row, OPEN_WIRE),
	    .attempts = (uint32_t)pg_int(reply, 0, row, OPEN_ATTEMPTS),
	    .doubts = (uint32_t)pg_int(reply, 0, row, OPEN_DOUBTS),
	    .carrier = pg_text(reply, 0, row, OPEN_CARRIER, NULL),
	    .newest_us = pg_wall_us(reply, 0, row, OPEN_NEWEST)};
	*m = (struct message){.id = (uint64_t)pg_int(reply, 0, row, OPEN_ID),
	    .class = (enum message_class)pg_int(reply, 0, row, OPEN_CLASS),
	    .parts = (uint8_t)parts,
	    .alphabet = (enum alphabet)pg_int(reply, 0, row, OPEN_ALPHABET),
	    .reference = (uint16_t)pg_int(reply, 0, row, OPEN_REFERENCE),
	    .language =
	        pg_is_null(reply, 0, row, OPEN_LANGUAGE) ? -1 : (int)pg_int(reply, 0, row, OPEN_LANGUAGE),
	    .expires_wall_ms = pg_wall_us(reply, 0, row, OPEN_EXPIRES) / 1000,
	    .client_ref = open_text(reply, row, OPEN_CLIENT_REF)};
	return m->class < MESSAGE_CLASSES && parts >= 1 && parts <= SEGMENT_MAX_PARTS &&
	       open_read_person(q, reply, row, t, m);
}

static void open_texts_fini(struct open_texts *t)
{
	struct buf *all[] = {&t->person, &t->digits, &t->filled};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		secret_wipe(all[i]->data, all[i]->room);
		buf_fini(all[i]);
	}
}

static void open_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct open_quest *q = arg;
	struct open_texts texts = {0};
	struct message_open o;
	size_t looked = 0;
	uint64_t last = 0;

	buf_space(&texts.person, OPEN_ROOM);
	buf_space(&texts.digits, CODE_MAX);
	buf_space(&texts.filled, OPEN_ROOM);

	for (size_t row = 0; r == KZ_OK && row < pg_rows(reply, 0); row++) {
		if (!pg_is_null(reply, 0, row, OPEN_LOOKED)) {
			looked = (size_t)pg_int(reply, 0, row, OPEN_LOOKED);
			last = (uint64_t)pg_int(reply, 0, row, OPEN_ID);
		} else if (open_read(q, reply, row, &texts, &o)) {
			q->each(q->arg, &o);
		}
	}
	open_texts_fini(&texts);
	q->done(q->arg, r, looked, last);
}

enum kz messages_open(struct pg *pg, const struct keyring *keyring, uint8_t slot, uint64_t after,
    uint64_t before, int most, messages_open_fn *each, messages_open_done_fn *done, void *arg)
{
	const struct open_quest q = {each, done, arg, keyring};
	uint8_t slot_room[4], after_room[8], before_room[8], most_room[4];
	const struct pg_value values[] = {pg_int4(slot, slot_room), pg_int8((int64_t)after, after_room),
	    pg_int8((int64_t)before, before_room), pg_int4(most, most_room)};

	return pg_ask(pg, &sql_open, values, open_on_done, &q, sizeof q);
}
