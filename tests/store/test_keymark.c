/* keymark on a real PostgreSQL: the first keyring is the database's. */
#include "store_rig.h"

#include "store/keymark.h"

struct answer {
	int count;
	enum kz r;
};

static void on_answer(void *arg, enum kz r)
{
	struct answer *a = arg;

	a->count++;
	a->r = r;
}

static enum kz check(struct store_rig *g, const struct keyring *k)
{
	struct answer a = {0};

	assert_int_equal(keymark_check(g->pg, k, on_answer, &a), KZ_OK);
	assert_int_equal(a.count, 0);
	servers_await(g->loop, &a.count, 1);
	return a.r;
}

static void check__the_first_and_with_more_keys__good_and_another_is_not(void **state)
{
	static const char other_keys[] =
	    "lookup 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n" STORE_KEY;
	struct store_rig *g = *state;
	struct faults faults = {0};
	struct keyring *more =
	    store_keyring(STORE_KEY "2 6b657a656b206b657a656b206b657a656b206b657a656b206b657a656b20ffff\n");
	struct keyring *other = keyring_parse("other", other_keys, sizeof other_keys - 1, &faults);

	assert_int_equal(check(g, g->keyring), KZ_OK);
	assert_int_equal(check(g, g->keyring), KZ_OK);
	assert_int_equal(check(g, more), KZ_OK);
	assert_int_equal(check(g, other), KZ_CONFLICT);
	assert_int_equal(store_int(g, "select count(*) from keymark"), 1);
	store_sql(g, "update keymark set mark = ''");
	assert_int_equal(check(g, g->keyring), KZ_CONFLICT);
	store_sql(g, "delete from keymark");
	assert_int_equal(check(g, other), KZ_OK);
	assert_int_equal(check(g, g->keyring), KZ_CONFLICT);
	keyring_free(more);
	keyring_free(other);
}

/* It starts also while commits wait for a standby that is away. */
static void check__commits_wait_for_a_standby__answered_all_the_same(void **state)
{
	struct store_rig *g = *state;

	store_sql(g, "delete from keymark");
	assert_int_equal(check(g, g->keyring), KZ_OK);
	servers_set_standby("nobody");
	assert_int_equal(check(g, g->keyring), KZ_OK);
	servers_set_standby("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(check__the_first_and_with_more_keys__good_and_another_is_not),
	    STORE_CASE(check__commits_wait_for_a_standby__answered_all_the_same),
	};

	return store_main("keymark", tests, sizeof tests / sizeof *tests);
}
