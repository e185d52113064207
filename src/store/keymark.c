#include "store/keymark.h"

#include "store/pg_array.h"

struct keymark {
	struct pg *pg;
	keymark_fn *done;
	void *arg;
	uint8_t mark[SECRET_HASH];
};

static const uint32_t mark_types[] = {PG_BYTEA};
/* Nothing is written but the first time: a commit may wait for a standby that is away. A row that is put does
 * not show in the same statement, so whoever puts one asks again; so does whoever came second. */
static const struct pg_sql sql_mark = {"keymark",
    "with put as (insert into keymark (mark) select $1 where not exists (select from keymark) on conflict do "
    "nothing)"
    " select mark from keymark",
    1, mark_types};

static void keymark_on_done(void *arg, enum kz r, const struct pg_reply *reply);

static enum kz keymark_ask(const struct keymark *k)
{
	const struct pg_value value = {k->mark, sizeof k->mark};

	return pg_ask(k->pg, &sql_mark, &value, keymark_on_done, k, sizeof *k);
}

static void keymark_on_done(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct keymark *k = arg;
	size_t n = 0;

	if (r == KZ_OK && !pg_rows(reply, 0)) {
		if (keymark_ask(k) != KZ_OK)
			k->done(k->arg, KZ_LOST);
		return;
	}
	const char *mark = pg_text(reply, 0, 0, 0, &n);
	if (r == KZ_OK && (n != sizeof k->mark || !secret_equal(mark, k->mark, n)))
		r = KZ_CONFLICT;
	k->done(k->arg, r);
}

enum kz keymark_check(struct pg *pg, const struct keyring *keyring, keymark_fn *done, void *arg)
{
	struct keymark k = {.pg = pg, .done = done, .arg = arg};

	keyring_mark(keyring, "keymark", "", 0, k.mark);
	return keymark_ask(&k);
}
