/* map: an intrusive hash map. The owner embeds a map_node, brings the hash and the comparison. Not ordered.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised means: not in a map. */
struct map_node {
	struct map_node *next;
	uint64_t hash;
	bool linked;
};

typedef bool map_equal_fn(const struct map_node *n, const void *key);

struct map {
	struct map_node **slots;
	size_t room; /* a power of two */
	size_t count;
	map_equal_fn *equal;
};

#define map_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

void map_init(struct map *m, map_equal_fn *equal);
/* Frees the table only; the entries are their owner's. */
void map_fini(struct map *m);
/* The key must not be there yet. */
void map_put(struct map *m, struct map_node *n, uint64_t hash);
/* NULL when absent. */
struct map_node *map_get(const struct map *m, uint64_t hash, const void *key);
void map_remove(struct map *m, struct map_node *n);
/* Any one entry, or NULL when empty: for tearing down. */
struct map_node *map_any(const struct map *m);

/* Hashes keyed with a secret of this process, so that a peer cannot choose collisions. */
uint64_t map_hash_bytes(const void *bytes, size_t n);
uint64_t map_hash_u64(uint64_t v);

#endif
