/* Types first, then the services that use them. A name of a value is given its type where a contract first
 * says it: `name: type`. */
#include "ussd/contract.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ussd/dialog_body.h"

/* The count of digits that were typed wrongly: the engine's own value. */
static void contract_add_count(const struct dialog_reading *r, const struct yaml_node *root)
{
	char key[] = "n2";
	const struct yaml_node node = {
	    .file = root->file, .line = root->line, .column = root->column, .key = key};

	contract_add_value(r, &node, "n2");
}

struct contracts *contracts_load(const struct yaml_node *root, struct faults *faults)
{
	struct contracts *c = mem_new(sizeof *c);
	const struct dialog_reading r = {.c = c, .faults = faults};

	c->types = mem_array(CONTRACT_TYPES, sizeof *c->types);
	if (root->kind != YAML_MAP) {
		faults_at(faults, root, "a map of types, enums and services is expected");
		return c;
	}
	dialog_check_keys(&r, root, "types enums services");
	contract_read_types(&r, root);
	contract_add_count(&r, root);
	contract_read_services(&r, root);
	return c;
}

void contracts_free(struct contracts *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->types_n; i++)
		contract_type_fini(&c->types[i]);
	free(c->types);
	free(c);
}

int contract_value(const struct contracts *c, const char *name, size_t n)
{
	for (size_t i = 0; i < c->values_n; i++)
		if (strlen(c->values[i].name) == n && memcmp(c->values[i].name, name, n) == 0)
			return (int)i;
	return -1;
}

const char *contract_show(const struct contract_type *t, const char *text, enum language l)
{
	for (size_t i = 0; i < t->words_n; i++)
		if (strcmp(t->words[i].name, text) == 0)
			return t->words[i].text[l];
	return text;
}
