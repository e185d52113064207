/* session: the octets are: version, dialog, uid, turn, language, screens, flags, the way back, values that
 * are set (number, length, text), items (each field a length and a text), the page, what was written over on
 * the way. Numbers are big-endian. A reader that meets another version knows nothing of it: the parent begins
 * anew. */
#include "ussd/session.h"

#include <assert.h>
#include <string.h>

#include "base/secret.h"
#include "text/utf8.h"

#define SESSION_VERSION 1

enum { FLAG_ENDED = 1, FLAG_TYPED = 2, FLAG_REST = 4, FLAGS = 7 };

/* What is left of the octets; bad once something was not there. */
struct session_reading {
	const uint8_t *at;
	size_t left;
	bool bad;
};

void session_start(struct session *s, const struct dialog *d, uint64_t uid)
{
	session_wipe(s);
	memcpy(s->dialog, d->hash, DIALOG_HASH);
	s->uid = uid;
	s->language = d->first;
	s->screen = s->dropped_screen = d->entry;
}

const char *session_value(const struct session *s, const struct dialog *d, const char *name)
{
	int v = contract_value(d->contracts, name, strlen(name));

	return v < 0 ? "" : s->values[v];
}

static void session_put(struct buf *out, uint64_t n, unsigned octets)
{
	while (octets-- > 0)
		buf_char(out, (char)(n >> (8 * octets)));
}

static void session_put_text(struct buf *out, const char *text, unsigned octets)
{
	size_t n = strlen(text);

	session_put(out, n, octets);
	buf_add(out, text, n);
}

static void session_pack_values(const struct session *s, struct buf *out)
{
	unsigned n = 0;

	for (int i = 0; i < CONTRACT_VALUES; i++)
		n += *s->values[i] != '\0';
	session_put(out, n, 1);
	for (int i = 0; i < CONTRACT_VALUES; i++)
		if (*s->values[i]) {
			session_put(out, (uint64_t)i, 1);
			session_put_text(out, s->values[i], 1);
		}
}

void session_pack(const struct session *s, struct buf *out)
{
	assert(!s->asks);
	session_put(out, SESSION_VERSION, 1);
	buf_add(out, s->dialog, DIALOG_HASH);
	session_put(out, s->uid, 8);
	session_put(out, s->turn, 4);
	session_put(out, (uint64_t)s->language, 1);
	session_put(out, (uint64_t)s->screen, 2);
	session_put(out, (uint64_t)s->dropped_screen, 2);
	session_put(
	    out, (s->ended ? FLAG_ENDED : 0) | (s->typed ? FLAG_TYPED : 0) | (s->rest ? FLAG_REST : 0), 1);
	session_put(out, s->back_n, 1);
	buf_add(out, s->back, s->back_n);
	session_pack_values(s, out);
	session_put(out, s->items_n, 1);
	session_put(out, s->item_first, 1);
	for (size_t i = 0; i < s->items_n; i++)
		for (int f = 0; f < SESSION_ITEM; f++)
			session_put_text(out, s->items[i].fields[f], 1);
	session_put_text(out, s->page, 2);
	session_put(out, s->undo_n, 1);
	for (size_t i = 0; i < s->undo_n; i++) {
		session_put(out, s->undo[i].depth, 1);
		session_put(out, s->undo[i].value, 1);
		session_put_text(out, s->undo[i].text, 1);
	}
}

static const uint8_t *session_take_octets(struct session_reading *r, size_t n)
{
	const uint8_t *at = r->at;

	if (r->bad || r->left < n) {
		r->bad = true;
		return NULL;
	}
	r->at += n;
	r->left -= n;
	return at;
}

static uint64_t session_take(struct session_reading *r, unsigned octets)
{
	const uint8_t *at = session_take_octets(r, octets);
	uint64_t n = 0;

	while (at && octets-- > 0)
		n = n << 8 | *at++;
	return n;
}

static size_t session_take_count(struct session_reading *r, size_t most)
{
	uint64_t n = session_take(r, 1);

	r->bad |= n > most;
	return r->bad ? 0 : (size_t)n;
}

