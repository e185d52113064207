/* batches of a kind of the test's own: when they leave, in what order, what a refusal and a stop do; and what
 * a PostgreSQL killed in mid-batch does to messages and events. */
#include "messages_rig.h"

#include "store/events.h"
#include "store/pg_array.h"

#define ITEMS 32

struct item {
	struct batch_item item;
	int n, count;
	enum kz r;
	int64_t commit; /* the transaction that it went in */
	int turn;       /* its place among all answers */
};

struct probe {
	struct batch *batch;
	struct store_rig *rig;
	struct pg_array numbers;
	struct item items[ITEMS];
	int done;
};

/* Fails when an item is 13: division by zero. */
static const struct pg_sql sql_probe = {"probe",
    "select n, 1 / (n - 13), pg_current_xact_id()::text::int8, pg_advisory_xact_lock_shared(4711)"
    " from unnest($1) with ordinality as u(n, place) order by place",
    1, (const uint32_t[]){PG_INT4_ARRAY}};

static void probe_build(void *arg, const struct list *items, struct pg_job *job)
{
	struct probe *p = arg;

	pg_array_start(&p->numbers, PG_INT4);
	for (const struct list_node *at = list_first(items); at; at = list_next(items, at))
		pg_array_int(&p->numbers, list_entry(at, struct item, item.node)->n);
	const struct pg_value value = pg_array_value(&p->numbers);
	pg_job_add(job, &sql_probe, &value);
}

static void probe_done(
    void *arg, struct batch_item *item, enum kz r, const struct pg_reply *reply, size_t index)
{
	struct probe *p = arg;
	struct item *i = list_entry(item, struct item, item);

	i->count++;
	i->r = r;
	i->turn = p->done++;
	if (r != KZ_OK)
		return;
	assert_int_equal(pg_int(reply, 0, index, 0), i->n);
	i->commit = pg_int(reply, 0, index, 2);
}

static const struct batch_kind probe_kind = {"probe", probe_build, probe_done};

static void probe_start(
    struct probe *p, struct store_rig *g, size_t rows, int64_t wait_ms, unsigned in_flight)
{
	const struct batch_limits limits = {.rows = rows, .wait_ms = wait_ms, .in_flight = in_flight};

	*p = (struct probe){.rig = g};
	p->batch = batch_new(g->loop, g->pg, &probe_kind, &limits, p);
}

static void probe_add(struct probe *p, int from, int to)
{
	for (int i = from; i <= to; i++) {
		p->items[i].n = i;
		batch_add(p->batch, &p->items[i].item);
	}
}

static void probe_end(struct probe *p)
{
	batch_free(p->batch);
	pg_array_fini(&p->numbers);
}

/* How many of them lie in the transaction of the first. */
static int probe_together(const struct probe *p, int from, int to)
{
	int n = 0;

	for (int i = from; i <= to; i++)
		n += p->items[i].commit == p->items[from].commit;
	return n;
}

static void hold(struct store_rig *g)
{
	store_sql(g, "select pg_advisory_lock(4711)");
}

static void let_go(struct store_rig *g)
{
	store_sql(g, "select pg_advisory_unlock_all()");
}

static void batch__idle__leaves_whole_at_the_end_of_the_round(void **state)
{
	struct store_rig *g = *state;
	struct probe p;

	probe_start(&p, g, 10, 1000000, 2);
	probe_add(&p, 1, 7);
	assert_int_equal(batch_waiting(p.batch), 7);
	assert_int_equal(p.done, 0);
	servers_await(g->loop, &p.done, 7);
	assert_int_equal(probe_together(&p, 1, 7), 7);
	assert_int_equal(batch_waiting(p.batch) + batch_in_flight(p.batch), 0);
	probe_end(&p);
}

static void batch__more_than_its_rows__full_ones_leave_in_order(void **state)
{
	struct store_rig *g = *state;
	struct probe p;

	hold(g);
	probe_start(&p, g, 4, 1000000, 2);
	probe_add(&p, 1, 10);
	store_settle(g);
	assert_int_equal(batch_in_flight(p.batch), 8);
	assert_int_equal(batch_waiting(p.batch), 2);
	let_go(g);
	servers_await(g->loop, &p.done, 10);
	assert_int_equal(probe_together(&p, 1, 10), 4);
	assert_int_equal(probe_together(&p, 5, 10), 4);
	assert_int_equal(probe_together(&p, 9, 10), 2);
	probe_end(&p);
}

