#include "smpp/profile_link.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "net/tls.h"
#include "smpp/profile_keys.h"

#define PASSWORD_MAX 32

/* A file named in the profile: relative to the profile's folder. */
static char *profile_link_path(const char *profile, const char *file)
{
	const char *slash = strrchr(profile, '/');

	if (*file == '/' || !slash)
		return mem_str(file);
	return mem_printf("%.*s/%s", (int)(slash - profile), profile, file);
}

static void profile_link_anchor(const struct profile *p, char **file)
{
	if (!**file)
		return;
	char *whole = profile_link_path(p->path, *file);
	free(*file);
	*file = whole;
}

static void profile_link_read_password(
    const struct profile *p, struct profile_link *l, const struct yaml_node *map, struct faults *faults)
{
	char *text = NULL;
	enum kz r;

	l->password = NULL;
	if (!*l->password_file || !p->enabled) {
		l->password = mem_str("");
		return;
	}
	r = secret_file(l->password_file, PASSWORD_MAX, &text);
	if (r == KZ_OK) {
		l->password = text;
		return;
	}
	l->password = mem_str("");
	faults_at(faults, profile_at(map, NULL, "password_file"), "password_file: %s %s", l->password_file,
	    r == KZ_NOT_FOUND ? "cannot be read"
	                      : "is not one line of 1 to 32 characters, or others may write it");
}

static void profile_link_check_tls(
    const struct profile *p, const struct profile_link *l, const struct yaml_node *map, struct faults *faults)
{
	char why[256];

	if (!*l->tls_cert != !*l->tls_key)
		faults_at(faults, map, "tls_cert and tls_key belong together");
	else if (l->tls && p->enabled) {
		struct tls *t = tls_client_new(l->tls_ca, l->tls_cert, l->tls_key, why);

		if (!t)
			faults_at(faults, profile_at(map, NULL, "tls"), "tls: %s", why);
		tls_free(t);
	}
}

static void profile_link_check(
    const struct profile *p, const struct profile_link *l, const struct yaml_node *map, struct faults *faults)
{
	if (!profile_is_word(l->name, PROFILE_NAME))
		faults_at(faults, profile_at(map, NULL, "name"),
		    "name: 1 to %d of a-z, 0-9 and \"-\" are wanted", PROFILE_NAME);
	for (const struct profile_link *o = p->links; o < l; o++)
		if (!strcmp(o->name, l->name))
			faults_at(
			    faults, profile_at(map, NULL, "name"), "name: \"%s\" is there twice", l->name);
	if (!*l->host && yaml_get(map, "host"))
		faults_at(faults, profile_at(map, NULL, "host"), "host: a name or an address is wanted");
	if (l->interface_version != 33 && l->interface_version != 34 && l->interface_version != 50)
		faults_at(faults, profile_at(map, NULL, "interface_version"),
		    "interface_version: 33, 34 or 50 is wanted");
	profile_link_check_tls(p, l, map, faults);
}

void profile_link_read(
    const struct profile *p, struct profile_link *l, const struct yaml_node *map, struct faults *faults)
{
	keys_read(profile_link_keys, profile_link_keys_n, NULL, map, l, faults);
	if (!*l->name) {
		free(l->name);
		l->name = mem_printf("%zu", (size_t)(l - p->links) + 1);
	}
	profile_link_anchor(p, &l->password_file);
	profile_link_anchor(p, &l->tls_ca);
	profile_link_anchor(p, &l->tls_cert);
	profile_link_anchor(p, &l->tls_key);
	profile_link_read_password(p, l, map, faults);
	profile_link_check(p, l, map, faults);
}

bool profile_link_equal(const struct profile_link *a, const struct profile_link *b)
{
	return keys_equal(profile_link_keys, profile_link_keys_n, a, b) && !strcmp(a->password, b->password);
}

void profile_link_fini(struct profile_link *l)
{
	if (l->password)
		secret_wipe(l->password, strlen(l->password));
	free(l->password);
	keys_fini(profile_link_keys, profile_link_keys_n, l);
}
