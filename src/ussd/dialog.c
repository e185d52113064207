/* The contracts are read first, for a screen speaks of their values; then the names of all screens, for a
 * goto may lead ahead; then the screens and the head. Against broken contracts every screen would be a fault
 * too, and not its own: it ends there. */
#include "ussd/dialog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "ussd/dialog_body.h"

static bool source_read_one(const char *path, size_t most, char **ret, size_t *ret_n, struct faults *faults)
{
	FILE *f = fopen(path, "re");
	char *bytes;
	bool good = false;

	if (!f) {
		faults_add(faults, "%s: cannot be read: %s", path, strerror(errno));
		return false;
	}
	bytes = mem_new(most + 1);
	size_t n = fread(bytes, 1, most + 1, f);
	if (ferror(f))
		faults_add(faults, "%s: cannot be read: %s", path, strerror(errno));
	else if (n > most)
		faults_add(faults, "%s: larger than 512 KiB with the other file of the dialog", path);
	else
		good = true;
	fclose(f);
	*ret = mem_strn(bytes, good ? n : 0);
	*ret_n = good ? n : 0;
	free(bytes);
	return good;
}

bool dialog_source_read(
    const char *dialog, const char *services, struct dialog_source *ret, struct faults *faults)
{
	const char *paths[2] = {dialog, services};
	bool good = true;

	*ret = (struct dialog_source){0};
	for (int i = 0; i < 2; i++) {
		ret->name[i] = mem_str(paths[i]);
		good &= source_read_one(
		    paths[i], DIALOG_SOURCE - ret->len[0], &ret->bytes[i], &ret->len[i], faults);
	}
	return good;
}

void dialog_source_fini(struct dialog_source *s)
{
	for (int i = 0; i < 2; i++) {
		free(s->name[i]);
		free(s->bytes[i]);
	}
	*s = (struct dialog_source){0};
}

/* Of the hashes of all, so that no octet counts for another. */
static void source_hash(const struct dialog_source *s, const struct words *w, uint8_t ret[DIALOG_HASH])
{
	uint8_t all[4][SECRET_HASH];

	for (int i = 0; i < 2; i++)
		secret_sha256(s->bytes[i], s->len[i], all[i]);
	secret_sha256(w->dial, strlen(w->dial), all[2]);
	secret_sha256(w->helpline, strlen(w->helpline), all[3]);
	secret_sha256(all, sizeof all, ret);
}

/* Every child of screens has its place, whatever its name. */
static void screens_name(struct dialog_reading *r, const struct yaml_node *all)
{
	struct dialog *d = r->d;
	size_t n = all->count < DIALOG_SCREENS ? all->count : DIALOG_SCREENS;

	if (all->count < 1 || all->count > DIALOG_SCREENS)
		faults_at(r->faults, all, "1 to %d screens are expected, there are %zu", DIALOG_SCREENS,
		    all->count);
	d->screens = mem_array(n ? n : 1, sizeof *d->screens);
	for (; d->screens_n < n; d->screens_n++) {
		const struct yaml_node *node = &all->children[d->screens_n];
		struct dialog_screen *s = &d->screens[d->screens_n];

		dialog_read_name(r, node, node->key, s->name);
		s->line = node->key_line;
		s->column = node->key_column;
		r->screens[d->screens_n] = s->name;
	}
}

static void screens_read(const struct dialog_reading *r, const struct yaml_node *all)
{
	struct dialog *d = r->d;

	for (size_t i = 0; i < d->screens_n; i++) {
		dialog_read_one_screen(r, &all->children[i], &d->screens[i]);
		if (d->screens[i].resume && d->resume >= 0)
			faults_at(r->faults, &all->children[i], "%s: a second screen that says engine: yes",
			    d->screens[i].name);
		else if (d->screens[i].resume)
			d->resume = (int)i;
	}
	if (d->resume < 0)
		faults_at(r->faults, all,
		    "lacks the screen that offers to continue after a drop: options with engine: yes");
}

static void dialog_read(struct dialog *d, const struct yaml_node *root, struct faults *faults)
{
	struct dialog_reading r = {.d = d, .c = d->contracts, .faults = faults};
	const struct yaml_node *screens;

	if (root->kind != YAML_MAP) {
		faults_at(faults, root, "a map is expected: dialog, version, languages, .., screens");
		return;
	}
	screens = yaml_get(root, "screens");
	if (!dialog_is(&r, root, screens, YAML_MAP, "screens"))
		return;
	screens_name(&r, screens);
	dialog_read_head(&r, root);
	screens_read(&r, screens);
}

struct dialog *dialog_load(const struct dialog_source *s, const struct words *w, struct faults *faults)
{
	int before = faults->count;
	struct yaml *services = yaml_parse(s->name[1], s->bytes[1], s->len[1], faults),
	            *dialog = yaml_parse(s->name[0], s->bytes[0], s->len[0], faults);
	struct dialog *d = mem_new(sizeof *d);

	d->entry = d->resume = -1;
	source_hash(s, w, d->hash);
	if (dialog)
		words_put(dialog, w);
	if (services)
		d->contracts = contracts_load(yaml_root(services), faults);
	if (dialog && faults->count == before)
		dialog_read(d, yaml_root(dialog), faults);
	yaml_tree_free(services);
	yaml_tree_free(dialog);
	if (faults->count == before)
		return d;
	dialog_free(d);
	return NULL;
}

void dialog_free(struct dialog *d)
{
	if (!d)
		return;
	struct dialog_text *texts[] = {
	    &d->next, &d->back, &d->rest, &d->invalid, &d->down, &d->over, &d->hidden};

	for (size_t i = 0; i < d->screens_n; i++)
		dialog_screen_fini(&d->screens[i]);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		dialog_text_fini(texts[i]);
	free(d->screens);
	contracts_free(d->contracts);
	free(d);
}

int dialog_screen(const struct dialog *d, const char *name)
{
	for (size_t i = 0; i < d->screens_n; i++)
		if (*name && !strcmp(d->screens[i].name, name))
			return (int)i;
	return -1;
}
