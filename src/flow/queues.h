/* queues: how many letters each operator has in each class, wherever they are: with the carrier, paused
 * between two attempts, or being recorded. The law of what may join: the backlog of one operator never takes
 * the room of another's, and codes have a share of their own. Counts only. */
#ifndef FLOW_QUEUES_H
#define FLOW_QUEUES_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/message.h"

struct queues;
struct queue; /* the letters of one operator; lives while it has any */

struct queues *queues_new(void);
/* Every letter has left. NULL is fine. */
void queues_free(struct queues *qs);

/* *at is where the letter stands: NULL at first. It leaves that and joins the queue of the carrier, unless it
 * is there already. */
void queue_move(struct queues *qs, const char *carrier, enum message_class class, struct queue **at);
/* *at is NULL then; NULL is fine. */
void queue_leave(struct queues *qs, enum message_class class, struct queue **at);

size_t queues_count(const struct queues *qs, const char *carrier, enum message_class class);
/* Whether one more letter may join the queue of the carrier. letters: how many there are in all, at most most
 * of them, a quarter of those for codes and the rest for everything else. Of its share a queue may only grow
 * while it is shorter than what is left of that, so that there is always room for the short ones, whoever is
 * dead. */
bool queues_have_room(
    const struct queues *qs, const char *carrier, enum message_class class, size_t letters, size_t most);

#endif
