/* heap: an intrusive binary heap ordered by a time; the earliest is found at once, any node can be moved or
 * removed. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised means: not in a heap. */
struct heap_node {
	int64_t key;
	size_t at; /* index + 1 */
};

struct heap {
	struct heap_node **nodes;
	size_t count, room;
};

#define heap_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

void heap_fini(struct heap *h);
/* Adds n, or moves it when it is in the heap. */
void heap_set(struct heap *h, struct heap_node *n, int64_t key);
/* No-op when n is not in the heap. */
void heap_remove(struct heap *h, struct heap_node *n);
/* The node with the least key, NULL when empty. */
struct heap_node *heap_first(const struct heap *h);
bool heap_is_in(const struct heap_node *n);

#endif
