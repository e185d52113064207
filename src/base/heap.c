#include "base/heap.h"

#include <stdlib.h>

#include "base/mem.h"

void heap_fini(struct heap *h)
{
	free(h->nodes);
	*h = (struct heap){0};
}

static void heap_place(struct heap *h, size_t at, struct heap_node *n)
{
	h->nodes[at] = n;
	n->at = at + 1;
}

static void heap_up(struct heap *h, size_t at, struct heap_node *n)
{
	for (; at > 0 && h->nodes[(at - 1) / 2]->key > n->key; at = (at - 1) / 2)
		heap_place(h, at, h->nodes[(at - 1) / 2]);
	heap_place(h, at, n);
}

static void heap_down(struct heap *h, size_t at, struct heap_node *n)
{
	for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
		if (child + 1 < h->count && h->nodes[child + 1]->key < h->nodes[child]->key)
			child++;
		if (h->nodes[child]->key >= n->key)
			break;
		heap_place(h, at, h->nodes[child]);
	}
	heap_place(h, at, n);
}

static void heap_settle(struct heap *h, size_t at, struct heap_node *n)
{
	heap_down(h, at, n);
	heap_up(h, n->at - 1, n);
}

void heap_set(struct heap *h, struct heap_node *n, int64_t key)
{
	n->key = key;
	if (n->at) {
		heap_settle(h, n->at - 1, n);
		return;
	}
	if (h->count == h->room) {
		h->room = h->room ? h->room * 2 : 16;
		h->nodes = mem_grow(h->nodes, h->room, sizeof *h->nodes);
	}
	heap_up(h, h->count++, n);
}

void heap_remove(struct heap *h, struct heap_node *n)
{
	if (!n->at)
		return;
	size_t at = n->at - 1;
	struct heap_node *last = h->nodes[--h->count];
	n->at = 0;
	if (last != n)
		heap_settle(h, at, last);
}

struct heap_node *heap_first(const struct heap *h)
{
	return h->count ? h->nodes[0] : NULL;
}

bool heap_is_in(const struct heap_node *n)
{
	return n->at != 0;
}
