/* answer: what a service says: a named result with its fields, and the items of a list. Values are UTF-8
 * text; of enums the words' names. A value: owns nothing. */
#ifndef USSD_ANSWER_H
#define USSD_ANSWER_H

#include "ussd/session.h"

#define ANSWER_FIELDS 8

struct answer_field {
	const char *name; /* static */
	char text[SESSION_VALUE];
};

struct answer {
	const char *result; /* static, of service_shape */
	struct answer_field fields[ANSWER_FIELDS];
	size_t fields_n;
	struct session_item items[SESSION_ITEMS];
	size_t items_n;
	bool rest; /* there were more */
};

/* Empties it. */
void answer_start(struct answer *a, const char *result);
/* Longer texts are cut at a letter; to what its type shows the engine cuts it later. */
void answer_set(struct answer *a, const char *field, const char *text);
void answer_set_number(struct answer *a, const char *field, uint64_t n);
/* false: there are SESSION_ITEMS already, so that one more than these is asked for and `rest` says it. Texts
 * in the order of service_shape's items. */
bool answer_add(struct answer *a, const char *const *texts, size_t n);
/* "" when it is not set. The name is the n octets. */
const char *answer_field(const struct answer *a, const char *name, size_t n);
/* Whether it is a result of the service with all that this one has: fields, and items when it is a list. */
bool answer_is_whole(const struct answer *a, enum service service);
void answer_wipe(struct answer *a);

#endif