static void batch__busy__waits_for_neighbours_until_its_time(void **state)
{
	struct store_rig *g = *state;
	struct probe p;

	hold(g);
	probe_start(&p, g, 4, 10000, 2);
	probe_add(&p, 1, 1);
	store_settle(g);
	assert_int_equal(batch_in_flight(p.batch), 1);
	probe_add(&p, 2, 3);
	store_settle(g);
	assert_int_equal(batch_in_flight(p.batch), 1);
	store_skip_us += 10000000;
	store_settle(g);
	assert_int_equal(batch_in_flight(p.batch), 3);
	assert_int_equal(batch_waiting(p.batch), 0);
	let_go(g);
	servers_await(g->loop, &p.done, 3);
	assert_int_equal(probe_together(&p, 2, 3), 2);
	probe_end(&p);
}

static void batch__busy__leaves_when_the_one_in_flight_returns(void **state)
{
	struct store_rig *g = *state;
	struct probe p;

	hold(g);
	probe_start(&p, g, 4, 1000000, 1);
	probe_add(&p, 1, 1);
	store_settle(g);
	probe_add(&p, 2, 4);
	store_settle(g);
	assert_int_equal(batch_waiting(p.batch), 3);
	let_go(g);
	servers_await(g->loop, &p.done, 4);
	assert_int_equal(probe_together(&p, 2, 4), 3);
	probe_end(&p);
}

static void probe_add_weights(struct probe *p, int from, const size_t *weights, int n)
{
	for (int i = 0; i < n; i++)
		p->items[from + i].item.weight = weights[i];
	probe_add(p, from, from + n - 1);
}

static void batch__weights__together_no_more_than_the_rows_or_alone(void **state)
{
	struct store_rig *g = *state;
	struct probe p;

	hold(g);
	probe_start(&p, g, 4, 1000000, 9);
	probe_add_weights(&p, 1, (const size_t[]){3, 2, 2, 0, 9, 1, 3, 1}, 8);
	store_settle(g);
	assert_int_equal(batch_in_flight(p.batch), 7);
	assert_int_equal(batch_waiting(p.batch), 1);
	let_go(g);
	servers_await(g->loop, &p.done, 8);
	assert_int_equal(probe_together(&p, 1, 8), 1);
	assert_int_equal(probe_together(&p, 2, 8), 2);
	assert_int_equal(probe_together(&p, 4, 8), 1);
	assert_int_equal(probe_together(&p, 5, 8), 1);
	assert_int_equal(probe_together(&p, 6, 8), 2);
	assert_int_equal(probe_together(&p, 8, 8), 1);
	probe_end(&p);
}

static void batch__busy__leaves_when_the_waiting_weigh_enough(void **state)
{
	struct store_rig *g = *state;
	struct probe p;

	hold(g);
	probe_start(&p, g, 4, 1000000, 2);
	probe_add(&p, 1, 1);
	store_settle(g);
	probe_add_weights(&p, 2, (const size_t[]){2, 1}, 2);
	store_settle(g);
	assert_int_equal(batch_in_flight(p.batch), 1);
	probe_add(&p, 4, 4);
	store_settle(g);
	assert_int_equal(batch_in_flight(p.batch), 4);
	let_go(g);
	servers_await(g->loop, &p.done, 4);
	assert_int_equal(probe_together(&p, 2, 4), 3);
	probe_end(&p);
}

static void batch__heavy_and_poisoned__halved_by_items(void **state)
{
	struct store_rig *g = *state;
	struct probe p;

	probe_start(&p, g, 100, 1000000, 2);
	for (int i = 0; i < 3; i++)
		p.items[12 + i].item.weight = 33;
	probe_add(&p, 12, 14);
	servers_await(g->loop, &p.done, 3);
	for (int i = 12; i <= 14; i++)
		assert_int_equal(p.items[i].r, i == 13 ? KZ_REFUSED : KZ_OK);
	probe_end(&p);
}

static void stop__several_in_flight__in_order_again(void **state)
{
	struct store_rig *g = *state;
	struct probe p;

	hold(g);
	probe_start(&p, g, 2, 1000000, 2);
	probe_add(&p, 1, 5);
	store_settle(g);
	assert_int_equal(batch_in_flight(p.batch), 4);
	batch_stop(p.batch);
	for (int i = 1; i <= 5; i++)
		assert_ptr_equal(batch_take_waiting(p.batch), &p.items[i].item);
	let_go(g);
	probe_end(&p);
}

