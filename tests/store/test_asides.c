/* asides in a real PostgreSQL: kept octet by octet, told when they are, refused when they cannot be. */
#include "store_rig.h"

#include "store/asides.h"

struct kept {
	struct aside_row row;
	int count;
	enum kz r;
};

static void on_kept(struct aside_row *row, enum kz r)
{
	struct kept *k = list_entry(row, struct kept, row);

	k->count++;
	k->r = r;
}

static void keep_begin(
    struct asides *a, struct kept *k, const char *carrier, const char *what, const char *body, size_t n)
{
	*k = (struct kept){.row = {.at_us = 1767225630000000,
	                       .carrier = carrier,
	                       .what = what,
	                       .body = body,
	                       .body_n = n,
	                       .done = on_kept}};
	asides_keep(a, &k->row);
	assert_int_equal(k->count, 0);
}

static void asides_keep__any_octets__as_they_came(void **state)
{
	struct store_rig *g = *state;
	struct asides *a = asides_new(g->loop, g->pg);
	struct kept all[2];

	keep_begin(a, &all[0], "beeline", "no id", "id\0\xff:", 5);
	keep_begin(a, &all[1], "beeline", "empty", "", 0);
	for (int i = 0; i < 2; i++) {
		servers_await(g->loop, &all[i].count, 1);
		assert_int_equal(all[i].r, KZ_OK);
	}
	assert_string_equal(
	    store_sql(g, "select string_agg(concat_ws('|', extract(epoch from at)::bigint, carrier, what,"
	                 " encode(body, 'hex')), ' ' order by what desc) from receipt_aside"),
	    "1767225630|beeline|no id|696400ff3a 1767225630|beeline|empty|");
	asides_free(a);
}

static void asides_keep__one_refused__its_neighbours_are_kept(void **state)
{
	struct store_rig *g = *state;
	struct asides *a = asides_new(g->loop, g->pg);
	struct kept all[3];

	keep_begin(a, &all[0], "beeline", "x", "1", 1);
	keep_begin(a, &all[1], "beeline", "not \xff UTF-8", "2", 1);
	keep_begin(a, &all[2], "beeline", "x", "3", 1);
	for (int i = 0; i < 3; i++) {
		servers_await(g->loop, &all[i].count, 1);
		assert_int_equal(all[i].r, i == 1 ? KZ_REFUSED : KZ_OK);
	}
	assert_int_equal(store_int(g, "select count(*) from receipt_aside"), 2);
	asides_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(asides_keep__any_octets__as_they_came),
	    STORE_CASE(asides_keep__one_refused__its_neighbours_are_kept),
	};

	return store_main("asides", tests, sizeof tests / sizeof *tests);
}
