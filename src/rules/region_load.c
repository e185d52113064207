/* The files of regions. Clocks are required: what they say is law, and no default would be anybody's. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/keys.h"
#include "base/mem.h"
#include "rules/region_body.h"
#include "text/utf8.h"

static const char *const declines[] = {
    [REGION_DECLINE_ANNULS] = "annuls", [REGION_DECLINE_KEEPS] = "keeps", NULL};

#define AT(field) offsetof(struct region_written, field)
#define CLOCK(at) AT(clocks[at])

/* clang-format off */
static const struct key table[] = {
	{"names.kk", KEY_TEXT, AT(region.names[LANGUAGE_KK]), NULL, 0, REGION_NAME, NULL, true, "",
	    "Name in Kazakh."},
	{"names.ru", KEY_TEXT, AT(region.names[LANGUAGE_RU]), NULL, 0, REGION_NAME, NULL, true, "", "Name in Russian."},
	{"names.en", KEY_TEXT, AT(region.names[LANGUAGE_EN]), NULL, 0, REGION_NAME, NULL, true, "", "Name in English."},
	{"utc_offset", KEY_INT, AT(region.offset_min), "300", -720, 840, NULL, true, "minutes",
	    "By how much the local time is before UTC; 300 in all Kazakhstan since 2024-03-01."},
	{"clocks.priority", KEY_TEXT, CLOCK(REGION_PRIORITY), NULL, 0, 8, NULL, true, "",
	    "How long a released place is for privileged categories; 0d: not at all."},
	{"clocks.accept", KEY_TEXT, CLOCK(REGION_ACCEPT), NULL, 0, 8, NULL, true, "",
	    "How long a referral waits for the parent's answer."},
	{"clocks.documents", KEY_TEXT, CLOCK(REGION_DOCUMENTS), NULL, 0, 8, NULL, true, "",
	    "How long an accepted referral waits for the documents."},
	{"clocks.extension", KEY_TEXT, CLOCK(REGION_EXTENSION), NULL, 0, 8, NULL, true, "",
	    "How long after its start an extended referral ends, once; 0d: there is no extension."},
	{"clocks.stop_list", KEY_TEXT, CLOCK(REGION_STOP_LIST), NULL, 0, 8, NULL, true, "",
	    "How long no other place is given after a referral ran out; 0d: it may be at once."},
	{"decline", KEY_CHOICE, AT(region.decline), NULL, 0, 0, declines, true, "",
	    "What a refused referral does to the application: it annuls it, or it keeps its place in the queue."},
	{"age_on", KEY_TEXT, AT(age_on), "", 0, 5, NULL, true, "",
	    "Month and day on which a child's age counts, as 09-01; empty: on the day itself."},
	{"quiet", KEY_TEXT, AT(quiet), "", 0, 11, NULL, true, "",
	    "Local hours in which notices wait, as 22:00-08:00; empty: none."},
};

static const struct key category_table[] = {
	{"id", KEY_TEXT, offsetof(struct region_category, id), NULL, 0, REGION_ID, NULL, true, "",
	    "Name that applications come with: a-z, 0-9, _ and -."},
	{"names.kk", KEY_TEXT, offsetof(struct region_category, names[LANGUAGE_KK]), NULL, 0, REGION_NAME, NULL, true, "",
	    "Name in Kazakh."},
	{"names.ru", KEY_TEXT, offsetof(struct region_category, names[LANGUAGE_RU]), NULL, 0, REGION_NAME, NULL, true, "",
	    "Name in Russian."},
	{"names.en", KEY_TEXT, offsetof(struct region_category, names[LANGUAGE_EN]), NULL, 0, REGION_NAME, NULL, true, "",
	    "Name in English."},
	{"tier", KEY_INT, offsetof(struct region_category, tier), "1", 1, 9, NULL, true, "",
	    "All of a lower tier are served first."},
	{"share", KEY_INT, offsetof(struct region_category, share), "1", 1, 100, NULL, true, "applications",
	    "So many of it are served in a round of its tier, then those of the next category."},
	{"privileged", KEY_BOOL, offsetof(struct region_category, privileged), "no", 0, 0, NULL, true, "",
	    "Whether it may take a place while priority runs."},
};
/* clang-format on */
#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *const clock_keys[REGION_CLOCKS] = {[REGION_PRIORITY] = "clocks.priority",
    [REGION_ACCEPT] = "clocks.accept",
    [REGION_DOCUMENTS] = "clocks.documents",
    [REGION_EXTENSION] = "clocks.extension",
    [REGION_STOP_LIST] = "clocks.stop_list"};

