/* A list is asked for when somebody wants it and the one that is kept is too old; who wants it meanwhile
 * waits for the same answer. Kept in memory and not in Redis: each daemon asks once in three seconds, and
 * Redis may be away. */
#include "store/vacancies.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/pg_array.h"
#include "text/utf8.h"

struct waiter {
	struct list_node node;
	vacancies_fn *done;
	void *arg;
};

struct shelf {
	struct list_node node;
	struct map_node by_kind;
	struct vacancies *vacancies;
	struct vacancy_kind kind;
	int64_t fresh_until_ms;
	uint64_t ticket; /* of the question that is out, 0: none */
	struct list waiters;
	struct vacancy_list list;
};

struct vacancies {
	struct loop *loop;
	struct pg *pg;
	struct map kinds;
	struct list shelves; /* the one that was asked for last is the last */
};

static const uint32_t list_types[] = {PG_INT8, PG_INT4, PG_INT4, PG_INT4, PG_BOOL, PG_TIMESTAMPTZ};
static const struct pg_sql sql_list = {"vacancies_list",
    "select g.id, k.name_kk, k.name_ru, k.name_en, v.free, g.age_from, g.age_to, k.district, g.language,"
    " v.released_at, v.priority_until from kindergarten k"
    " join lateral (select * from play_group x where x.kindergarten = k.id and x.age_from <= $2 and $2 < "
    "x.age_to"
    "  and ($4 = 0 or $4 & (1 << x.language) <> 0) offset 0) g on true"
    " join lateral (select * from vacancy x where x.play_group = g.id and x.free > 0 offset 0) v on true"
    " where k.district = $1"
    " order by v.released_at <= $6 and ($5 or coalesce(v.priority_until <= $6, true)) desc, v.free desc, g.id"
    " limit $3",
    6, list_types};

/* From the column on: free places, ages, district, language, times. */
static struct place_vacancy vacancy_read(const struct pg_reply *reply, size_t row, int at)
{
	return (struct place_vacancy){.free = (uint32_t)pg_int(reply, 0, row, at),
	    .age_from = (int)pg_int(reply, 0, row, at + 1),
	    .age_to = (int)pg_int(reply, 0, row, at + 2),
	    .district = pg_int(reply, 0, row, at + 3),
	    .language = (enum language)pg_int(reply, 0, row, at + 4),
	    .released_us = pg_wall_us(reply, 0, row, at + 5),
	    .priority_until_us = pg_wall_us(reply, 0, row, at + 6)};
}

static void shelf_read(struct shelf *s, const struct pg_reply *reply)
{
	s->list.n = pg_rows(reply, 0);
	for (size_t i = 0; i < s->list.n; i++) {
		struct vacancy_row *r = &s->list.rows[i];

		r->group = (uint64_t)pg_int(reply, 0, i, 0);
		for (int l = 0; l < LANGUAGES; l++)
			utf8_cut(r->names[l], VACANCIES_NAME, pg_text(reply, 0, i, 1 + l, NULL));
		r->place = vacancy_read(reply, i, 1 + LANGUAGES);
	}
}

/* Who asks again from inside finds the list fresh, or waits anew. */
static void shelf_tell(struct shelf *s, enum kz r)
{
	struct list waiters;
	struct list_node *n;

	list_init(&waiters);
	while ((n = list_first(&s->waiters)) != NULL) {
		list_remove(&s->waiters, n);
		list_append(&waiters, n);
	}
	while ((n = list_first(&waiters)) != NULL) {
		struct waiter *w = list_entry(n, struct waiter, node);

		list_remove(&waiters, n);
		w->done(w->arg, r, &s->list);
		free(w);
	}
}

static void shelf_on_list(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct shelf *s = arg;

	s->ticket = 0;
	if (r == KZ_OK) {
		shelf_read(s, reply);
		s->fresh_until_ms = loop_now_ms(s->vacancies->loop) + VACANCIES_FRESH;
	}
	shelf_tell(s, r == KZ_OK ? KZ_OK : KZ_LOST);
}

