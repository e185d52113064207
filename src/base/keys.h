/* keys: tables of configuration keys. A table row is the one master of a key: the loader, the help text and
 * the check of the shipped files come from it. */
#ifndef BASE_KEYS_H
#define BASE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/yaml.h"

enum key_type {
	KEY_BOOL,   /* bool; yes/no/true/false */
	KEY_INT,    /* int64_t */
	KEY_MS,     /* int64_t milliseconds; written 250ms, 30s, 5m, 12h, 7d */
	KEY_BYTES,  /* int64_t; written 65536, 64k, 16m */
	KEY_TEXT,   /* char *, owned; "" by default */
	KEY_CHOICE, /* int: index into choices */
	KEY_LIST,   /* struct key_list of texts */
};

struct key_list {
	char **items;
	size_t count;
};

struct key {
	const char *name; /* dots step into maps: "http.listen" */
	enum key_type type;
	size_t offset;        /* of the field in the structure */
	const char *fallback; /* the default as it would be written; NULL: the key is required */
	int64_t min, max; /* numbers: range in the field's unit; texts: longest length in max, 0 for 1,024 */
	const char *const *choices; /* KEY_CHOICE: names, NULL-terminated */
	bool reloadable;
	const char *unit; /* for the help: "ms", "octets", "segments/s" or "" */
	const char *help;
};

/* Reads map into the structure at base by the table of n rows; every fault is noted with its place. Keys that
 * are not in the table are faults, with the nearest known name, unless named in others (NULL-terminated, may
 * be NULL): children that the caller reads itself. Fields are always set, to the default when in fault. */
void keys_read(const struct key *table, size_t n, const char *const *others, const struct yaml_node *map,
    void *base, struct faults *faults);
/* The node that the dotted name leads to, NULL when map does not say it. */
const struct yaml_node *keys_find(const struct yaml_node *map, const char *name);
/* Frees texts and lists. */
void keys_fini(const struct key *table, size_t n, void *base);
/* The first key that is not reloadable and differs between a and b; NULL when none. */
const char *keys_fixed_difference(const struct key *table, size_t n, const void *a, const void *b);
/* Whether any key differs. */
bool keys_equal(const struct key *table, size_t n, const void *a, const void *b);
/* The table for people: name, type, unit, default, range, reloadable, help. */
void keys_help(const struct key *table, size_t n, struct buf *out);
/* One value as a row's type is written; KZ_OK or a message in why[160]. */
bool keys_set(const struct key *row, const char *text, void *base, char why[160]);
/* The candidate nearest to word by edit distance <= 3, or NULL. */
const char *keys_nearest(const char *word, const char *const *candidates, size_t n);

#endif
