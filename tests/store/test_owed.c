/* SMS that are owed, in a real PostgreSQL: each is taken by one at a time, until its end. */
#include "store_rig.h"

#include "store/owed.h"

struct told {
	int count;
	enum kz r;
	size_t n;
	struct owed_due last;
	char text[64]; /* of the last; "": it could not be opened */
};

static void on_each(void *arg, const struct owed_due *o)
{
	struct told *t = arg;

	t->last = *o;
	t->last.text = NULL;
	snprintf(t->text, sizeof t->text, "%s", o->text ? o->text : "");
}

static void on_done(void *arg, enum kz r, size_t n)
{
	struct told *t = arg;

	t->count++;
	t->r = r;
	t->n = n;
}

static struct told take_with(struct store_rig *g, const struct keyring *k)
{
	struct told t = {0};

	assert_int_equal(owed_take(g->pg, k, store_wall_us(), on_each, on_done, &t), KZ_OK);
	assert_int_equal(t.count, 0);
	servers_await(g->loop, &t.count, 1);
	assert_int_equal(t.r, KZ_OK);
	return t;
}

static struct told take(struct store_rig *g)
{
	return take_with(g, g->keyring);
}

static void on_added(void *arg, enum kz r)
{
	assert_int_equal(r, KZ_OK);
	++*(int *)arg;
}

static void add(struct store_rig *g, int64_t token, const char *text)
{
	struct owed o = {0};
	int added = 0;

	if (text)
		owed_seal(g->keyring, token, (struct msisdn){77011234567}, LANGUAGE_RU, text, &o);
	assert_int_equal(owed_add(g->pg, &o, on_added, &added), KZ_OK);
	owed_fini(&o);
	servers_await(g->loop, &added, 1);
}

static void owed__taken__shown_as_it_was_sealed_and_gone_at_its_end(void **state)
{
	struct store_rig *g = *state;

	add(g, -7, "Готово");
	struct told t = take(g);
	assert_int_equal(t.n, 1);
	assert_true(t.last.token == -7 && t.last.to.digits == 77011234567 && t.last.language == LANGUAGE_RU);
	assert_string_equal(t.text, "Готово");
	assert_true(t.last.at_us > store_wall_us() - 60000000);
	owed_end(g->pg, -7);
	store_drain(g);
	assert_int_equal(store_int(g, "select count(*) from owed"), 0);
}

static void owed__twice_under_one_token__the_first_stands(void **state)
{
	struct store_rig *g = *state;

	add(g, 7, "one");
	add(g, 7, "two");
	struct told t = take(g);
	assert_int_equal(t.n, 1);
	assert_string_equal(t.text, "one");
}

static void owed__nothing__no_row(void **state)
{
	struct store_rig *g = *state;

	add(g, 7, NULL);
	assert_int_equal(store_int(g, "select count(*) from owed"), 0);
}

static void owed__taken_and_left__due_again_ever_later(void **state)
{
	struct store_rig *g = *state;

	add(g, 7, "one");
	for (int tries = 0; tries < 9; tries++) {
		int wait_s = OWED_WAIT_S << (tries < 6 ? tries : 6);

		assert_int_equal(take(g).n, 1);
		store_skip_us += (wait_s - 2) * INT64_C(1000000);
		assert_int_equal(take(g).n, 0);
		store_skip_us += INT64_C(3000000);
	}
}

static void owed__row_that_another_takes__passed_over(void **state)
{
	struct store_rig *g = *state;

	add(g, 7, "one");
	add(g, 8, "two");
	store_sql(g, "begin");
	store_sql(g, "select from owed where token = 7 for update");
	struct told t = take(g);
	store_sql(g, "rollback");
	assert_int_equal(t.n, 1);
	assert_int_equal(t.last.token, 8);
}

static void owed__more_than_a_page__the_rest_next(void **state)
{
	struct store_rig *g = *state;

	add(g, 1, "one");
	store_sql(g, "insert into owed (token, sealed) select n, sealed from owed, generate_series(2, %d) n",
	    OWED_PAGE + 1);
	assert_int_equal(take(g).n, OWED_PAGE);
	assert_int_equal(take(g).n, 1);
}

static void owed__key_gone_or_another_row__not_opened(void **state)
{
	struct store_rig *g = *state;
	struct keyring *other =
	    store_keyring("2 6b657a656b206b657a656b206b657a656b206b657a656b206b657a656b206b65\n");

	add(g, 7, "one");
	assert_string_equal(take_with(g, other).text, "");
	keyring_free(other);
	store_sql(g, "update owed set token = 8, due_at = '-infinity'");
	struct told t = take(g);
	assert_int_equal(t.n, 1);
	assert_string_equal(t.text, "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    STORE_CASE(owed__taken__shown_as_it_was_sealed_and_gone_at_its_end),
	    STORE_CASE(owed__twice_under_one_token__the_first_stands),
	    STORE_CASE(owed__nothing__no_row),
	    STORE_CASE(owed__taken_and_left__due_again_ever_later),
	    STORE_CASE(owed__row_that_another_takes__passed_over),
	    STORE_CASE(owed__more_than_a_page__the_rest_next),
	    STORE_CASE(owed__key_gone_or_another_row__not_opened),
	};

	return store_main("owed", tests, sizeof tests / sizeof *tests);
}