static enum kz shelf_ask(struct shelf *s)
{
	struct pg_job *job = pg_job_new(s->vacancies->pg, shelf_on_list, s);
	uint8_t district[8], age[4], most[4], languages[4], at[8];
	const uint8_t privileged = s->kind.privileged;
	const int64_t now_us = loop_clock(s->vacancies->loop)->wall_us();
	const struct pg_value values[] = {pg_int8(s->kind.district, district), pg_int4(s->kind.age, age),
	    pg_int4(VACANCIES_ROWS, most), pg_int4((int32_t)s->kind.languages, languages), {&privileged, 1},
	    pg_timestamp(now_us, at)};

	s->list.at_us = now_us;
	pg_job_add(job, &sql_list, values);
	return pg_job_run(job, &s->ticket);
}

static bool shelf_is_of(const struct map_node *n, const void *key)
{
	const struct vacancy_kind *a = &map_entry(n, struct shelf, by_kind)->kind, *b = key;

	return a->district == b->district && a->age == b->age && a->languages == b->languages &&
	       a->privileged == b->privileged;
}

static uint64_t kind_hash(const struct vacancy_kind *k)
{
	const int64_t of[] = {k->district, k->age, (int64_t)k->languages, k->privileged};

	return map_hash_bytes(of, sizeof of);
}

static void shelf_free(struct shelf *s)
{
	struct list_node *n;

	if (s->ticket)
		pg_job_cancel(s->vacancies->pg, s->ticket);
	while ((n = list_first(&s->waiters)) != NULL) {
		list_remove(&s->waiters, n);
		free(list_entry(n, struct waiter, node));
	}
	map_remove(&s->vacancies->kinds, &s->by_kind);
	list_remove(&s->vacancies->shelves, &s->node);
	free(s);
}

/* The one that nobody asked for the longest makes room. NULL: all are being asked. */
static struct shelf *shelf_new(struct vacancies *v, const struct vacancy_kind *k)
{
	struct list_node *n = list_first(&v->shelves);
	struct shelf *s;

	while (v->shelves.count >= VACANCIES_KEPT && n && list_entry(n, struct shelf, node)->ticket)
		n = list_next(&v->shelves, n);
	if (v->shelves.count >= VACANCIES_KEPT && !n)
		return NULL;
	if (v->shelves.count >= VACANCIES_KEPT)
		shelf_free(list_entry(n, struct shelf, node));
	s = mem_new(sizeof *s);
	s->vacancies = v;
	s->kind = *k;
	map_put(&v->kinds, &s->by_kind, kind_hash(k));
	list_init(&s->waiters);
	list_append(&v->shelves, &s->node);
	return s;
}

enum kz vacancies_ask(struct vacancies *v, const struct vacancy_kind *k, vacancies_fn *done, void *arg)
{
	struct map_node *n = map_get(&v->kinds, kind_hash(k), k);
	struct shelf *s = n ? map_entry(n, struct shelf, by_kind) : shelf_new(v, k);
	struct waiter *w;

	if (!s)
		return KZ_BUSY;
	list_remove(&v->shelves, &s->node);
	list_append(&v->shelves, &s->node);
	if (loop_now_ms(v->loop) < s->fresh_until_ms) {
		done(arg, KZ_OK, &s->list);
		return KZ_OK;
	}
	if (!s->ticket && shelf_ask(s) != KZ_OK)
		return KZ_BUSY;
	w = mem_new(sizeof *w);
	w->done = done;
	w->arg = arg;
	list_append(&s->waiters, &w->node);
	return KZ_OK;
}

struct vacancies *vacancies_new(struct loop *l, struct pg *pg)
{
	struct vacancies *v = mem_new(sizeof *v);

	v->loop = l;
	v->pg = pg;
	map_init(&v->kinds, shelf_is_of);
	list_init(&v->shelves);
	return v;
}

void vacancies_free(struct vacancies *v)
{
	struct list_node *n;

	if (!v)
		return;
	while ((n = list_first(&v->shelves)) != NULL)
		shelf_free(list_entry(n, struct shelf, node));
	map_fini(&v->kinds);
	free(v);
}

struct vacancy_quest {
	vacancy_fn *got;
	garden_each_fn *each;
	garden_done_fn *done;
	void *arg;
};

#define CONFIRMED(phone)                                                                                     \
	"((a.phone1 = " phone " and a.verified & 1 <> 0) or (a.phone2 = " phone " and a.verified & 2 <> 0))"

