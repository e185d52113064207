/* A recursive reader over libyaml's event parser. Events, not its document tree: they tell where each scalar
 * stood and what style it had, and nothing is built from a file that breaks the subset. */
#include "base/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"

#define YAML_MAX_BYTES (1024 * 1024)
#define YAML_MAX_DEPTH 12
#define YAML_MAX_ITEMS 20000
#define FAULTS_KEPT    50

struct yaml {
	char *name;
	struct yaml_node root;
};

/* One reading: the parser and where faults go. */
struct yaml_read {
	yaml_parser_t parser;
	const char *name, *bytes;
	struct faults *faults;
	size_t items;
	bool failed;
};

void faults_fini(struct faults *f)
{
	buf_fini(&f->text);
	f->count = 0;
}

static void faults_line(struct faults *f, const char *prefix, const char *fmt, va_list ap)
{
	char *line = NULL;

	if (f->count++ >= FAULTS_KEPT)
		return;
	if (vasprintf(&line, fmt, ap) < 0)
		abort();
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	buf_printf(&f->text, "%s%s\n", prefix, line);
	free(line);
}

void faults_add(struct faults *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	faults_line(f, "", fmt, ap);
	va_end(ap);
}

void faults_at(struct faults *f, const struct yaml_node *node, const char *fmt, ...)
{
	char *prefix = mem_printf("%s:%d:%d: ", node->file, node->line, node->column);
	va_list ap;

	va_start(ap, fmt);
	faults_line(f, prefix, fmt, ap);
	va_end(ap);
	free(prefix);
}

static void yaml_fault(struct yaml_read *r, yaml_mark_t at, const char *what)
{
	if (!r->failed)
		faults_add(r->faults, "%s:%zu:%zu: %s", r->name, at.line + 1, at.column + 1, what);
	r->failed = true;
}

static void yaml_node_fini(struct yaml_node *n)
{
	for (size_t i = 0; i < n->count; i++)
		yaml_node_fini(&n->children[i]);
	free(n->children);
	free(n->text);
	free(n->key);
}

/* Octets that are not text are met far ahead of the parser and only their offset is told: the octets before
 * it are. */
static yaml_mark_t yaml_offset_mark(const char *bytes, size_t offset)
{
	yaml_mark_t at = {0};

	for (size_t i = 0; i < offset; i++)
		if (bytes[i] == '\n') {
			at.line++;
			at.column = 0;
		} else {
			at.column += (bytes[i] & 0xc0) != 0x80;
		}
	return at;
}

static bool yaml_next(struct yaml_read *r, yaml_event_t *e)
{
	yaml_parser_t *p = &r->parser;

	if (r->failed)
		return false;
	if (yaml_parser_parse(p, e))
		return true;
	yaml_fault(r,
	    p->error == YAML_READER_ERROR ? yaml_offset_mark(r->bytes, p->problem_offset) : p->problem_mark,
	    p->problem ? p->problem : "not YAML");
	return false;
}

static bool yaml_take(struct yaml_read *r, const yaml_event_t *e, struct yaml_node *n, int depth);

static void yaml_fault_subset(struct yaml_read *r, const yaml_event_t *e)
{
	yaml_fault(r, e->start_mark, "tags, anchors and aliases are not allowed here");
}

static struct yaml_node *yaml_child(struct yaml_read *r, struct yaml_node *n, yaml_mark_t at)
{
	if (++r->items > YAML_MAX_ITEMS) {
		yaml_fault(r, at, "more than 20,000 values in one file");
		return NULL;
	}
	if ((n->count & (n->count - 1)) == 0)
		n->children = mem_grow(n->children, n->count ? n->count * 2 : 1, sizeof *n->children);
	struct yaml_node *child = &n->children[n->count++];
	*child = (struct yaml_node){.file = r->name};
	return child;
}

static void yaml_take_list(struct yaml_read *r, struct yaml_node *n, int depth)
{
	yaml_event_t e;

	while (yaml_next(r, &e)) {
		bool end = e.type == YAML_SEQUENCE_END_EVENT;
		struct yaml_node *child = end ? NULL : yaml_child(r, n, e.start_mark);

		if (child)
			yaml_take(r, &e, child, depth + 1);
		yaml_event_delete(&e);
		if (end)
			return;
	}
}

/* The key e of the next pair, checked; its node is then filled from the value's event. */
static void yaml_take_pair(struct yaml_read *r, const yaml_event_t *e, struct yaml_node *n, int depth)
{
	yaml_event_t value;
	const char *key = (const char *)e->data.scalar.value;

	if (e->type == YAML_ALIAS_EVENT ||
	    (e->type == YAML_SCALAR_EVENT && (e->data.scalar.tag || e->data.scalar.anchor))) {
		yaml_fault_subset(r, e);
		return;
	}
	if (e->type != YAML_SCALAR_EVENT || strlen(key) != e->data.scalar.length || !*key) {
		yaml_fault(r, e->start_mark, "a key must be plain text");
		return;
	}
	for (size_t i = 0; i < n->count; i++)
		if (!strcmp(n->children[i].key, key)) {
			yaml_fault(r, e->start_mark, "the same key twice in one map");
			return;
		}
	struct yaml_node *child = yaml_child(r, n, e->start_mark);
	if (!child)
		return;
	child->key = mem_str(key);
	child->key_line = (int)e->start_mark.line + 1;
	child->key_column = (int)e->start_mark.column + 1;
	if (yaml_next(r, &value)) {
		yaml_take(r, &value, child, depth + 1);
		yaml_event_delete(&value);
	}
}