static void session_take_text(struct session_reading *r, unsigned octets, char *ret, size_t room)
{
	uint64_t n = session_take(r, octets);
	const uint8_t *at = NULL;

	r->bad |= n >= room;
	if ((at = session_take_octets(r, r->bad ? 0 : (size_t)n)) && n > 0) {
		memcpy(ret, at, (size_t)n);
		r->bad |= memchr(ret, '\0', (size_t)n) != NULL || utf8_check(ret, (size_t)n) != KZ_OK;
	}
}

static void session_take_values(struct session_reading *r, struct session *s)
{
	size_t n = session_take_count(r, CONTRACT_VALUES);

	while (n-- > 0 && !r->bad) {
		size_t i = session_take_count(r, CONTRACT_VALUES - 1);

		session_take_text(r, 1, s->values[i], SESSION_VALUE);
	}
}

static void session_take_items(struct session_reading *r, struct session *s)
{
	s->items_n = session_take_count(r, SESSION_ITEMS);
	s->item_first = session_take_count(r, s->items_n);
	for (size_t i = 0; i < s->items_n; i++)
		for (int f = 0; f < SESSION_ITEM; f++)
			session_take_text(r, 1, s->items[i].fields[f], SESSION_VALUE);
}

static void session_take_undo(struct session_reading *r, struct session *s)
{
	s->undo_n = session_take_count(r, SESSION_UNDO);
	for (size_t i = 0; i < s->undo_n; i++) {
		s->undo[i].depth = (uint8_t)session_take_count(r, s->back_n);
		s->undo[i].value = (uint8_t)session_take_count(r, CONTRACT_VALUES - 1);
		session_take_text(r, 1, s->undo[i].text, SESSION_VALUE);
		r->bad |= s->undo[i].depth == 0;
	}
}

static void session_take_head(struct session_reading *r, struct session *s)
{
	const uint8_t *hash;
	unsigned language, flags;

	r->bad |= session_take(r, 1) != SESSION_VERSION;
	if ((hash = session_take_octets(r, DIALOG_HASH)))
		memcpy(s->dialog, hash, DIALOG_HASH);
	s->uid = session_take(r, 8);
	s->turn = (uint32_t)session_take(r, 4);
	language = (unsigned)session_take(r, 1);
	s->screen = (int)session_take(r, 2);
	s->dropped_screen = (int)session_take(r, 2);
	flags = (unsigned)session_take(r, 1);
	r->bad |= language >= LANGUAGES || flags > FLAGS || s->screen >= DIALOG_SCREENS ||
	          s->dropped_screen >= DIALOG_SCREENS;
	s->language = r->bad ? LANGUAGE_KK : (enum language)language;
	s->ended = flags & FLAG_ENDED;
	s->typed = flags & FLAG_TYPED;
	s->rest = flags & FLAG_REST;
}

enum kz session_unpack(const void *bytes, size_t n, struct session *ret)
{
	struct session_reading r = {bytes, n, n > SESSION_OCTETS};
	const uint8_t *back;

	session_wipe(ret);
	session_take_head(&r, ret);
	ret->back_n = session_take_count(&r, SESSION_BACK);
	if ((back = session_take_octets(&r, ret->back_n)) && ret->back_n > 0)
		memcpy(ret->back, back, ret->back_n);
	session_take_values(&r, ret);
	session_take_items(&r, ret);
	session_take_text(&r, 2, ret->page, SESSION_PAGE);
	session_take_undo(&r, ret);
	if (!r.bad && r.left == 0)
		return KZ_OK;
	session_wipe(ret);
	return KZ_INVALID;
}

bool session_dialog(const void *bytes, size_t n, uint8_t ret[DIALOG_HASH])
{
	const uint8_t *at = bytes;

	if (n < 1 + DIALOG_HASH || at[0] != SESSION_VERSION)
		return false;
	memcpy(ret, at + 1, DIALOG_HASH);
	return true;
}

void session_wipe(struct session *s)
{
	secret_wipe(s, sizeof *s);
}