static const uint32_t get_types[] = {PG_INT8, PG_INT8, PG_INT8};
static const struct pg_sql sql_get = {"vacancy_get",
    "select k.id, k.name_kk, k.name_ru, k.name_en, coalesce(v.free, 0), g.age_from, g.age_to, k.district, "
    "g.language,"
    " v.released_at, v.priority_until, d.region, a.category, k.district = a.district, coalesce(" CONFIRMED(
        "$3") ", false)"
              " from application a join lateral (select * from district x where x.id = a.district offset 0) "
              "d on true"
              " join lateral (select * from play_group x where x.id = $2 offset 0) g on true"
              " join lateral (select * from kindergarten x where x.id = g.kindergarten offset 0) k on true"
              " left join lateral (select * from vacancy x where x.play_group = g.id offset 0) v on true "
              "where a.number = $1",
    3, get_types};

static void vacancy_on_get(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct vacancy_quest *q = arg;
	struct vacancy_facts f = {.kindergarten = (uint64_t)pg_int(reply, 0, 0, 0)};
	int at = 1;

	for (int l = 0; l < LANGUAGES; l++)
		f.names[l] = pg_text(reply, 0, 0, at++, NULL);
	f.place = vacancy_read(reply, 0, at);
	f.region = pg_text(reply, 0, 0, at + 7, NULL);
	f.category = pg_text(reply, 0, 0, at + 8, NULL);
	f.own = pg_int(reply, 0, 0, at + 9) != 0;
	f.confirmed = pg_int(reply, 0, 0, at + 10) != 0;
	q->got(q->arg, r == KZ_OK && !pg_rows(reply, 0) ? KZ_NOT_FOUND : r, &f);
}

enum kz vacancy_get(
    struct pg *pg, uint64_t application, uint64_t group, int64_t phone, vacancy_fn *done, void *arg)
{
	const struct vacancy_quest q = {.got = done, .arg = arg};
	uint8_t first[8], second[8], third[8];
	const struct pg_value values[] = {
	    pg_int8((int64_t)application, first), pg_int8((int64_t)group, second), pg_int8(phone, third)};

	return pg_ask(pg, &sql_get, values, vacancy_on_get, &q, sizeof q);
}

/* Groups that are a year too old for it are as good to watch; who may take is judged then. */
static const uint32_t garden_types[] = {PG_INT8, PG_INT8, PG_INT4, PG_INT4};
static const struct pg_sql sql_gardens = {"garden_list",
    "select k.id, k.name_kk, k.name_ru, k.name_en from application a"
    " left join lateral (select k.*, c.moves from kindergarten k"
    "  join lateral (select max(v.seq) as moves, count(*) as n from play_group g"
    "   left join lateral (select x.seq from vacancy x where x.play_group = g.id offset 0) v on true"
    "   where g.kindergarten = k.id and g.age_from <= $4 + 1 and $4 < g.age_to"
    "    and (a.groups = 0 or a.groups & (1 << g.language) <> 0)) c on c.n > 0"
    "  where k.district = a.district and not exists"
    "   (select from watcher w where w.application = a.number and w.kindergarten = k.id)"
    "  order by c.moves desc nulls last, k.id limit $3) k on true"
    " where a.number = $1 and " CONFIRMED("$2") " order by k.moves desc nulls last, k.id",
    4, garden_types};

static void vacancy_on_gardens(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct vacancy_quest *q = arg;
	size_t n = r == KZ_OK ? pg_rows(reply, 0) : 0;
	const char *names[LANGUAGES];

	for (size_t i = 0; i < n; i++) {
		for (int l = 0; l < LANGUAGES; l++)
			names[l] = pg_text(reply, 0, i, 1 + l, NULL);
		if (!pg_is_null(reply, 0, i, 0))
			q->each(q->arg, (uint64_t)pg_int(reply, 0, i, 0), names);
	}
	q->done(q->arg, r == KZ_OK && !n ? KZ_NOT_FOUND : r);
}

enum kz garden_list(struct pg *pg, const struct garden_wish *w, int most, garden_each_fn *each,
    garden_done_fn *done, void *arg)
{
	const struct vacancy_quest q = {.each = each, .done = done, .arg = arg};
	uint8_t first[8], second[8], third[4], age[4];
	const struct pg_value values[] = {pg_int8((int64_t)w->application, first), pg_int8(w->phone, second),
	    pg_int4(most, third), pg_int4(w->age, age)};

	return pg_ask(pg, &sql_gardens, values, vacancy_on_gardens, &q, sizeof q);
}
