/* dialogs in a real PostgreSQL: kept by their hash, found, forgotten when nobody has them any more. */
#include "store_rig.h"

#include "store/dialogs.h"

struct told {
	int count;
	enum kz r;
	char text[2][32];
	size_t len[2];
	char words[32];
};

static void on_done(void *arg, enum kz r)
{
	struct told *t = arg;

	t->count++;
	t->r = r;
}

static void on_found(void *arg, enum kz r, const struct dialog_source *s, const struct words *w)
{
	struct told *t = arg;

	on_done(t, r);
	for (int i = 0; r == KZ_OK && i < 2; i++) {
		snprintf(t->text[i], sizeof t->text[i], "%s %s", s->name[i], s->bytes[i]);
		t->len[i] = s->len[i];
	}
	if (r == KZ_OK)
		snprintf(t->words, sizeof t->words, "%s %s", w->dial, w->helpline);
}

static void keep(struct store_rig *g, uint8_t first, const char *menu)
{
	char *texts[] = {strdup("m.yaml"), strdup("s.yaml"), strdup(menu), strdup("types:")};
	const uint8_t hash[DIALOG_HASH] = {first};
	const struct dialog_source s = {{texts[0], texts[1]}, {texts[2], texts[3]}, {strlen(menu), 6}};
	struct told t = {0};

	assert_int_equal(dialogs_keep(g->pg, hash, &s, &(struct words){"555", "7000"}, on_done, &t), KZ_OK);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_OK);
	for (int i = 0; i < 4; i++)
		free(texts[i]);
}

static struct told find(struct store_rig *g, uint8_t first)
{
	const uint8_t hash[DIALOG_HASH] = {first};
	struct told t = {0};

	assert_int_equal(dialogs_find(g->pg, hash, on_found, &t), KZ_OK);
	assert_int_equal(t.count, 0);
	servers_await(g->loop, &t.count, 1);
	return t;
}

static void dialog__kept__found_as_it_was_written(void **state)
{
	struct store_rig *g = *state;

	keep(g, 1, "dialog: a");
	keep(g, 1, "dialog: a");
	const struct told t = find(g, 1);
	assert_int_equal(t.r, KZ_OK);
	assert_string_equal(t.text[0], "m.yaml dialog: a");
	assert_string_equal(t.text[1], "s.yaml types:");
	assert_int_equal(t.len[0], 9);
	assert_string_equal(t.words, "555 7000");
	assert_int_equal(find(g, 2).r, KZ_NOT_FOUND);
}

static void dialog__in_force_nowhere_for_a_month__forgotten(void **state)
{
	struct store_rig *g = *state;

	keep(g, 1, "dialog: a");
	keep(g, 2, "dialog: b");
	store_sql(g, "update dialog set seen_at = now() - interval '31 days'");
	keep(g, 2, "dialog: b");
	assert_int_equal(find(g, 1).r, KZ_NOT_FOUND);
	assert_int_equal(find(g, 2).r, KZ_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(dialog__kept__found_as_it_was_written),
	    STORE_CASE(dialog__in_force_nowhere_for_a_month__forgotten),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, store_group_setup, servers_teardown);
}
