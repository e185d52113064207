/* The digits themselves never leave the program: the database counts first and says what they should be. To
 * count after the comparison was rejected: as many guesses as can be under way at once would be free. */
#include "store/tries.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/pg_array.h"

#define PIN_COLUMNS  4
#define PINS_WAIT_MS 2

struct tries {
	struct batch *pins;
	struct pg_array columns[PIN_COLUMNS];
};

struct try_quest {
	tries_take_fn *taken;
	void *arg;
};

/* Owned by its batch until it is answered. */
struct pin_quest {
	struct batch_item item;
	struct pin_wish wish;
	tries_pin_fn *done;
	void *arg;
};

static const uint32_t take_types[] = {PG_INT8, PG_INT4, PG_INT8, PG_INT4, PG_INT4, PG_INT4, PG_BOOL};
static const struct pg_sql sql_take = {
    "tries_take", "select again_at, left_n from caller_try_take($1, $2, $3, $4, $5, $6, $7)", 7, take_types};

/* Rows are locked by rising phones, whatever the order of the questions: two daemons never wait for each
 * other. "offset 0": sorted before, and not as the planner likes. */
static const uint32_t pin_types[] = {
    PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT8_ARRAY, PG_INT4, PG_INT4, PG_INT4, PG_INT4, PG_BOOL};
static const struct pg_sql sql_pin = {"tries_pin",
    "select q.i - 1, p.again_at, p.left_n, p.last4, p.region, p.before from (select * from"
    "  unnest($1, $2, $3, $4) with ordinality u(phone, application, referral, token, i) order by phone "
    "offset 0) q"
    " join lateral (select * from caller_pin(q.phone, q.application, q.referral, q.token, $5, $6, $7, $8, $9)"
    "  offset 0) p on true",
    9, pin_types};

static const uint32_t forget_types[] = {PG_INT8, PG_INT4};
static const struct pg_sql sql_forget = {
    "tries_forget", "delete from caller_try where phone = $1 and kind = $2", 2, forget_types};

#define LAW_VALUES 5

struct law_room {
	uint8_t kind[4], most[4], within[4], day[4], locks;
};

/* Kind and law, as both functions end with them. */
static void law_put(enum try_kind k, struct law_room *room, struct pg_value *ret)
{
	const struct try_law *law = try_law(k);

	room->locks = law->locks;
	ret[0] = pg_int4((int32_t)k, room->kind);
	ret[1] = pg_int4((int32_t)law->most, room->most);
	ret[2] = pg_int4(law->within_s, room->within);
	ret[3] = pg_int4((int32_t)law->most_day, room->day);
	ret[4] = (struct pg_value){&room->locks, 1};
}

static struct try_state try_read(const struct pg_reply *reply, size_t row, int at)
{
	return (struct try_state){pg_wall_us(reply, 0, row, at), (unsigned)pg_int(reply, 0, row, at + 1)};
}

static void tries_on_taken(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct try_quest *q = arg;

	q->taken(q->arg, r, try_read(reply, 0, 0));
}

enum kz tries_take(
    struct pg *pg, int64_t phone, enum try_kind k, int64_t token, tries_take_fn *done, void *arg)
{
	const struct try_quest q = {done, arg};
	struct pg_value values[3 + LAW_VALUES - 1];
	struct pg_value law[LAW_VALUES];
	uint8_t first[8], second[8];
	struct law_room room;

	law_put(k, &room, law);
	values[0] = pg_int8(phone, first);
	values[1] = law[0];
	values[2] = pg_int8(token, second);
	for (int i = 1; i < LAW_VALUES; i++)
		values[2 + i] = law[i];
	return pg_ask(pg, &sql_take, values, tries_on_taken, &q, sizeof q);
}

static void tries_build_pins(void *arg, const struct list *items, struct pg_job *job)
{
	struct tries *t = arg;
	struct pg_value values[PIN_COLUMNS + LAW_VALUES];
	struct law_room room;

	for (int i = 0; i < PIN_COLUMNS; i++)
		pg_array_start(&t->columns[i], PG_INT8);
	for (struct list_node *n = list_first(items); n; n = list_next(items, n)) {
		const struct pin_wish *w = &list_entry(n, struct pin_quest, item.node)->wish;
		const int64_t of[PIN_COLUMNS] = {
		    w->phone, (int64_t)w->application, (int64_t)w->referral, w->token};

		for (int i = 0; i < PIN_COLUMNS; i++)
			pg_array_int(&t->columns[i], of[i]);
	}
	for (int i = 0; i < PIN_COLUMNS; i++)
		values[i] = pg_array_value(&t->columns[i]);
	law_put(TRY_PIN, &room, &values[PIN_COLUMNS]);
	pg_job_add(job, &sql_pin, values);
}

static void tries_on_pin(
    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index)
{
	struct pin_quest *q = list_entry(item, struct pin_quest, item);
	size_t row = r == KZ_OK ? batch_row(reply, 0, index) : 0;
	struct pin_facts f = {.last4 = "", .region = ""};

	(void)arg;
	if (r == KZ_OK && row < pg_rows(reply, 0))
		f = (struct pin_facts){.state = try_read(reply, row, 1),
		    .last4 = pg_text(reply, 0, row, 3, NULL),
		    .region = pg_text(reply, 0, row, 4, NULL),
		    .before = pg_int(reply, 0, row, 5) != 0};
	else if (r == KZ_OK)
		r = KZ_NOT_FOUND;
	q->done(q->arg, r, &f);
	free(q);
}

static const struct batch_kind pins_kind = {"pin", tries_build_pins, tries_on_pin};

struct tries *tries_new(struct loop *l, struct pg *pg)
{
	static const struct batch_limits limits = {TRIES_PINS, PINS_WAIT_MS, 1};
	struct tries *t = mem_new(sizeof *t);

	t->pins = batch_new(l, pg, &pins_kind, &limits, t);
	return t;
}

void tries_free(struct tries *t)
{
	struct batch_item *item;

	if (!t)
		return;
	batch_stop(t->pins);
	while ((item = batch_take_waiting(t->pins)) != NULL)
		free(list_entry(item, struct pin_quest, item));
	batch_free(t->pins);
	for (int i = 0; i < PIN_COLUMNS; i++)
		pg_array_fini(&t->columns[i]);
	free(t);
}

void tries_pin(struct tries *t, const struct pin_wish *w, tries_pin_fn *done, void *arg)
{
	struct pin_quest *q = mem_new(sizeof *q);

	*q = (struct pin_quest){.wish = *w, .done = done, .arg = arg};
	batch_add(t->pins, &q->item);
}

static void tries_on_forgotten(void *arg, enum kz r, const struct pg_reply *reply)
{
	(void)arg;
	(void)r;
	(void)reply;
}

void tries_forget(struct pg *pg, int64_t phone, enum try_kind k)
{
	uint8_t first[8], second[4];
	const struct pg_value values[] = {pg_int8(phone, first), pg_int4((int32_t)k, second)};

	if (pg_ask(pg, &sql_forget, values, tries_on_forgotten, &k, sizeof k) != KZ_OK)
		return;
}
