/* profile: the tables of keys are the master; what one row cannot say (names, secrets, what two keys mean
 * together) is checked behind them, each with its place in the file. A disabled profile is checked too, but
 * its secrets are not read, so that an example may name files that are not there. */
#include "smpp/profile.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "smpp/profile_keys.h"
#include "smpp/profile_link.h"

#define LINKS_MAX 32
#define ALPHA_MAX 11
#define FILES_MAX 100

static const char *const others[] = {"links", "statuses", NULL};

/* "config/operators/kcell.yaml" -> "kcell" */
static char *profile_name_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *end = strstr(name, ".yaml");

	return mem_strn(name, end ? (size_t)(end - name) : strlen(name));
}

static void profile_check_prefixes(
    const struct profile *p, const struct yaml_node *root, struct faults *faults)
{
	for (size_t i = 0; i < p->prefixes.count; i++) {
		const char *text = p->prefixes.items[i];
		size_t n = strspn(text, "0123456789");

		if (n == 0 || n > 11 || text[n])
			faults_at(faults, profile_at(root, NULL, "prefixes"),
			    "prefixes: \"%.20s\" is not the beginning of a number; write digits as in 7701",
			    text);
	}
}

static void profile_check_sender(const struct profile *p, const struct yaml_node *root, struct faults *faults)
{
	const struct yaml_node *at = profile_at(root, "sender", "default");
	size_t len = strlen(p->sender);

	for (size_t i = 0; i < len; i++)
		if (!isprint((unsigned char)p->sender[i])) {
			faults_at(faults, at, "sender.default: only letters, digits and marks of ASCII");
			return;
		}
	if (len > ALPHA_MAX &&
	    strspn(p->sender + (*p->sender == '+'), "0123456789") + (*p->sender == '+') < len)
		faults_at(faults, at, "sender.default: a name has at most %d characters", ALPHA_MAX);
}

static void profile_check_times(const struct profile *p, const struct yaml_node *root, struct faults *faults)
{
	if (p->reconnect_max_ms < p->reconnect_min_ms)
		faults_at(faults, profile_at(root, "reconnect", "max"),
		    "reconnect.max: shorter than reconnect.min");
}

static bool status_number(const char *text, const char **ret_end, uint32_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	unsigned long long v = strtoull(text, &end, strncasecmp(text, "0x", 2) ? 10 : 16);
	*ret_end = end;
	*ret = (uint32_t)v;
	return !errno && v <= UINT32_MAX;
}

/* "0x55f", "1375" or "0x400-0x4ff". ESME_ROK is not for tables. */
static bool profile_parse_statuses(const char *text, struct status_rule *ret)
{
	const char *end;

	if (!status_number(text, &end, &ret->from))
		return false;
	ret->to = ret->from;
	if (*end == '-' && !status_number(end + 1, &end, &ret->to))
		return false;
	return *end == '\0' && ret->from > 0 && ret->from <= ret->to;
}

static void profile_read_status(struct profile *p, const struct yaml_node *node, struct faults *faults)
{
	struct status_rule rule;
	struct yaml_node at = {.file = node->file, .line = node->key_line, .column = node->key_column};

	if (!profile_parse_statuses(node->key, &rule))
		faults_at(faults, &at,
		    "statuses: \"%.40s\" is not a status; write 0x55f or 0x400-0x4ff, from 0x1", node->key);
	else if (node->kind != YAML_TEXT || status_class_parse(node->text, &rule.class) != KZ_OK ||
	         rule.class == STATUS_OK)
		faults_at(faults, node, "statuses: not one of slow, temporary, reroute, final, link, bug");
	else {
		p->statuses = mem_grow(p->statuses, p->statuses_n + 1, sizeof *p->statuses);
		p->statuses[p->statuses_n++] = rule;
	}
}

static void profile_read_statuses(struct profile *p, const struct yaml_node *root, struct faults *faults)
{
	const struct yaml_node *map = yaml_get(root, "statuses");

	if (!map || (map->kind == YAML_TEXT && !*map->text))
		return;
	if (map->kind != YAML_MAP) {
		faults_at(faults, map, "statuses: a map is wanted here, as in \"0x55f\": temporary");
		return;
	}
	for (size_t i = 0; i < map->count; i++)
		profile_read_status(p, &map->children[i], faults);
}

