/* window: requests sent and not answered, by sequence number, each with a deadline. SMPP 3.4, 2.9, 5.1.4. */
#ifndef SMPP_WINDOW_H
#define SMPP_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

struct window;

/* What is outstanding: the owner's pointer and number come back with the answer. */
struct window_entry {
	uint32_t sequence, command;
	void *arg;
	uint32_t part;
	int64_t sent_ms, deadline_ms;
};

/* room: requests outstanding at most, 1..10,000. */
struct window *window_new(size_t room);
void window_free(struct window *w); /* must be empty */
size_t window_count(const struct window *w);
size_t window_free_room(const struct window *w);
/* Numbers the request: 1..0x7FFFFFFF, wrapping to 1, never one that is outstanding. KZ_BUSY when full. */
enum kz window_add(struct window *w, uint32_t command, void *arg, uint32_t part, int64_t now_ms,
    int64_t deadline_ms, uint32_t *ret_sequence) KZ_CHECK;
/* Takes the entry out. KZ_NOT_FOUND: nobody waits for that number. */
enum kz window_take(struct window *w, uint32_t sequence, struct window_entry *ret) KZ_CHECK;
/* The earliest deadline, or -1 when empty. */
int64_t window_deadline(const struct window *w);
/* Takes out any entry whose deadline is not after now_ms (INT64_MAX: any); false when there is none. */
bool window_take_overdue(struct window *w, int64_t now_ms, struct window_entry *ret);

#endif
