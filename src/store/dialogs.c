/* Each daemon says hourly which dialog it has in force, so that only those are forgotten that no session can
 * be on any more. */
#include "store/dialogs.h"

#include "store/pg_array.h"

struct dialogs_quest {
	dialogs_done_fn *done;
	dialogs_found_fn *found;
	void *arg;
};

static const uint32_t keep_types[] = {
    PG_BYTEA, PG_TEXT, PG_BYTEA, PG_TEXT, PG_BYTEA, PG_INT4, PG_TEXT, PG_TEXT};
static const struct pg_sql sql_keep = {"dialogs_keep",
    "with old as (delete from dialog where seen_at < now() - make_interval(days => $6) and hash <> $1)"
    " insert into dialog (hash, menu_name, menu, services_name, services, dial, helpline)"
    " values ($1, $2, $3, $4, $5, $7, $8)"
    " on conflict (hash) do update set seen_at = now()",
    8, keep_types};

static void dialogs_on_kept(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct dialogs_quest *q = arg;

	(void)reply;
	q->done(q->arg, r);
}

enum kz dialogs_keep(struct pg *pg, const uint8_t hash[DIALOG_HASH], const struct dialog_source *s,
    const struct words *w, dialogs_done_fn *done, void *arg)
{
	const struct dialogs_quest q = {.done = done, .arg = arg};
	uint8_t days[4];
	const struct pg_value values[] = {{hash, DIALOG_HASH}, pg_string(s->name[0]),
	    {s->bytes[0], s->len[0]}, pg_string(s->name[1]), {s->bytes[1], s->len[1]},
	    pg_int4(DIALOGS_DAYS, days), pg_string(w->dial), pg_string(w->helpline)};

	return pg_ask(pg, &sql_keep, values, dialogs_on_kept, &q, sizeof q);
}

static const uint32_t find_types[] = {PG_BYTEA};
static const struct pg_sql sql_find = {"dialogs_find",
    "select menu_name, menu, services_name, services, dial, helpline from dialog where hash = $1", 1,
    find_types};

static void dialogs_on_found(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct dialogs_quest *q = arg;
	struct dialog_source s = {0};
	struct words w = {0};

	if (r == KZ_OK && !pg_rows(reply, 0))
		r = KZ_NOT_FOUND;
	for (int i = 0; r == KZ_OK && i < 2; i++) {
		s.name[i] = (char *)(uintptr_t)pg_text(reply, 0, 0, 2 * i, NULL);
		s.bytes[i] = (char *)(uintptr_t)pg_text(reply, 0, 0, 2 * i + 1, &s.len[i]);
	}
	if (r == KZ_OK)
		w = (struct words){pg_text(reply, 0, 0, 4, NULL), pg_text(reply, 0, 0, 5, NULL)};
	q->found(q->arg, r, &s, &w);
}

enum kz dialogs_find(struct pg *pg, const uint8_t hash[DIALOG_HASH], dialogs_found_fn *done, void *arg)
{
	const struct dialogs_quest q = {.found = done, .arg = arg};
	const struct pg_value value = {hash, DIALOG_HASH};

	return pg_ask(pg, &sql_find, &value, dialogs_on_found, &q, sizeof q);
}