static void profile_read_links(struct profile *p, const struct yaml_node *root, struct faults *faults)
{
	const struct yaml_node *list = yaml_get(root, "links");
	bool submits = false;

	if (!list || list->kind != YAML_LIST || list->count == 0 || list->count > LINKS_MAX) {
		faults_at(faults, list ? list : root,
		    "links: a list of 1 to %d binds is wanted, each with host and system_id", LINKS_MAX);
		return;
	}
	p->links = mem_array(list->count, sizeof *p->links);
	for (size_t i = 0; i < list->count; i++) {
		if (list->children[i].kind != YAML_MAP) {
			faults_at(faults, &list->children[i], "links: a map of keys is wanted here");
			continue;
		}
		struct profile_link *l = &p->links[p->links_n++];
		profile_link_read(p, l, &list->children[i], faults);
		submits = submits || l->bind != BIND_RECEIVER;
	}
	if (!submits)
		faults_at(
		    faults, list, "links: none of them can submit; a receiver needs a transmitter beside it");
}

static void profile_read(struct profile *p, const struct yaml_node *root, struct faults *faults)
{
	keys_read(profile_keys, profile_keys_n, others, root, p, faults);
	if (!profile_is_word(p->name, PROFILE_NAME))
		faults_at(faults, root, "the file's name is the operator's: 1 to %d of a-z, 0-9 and \"-\"",
		    PROFILE_NAME);
	profile_check_prefixes(p, root, faults);
	profile_check_sender(p, root, faults);
	profile_check_times(p, root, faults);
	profile_ussd_read(p, root, faults);
	profile_read_statuses(p, root, faults);
	profile_read_links(p, root, faults);
}

struct profile *profile_load(const char *path, struct faults *faults)
{
	int before = faults->count;
	struct yaml *y = yaml_load(path, faults);

	if (!y)
		return NULL;
	struct profile *p = mem_new(sizeof *p);
	p->path = mem_str(path);
	p->name = profile_name_of(path);
	if (yaml_root(y)->kind == YAML_MAP)
		profile_read(p, yaml_root(y), faults);
	else
		faults_at(faults, yaml_root(y), "a map of keys is wanted here");
	yaml_tree_free(y);
	if (faults->count == before)
		return p;
	profile_free(p);
	return NULL;
}

static int profile_is_file(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && !strcmp(d->d_name + n - 5, ".yaml");
}

static int profile_by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Every file is read, also behind a fault: all faults are shown at once. */
static struct profile **profiles_read(
    const char *directory, struct dirent **files, size_t n, struct faults *faults)
{
	struct profile **p = mem_array(n, sizeof *p);

	for (size_t i = 0; i < n; i++) {
		char *path = mem_printf("%s/%s", directory, files[i]->d_name);

		p[i] = profile_load(path, faults);
		free(path);
	}
	return p;
}

struct profile **profiles_load(const char *directory, size_t *ret_n, struct faults *faults)
{
	struct dirent **files = NULL;
	struct profile **p = NULL;
	int before = faults->count, n = scandir(directory, &files, profile_is_file, profile_by_name);

	*ret_n = 0;
	if (n < 0)
		faults_add(faults, "%s: cannot be read: %s", directory, strerror(errno));
	else if (n > FILES_MAX)
		faults_add(faults, "%s: more than %d profiles", directory, FILES_MAX);
	else if (n > 0)
		p = profiles_read(directory, files, (size_t)n, faults);
	if (p && faults->count == before)
		*ret_n = (size_t)n;
	else if (p) {
		profiles_free(p, (size_t)n);
		p = NULL;
	}
	for (int i = 0; i < n; i++)
		free(files[i]);
	free(files);
	return p;
}

void profiles_free(struct profile **p, size_t n)
{
	for (size_t i = 0; p && i < n; i++)
		profile_free(p[i]);
	free(p);
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->links_n; i++)
		profile_link_fini(&p->links[i]);
	keys_fini(profile_keys, profile_keys_n, p);
	profile_ussd_fini(&p->ussd);
	free(p->links);
	free(p->statuses);
	free(p->name);
	free(p->path);
	free(p);
}

bool profile_equal(const struct profile *a, const struct profile *b)
{
	if (strcmp(a->name, b->name) || !keys_equal(profile_keys, profile_keys_n, a, b) ||
	    a->links_n != b->links_n || a->statuses_n != b->statuses_n)
		return false;
	for (size_t i = 0; i < a->links_n; i++)
		if (!profile_link_equal(&a->links[i], &b->links[i]))
			return false;
	for (size_t i = 0; i < a->statuses_n; i++)
		if (a->statuses[i].from != b->statuses[i].from || a->statuses[i].to != b->statuses[i].to ||
		    a->statuses[i].class != b->statuses[i].class)
			return false;
	return true;
}
