/* post: a POST from its Idempotency-Key to its answer, for whatever is asked for with it. */
#ifndef API_POST_H
#define API_POST_H

#include <jansson.h>

#include "api/door.h"
#include "api/problem.h"
#include "base/secret.h"

/* One POST. The call may be gone at any time: its reply is then a no-op. */
struct post {
	struct door *door;
	struct call *call;
	int32_t key;
	uint8_t key_hash[SECRET_HASH], body_hash[SECRET_HASH];
	const char *type; /* of the answer */
	int status;
	struct problem refusal; /* when no first answer is found */
	bool races;             /* a refusal of the database is another request's doing: it may pass again */
	bool looks;             /* counts among the door's looks */
	struct letter **letters;
	size_t letters_n;
	struct code_row *codes; /* that the letters bring, as many as them or none: the post's as they are */
};

/* The headers every POST needs, type only where there is a body; NULL when it was refused. */
struct post *post_new(struct door *d, struct call *c, const struct door_caller *who, const char *type);
/* Whether the body is said to be of the type, with whatever parameters. */
bool post_is_type(const struct call *c, const char *type);
/* Room for n letters, which are the post's until post_keep. */
void post_own_letters(struct post *p, size_t n);
struct problem post_unavailable(unsigned after_s);
/* The JSON text of a request, or of a line of one; NULL with *ret_problem, which says where it is none. */
json_t *post_json(const char *text, size_t len, struct problem *ret_problem);
/* Each of these is the last thing done with p: */
/* Everything is judged: answer is what the client gets once it is committed. Owns answer. */
void post_keep(struct post *p, char *answer);
/* Refuses, unless the key has a first answer. */
void post_refuse(struct post *p, struct problem refusal);
/* Refuses what may be sent again as it is, and then gets its first answer when it has one. */
void post_put_off(struct post *p, struct problem refusal);
/* Refuses, whatever the key has. */
void post_finish(struct post *p, const struct problem *problem);
/* It was answered. */
void post_free(struct post *p);

#endif
