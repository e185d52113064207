/* wish: one JSON object of a client -> what is wanted sent. Every member is checked; unknown ones are
 * refused. */
#ifndef API_WISH_H
#define API_WISH_H

#include <jansson.h>
#include <stdbool.h>

#include "api/problem.h"
#include "base/buf.h"
#include "flow/send.h"
#include "text/template.h"

/* Owns text; sender and client_ref point into the JSON it was read from. */
struct wish {
	struct send_wish send;
	struct buf text;
	bool dry_run;
};

/* KZ_INVALID with *ret_problem set. wish_fini in every case. batch: dry_run is not known there. */
enum kz wish_read(const json_t *o, const struct templates *t, bool batch, struct wish *ret,
    struct problem *ret_problem) KZ_CHECK;
void wish_fini(struct wish *w);
/* 1 to most characters, no control characters. */
bool wish_line_is_good(const char *s, size_t most);
/* An SMS alphabet as clients know it. */
const char *wish_encoding(enum alphabet a);
/* The problem of what send_preview answered. max_parts for the detail. */
struct problem wish_problem(enum kz r, const struct send_preview *p, int64_t max_parts);

#endif
