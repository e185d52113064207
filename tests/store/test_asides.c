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

struct shown {
	int count;
	struct buf text;
};

static void on_each(void *arg, const struct aside_read *a)
{
	struct shown *s = arg;
	char hex[64] = "sealed";

	if (a->body)
		secret_hex(a->body, a->body_n, hex);
	buf_printf(&s->text, "%lld|%s|%s|%s ", (long long)a->at_us, a->carrier, a->what, hex);
}

static void on_shown(void *arg, enum kz r)
{
	struct shown *s = arg;

	assert_int_equal(r, KZ_OK);
	s->count++;
}

static void read_back(struct store_rig *g, const char *expected)
{
	struct shown s = {0};

	assert_int_equal(asides_read(g->pg, g->keyring, 2, on_each, on_shown, &s), KZ_OK);
	servers_await(g->loop, &s.count, 1);
	assert_string_equal(buf_text(&s.text), expected);
	buf_fini(&s.text);
}

static void asides_keep__any_octets__as_they_came(void **state)
{
	struct store_rig *g = *state;
	struct asides *a = asides_new(g->loop, g->pg, g->keyring);
	struct kept all[2];

	keep_begin(a, &all[0], "beeline", "no id", "id\0\xff:", 5);
	keep_begin(a, &all[1], "beeline", "empty", "", 0);
	for (int i = 0; i < 2; i++) {
		servers_await(g->loop, &all[i].count, 1);
		assert_int_equal(all[i].r, KZ_OK);
	}
	read_back(g, "1767225630000000|beeline|empty| 1767225630000000|beeline|no id|696400ff3a ");
	asides_free(a);
}

static void asides_read__put_in_anothers_place_or_changed__not_shown(void **state)
{
	struct store_rig *g = *state;
	struct asides *a = asides_new(g->loop, g->pg, g->keyring);
	struct kept all[3];

	for (int i = 0; i < 3; i++) {
		keep_begin(a, &all[i], "beeline", (const char *[]){"a", "b", "c"}[i], "77011234567", 11);
		all[i].row.at_us += i;
	}
	servers_await(g->loop, &all[2].count, 1);
	assert_int_equal(store_int(g, "select count(*) from receipt_aside r where r::text ~ '77011234567|"
	                              "3737303131323334353637'"),
	    0);
	store_sql(g, "update receipt_aside set sealed = (select sealed from receipt_aside where what = 'b')"
	             " where what = 'c'; update receipt_aside set sealed = set_byte(sealed, 20, 0)"
	             " where what = 'b'");
	read_back(g, "1767225630000002|beeline|c|sealed 1767225630000001|beeline|b|sealed ");
	asides_free(a);
}

static void asides_keep__one_refused__its_neighbours_are_kept(void **state)
{
	struct store_rig *g = *state;
	struct asides *a = asides_new(g->loop, g->pg, g->keyring);
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
	    STORE_CASE(asides_read__put_in_anothers_place_or_changed__not_shown),
	    STORE_CASE(asides_keep__one_refused__its_neighbours_are_kept),
	};

	return store_main("asides", tests, sizeof tests / sizeof *tests);
}
