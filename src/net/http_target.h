/* http_target: the path and query of a request, decoded. */
#ifndef NET_HTTP_TARGET_H
#define NET_HTTP_TARGET_H

#include <stddef.h>

struct parameter;

/* Percent-decoded; a "%" that begins no octet stays as it is. free(). */
char *path_decode(const char *path);

/* "a=1&b=x+y&c": names in their order; one without "=" has the value "". Nothing between two "&" is none;
 * NULL: there is none. */
struct parameter *query_read(const char *query);
/* The first of that name, NULL without. */
const char *query_find(const struct parameter *first, const char *name);
/* The first name that is none of the n known; NULL without. */
const char *query_stranger(const struct parameter *first, const char *const *known, size_t n);
void query_free(struct parameter *first); /* NULL is fine */

#endif
