#include "base/keys.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define KEY_TEXT_MAX 1024

static void *key_field(const struct key *k, const void *base)
{
	return (char *)(uintptr_t)base + k->offset;
}

/* A whole number with one of the suffixes (name, factor); the first suffix may be empty. */
struct key_suffix {
	const char *name;
	int64_t factor;
};

static bool key_number(const char *text, const struct key_suffix *suffixes, size_t n, int64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)*text) && !(*text == '-' && isdigit((unsigned char)text[1])))
		return false;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(end, suffixes[i].name))
			return !errno && !__builtin_mul_overflow((int64_t)v, suffixes[i].factor, ret);
	return false;
}

static const struct key_suffix plain[] = {{"", 1}};
static const struct key_suffix times[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
static const struct key_suffix sizes[] = {
    {"", 1}, {"k", 1024}, {"m", 1024 * 1024}, {"g", 1024 * 1024 * 1024}};

/* A number as its type is written, in the largest unit that divides it. */
static const char *key_written(enum key_type type, int64_t v, char room[32])
{
	const struct key_suffix *s = type == KEY_MS ? times : type == KEY_BYTES ? sizes : plain;
	size_t n = type == KEY_MS ? 5 : type == KEY_BYTES ? 4 : 1, at = 0;

	for (size_t i = 0; i < n; i++)
		if (v && v % s[i].factor == 0)
			at = i;
	snprintf(room, 32, "%lld%s", (long long)(v / s[at].factor), s[at].name);
	return room;
}

static bool key_set_number(const struct key *k, const char *text, int64_t *field, char why[160])
{
	char low[32], high[32];
	int64_t v = 0;
	bool good = k->type == KEY_MS      ? key_number(text, times, 5, &v)
	            : k->type == KEY_BYTES ? key_number(text, sizes, 4, &v)
	                                   : key_number(text, plain, 1, &v);

	if (!good)
		snprintf(why, 160, "\"%.40s\" is not %s", text,
		    k->type == KEY_MS      ? "a time: write 250ms, 30s, 5m, 12h or 7d"
		    : k->type == KEY_BYTES ? "a size: write 65536, 64k or 16m"
		                           : "a whole number");
	else if (v < k->min || v > k->max)
		snprintf(why, 160, "%.40s is out of range: %s to %s", text, key_written(k->type, k->min, low),
		    key_written(k->type, k->max, high));
	else {
		*field = v;
		return true;
	}
	return false;
}

static bool key_set_bool(const char *text, bool *field, char why[160])
{
	bool yes = !strcmp(text, "yes") || !strcmp(text, "true"),
	     no = !strcmp(text, "no") || !strcmp(text, "false");

	if (!yes && !no) {
		snprintf(why, 160, "\"%.40s\" is not yes or no", text);
		return false;
	}
	*field = yes;
	return true;
}

static bool key_set_choice(const struct key *k, const char *text, int *field, char why[160])
{
	int n = 0;

	for (; k->choices[n]; n++)
		if (!strcmp(k->choices[n], text)) {
			*field = n;
			return true;
		}
	int at = snprintf(why, 160, "\"%.40s\" is not one of", text);
	for (int i = 0; i < n && at < 140; i++)
		at += snprintf(why + at, (size_t)(160 - at), "%s %s", i ? "," : "", k->choices[i]);
	return false;
}

static bool key_set_text(const struct key *k, const char *text, char **field, char why[160])
{
	size_t max = k->max ? (size_t)k->max : KEY_TEXT_MAX;

	if (strlen(text) > max) {
		snprintf(why, 160, "longer than %zu characters", max);
		return false;
	}
	free(*field);
	*field = mem_str(text);
	return true;
}

static void key_list_fini(struct key_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
	*l = (struct key_list){0};
}

static void key_list_add(struct key_list *l, const char *text)
{
	l->items = mem_grow(l->items, l->count + 1, sizeof *l->items);
	l->items[l->count++] = mem_str(text);
}

/* A single text stands for a list of it, an empty one for the empty list. */
static bool key_set_list(const struct key *k, const char *text, struct key_list *field, char why[160])
{
	size_t max = k->max ? (size_t)k->max : KEY_TEXT_MAX;

	if (strlen(text) > max) {
		snprintf(why, 160, "an item is longer than %zu characters", max);
		return false;
	}
	key_list_fini(field);
	if (*text)
		key_list_add(field, text);
	return true;
}

bool keys_set(const struct key *k, const char *text, void *base, char why[160])
{
	void *field = key_field(k, base);

	switch (k->type) {
	case KEY_BOOL:
		return key_set_bool(text, field, why);
	case KEY_INT:
	case KEY_MS:
	case KEY_BYTES:
		return key_set_number(k, text, field, why);
	case KEY_TEXT:
		return key_set_text(k, text, field, why);
	case KEY_CHOICE:
		return key_set_choice(k, text, field, why);
	case KEY_LIST:
		return key_set_list(k, text, field, why);
	}
	return false;
}

static void key_read_list(
    const struct key *k, const struct yaml_node *node, struct key_list *field, struct faults *faults)
{
	size_t max = k->max ? (size_t)k->max : KEY_TEXT_MAX;

	key_list_fini(field);
	for (size_t i = 0; i < node->count; i++)
		if (node->children[i].kind != YAML_TEXT)
			faults_at(faults, &node->children[i], "%s: each item is a plain text", k->name);
		else if (strlen(node->children[i].text) > max)
			faults_at(faults, &node->children[i], "%s: an item is longer than %zu characters",
			    k->name, max);
		else
			key_list_add(field, node->children[i].text);
}

static void key_read(const struct key *k, const struct yaml_node *node, void *base, struct faults *faults)
{
	char why[160];

	if (node->kind == YAML_LIST && k->type == KEY_LIST)
		key_read_list(k, node, key_field(k, base), faults);
	else if (node->kind != YAML_TEXT)
		faults_at(faults, node, "%s: a single value is wanted here, not a %s", k->name,
		    node->kind == YAML_MAP ? "map" : "list");
	else if (!keys_set(k, node->text, base, why))
		faults_at(faults, node, "%s: %s", k->name, why);
}

const struct yaml_node *keys_find(const struct yaml_node *map, const char *name)
{
	char part[64];
	const char *dot;

	while ((dot = strchr(name, '.')) != NULL) {
		snprintf(part, sizeof part, "%.*s", (int)(dot - name), name);
		map = yaml_get(map, part);
		if (!map || map->kind != YAML_MAP)
			return NULL;
		name = dot + 1;
	}
	return yaml_get(map, name);
}

static size_t key_distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b);

	if (n >= 63 || strlen(a) >= 63)
		return 64;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);

			best = above + 1 < best ? above + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			diagonal = above;
			row[j] = best;
		}
	}
	return row[n];
}