static void yaml_take_map(struct yaml_read *r, struct yaml_node *n, int depth)
{
	yaml_event_t e;

	while (yaml_next(r, &e)) {
		bool end = e.type == YAML_MAPPING_END_EVENT;

		if (!end)
			yaml_take_pair(r, &e, n, depth);
		yaml_event_delete(&e);
		if (end)
			return;
	}
}

static void yaml_take_scalar(struct yaml_read *r, const yaml_event_t *e, struct yaml_node *n)
{
	n->kind = YAML_TEXT;
	n->text = mem_strn((const char *)e->data.scalar.value, e->data.scalar.length);
	n->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (strlen(n->text) != e->data.scalar.length)
		yaml_fault(r, e->start_mark, "a NUL character in a text");
}

/* Fills n from the event that begins its value, and the events after it. */
static bool yaml_take(struct yaml_read *r, const yaml_event_t *e, struct yaml_node *n, int depth)
{
	n->line = (int)e->start_mark.line + 1;
	n->column = (int)e->start_mark.column + 1;
	if (depth > YAML_MAX_DEPTH)
		yaml_fault(r, e->start_mark, "nested deeper than 12 levels");
	else if (e->type == YAML_SCALAR_EVENT && !e->data.scalar.tag && !e->data.scalar.anchor)
		yaml_take_scalar(r, e, n);
	else if (e->type == YAML_SEQUENCE_START_EVENT && !e->data.sequence_start.tag &&
	         !e->data.sequence_start.anchor)
		n->kind = YAML_LIST, yaml_take_list(r, n, depth);
	else if (e->type == YAML_MAPPING_START_EVENT && !e->data.mapping_start.tag &&
	         !e->data.mapping_start.anchor)
		n->kind = YAML_MAP, yaml_take_map(r, n, depth);
	else
		yaml_fault_subset(r, e);
	return !r->failed;
}

/* Stream start, one document, stream end. */
static void yaml_take_stream(struct yaml_read *r, struct yaml_node *root)
{
	yaml_event_t e;
	bool seen = false, end = false;

	*root = (struct yaml_node){.kind = YAML_MAP, .file = r->name, .line = 1, .column = 1};
	while (!end && yaml_next(r, &e)) {
		end = e.type == YAML_STREAM_END_EVENT;
		if (e.type == YAML_DOCUMENT_START_EVENT && seen)
			yaml_fault(r, e.start_mark, "a second document in one file");
		else if (e.type != YAML_STREAM_START_EVENT && e.type != YAML_DOCUMENT_START_EVENT &&
		         e.type != YAML_DOCUMENT_END_EVENT && !end)
			seen = yaml_take(r, &e, root, 1);
		yaml_event_delete(&e);
	}
	if (!r->failed && root->kind == YAML_TEXT && !*root->text && !root->quoted) {
		free(root->text); /* "---" and nothing after it */
		root->text = NULL;
		root->kind = YAML_MAP;
	}
}

struct yaml *yaml_parse(const char *name, const char *bytes, size_t n, struct faults *faults)
{
	struct yaml *y = mem_new(sizeof *y);
	struct yaml_read r = {.bytes = bytes, .faults = faults};

	r.name = y->name = mem_str(name);
	if (!yaml_parser_initialize(&r.parser))
		abort();
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, n);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_take_stream(&r, &y->root);
	yaml_parser_delete(&r.parser);
	if (r.failed) {
		yaml_tree_free(y);
		return NULL;
	}
	return y;
}

struct yaml *yaml_load(const char *path, struct faults *faults)
{
	FILE *f = fopen(path, "re");
	struct yaml *y = NULL;

	if (!f) {
		faults_add(faults, "%s: cannot be read: %s", path, strerror(errno));
		return NULL;
	}
	char *bytes = mem_new(YAML_MAX_BYTES + 1);
	size_t n = fread(bytes, 1, YAML_MAX_BYTES + 1, f);
	if (ferror(f))
		faults_add(faults, "%s: cannot be read: %s", path, strerror(errno));
	else if (n > YAML_MAX_BYTES)
		faults_add(faults, "%s: larger than 1 MiB", path);
	else
		y = yaml_parse(path, bytes, n, faults);
	free(bytes);
	fclose(f);
	return y;
}

static void yaml_put_text(struct yaml_node *n, const char *name, const char *text)
{
	struct buf filled = {0};
	const char *at = n->text, *found;

	while ((found = strstr(at, name)) != NULL) {
		buf_add(&filled, at, (size_t)(found - at));
		buf_str(&filled, text);
		at = found + strlen(name);
	}
	if (at != n->text) {
		buf_str(&filled, at);
		free(n->text);
		n->text = buf_take(&filled);
	}
	buf_fini(&filled);
}

static void yaml_put_node(struct yaml_node *n, const char *name, const char *text)
{
	if (n->kind == YAML_TEXT)
		yaml_put_text(n, name, text);
	for (size_t i = 0; i < n->count; i++)
		yaml_put_node(&n->children[i], name, text);
}

void yaml_put(struct yaml *y, const char *name, const char *text)
{
	yaml_put_node(&y->root, name, text);
}

void yaml_tree_free(struct yaml *y)
{
	if (!y)
		return;
	yaml_node_fini(&y->root);
	free(y->name);
	free(y);
}

const struct yaml_node *yaml_root(const struct yaml *y)
{
	return &y->root;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++)
		if (!strcmp(map->children[i].key, key))
			return &map->children[i];
	return NULL;
}
