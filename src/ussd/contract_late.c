/* Late answers against the SMS templates. An answer is cut to its type before it is told, so a parameter that
 * is as wide as the type is wide enough. */
#include <string.h>

#include "base/buf.h"
#include "ussd/dialog_body.h"

/* The moment of the answer: what every late SMS may say. */
#define AT_NAME "at"

/* Why the parameter cannot be filled from the result; NULL when it can. */
static const char *param_fault(
    const struct contracts *c, const struct service_result *result, const char *name, struct param_type type)
{
	bool at = !strcmp(name, AT_NAME) && !service_has_name(result->fields, name, strlen(name));
	struct buf widest = {0};
	unsigned room;
	int value;

	if (at)
		return type.kind == PARAM_MOMENT ? NULL : "is a moment";
	if (!service_has_name(result->fields, name, strlen(name)))
		return "is none of the result's values";
	param_widest(type, &widest);
	room = dialog_text_units(buf_text(&widest));
	buf_fini(&widest);
	value = contract_value(c, name, strlen(name));
	if (value < 0 || c->values[value].type->secret)
		return "is never told";
	if (type.kind == PARAM_NAME)
		return "is cut with a full stop, which name(n) does not take: say text(n)";
	return room < c->values[value].type->max ? "has less room than its type" : NULL;
}

static void late_check(const struct contracts *c, enum service s, size_t i, const struct template *t,
    const char *file, struct faults *faults)
{
	const struct service_result *result = &service_shape(s)->results[i];
	struct param_type type;
	const char *name, *why;

	if (!t)
		faults_add(faults, "%s:%d:%d: there is no SMS template %s: add it to the templates", file,
		    c->late_line[s][i], c->late_column[s][i], c->late[s][i]);
	for (size_t k = 0; t && (name = template_param(t, k, &type)) != NULL; k++)
		if ((why = param_fault(c, result, name, type)) != NULL)
			faults_add(faults, "%s:%d:%d: the SMS template %s: {%s} %s", file, c->late_line[s][i],
			    c->late_column[s][i], c->late[s][i], name, why);
}

void contracts_check_templates(
    const struct contracts *c, const struct templates *t, const char *file, struct faults *faults)
{
	for (enum service s = 0; s < SERVICES; s++)
		for (size_t i = 0; i < SERVICE_RESULTS && service_shape(s)->results[i].name; i++)
			if (*c->late[s][i])
				late_check(c, s, i, template_find(t, c->late[s][i]), file, faults);
}
