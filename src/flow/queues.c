/* A limit of its own for each operator was not taken: their sum would have to fit into memory, and then an
 * operator could never use what the others leave free. The room that is left as the limit of each (the
 * dynamic threshold of shared-memory switches) needs no numbers and no knowledge of who is well. */
#include "flow/queues.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"

#define CODES_SHARE 4 /* one in so many places is for a code */

struct queue {
	struct list_node node;
	char carrier[24]; /* names are up to 20 characters */
	size_t count[MESSAGE_CLASSES];
};

/* A handful: as many as there are operators. */
struct queues {
	struct list all;
	size_t codes; /* in all of them */
};

struct queues *queues_new(void)
{
	struct queues *qs = mem_new(sizeof *qs);

	list_init(&qs->all);
	return qs;
}

void queues_free(struct queues *qs)
{
	assert(!qs || qs->all.count == 0);
	free(qs);
}

static struct queue *queue_find(const struct queues *qs, const char *carrier)
{
	for (const struct list_node *n = list_first(&qs->all); n; n = list_next(&qs->all, n)) {
		struct queue *q = list_entry(n, struct queue, node);

		if (!strcmp(q->carrier, carrier))
			return q;
	}
	return NULL;
}

static struct queue *queue_join(struct queues *qs, const char *carrier, enum message_class class)
{
	struct queue *q = queue_find(qs, carrier);

	if (!q) {
		q = mem_new(sizeof *q);
		snprintf(q->carrier, sizeof q->carrier, "%s", carrier);
		list_append(&qs->all, &q->node);
	}
	q->count[class]++;
	qs->codes += class == MESSAGE_CODE;
	return q;
}

void queue_leave(struct queues *qs, enum message_class class, struct queue **at)
{
	struct queue *q = *at;
	size_t left = 0;

	*at = NULL;
	if (!q)
		return;
	assert(q->count[class] > 0);
	q->count[class]--;
	qs->codes -= class == MESSAGE_CODE;
	for (enum message_class c = 0; c < MESSAGE_CLASSES; c++)
		left += q->count[c];
	if (left)
		return;
	list_remove(&qs->all, &q->node);
	free(q);
}

void queue_move(struct queues *qs, const char *carrier, enum message_class class, struct queue **at)
{
	struct queue *to;

	if (*at && !strcmp((*at)->carrier, carrier))
		return;
	to = queue_join(qs, carrier, class);
	queue_leave(qs, class, at);
	*at = to;
}

size_t queues_count(const struct queues *qs, const char *carrier, enum message_class class)
{
	const struct queue *q = queue_find(qs, carrier);

	return q ? q->count[class] : 0;
}

bool queues_have_room(
    const struct queues *qs, const char *carrier, enum message_class class, size_t letters, size_t most)
{
	size_t codes = most / CODES_SHARE;
	size_t room = class == MESSAGE_CODE ? codes : most - codes;
	size_t taken = class == MESSAGE_CODE ? qs->codes : letters - qs->codes;

	return letters < most && taken < room && queues_count(qs, carrier, class) < room - taken;
}