static bool id_is_good(const char *id)
{
	size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n >= 1 && n <= REGION_ID && !id[n];
}

/* Whether a phone shows the name as it stands here. */
static bool name_is_good(const char *name)
{
	struct buf shown = {0};
	bool good = *name && !strchr(name, '\n') && utf8_for_phone(name, strlen(name), &shown) == KZ_OK &&
	            !strcmp(buf_text(&shown), name);

	buf_fini(&shown);
	return good;
}

static void names_check(char *const names[LANGUAGES], const struct yaml_node *node, struct faults *faults)
{
	for (enum language l = 0; l < LANGUAGES; l++) {
		char key[16];

		snprintf(key, sizeof key, "names.%s", language_name(l));
		const struct yaml_node *at = keys_find(node, key);
		if (at && !name_is_good(names[l]))
			faults_at(faults, at,
			    "%s: wanted is a name in one line as phones show it, with plain quotes and "
			    "dashes",
			    key);
	}
}

static void clocks_read(struct region_written *w, const struct yaml_node *node, struct faults *faults)
{
	for (enum region_clock i = 0; i < REGION_CLOCKS; i++) {
		const struct yaml_node *at = keys_find(node, clock_keys[i]);
		enum kz r = at ? span_parse(w->clocks[i], &w->region.clocks[i]) : KZ_OK;

		if (r == KZ_INVALID)
			faults_at(faults, at, "%s: \"%s\" is no span: write 30m, 48h, 7d or 3wd",
			    clock_keys[i], w->clocks[i]);
		else if (r == KZ_TOO_LONG)
			faults_at(faults, at, "%s: longer than %d days", clock_keys[i], SPAN_MAX_DAYS);
		else if (at && !w->region.clocks[i].n && (i == REGION_ACCEPT || i == REGION_DOCUMENTS))
			faults_at(faults, at, "%s: a span over 0 is wanted: nobody could keep this one",
			    clock_keys[i]);
	}
}

/* "09-01", a day that every year has. */
static void age_on_read(struct region_written *w, const struct yaml_node *node, struct faults *faults)
{
	char moment[32];

	if (!*w->age_on)
		return;
	snprintf(moment, sizeof moment, "2001-%sT00:00:00Z", w->age_on);
	if (strlen(w->age_on) != 5 || clock_parse_rfc3339(moment) < 0)
		return faults_at(faults, keys_find(node, "age_on"),
		    "age_on: \"%s\" is no day of every year: write 09-01", w->age_on);
	w->region.age_month = atoi(w->age_on);
	w->region.age_day = atoi(w->age_on + 3);
}

/* "22:00" at the start of text, in minutes; -1: it is none. */
static int minute_read(const char *text)
{
	char moment[40];

	snprintf(moment, sizeof moment, "2001-01-01T%.5s:00Z", text);
	return clock_parse_rfc3339(moment) < 0 ? -1 : atoi(text) * 60 + atoi(text + 3);
}

static void quiet_read(struct region_written *w, const struct yaml_node *node, struct faults *faults)
{
	int from, until;

	if (!*w->quiet)
		return;
	bool whole = strlen(w->quiet) == strlen("22:00-08:00") && w->quiet[5] == '-';
	from = whole ? minute_read(w->quiet) : -1;
	until = whole ? minute_read(w->quiet + 6) : -1;
	if (from < 0 || until < 0 || from == until)
		return faults_at(faults, keys_find(node, "quiet"),
		    "quiet: \"%s\" is not from one minute of the day to another: write 22:00-08:00",
		    w->quiet);
	w->region.quiet_from = from;
	w->region.quiet_until = until;
}