const char *keys_nearest(const char *word, const char *const *candidates, size_t n)
{
	const char *best = NULL;
	size_t least = 4;

	for (size_t i = 0; i < n; i++) {
		size_t d = key_distance(word, candidates[i]);

		if (d < least && d < strlen(word)) {
			least = d;
			best = candidates[i];
		}
	}
	return best;
}

/* Reading one table: what is walked to find names that nobody knows. */
struct keys_walk {
	const struct key *table;
	size_t n;
	const char *const *others;
	struct faults *faults;
};

static bool keys_is_prefix(const struct keys_walk *w, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < w->n; i++)
		if (!strncmp(w->table[i].name, path, len) && w->table[i].name[len] == '.')
			return true;
	return false;
}

static bool keys_is_known(const struct keys_walk *w, const char *path)
{
	for (size_t i = 0; i < w->n; i++)
		if (!strcmp(w->table[i].name, path))
			return true;
	for (size_t i = 0; w->others && w->others[i]; i++)
		if (!strcmp(w->others[i], path))
			return true;
	return false;
}

/* name cut to as many steps as path has: beside "htttp", "http.listen" is "http". */
static char *keys_cut(const char *name, const char *path)
{
	size_t dots = 0, n = 0;

	for (; *path; path++)
		dots += *path == '.';
	while (name[n] && (name[n] != '.' || dots-- > 0))
		n++;
	return mem_strn(name, n);
}

static void keys_unknown(const struct keys_walk *w, const struct yaml_node *node, const char *path)
{
	const char *names[256];
	char *cut[200];
	size_t n = 0;

	for (size_t i = 0; i < w->n && n < 200; i++, n++)
		names[n] = cut[n] = keys_cut(w->table[i].name, path);
	size_t cut_n = n;
	for (size_t i = 0; w->others && w->others[i] && n < 256; i++)
		names[n++] = w->others[i];
	const char *near = keys_nearest(path, names, n);
	struct yaml_node at = {.file = node->file, .line = node->key_line, .column = node->key_column};
	if (near)
		faults_at(w->faults, &at, "%s: no such key; did you mean %s?", path, near);
	else
		faults_at(w->faults, &at, "%s: no such key", path);
	while (cut_n > 0)
		free(cut[--cut_n]);
}

/* "http.listen:" at the top: the name that the help says, but no step into a map, so it would go unheard. */
static void keys_dotted(const struct keys_walk *w, const struct yaml_node *node, const char *path)
{
	struct yaml_node at = {.file = node->file, .line = node->key_line, .column = node->key_column};
	const char *dot = strrchr(node->key, '.');

	faults_at(w->faults, &at, "%s: a dot steps into a map: write \"%s:\" under \"%.*s:\"", path, dot + 1,
	    (int)(dot - node->key), node->key);
}

