/* The digits themselves never leave the program: the database counts first and says what they should be. To
 * count after the comparison was rejected: as many guesses as can be under way at once would be free. */
#include "store/tries.h"

#include "store/pg_array.h"

struct try_quest {
	tries_take_fn *taken;
	tries_pin_fn *pinned;
	void *arg;
};

static const uint32_t take_types[] = {PG_INT8, PG_INT4, PG_INT8, PG_INT4, PG_INT4, PG_INT4, PG_BOOL};
static const struct pg_sql sql_take = {
    "tries_take", "select again_at, left_n from caller_try_take($1, $2, $3, $4, $5, $6, $7)", 7, take_types};

static const uint32_t pin_types[] = {
    PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT4, PG_INT4, PG_INT4, PG_INT4, PG_BOOL};
static const struct pg_sql sql_pin = {"tries_pin",
    "select again_at, left_n, last4, region, before from caller_pin($1, $2, $3, $4, $5, $6, $7, $8, $9)", 9,
    pin_types};

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

static struct try_state try_read(const struct pg_reply *reply)
{
	return (struct try_state){pg_wall_us(reply, 0, 0, 0), (unsigned)pg_int(reply, 0, 0, 1)};
}

static void tries_on_taken(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct try_quest *q = arg;

	q->taken(q->arg, r, try_read(reply));
}

enum kz tries_take(
    struct pg *pg, int64_t phone, enum try_kind k, int64_t token, tries_take_fn *done, void *arg)
{
	const struct try_quest q = {.taken = done, .arg = arg};
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

static void tries_on_pin(void *arg, enum kz r, const struct pg_reply *reply)
{
	const struct try_quest *q = arg;
	const struct pin_facts f = {.last4 = pg_text(reply, 0, 0, 2, NULL),
	    .region = pg_text(reply, 0, 0, 3, NULL),
	    .before = pg_int(reply, 0, 0, 4) != 0,
	    .state = try_read(reply)};

	q->pinned(q->arg, r == KZ_OK && !pg_rows(reply, 0) ? KZ_NOT_FOUND : r, &f);
}

enum kz tries_pin(struct pg *pg, const struct pin_wish *w, tries_pin_fn *done, void *arg)
{
	const struct try_quest q = {.pinned = done, .arg = arg};
	struct pg_value values[4 + LAW_VALUES];
	uint8_t rooms[4][8];
	struct law_room room;

	values[0] = pg_int8(w->phone, rooms[0]);
	values[1] = pg_int8((int64_t)w->application, rooms[1]);
	values[2] = pg_int8((int64_t)w->referral, rooms[2]);
	values[3] = pg_int8(w->token, rooms[3]);
	law_put(TRY_PIN, &room, &values[4]);
	return pg_ask(pg, &sql_pin, values, tries_on_pin, &q, sizeof q);
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