static void category_load(struct region *r, const struct yaml_node *node, struct faults *faults)
{
	struct region_category *c = &r->categories[r->categories_n];

	keys_read(category_table, COUNT(category_table), NULL, node, c, faults);
	const struct yaml_node *at = keys_find(node, "id");
	if (at && !id_is_good(c->id))
		faults_at(faults, at, "id: at most 32 of a-z, 0-9, _ and - are wanted");
	else if (at && region_category_find(r, c->id))
		faults_at(faults, at, "id: \"%s\" is a category already", c->id);
	names_check(c->names, node, faults);
	r->categories_n++;
}

static void categories_load(struct region *r, const struct yaml_node *root, struct faults *faults)
{
	const struct yaml_node *list = yaml_get(root, "categories");

	if (!list || list->kind != YAML_LIST || !list->count)
		return faults_at(faults, list ? list : root, "categories: a list of at least one is wanted");
	if (list->count > REGION_CATEGORIES)
		return faults_at(
		    faults, &list->children[REGION_CATEGORIES], "more than %d categories", REGION_CATEGORIES);
	r->categories = mem_array(list->count, sizeof *r->categories);
	for (size_t i = 0; i < list->count; i++)
		category_load(r, &list->children[i], faults);
}

static void region_read(struct region_written *w, const struct yaml_node *root, struct faults *faults)
{
	static const char *const others[] = {"categories", NULL};

	if (!id_is_good(w->region.id))
		faults_at(faults, root,
		    "a region's file is called by its id: at most 32 of a-z, 0-9, _ and -, then .yaml");
	keys_read(table, COUNT(table), others, root, w, faults);
	if (root->kind != YAML_MAP)
		return;
	names_check(w->region.names, root, faults);
	clocks_read(w, root, faults);
	age_on_read(w, root, faults);
	quiet_read(w, root, faults);
	categories_load(&w->region, root, faults);
}

static void region_load(struct regions *r, const char *directory, const char *name, struct faults *faults)
{
	struct region_written *w = &r->list[r->count++];
	char *path = mem_printf("%s/%s", directory, name);
	struct yaml *y = yaml_load(path, faults);

	w->region.id = mem_strn(name, strlen(name) - strlen(".yaml"));
	if (y)
		region_read(w, yaml_root(y), faults);
	yaml_tree_free(y);
	free(path);
}

static int file_is_region(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return d->d_name[0] != '.' && n > 5 && !strcmp(d->d_name + n - 5, ".yaml");
}

static int file_by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

struct regions *regions_load(const char *directory, struct faults *faults)
{
	struct regions *r = mem_new(sizeof *r);
	struct dirent **files = NULL;
	int n = scandir(directory, &files, file_is_region, file_by_name);

	if (n < 0)
		faults_add(faults, "%s: cannot be read: %s", directory, strerror(errno));
	else if (n > REGION_MAX)
		faults_add(faults, "%s: more than %d regions", directory, REGION_MAX);
	for (int i = 0; i < n; i++) {
		if (n <= REGION_MAX)
			region_load(r, directory, files[i]->d_name, faults);
		free(files[i]);
	}
	free(files);
	return r;
}

static void region_fini(struct region_written *w)
{
	while (w->region.categories_n > 0)
		keys_fini(
		    category_table, COUNT(category_table), &w->region.categories[--w->region.categories_n]);
	free(w->region.categories);
	keys_fini(table, COUNT(table), w);
	free(w->region.id);
}

void regions_free(struct regions *r)
{
	if (!r)
		return;
	while (r->count > 0)
		region_fini(&r->list[--r->count]);
	free(r);
}

void region_help(struct buf *out)
{
	keys_help(table, COUNT(table), out);
	buf_str(out, "\ncategories, each:\n");
	keys_help(category_table, COUNT(category_table), out);
}
