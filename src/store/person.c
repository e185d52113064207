/* Sealed: one octet of what is there, the number, [the sender and NUL], [the code: id, key, issue, length],
 * the text to the end. The code stands inside, not only in its column: who can write to the table but has no
 * key must not have another's digits sent to a number of his own. */
#include "store/person.h"

#include <string.h>

#define PERSON_DOMAIN "message_person"
#define GIVEN_DOMAIN  "code_given"
#define PERSON_ROOM   16384 /* 32 parts have 14,688 octets of UTF-8 at most */

enum { PERSON_SENDER = 1, PERSON_CODE = 2, PERSON_ALL = 3 };

/* What is not read yet. */
struct person_take {
	const char *at;
	size_t left;
	bool good;
};

static void person_put_number(struct buf *b, uint64_t v, unsigned octets)
{
	while (octets-- > 0)
		buf_char(b, (char)(v >> (8 * octets)));
}

static uint64_t person_take_number(struct person_take *t, unsigned octets)
{
	uint64_t v = 0;

	t->good = t->good && t->left >= octets;
	for (; t->good && octets > 0; octets--, t->left--)
		v = v << 8 | (uint8_t)*t->at++;
	return v;
}

static const char *person_take_text(struct person_take *t)
{
	const char *text = t->at, *end = t->good ? memchr(text, '\0', t->left) : NULL;

	t->good = end != NULL;
	if (!end)
		return NULL;
	t->left -= (size_t)(end - text) + 1;
	t->at = end + 1;
	return text;
}

int64_t person_phone(const struct keyring *k, struct msisdn m)
{
	uint8_t octets[8];

	for (size_t i = 0; i < sizeof octets; i++)
		octets[i] = (uint8_t)(m.digits >> (56 - 8 * i));
	return keyring_lookup(k, "phone", octets, sizeof octets);
}

void person_seal(const struct keyring *k, uint64_t id, const struct person *p, struct buf *out)
{
	static struct buf
	    clear; /* wiped after each; all its room at once: grown, it would leave texts behind */

	if (!clear.room)
		buf_space(&clear, PERSON_ROOM);
	buf_char(&clear, (char)((p->sender ? PERSON_SENDER : 0) | (p->code.id ? PERSON_CODE : 0)));
	person_put_number(&clear, p->to.digits, 8);
	if (p->sender)
		buf_add(&clear, p->sender, strlen(p->sender) + 1);
	if (p->code.id) {
		person_put_number(&clear, p->code.id, 8);
		person_put_number(&clear, p->code.key, 2);
		person_put_number(&clear, p->code.issue, 4);
		person_put_number(&clear, p->code.length, 1);
	}
	buf_str(&clear, p->text);
	keyring_seal(k, PERSON_DOMAIN, id, clear.data, clear.len, out);
	secret_wipe(clear.data, clear.len);
	buf_clear(&clear);
}

enum kz person_open(
    const struct keyring *k, uint64_t id, const void *sealed, size_t n, struct buf *room, struct person *ret)
{
	struct person p = {0};

	buf_clear(room);
	enum kz r = keyring_open(k, PERSON_DOMAIN, id, sealed, n, room);
	if (r != KZ_OK)
		return r;
	struct person_take t = {room->data, room->len + 1, true}; /* with buf's NUL: the text is read to it */
	uint64_t has = person_take_number(&t, 1), digits = person_take_number(&t, 8);
	if (has & PERSON_SENDER)
		p.sender = person_take_text(&t);
	if (has & PERSON_CODE) {
		p.code.id = person_take_number(&t, 8);
		p.code.key = (unsigned)person_take_number(&t, 2);
		p.code.issue = (unsigned)person_take_number(&t, 4);
		p.code.length = (uint8_t)person_take_number(&t, 1);
	}
	p.text = person_take_text(&t);
	if (!t.good || t.left || has > PERSON_ALL || msisdn_from_digits(digits, &p.to) != KZ_OK)
		return KZ_INVALID;
	*ret = p;
	return KZ_OK;
}

void person_seal_given(const struct keyring *k, uint64_t code_id, const char *digits, struct buf *out)
{
	keyring_seal(k, GIVEN_DOMAIN, code_id, digits, strlen(digits), out);
}

enum kz person_open_given(
    const struct keyring *k, uint64_t code_id, const void *sealed, size_t n, struct buf *digits)
{
	return keyring_open(k, GIVEN_DOMAIN, code_id, sealed, n, digits);
}
