/* A lock alone is not enough: it is freed only when its session ends, and a daemon whose session ended hears
 * of it only when it reads. The lease covers the time between, for what is submitted; the fence covers it for
 * what is written, since the database can tell who is late and the operator cannot. */
#include "store/lease.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/pg_array.h"

struct lease {
	struct loop *loop;
	int64_t until_ms; /* 0: does not run */
	int64_t epochs[IDS_SLOTS];
};

struct lease *lease_new(struct loop *l)
{
	struct lease *x = mem_new(sizeof *x);

	x->loop = l;
	return x;
}

void lease_renew(struct lease *x, int64_t asked_ms)
{
	x->until_ms = asked_ms + LEASE_MS;
}

void lease_take(struct lease *x, uint8_t slot, int64_t epoch)
{
	assert(epoch > 0);
	x->epochs[slot] = epoch;
}

void lease_give(struct lease *x, uint8_t slot)
{
	x->epochs[slot] = 0;
}

void lease_lose(struct lease *x)
{
	x->until_ms = 0;
	memset(x->epochs, 0, sizeof x->epochs);
}

int64_t lease_left_ms(const struct lease *x)
{
	int64_t left = x->until_ms ? x->until_ms - loop_now_ms(x->loop) : 0;

	return left > 0 ? left : 0;
}

bool lease_runs(const struct lease *x)
{
	return lease_left_ms(x) > 0;
}

int64_t lease_epoch(const struct lease *x, uint8_t slot)
{
	return x->epochs[slot];
}

void lease_free(struct lease *x)
{
	free(x);
}

static const uint32_t fence_types[] = {PG_INT4_ARRAY, PG_INT8_ARRAY};
static const struct pg_sql sql_fence = {"slot_fence", "select slot_fence($1, $2)", 2, fence_types};

void lease_fence(const struct lease *x, const struct lease_slots *slots, struct pg_job *job)
{
	struct pg_array ids = {0}, epochs = {0};

	pg_array_start(&ids, PG_INT4);
	pg_array_start(&epochs, PG_INT8);
	for (int i = 0; i < IDS_SLOTS; i++) {
		if (!slots->in[i])
			continue;
		pg_array_int(&ids, i);
		pg_array_int(&epochs, x->epochs[i]);
	}
	const struct pg_value values[] = {pg_array_value(&ids), pg_array_value(&epochs)};
	pg_job_add(job, &sql_fence, values);
	pg_array_fini(&ids);
	pg_array_fini(&epochs);
}
