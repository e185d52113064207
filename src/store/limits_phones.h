/* limits_phones: what this process remembers of phones: the last codes and wrong tries of each, for an hour
 * after the last of them. */
#ifndef STORE_LIMITS_PHONES_H
#define STORE_LIMITS_PHONES_H

#include "base/map.h"
#include "store/limits_body.h"

#define LIMITS_MARKS 10

struct limits_mark {
	int64_t at_ms, token;
	uint64_t code;
};

/* The last of them, oldest first. */
struct limits_marks {
	struct limits_mark mark[LIMITS_MARKS];
	unsigned n;
};

struct limits_phone {
	struct map_node node;
	struct list_node by_age;
	int64_t phone, at_ms;
	struct limits_marks sent, wrong;
};

/* A value that owns its phones. */
struct limits_phones {
	struct map by_phone;
	struct list old; /* oldest first */
};

void limits_phones_init(struct limits_phones *all);
void limits_phones_fini(struct limits_phones *all);
/* Forgets those of more than an hour ago. */
void limits_phones_age(struct limits_phones *all, int64_t now_ms);
/* Never NULL: one without marks when it is not remembered. */
const struct limits_phone *limits_phones_look(const struct limits_phones *all, int64_t phone);
/* false: LIMITS_MEMORY_PHONES are remembered. */
bool limits_phones_sent(struct limits_phones *all, int64_t now_ms, const struct limits_send *s);
bool limits_phones_wrong(struct limits_phones *all, int64_t now_ms, const struct limits_try *t);
/* As limits_memory_add and limits_memory_forgive. */
void limits_phones_add(
    const struct limits_phones *all, int64_t phone, int64_t now_ms, struct limits_known *k);
void limits_phones_forgive(struct limits_phones *all, int64_t phone, int64_t until_ms);

/* Those of the last hour; *ret_oldest is when the first of them was. */
unsigned limits_marks_count(const struct limits_marks *s, int64_t now_ms, int64_t *ret_oldest);
/* token 0: never. */
bool limits_marks_have(const struct limits_marks *s, int64_t token);
unsigned limits_marks_of(const struct limits_marks *s, uint64_t code);

#endif
