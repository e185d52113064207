#include "api/asides.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/problem.h"
#include "base/mem.h"
#include "store/asides.h"

#define ASIDES_SHOWN 50 /* of 4,096 octets at most: flow/aside.h */

struct asides_ask {
	struct call *call;
	json_t *found;
};

static void asides_on_each(void *arg, const struct aside_read *a)
{
	struct asides_ask *q = arg;
	char at[32], *hex;
	json_t *o = json_pack(
	    "{s:s, s:s, s:s}", "at", clock_rfc3339(a->at_us, at), "carrier", a->carrier, "what", a->what);

	if (a->body) {
		hex = mem_array(a->body_n + 1, 2);
		secret_hex(a->body, a->body_n, hex);
		json_object_set_new(o, "hex", json_string(hex));
		secret_wipe(hex, 2 * a->body_n);
		free(hex);
	}
	json_array_append_new(q->found, o);
}

static void asides_on_done(void *arg, enum kz r)
{
	struct asides_ask *q = arg;
	struct problem p = problem_make(PROBLEM_UNAVAILABLE, NULL, "the database is away; ask again");
	json_t *o = json_pack("{s:o}", "asides", q->found);
	char *text = json_dumps(o, JSON_COMPACT);

	p.after_s = 2;
	if (r == KZ_OK)
		door_reply_json(q->call, 200, text ? text : "{}");
	else
		problem_reply(q->call, &p);
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	json_decref(o);
	free(q);
}

void asides_show(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct asides_ask *q = mem_new(sizeof *q);

	(void)who;
	(void)id;
	*q = (struct asides_ask){c, json_array()};
	if (asides_read(d->pg, d->keyring, ASIDES_SHOWN, asides_on_each, asides_on_done, q) != KZ_OK)
		asides_on_done(q, KZ_BUSY);
}