static void messages__requests_of_many__do_not_share_a_commit(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	g->limits.rows = 4;
	wishes_start(&w, g, 6);
	w.all[0].wish.rows_n = w.all[3].wish.rows_n = 3;
	wishes_keep(&w, 0);
	wishes_keep(&w, 3);
	wishes_await(&w, 2);
	assert_int_equal(w.all[0].r, KZ_OK);
	assert_int_equal(w.all[3].r, KZ_OK);
	assert_int_equal(store_int(g, "select count(*) from message"), 6);
	assert_int_equal(store_int(g, "select count(distinct xmin::text) from message"), 2);
	wishes_end(&w);
}

static void batch__one_poisoned__refused_alone_wherever_it_stands(void **state)
{
	struct store_rig *g = *state;

	for (int at = 0; at < 9; at++) {
		struct probe p;

		probe_start(&p, g, 9, 1000000, 2);
		for (int i = 0; i < 9; i++) {
			p.items[i].n = i == at ? 13 : i;
			batch_add(p.batch, &p.items[i].item);
		}
		servers_await(g->loop, &p.done, 9);
		for (int i = 0; i < 9; i++) {
			assert_int_equal(p.items[i].count, 1);
			assert_int_equal(p.items[i].r, i == at ? KZ_REFUSED : KZ_OK);
		}
		probe_end(&p);
	}
}

static void batch__all_poisoned__each_refused_once(void **state)
{
	struct store_rig *g = *state;
	struct probe p;

	probe_start(&p, g, 16, 1000000, 2);
	for (int i = 0; i < 16; i++) {
		p.items[i].n = 13;
		batch_add(p.batch, &p.items[i].item);
	}
	servers_await(g->loop, &p.done, 16);
	for (int i = 0; i < 16; i++)
		assert_int_equal(p.items[i].r, KZ_REFUSED);
	assert_int_equal(batch_in_flight(p.batch), 0);
	probe_end(&p);
}

static void batch__refused_for_no_fault_of_its_items__lost_not_halved(void **state)
{
	struct store_rig *g = *state;
	struct probe p;

	hold(g);
	probe_start(&p, g, 4, 1000000, 1);
	probe_add(&p, 1, 4);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	store_sql(g, "select pg_cancel_backend(pid) from pg_locks where not granted");
	servers_await(g->loop, &p.done, 4);
	let_go(g);
	for (int i = 1; i <= 4; i++)
		assert_int_equal(p.items[i].r, KZ_LOST);
	probe_end(&p);
}

static void stop__in_flight_and_waiting__all_taken_in_order_without_a_callback(void **state)
{
	struct store_rig *g = *state;
	struct probe p;
	struct batch_item *taken;

	hold(g);
	probe_start(&p, g, 2, 1000000, 1);
	probe_add(&p, 1, 5);
	store_settle(g);
	assert_int_equal(batch_in_flight(p.batch), 2);
	batch_stop(p.batch);
	assert_int_equal(batch_in_flight(p.batch), 0);
	assert_int_equal(batch_waiting(p.batch), 5);
	for (int i = 1; i <= 5; i++) {
		taken = batch_take_waiting(p.batch);
		assert_ptr_equal(taken, &p.items[i].item);
	}
	assert_null(batch_take_waiting(p.batch));
	let_go(g);
	store_settle(g);
	assert_int_equal(p.done, 0);
	probe_end(&p);
}

static void messages__killed_in_mid_batch__lost_perhaps_kept_the_rest_never_sent(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	g->limits.in_flight = 1;
	wishes_start(&w, g, 4);
	store_sql(g, "begin; lock table message in access exclusive mode");
	wishes_keep(&w, 0);
	wishes_keep(&w, 1);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	wishes_keep(&w, 2);
	store_kill_pg(g);
	wishes_await(&w, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(w.all[i].r, KZ_LOST);
		assert_true(w.all[i].maybe);
	}
	while (g->downs < 1)
		loop_turn(g->loop, 50);
	assert_int_equal(messages_keep(w.messages, &w.all[3].wish), KZ_LOST);
	messages_fail_waiting(w.messages);
	assert_int_equal(w.done, 3);
	assert_int_equal(w.all[2].r, KZ_LOST);
	assert_false(w.all[2].maybe);
	servers_do("restart-pg");
	servers_await(g->loop, &g->ups, 2);
	assert_int_equal(w.all[3].count, 0);
	assert_int_equal(store_int(g, "select count(*) from message"), 0);
	wishes_keep(&w, 3);
	wishes_await(&w, 4);
	assert_int_equal(w.all[3].r, KZ_OK);
	wishes_end(&w);
}