static void keys_walk_map(const struct keys_walk *w, const struct yaml_node *map, const char *prefix)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct yaml_node *child = &map->children[i];
		char *path = mem_printf("%s%s%s", prefix, *prefix ? "." : "", child->key);

		bool known = keys_is_known(w, path), section = keys_is_prefix(w, path);

		if (!known && !section)
			keys_unknown(w, child, path);
		else if (strchr(child->key, '.'))
			keys_dotted(w, child, path);
		else if (known)
			;
		else if (child->kind == YAML_MAP)
			keys_walk_map(w, child, path);
		else if (child->kind != YAML_TEXT || *child->text) /* "http:" with nothing under it is fine */
			faults_at(w->faults, child, "%s: a map of keys is wanted here", path);
		free(path);
	}
}

void keys_read(const struct key *table, size_t n, const char *const *others, const struct yaml_node *map,
    void *base, struct faults *faults)
{
	const struct keys_walk w = {table, n, others, faults};
	char why[160];

	if (map->kind == YAML_MAP)
		keys_walk_map(&w, map, "");
	else
		faults_at(faults, map, "a map of keys is wanted here");
	for (size_t i = 0; i < n; i++) {
		const struct key *k = &table[i];
		const struct yaml_node *node = keys_find(map, k->name);
		bool good = keys_set(k,
		    k->fallback           ? k->fallback
		    : k->type == KEY_TEXT ? ""
		                          : "0",
		    base, why);

		assert(good || !k->fallback); /* a default outside its own range is our bug */
		if (node)
			key_read(k, node, base, faults);
		else if (!k->fallback && map->kind == YAML_MAP)
			faults_at(faults, map, "%s: this key is required: %s", k->name, k->help);
	}
}

void keys_fini(const struct key *table, size_t n, void *base)
{
	for (size_t i = 0; i < n; i++) {
		void *field = key_field(&table[i], base);

		if (table[i].type == KEY_TEXT) {
			free(*(char **)field);
			*(char **)field = NULL;
		} else if (table[i].type == KEY_LIST) {
			key_list_fini(field);
		}
	}
}

static bool key_list_equal(const struct key_list *a, const struct key_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

static bool key_equal(const struct key *k, const void *a, const void *b)
{
	const void *x = key_field(k, a), *y = key_field(k, b);

	switch (k->type) {
	case KEY_BOOL:
		return *(const bool *)x == *(const bool *)y;
	case KEY_CHOICE:
		return *(const int *)x == *(const int *)y;
	case KEY_TEXT:
		return !strcmp(*(char *const *)x, *(char *const *)y);
	case KEY_LIST:
		return key_list_equal(x, y);
	case KEY_INT:
	case KEY_MS:
	case KEY_BYTES:
		break;
	}
	return *(const int64_t *)x == *(const int64_t *)y;
}

const char *keys_fixed_difference(const struct key *table, size_t n, const void *a, const void *b)
{
	for (size_t i = 0; i < n; i++)
		if (!table[i].reloadable && !key_equal(&table[i], a, b))
			return table[i].name;
	return NULL;
}

bool keys_equal(const struct key *table, size_t n, const void *a, const void *b)
{
	for (size_t i = 0; i < n; i++)
		if (!key_equal(&table[i], a, b))
			return false;
	return true;
}

static void key_help_range(const struct key *k, struct buf *out)
{
	char low[32], high[32];

	if (k->type == KEY_CHOICE)
		for (int i = 0; k->choices[i]; i++)
			buf_printf(out, "%s%s", i ? " | " : "", k->choices[i]);
	else if (k->type == KEY_BOOL)
		buf_str(out, "yes | no");
	else if (k->type == KEY_INT || k->type == KEY_MS || k->type == KEY_BYTES)
		buf_printf(
		    out, "%s to %s", key_written(k->type, k->min, low), key_written(k->type, k->max, high));
	else
		buf_printf(out, "up to %lld characters%s", k->max ? (long long)k->max : KEY_TEXT_MAX,
		    k->type == KEY_LIST ? " each" : "");
}

void keys_help(const struct key *table, size_t n, struct buf *out)
{
	static const char *const types[] = {
	    [KEY_BOOL] = "yes or no",
	    [KEY_INT] = "number",
	    [KEY_MS] = "time",
	    [KEY_BYTES] = "size",
	    [KEY_TEXT] = "text",
	    [KEY_CHOICE] = "choice",
	    [KEY_LIST] = "list",
	};

	for (size_t i = 0; i < n; i++) {
		const struct key *k = &table[i];

		buf_printf(out, "%s\n    %s\n    %s%s%s", k->name, k->help, types[k->type],
		    *k->unit ? ", " : "", k->unit);
		if (!k->fallback)
			buf_str(out, "; required");
		else
			buf_printf(out, "; default %s", *k->fallback ? k->fallback : "empty");
		buf_str(out, "; ");
		key_help_range(k, out);
		buf_printf(out, "; %s\n", k->reloadable ? "changes on reload" : "needs a restart");
	}
}
