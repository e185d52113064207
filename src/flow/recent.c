#include "flow/recent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define ROOM  65536
#define FINAL 16

struct submitted {
	struct map_node node;
	char carrier[24];
	char id[RECEIPT_ID];
	struct receipt_home home;
	uint32_t heard; /* bit: enum receipt_state, FINAL higher when it was final */
};

struct recent {
	struct map by_id;
	struct submitted *ring;
	size_t next;
};

struct recent_key {
	const char *carrier, *id;
};

static bool recent_equal(const struct map_node *n, const void *key)
{
	const struct submitted *s = map_entry(n, struct submitted, node);
	const struct recent_key *k = key;

	return !strcmp(s->id, k->id) && !strcmp(s->carrier, k->carrier);
}

static uint64_t recent_hash(const struct recent_key *k)
{
	return map_hash_bytes(k->id, strlen(k->id)) ^ map_hash_bytes(k->carrier, strlen(k->carrier));
}

struct recent *recent_new(void)
{
	struct recent *r = mem_new(sizeof *r);

	map_init(&r->by_id, recent_equal);
	r->ring = mem_array(ROOM, sizeof *r->ring);
	return r;
}

void recent_put(struct recent *r, const char *carrier, const char *id, const struct receipt_home *home)
{
	const struct recent_key key = {carrier, id};
	struct submitted *s = &r->ring[r->next++ % ROOM];
	struct map_node *same;

	if (s->node.linked)
		map_remove(&r->by_id, &s->node);
	/* One that gives the same id again and again must not make a chain of them. */
	if ((same = map_get(&r->by_id, recent_hash(&key), &key)) != NULL)
		map_remove(&r->by_id, same);
	snprintf(s->carrier, sizeof s->carrier, "%s", carrier);
	snprintf(s->id, sizeof s->id, "%s", id);
	s->home = *home;
	s->heard = 0;
	map_put(&r->by_id, &s->node, recent_hash(&key));
}

static uint32_t recent_bit(enum receipt_state state, bool final)
{
	return 1u << (state + (final ? FINAL : 0));
}

static struct submitted *recent_get(const struct recent *r, const char *carrier, const char *id)
{
	const struct recent_key key = {carrier, id};
	struct map_node *n = map_get(&r->by_id, recent_hash(&key), &key);

	return n ? map_entry(n, struct submitted, node) : NULL;
}

const struct receipt_home *recent_find(const struct recent *r, const char *carrier, const char *id)
{
	struct submitted *s = recent_get(r, carrier, id);

	return s ? &s->home : NULL;
}

void recent_hear(struct recent *r, const char *carrier, const char *id, enum receipt_state state, bool final)
{
	struct submitted *s = recent_get(r, carrier, id);

	if (s)
		s->heard |= recent_bit(state, final);
}

bool recent_is_over(const struct recent *r, const char *carrier, const char *id)
{
	struct submitted *s = recent_get(r, carrier, id);

	return s && s->heard >> FINAL;
}

bool recent_heard(
    const struct recent *r, const char *carrier, const char *id, enum receipt_state state, bool final)
{
	struct submitted *s = recent_get(r, carrier, id);

	return s && (s->heard & recent_bit(state, final));
}

void recent_free(struct recent *r)
{
	if (!r)
		return;
	map_fini(&r->by_id);
	free(r->ring);
	free(r);
}
