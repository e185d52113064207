/* receipt_id: one spelling for the ids of an operator, and the same number in the other base. Ids have up to
 * 65 digits, so numbers are arrays of digits: strtoull would have folded long ones together. */
#include <assert.h>
#include <string.h>

#include "smpp/receipt.h"

static char id_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c >= ' ' && c <= '~' ? c : '?';
}

/* The value of a digit, 16 when it is none. */
static unsigned id_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* Whether the whole of a canonical id is digits of base. */
static bool id_is_number(const char *id, unsigned base)
{
	if (!*id)
		return false;
	for (; *id; id++)
		if (id_digit(*id) >= base)
			return false;
	return true;
}

void receipt_id_canonical(const char *id, char ret[RECEIPT_ID])
{
	size_t n = 0;

	if (id[0] == '0' && (id[1] == 'x' || id[1] == 'X') && id[2])
		id += 2;
	while (id[0] == '0' && id[1])
		id++;
	for (; *id && n + 1 < RECEIPT_ID; id++)
		ret[n++] = id_lower(*id);
	ret[n] = '\0';
}

/* A canonical number of base `from` written in base `to`; false when it does not fit. */
static bool id_rebase(const char *number, unsigned from, unsigned to, char ret[RECEIPT_ID])
{
	unsigned digits[RECEIPT_ID - 1] = {0}; /* the lowest first */
	size_t n = 1;

	for (; *number; number++) {
		unsigned carry = id_digit(*number);

		for (size_t i = 0; i < n; i++) {
			carry += digits[i] * from;
			digits[i] = carry % to;
			carry /= to;
		}
		for (; carry; carry /= to) {
			if (n == RECEIPT_ID - 1)
				return false;
			digits[n++] = carry % to;
		}
	}
	for (size_t i = 0; i < n; i++)
		ret[i] = "0123456789abcdef"[digits[n - 1 - i]];
	ret[n] = '\0';
	return true;
}

/* The candidates so far. */
struct candidates {
	char (*ids)[RECEIPT_ID];
	unsigned n;
};

static void candidate_add(struct candidates *c, const char *id)
{
	for (unsigned i = 0; i < c->n; i++)
		if (!strcmp(c->ids[i], id))
			return;
	assert(c->n < RECEIPT_IDS);
	strcpy(c->ids[c->n++], id);
}

static void candidate_rebased(struct candidates *c, const char *id, unsigned from, unsigned to)
{
	char other[RECEIPT_ID];

	if (id_is_number(id, from) && id_rebase(id, from, to, other))
		candidate_add(c, other);
}

unsigned receipt_id_candidates(const char *id, enum receipt_id_form form, char ret[RECEIPT_IDS][RECEIPT_ID])
{
	struct candidates c = {ret, 0};
	char same[RECEIPT_ID];

	receipt_id_canonical(id, same);
	if (form == RECEIPT_ID_AUTO || form == RECEIPT_ID_SAME)
		candidate_add(&c, same);
	if (form == RECEIPT_ID_AUTO || form == RECEIPT_ID_HEX)
		candidate_rebased(&c, same, 10, 16);
	if (form == RECEIPT_ID_AUTO || form == RECEIPT_ID_DECIMAL)
		candidate_rebased(&c, same, 16, 10);
	/* Under a fixed form, `as it came` beside the other base would find a stranger's message: only when
	 * it is no number. */
	if (!c.n)
		candidate_add(&c, same);
	return c.n;
}
