/* kezekctl key: who may speak to the door. The key itself goes to standard output alone, the words about it
 * to standard error, so that KEY=$(kezekctl key add ...) works. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl_client.h"
#include "ctl_table.h"
#include "ctl_text.h"

enum { OPT_SCOPE = 1 };

struct key_line {
	json_t *scopes;
	int words; /* behind the options: add CLIENT, list, revoke ID */
	char **word;
};

static int key_parse(struct ctl *c, struct key_line *k, int argc, char **argv)
{
	static const struct option options[] = {
	    CTL_OPTIONS, {"scope", required_argument, NULL, OPT_SCOPE}, {0}};
	json_t *scope;
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == OPT_SCOPE && (scope = json_string(optarg)) != NULL)
			json_array_append_new(k->scopes, scope);
		else if (opt == OPT_SCOPE)
			return ctl_usage(c, "--scope is not valid UTF-8");
		else if ((code = ctl_option(c, opt)) >= 0)
			return code;
	}
	k->words = argc - optind;
	k->word = argv + optind;
	return -1;
}

static void key_print_new(const json_t *key)
{
	struct buf b = {0};

	buf_str(&b, "key ");
	ctl_text_value(&b, json_object_get(key, "id"));
	buf_str(&b, " of ");
	ctl_text_clean(&b, ctl_text_field(key, "client", "?"));
	buf_str(&b, ", may: ");
	ctl_text_value(&b, json_object_get(key, "scopes"));
	fprintf(stderr, "%s\nIt is shown this once and not stored, only its hash is; keep it now:\n",
	    buf_text(&b));
	buf_clear(&b);
	ctl_text_clean(&b, ctl_text_field(key, "key", ""));
	puts(buf_text(&b));
	buf_fini(&b);
}

static int key_add(const struct ctl *c, const struct key_line *k)
{
	struct ctl_question q = {.method = "POST", .path = "/control/keys"};
	json_t *body, *key = NULL;
	int code;

	if (k->words != 2)
		return ctl_usage(c, "key add wants one CLIENT");
	if (json_array_size(k->scopes) == 0)
		return ctl_usage(c,
		    "key add wants --scope, at least once: messages:write, messages:read, metrics, codes, "
		    "records, queue, places, open, names");
	body = json_pack("{s:s, s:O}", "client", k->word[1], "scopes", k->scopes);
	if (body == NULL)
		return ctl_usage(c, "CLIENT is not valid UTF-8");
	q.body = body;
	code = ctl_client_ask(c, &q, &key);
	if (code == CTL_DONE && c->json)
		ctl_client_print(key);
	else if (code == CTL_DONE)
		key_print_new(key);
	json_decref(key);
	json_decref(body);
	return code;
}

static void key_add_row(struct ctl_table *t, const json_t *key)
{
	const char *revoked = ctl_text_field(key, "revoked_at", "");
	struct buf b = {0};

	ctl_text_value(&b, json_object_get(key, "id"));
	ctl_table_take(t, &b);
	ctl_text_clean(&b, ctl_text_field(key, "client", "?"));
	ctl_table_take(t, &b);
	ctl_text_value(&b, json_object_get(key, "scopes"));
	ctl_table_take(t, &b);
	ctl_text_time(&b, ctl_text_field(key, "created_at", "?"), true);
	ctl_table_take(t, &b);
	if (*revoked != '\0')
		ctl_text_time(&b, revoked, true);
	ctl_table_take(t, &b);
}

static void key_print_list(const json_t *list)
{
	static const char *const heads[] = {"id", "client", "scopes", "made", "revoked"};
	struct ctl_table *t = ctl_table_new("rllll", 0);
	size_t i;
	json_t *key;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		ctl_table_cell(t, "%s", heads[i]);
	json_array_foreach(list, i, key) key_add_row(t, key);
	if (json_array_size(list) > 0)
		ctl_table_print(t);
	else
		puts("no key yet; make one: kezekctl key add CLIENT --scope messages:write --scope "
		     "messages:read");
	ctl_table_free(t);
}

static int key_list(const struct ctl *c, const struct key_line *k)
{
	struct ctl_question q = {.method = "GET", .path = "/control/keys"};
	json_t *answer = NULL;
	int code;

	if (k->words != 1)
		return ctl_usage(c, "key list wants no argument");
	if ((code = ctl_client_ask(c, &q, &answer)) != CTL_DONE)
		return code;
	if (c->json)
		ctl_client_print(answer);
	else
		key_print_list(json_object_get(answer, "keys"));
	json_decref(answer);
	return CTL_DONE;
}

static int key_revoke(const struct ctl *c, const struct key_line *k)
{
	struct ctl_question q = {.method = "DELETE"};
	json_t *answer = NULL;
	char *path, *id;
	int code;

	if (k->words != 2 || *k->word[1] == '\0')
		return ctl_usage(c, "key revoke wants one ID, as key list shows it");
	id = ctl_client_escape(k->word[1]);
	path = mem_printf("/control/keys/%s", id);
	q.path = path;
	code = ctl_client_ask(c, &q, &answer);
	if (code == CTL_DONE && c->json)
		puts("{}");
	else if (code == CTL_DONE)
		printf("key %s is revoked\n", k->word[1]);
	json_decref(answer);
	free(path);
	free(id);
	return code;
}

static int key_do(const struct ctl *c, const struct key_line *k)
{
	static const struct {
		const char *name;
		int (*run)(const struct ctl *c, const struct key_line *k);
	} verbs[] = {{"add", key_add}, {"list", key_list}, {"revoke", key_revoke}};

	for (size_t i = 0; k->words > 0 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(k->word[0], verbs[i].name) == 0)
			return verbs[i].run(c, k);
	}
	return ctl_usage(c, "one of key add, key list and key revoke is expected");
}

static int key_run(struct ctl *c, int argc, char **argv)
{
	struct key_line k = {.scopes = json_array()};
	int code = key_parse(c, &k, argc, argv);

	if (code < 0)
		code = key_do(c, &k);
	json_decref(k.scopes);
	return code;
}

const struct ctl_command ctl_key_command = {
    .name = "key",
    .summary = "the door's keys: add, list, revoke",
    .usage = "usage: kezekctl key add CLIENT --scope SCOPE [--scope SCOPE]...\n"
             "       kezekctl key list\n"
             "       kezekctl key revoke ID\n"
             "\n"
             "scopes: messages:write, messages:read, metrics, codes, records, queue, places, open, names\n",
    .run = key_run,
};
