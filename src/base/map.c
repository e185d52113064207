/* Chained buckets, doubled at one entry a bucket. Open addressing was not taken: entries embed their node, so
 * removal is a pointer away and nothing is ever copied.
 * Hash: SipHash-2-4, keyed once at the first use. */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

void map_init(struct map *m, map_equal_fn *equal)
{
	*m = (struct map){.room = 16, .equal = equal};
	m->slots = mem_array(m->room, sizeof *m->slots);
}

void map_fini(struct map *m)
{
	free(m->slots);
	*m = (struct map){0};
}

static void map_double(struct map *m)
{
	size_t room = m->room * 2;
	struct map_node **slots = mem_array(room, sizeof *slots);

	for (size_t i = 0; i < m->room; i++) {
		struct map_node *n = m->slots[i];

		while (n) {
			struct map_node *next = n->next;

			n->next = slots[n->hash & (room - 1)];
			slots[n->hash & (room - 1)] = n;
			n = next;
		}
	}
	free(m->slots);
	m->slots = slots;
	m->room = room;
}

void map_put(struct map *m, struct map_node *n, uint64_t hash)
{
	assert(!n->linked);
	if (m->count >= m->room)
		map_double(m);
	n->hash = hash;
	n->linked = true;
	n->next = m->slots[hash & (m->room - 1)];
	m->slots[hash & (m->room - 1)] = n;
	m->count++;
}

struct map_node *map_get(const struct map *m, uint64_t hash, const void *key)
{
	for (struct map_node *n = m->slots[hash & (m->room - 1)]; n; n = n->next)
		if (n->hash == hash && m->equal(n, key))
			return n;
	return NULL;
}

void map_remove(struct map *m, struct map_node *n)
{
	struct map_node **at = &m->slots[n->hash & (m->room - 1)];

	assert(n->linked);
	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	n->next = NULL;
	n->linked = false;
	m->count--;
}

struct map_node *map_any(const struct map *m)
{
	for (size_t i = 0; m->count && i < m->room; i++)
		if (m->slots[i])
			return m->slots[i];
	return NULL;
}

static uint64_t rotate(uint64_t v, int by)
{
	return (v << by) | (v >> (64 - by));
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t map_hash_bytes(const void *bytes, size_t n)
{
	static uint64_t key[2];
	const unsigned char *p = bytes;
	uint64_t v[4], word, last = (uint64_t)n << 56;

	while (!key[0])
		if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
			key[0] = 0;
	v[0] = key[0] ^ 0x736f6d6570736575ULL;
	v[1] = key[1] ^ 0x646f72616e646f6dULL;
	v[2] = key[0] ^ 0x6c7967656e657261ULL;
	v[3] = key[1] ^ 0x7465646279746573ULL;
	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&word, p, 8);
		v[3] ^= word;
		sip_round(v);
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = 0; i < n; i++)
		last |= (uint64_t)p[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t map_hash_u64(uint64_t v)
{
	return map_hash_bytes(&v, sizeof v);
}
