#include "api/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/import_body.h"
#include "api/post.h"
#include "base/mem.h"

static bool piece_is(const struct import_piece *p, const struct import_name *n)
{
	return !strcmp(p->id, n->id) && !p->client == !n->client &&
	       (!p->client || !strcmp(p->client, n->client));
}

static bool import_number(const char *text, uint64_t *ret)
{
	const size_t n = strspn(text, "0123456789");

	if (!n || text[n] || n > 10)
		return false;
	*ret = strtoull(text, NULL, 10);
	return *ret >= 1 && *ret <= IMPORT_LINES;
}

static bool import_read_query(struct call *c, struct import_piece *p, struct problem *ret)
{
	const char *id = call_query(c, "import"), *line = call_query(c, "line"),
	           *notices = call_query(c, "notices");

	if (!id || import_id_check(id) != KZ_OK)
		*ret = problem_make(id ? PROBLEM_INVALID_VALUE : PROBLEM_MISSING_FIELD, "import",
		    "name the import: 1 to %d of A-Z, a-z, 0-9, . _ -", IMPORT_ID);
	else if (!line || !import_number(line, &p->first))
		*ret = problem_make(line ? PROBLEM_INVALID_VALUE : PROBLEM_MISSING_FIELD, "line",
		    "say which line of the import the first one is: 1 to %d", IMPORT_LINES);
	else if (notices && strcmp(notices, "yes") != 0 && strcmp(notices, "no") != 0)
		*ret = problem_make(PROBLEM_INVALID_VALUE, "notices", "yes or no");
	else {
		snprintf(p->id, sizeof p->id, "%s", id);
		p->line = p->first;
		p->notices = notices && !strcmp(notices, "yes");
		return true;
	}
	return false;
}

/* One piece of an import at a time, and some imports. */
static bool import_enter(struct door *d, struct import_piece *p, struct problem *ret)
{
	const struct import_name name = import_piece_name(p);
	int free_at = -1;

	for (int i = 0; i < DOOR_IMPORTS; i++) {
		if (d->imports[i] && piece_is(d->imports[i], &name)) {
			*ret = import_elsewhere();
			return false;
		}
		if (!d->imports[i])
			free_at = i;
	}
	if (free_at < 0) {
		*ret = problem_make(
		    PROBLEM_TOO_MANY_IMPORTS, NULL, "%d are taken at once: come again", DOOR_IMPORTS);
		ret->after_s = 2;
		return false;
	}
	d->imports[free_at] = p;
	import_gauge(d);
	return true;
}

static bool import_read(struct door *d, struct call *c, struct import_piece *p, struct problem *ret)
{
	size_t len;
	const char *body = call_body(c, &len);

	if (!len || !post_is_type(c, "application/x-ndjson")) {
		*ret = problem_make(PROBLEM_UNSUPPORTED_MEDIA_TYPE, "Content-Type",
		    "send application/x-ndjson: one record a line");
		return false;
	}
	p->at = body;
	p->end = body + len;
	return import_read_query(c, p, ret) && import_enter(d, p, ret);
}

void import_take(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct import_piece *p = mem_new(sizeof *p);
	struct problem why;

	(void)id;
	p->door = d;
	p->call = c;
	p->client = who->client ? mem_str(who->client) : NULL;
	if (!import_read(d, c, p, &why)) {
		import_piece_refuse(p, why);
		return;
	}
	const struct import_name name = import_piece_name(p);
	const struct records_base base = door_records_base(d);

	p->chunk.records = records_new(&base, CHUNK_RECORDS);
	p->chunk.api_key = who->key;
	if (imports_begin(d->pg, &name, import_piece_on_begun, p) != KZ_OK)
		import_piece_refuse(p, import_unavailable());
}

/* One question about an import. */
struct import_look {
	struct call *call;
	char id[IMPORT_ID + 1];
	json_t *faults;
};

static void look_on_fault(void *arg, const struct import_fault *f)
{
	struct import_look *q = arg;

	import_put_fault(q->faults, f);
}

static void look_on_read(void *arg, enum kz r, const struct import_state *s)
{
	struct import_look *q = arg;

	if (r != KZ_OK) {
		struct problem p =
		    r == KZ_NOT_FOUND
		        ? problem_make(PROBLEM_NOT_FOUND, NULL, "no such import of this client's")
		        : problem_make(PROBLEM_UNAVAILABLE, NULL, "the database is away; ask again");

		p.after_s = r == KZ_NOT_FOUND ? 0 : 2;
		problem_reply(q->call, &p);
	} else {
		json_t *o = import_json(q->id, s, json_incref(q->faults));
		char *text = json_dumps(o, JSON_COMPACT);

		door_reply_json(q->call, 200, text);
		free(text);
		json_decref(o);
	}
	json_decref(q->faults);
	free(q);
}

void import_show(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	const char *after = call_query(c, "after");
	struct import_look *q = mem_new(sizeof *q);
	uint64_t line = 0;

	*q = (struct import_look){.call = c, .faults = json_array()};
	snprintf(q->id, sizeof q->id, "%s", id);
	if (after && strcmp(after, "0") != 0 && !import_number(after, &line)) {
		const struct problem p =
		    problem_make(PROBLEM_INVALID_VALUE, "after", "a line: 0 to %d", IMPORT_LINES);

		problem_reply(c, &p);
		json_decref(q->faults);
		free(q);
		return;
	}
	const struct import_name name = {who->client, q->id};
	if (imports_read(d->pg, &name, line + 1, IMPORT_LINES, look_on_fault, look_on_read, q) != KZ_OK)
		look_on_read(q, KZ_LOST, NULL);
}
