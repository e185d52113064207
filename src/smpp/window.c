/* window: a fixed array of slots made once, each free (in the list) or outstanding (in the map by its number
 * and in the heap by its deadline): nothing is allocated per request, everything costs the logarithm at most.
 * A ring indexed by number was not taken: responses come in any order, and one that never comes would block
 * the ring. */
#include "smpp/window.h"

#include <assert.h>
#include <stdlib.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"

#define SEQUENCE_MAX 0x7FFFFFFFu
#define ROOM_MAX     10000

struct slot {
	struct window_entry entry;
	struct list_node free;
	struct map_node by_sequence;
	struct heap_node by_deadline;
};

struct window {
	struct slot *slots; /* owned; room of them */
	size_t room;
	struct list unused;
	struct map outstanding;
	struct heap deadlines;
	uint32_t next; /* number to try first */
};

static bool slot_is(const struct map_node *n, const void *key)
{
	const uint32_t *sequence = key;

	return map_entry(n, struct slot, by_sequence)->entry.sequence == *sequence;
}

struct window *window_new(size_t room)
{
	struct window *w = mem_new(sizeof *w);

	assert(room >= 1 && room <= ROOM_MAX);
	w->slots = mem_array(room, sizeof *w->slots);
	w->room = room;
	w->next = 1;
	map_init(&w->outstanding, slot_is);
	list_init(&w->unused);
	for (size_t i = 0; i < room; i++)
		list_append(&w->unused, &w->slots[i].free);
	return w;
}

void window_free(struct window *w)
{
	if (!w)
		return;
	assert(window_count(w) == 0);
	map_fini(&w->outstanding);
	heap_fini(&w->deadlines);
	free(w->slots);
	free(w);
}

size_t window_count(const struct window *w)
{
	return w->outstanding.count;
}

size_t window_free_room(const struct window *w)
{
	return w->room - w->outstanding.count;
}

/* The numbers are ours and in a row, so that they are their own hash. */
static struct slot *slot_find(const struct window *w, uint32_t sequence)
{
	struct map_node *n = map_get(&w->outstanding, sequence, &sequence);

	return n ? map_entry(n, struct slot, by_sequence) : NULL;
}

/* Ends: fewer are outstanding than there are numbers. */
static uint32_t window_number(struct window *w)
{
	for (;;) {
		uint32_t sequence = w->next;

		w->next = sequence == SEQUENCE_MAX ? 1 : sequence + 1;
		if (!slot_find(w, sequence))
			return sequence;
	}
}

enum kz window_add(struct window *w, uint32_t command, void *arg, uint32_t part, int64_t now_ms,
    int64_t deadline_ms, uint32_t *ret_sequence)
{
	struct list_node *n = list_take_first(&w->unused);
	struct slot *s;

	if (!n)
		return KZ_BUSY;
	s = list_entry(n, struct slot, free);
	s->entry = (struct window_entry){window_number(w), command, arg, part, now_ms, deadline_ms};
	map_put(&w->outstanding, &s->by_sequence, s->entry.sequence);
	heap_set(&w->deadlines, &s->by_deadline, deadline_ms);
	*ret_sequence = s->entry.sequence;
	return KZ_OK;
}

static void slot_take(struct window *w, struct slot *s, struct window_entry *ret)
{
	*ret = s->entry;
	map_remove(&w->outstanding, &s->by_sequence);
	heap_remove(&w->deadlines, &s->by_deadline);
	list_append(&w->unused, &s->free);
}

enum kz window_take(struct window *w, uint32_t sequence, struct window_entry *ret)
{
	struct slot *s = slot_find(w, sequence);

	if (!s)
		return KZ_NOT_FOUND;
	slot_take(w, s, ret);
	return KZ_OK;
}

int64_t window_deadline(const struct window *w)
{
	const struct heap_node *n = heap_first(&w->deadlines);

	return n ? n->key : -1;
}

bool window_take_overdue(struct window *w, int64_t now_ms, struct window_entry *ret)
{
	struct heap_node *n = heap_first(&w->deadlines);

	if (!n || n->key > now_ms)
		return false;
	slot_take(w, heap_entry(n, struct slot, by_deadline), ret);
	return true;
}
