/* yaml: files of config/ and dialogs/ as a tree that remembers where each value stood. A strict subset:
 * scalars are text, maps with unique text keys, lists; no tags, aliases, anchors or second documents; depth
 * <= 12, file <= 1 MiB. The only home of libyaml. */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* What is wrong with the files read so far, one line each: "file:line:column: what". A value:
 * zero-initialise. */
struct faults {
	struct buf text;
	int count; /* lines after the 50th are counted, not kept */
};

enum yaml_kind { YAML_TEXT, YAML_MAP, YAML_LIST };

struct yaml_node {
	enum yaml_kind kind;
	int line, column; /* from 1 */
	const char *file; /* as named in yaml_load; lives as long as the tree */
	char *text;       /* YAML_TEXT: the scalar; of a map's child never NULL */
	bool quoted;      /* the scalar was quoted or a block: "" is then a value, not absence */
	char *key;        /* this node's key in its map, NULL in a list */
	int key_line, key_column;
	struct yaml_node *children; /* YAML_MAP, YAML_LIST */
	size_t count;
};

struct yaml;

/* NULL, with a line in faults, when the file cannot be read or is not in the subset. An empty file is an
 * empty map. */
struct yaml *yaml_load(const char *path, struct faults *faults);
/* The same from memory; name stands for the file in messages. */
struct yaml *yaml_parse(const char *name, const char *bytes, size_t n, struct faults *faults);
/* Each `name` in the texts of y, not in its keys, becomes `text`. */
void yaml_put(struct yaml *y, const char *name, const char *text);
void yaml_tree_free(struct yaml *y);
const struct yaml_node *yaml_root(const struct yaml *y);
/* The child of a map by key, NULL when there is none. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

void faults_fini(struct faults *f);
void faults_add(struct faults *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "file:line:column: " of the node before the message. */
void faults_at(struct faults *f, const struct yaml_node *node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
