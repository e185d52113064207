/* Sealed: how many parents and phones there are, the twelve digits of each person, eight octets of each
 * phone, then the names and the email address, each with its NUL. */
#include "store/applicant.h"

#include <string.h>

#define APPLICANT_DOMAIN "application"
#define PHONE_DOMAIN     "notice_phone"
#define PHONE_OCTETS     8
#define APPLICANT_ROOM                                                                                       \
	(2 + (1 + APPLICANT_PARENTS) * IIN_DIGITS + APPLICANT_PHONES * PHONE_OCTETS +                        \
	    2 * (APPLICANT_NAME + 1) + APPLICANT_EMAIL + 1)

/* What is not read yet. */
struct applicant_take {
	const char *at;
	size_t left;
	bool good;
};

static void applicant_put_phone(struct buf *b, struct msisdn m)
{
	for (int shift = 8 * (PHONE_OCTETS - 1); shift >= 0; shift -= 8)
		buf_char(b, (char)(m.digits >> shift));
}

static const char *applicant_take_octets(struct applicant_take *t, size_t n)
{
	const char *at = t->at;

	t->good = t->good && t->left >= n;
	if (!t->good)
		return NULL;
	t->at += n;
	t->left -= n;
	return at;
}

static void applicant_take_iin(struct applicant_take *t, struct iin *ret)
{
	const char *digits = applicant_take_octets(t, IIN_DIGITS);
	struct iin_refusal why;

	t->good = digits && iin_parse(digits, IIN_DIGITS, ret, &why) == KZ_OK;
}

static void applicant_take_phone(struct applicant_take *t, struct msisdn *ret)
{
	const char *octets = applicant_take_octets(t, PHONE_OCTETS);
	uint64_t v = 0;

	for (int i = 0; octets && i < PHONE_OCTETS; i++)
		v = v << 8 | (uint8_t)octets[i];
	t->good = octets && msisdn_from_digits(v, ret) == KZ_OK;
}

static void applicant_take_text(struct applicant_take *t, char *to, size_t room)
{
	const char *end = t->good ? memchr(t->at, '\0', t->left) : NULL;
	size_t n = end ? (size_t)(end - t->at) + 1 : 0;

	t->good = end && n <= room;
	if (t->good)
		memcpy(to, applicant_take_octets(t, n), n);
}

void applicant_seal(const struct keyring *k, uint64_t number, const struct applicant *a, struct buf *out)
{
	struct buf clear = {.wiped = true};

	buf_space(&clear, APPLICANT_ROOM);
	buf_char(&clear, (char)a->parents_n);
	buf_char(&clear, (char)a->phones_n);
	buf_add(&clear, a->child.digits, IIN_DIGITS);
	for (size_t i = 0; i < a->parents_n; i++)
		buf_add(&clear, a->parents[i].digits, IIN_DIGITS);
	for (size_t i = 0; i < a->phones_n; i++)
		applicant_put_phone(&clear, a->phones[i]);
	buf_add(&clear, a->first_name, strlen(a->first_name) + 1);
	buf_add(&clear, a->last_name, strlen(a->last_name) + 1);
	buf_add(&clear, a->email, strlen(a->email) + 1);
	keyring_seal(k, APPLICANT_DOMAIN, number, clear.data, clear.len, out);
	buf_wipe(&clear);
}

static bool applicant_read(const struct buf *clear, struct applicant *ret)
{
	struct applicant_take t = {clear->data, clear->len, true};
	const char *counts = applicant_take_octets(&t, 2);

	if (!counts || counts[0] < 1 || counts[0] > APPLICANT_PARENTS || counts[1] < 1 ||
	    counts[1] > APPLICANT_PHONES)
		return false;
	ret->parents_n = (size_t)counts[0];
	ret->phones_n = (size_t)counts[1];
	applicant_take_iin(&t, &ret->child);
	for (size_t i = 0; i < ret->parents_n; i++)
		applicant_take_iin(&t, &ret->parents[i]);
	for (size_t i = 0; i < ret->phones_n; i++)
		applicant_take_phone(&t, &ret->phones[i]);
	applicant_take_text(&t, ret->first_name, sizeof ret->first_name);
	applicant_take_text(&t, ret->last_name, sizeof ret->last_name);
	applicant_take_text(&t, ret->email, sizeof ret->email);
	return t.good && !t.left;
}

enum kz applicant_open(
    const struct keyring *k, uint64_t number, const void *sealed, size_t n, struct applicant *ret)
{
	struct buf clear = {.wiped = true};

	*ret = (struct applicant){0};
	enum kz r = keyring_open(k, APPLICANT_DOMAIN, number, sealed, n, &clear);
	if (r == KZ_OK && !applicant_read(&clear, ret)) {
		applicant_wipe(ret);
		r = KZ_INVALID;
	}
	buf_wipe(&clear);
	return r;
}

void applicant_wipe(struct applicant *a)
{
	secret_wipe(a, sizeof *a);
}

int64_t applicant_iin(const struct keyring *k, const struct iin *i)
{
	return keyring_lookup(k, "iin", i->digits, IIN_DIGITS);
}

void applicant_seal_phone(const struct keyring *k, uint64_t notice, struct msisdn m, struct buf *out)
{
	struct buf clear = {.wiped = true};

	applicant_put_phone(&clear, m);
	keyring_seal(k, PHONE_DOMAIN, notice, clear.data, clear.len, out);
	buf_wipe(&clear);
}

enum kz applicant_open_phone(
    const struct keyring *k, uint64_t notice, const void *sealed, size_t n, struct msisdn *ret)
{
	struct buf clear = {.wiped = true};
	enum kz r = keyring_open(k, PHONE_DOMAIN, notice, sealed, n, &clear);
	struct applicant_take t = {clear.data, clear.len, r == KZ_OK};

	if (r == KZ_OK) {
		applicant_take_phone(&t, ret);
		r = t.good && !t.left ? KZ_OK : KZ_INVALID;
	}
	buf_wipe(&clear);
	return r;
}