static void messages__no_connection_until_the_deadline__lost_and_never_sent(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	g->limits.in_flight = 1;
	wishes_start(&w, g, 2);
	store_sql(g, "begin; lock table message in access exclusive mode");
	wishes_keep(&w, 0);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	wishes_keep(&w, 1);
	store_kill_pg(g);
	wishes_await(&w, 1);
	while (!pg_jobs(g->pg)) /* the second goes into the pool's line */
		loop_turn(g->loop, 50);
	store_skip_us += g->options.job_ms * 1000;
	wishes_await(&w, 2);
	assert_int_equal(w.all[1].r, KZ_LOST);
	assert_false(w.all[1].maybe);
	servers_do("restart-pg");
	servers_await(g->loop, &g->ups, 2);
	wishes_end(&w);
}

static void event_on_done(void *arg, const struct message_event *e, enum kz r)
{
	int *kept = arg;

	(void)e;
	assert_int_equal(r, KZ_OK);
	(*kept)++;
}

static void events__killed_in_mid_batch__written_again_until_kept(void **state)
{
	struct store_rig *g = *state;
	store_hold_feed_slot(g);
	struct events *es = events_new(g->loop, g->pg, g->feed, &g->limits);
	uint64_t id = store_put_message(g, &(struct ids){0}, 1, 77011234567);
	int kept = 0;

	store_sql(g, "begin; lock table message_event in access exclusive mode");
	for (unsigned i = 1; i <= 600; i++) {
		struct message_event *e =
		    message_event_new(id, 1767225600000000, EVENT_RECEIPT, i, NULL, NULL, NULL, NULL, NULL);

		e->done = event_on_done;
		e->arg = &kept;
		events_add(es, e);
	}
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 2);
	store_kill_pg(g);
	while (g->downs < 1)
		loop_turn(g->loop, 50);
	assert_int_equal(kept, 0);
	assert_int_equal(events_pending(es), 600);
	servers_do("restart-pg");
	servers_await(g->loop, &kept, 600);
	assert_int_equal(kept, 600);
	assert_int_equal(events_pending(es), 0);
	assert_int_equal(store_int(g, "select count(distinct part) from message_event"), 600);
	events_free(es);
}

static void free__events_open__forgotten_without_a_callback(void **state)
{
	struct store_rig *g = *state;
	store_hold_feed_slot(g);
	struct events *es = events_new(g->loop, g->pg, g->feed, &g->limits);
	int kept = 0, before;

	for (unsigned i = 1; i <= 600; i++) {
		struct message_event *e = message_event_new(ids_floor(store_wall_us() / 1000),
		    1767225600000000, EVENT_RECEIPT, i, NULL, NULL, NULL, NULL, NULL);

		e->done = event_on_done;
		e->arg = &kept;
		events_add(es, e);
	}
	store_settle(g);
	before = kept;
	events_free(es);
	store_drain(g);
	assert_int_equal(kept, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(batch__idle__leaves_whole_at_the_end_of_the_round),
	    STORE_CASE(batch__more_than_its_rows__full_ones_leave_in_order),
	    STORE_CASE(batch__busy__waits_for_neighbours_until_its_time),
	    STORE_CASE(batch__busy__leaves_when_the_one_in_flight_returns),
	    STORE_CASE(batch__weights__together_no_more_than_the_rows_or_alone),
	    STORE_CASE(batch__busy__leaves_when_the_waiting_weigh_enough),
	    STORE_CASE(batch__heavy_and_poisoned__halved_by_items),
	    STORE_CASE(stop__several_in_flight__in_order_again),
	    STORE_CASE(messages__requests_of_many__do_not_share_a_commit),
	    STORE_CASE(batch__one_poisoned__refused_alone_wherever_it_stands),
	    STORE_CASE(batch__all_poisoned__each_refused_once),
	    STORE_CASE(batch__refused_for_no_fault_of_its_items__lost_not_halved),
	    STORE_CASE(stop__in_flight_and_waiting__all_taken_in_order_without_a_callback),
	    STORE_CASE(messages__killed_in_mid_batch__lost_perhaps_kept_the_rest_never_sent),
	    STORE_CASE(messages__no_connection_until_the_deadline__lost_and_never_sent),
	    STORE_CASE(events__killed_in_mid_batch__written_again_until_kept),
	    STORE_CASE(free__events_open__forgotten_without_a_callback),
	};

	return store_main("batch", tests, sizeof tests / sizeof *tests);
}
