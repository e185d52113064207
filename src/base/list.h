/* list: an intrusive doubly linked list whose nodes know whether they are linked. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

/* Zero-initialised means: not linked. */
struct list_node {
	struct list_node *prev, *next;
};

struct list {
	struct list_node head;
	size_t count;
};

#define list_entry(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
	l->head.prev = l->head.next = &l->head;
	l->count = 0;
}

static inline bool list_is_linked(const struct list_node *n)
{
	return n->next != NULL;
}

static inline void list_insert_after(struct list *l, struct list_node *at, struct list_node *n)
{
	assert(!list_is_linked(n));
	n->prev = at;
	n->next = at->next;
	at->next->prev = n;
	at->next = n;
	l->count++;
}

static inline void list_append(struct list *l, struct list_node *n)
{
	list_insert_after(l, l->head.prev, n);
}

static inline void list_prepend(struct list *l, struct list_node *n)
{
	list_insert_after(l, &l->head, n);
}

static inline void list_remove(struct list *l, struct list_node *n)
{
	assert(list_is_linked(n) && l->count > 0);
	n->prev->next = n->next;
	n->next->prev = n->prev;
	n->prev = n->next = NULL;
	l->count--;
}

static inline struct list_node *list_first(const struct list *l)
{
	return l->head.next == &l->head ? NULL : l->head.next;
}

static inline struct list_node *list_next(const struct list *l, const struct list_node *n)
{
	return n->next == &l->head ? NULL : n->next;
}

static inline struct list_node *list_take_first(struct list *l)
{
	struct list_node *n = list_first(l);

	if (n)
		list_remove(l, n);
	return n;
}

/* Walks the list; the body may remove the node it is at. */
#define list_each(l, n, next_)                                                                               \
	for (struct list_node *n = (l)->head.next, *next_ = n->next; n != &(l)->head;                        \
	     n = next_, next_ = n->next)

#endif
