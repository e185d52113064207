#include "api/preview.h"

#include "api/post.h"
#include "api/wish.h"

json_t *preview_json(
    struct msisdn to, const char *text, const struct send_preview *v, enum message_class class)
{
	char number[MSISDN_TEXT];
	json_t *route = json_array();

	for (size_t i = 0; i < v->route_n; i++)
		json_array_append_new(route, json_string(v->route[i]));
	return json_pack("{s:b, s:s, s:s, s:s, s:i, s:i, s:o, s:s}", "dry_run", 1, "to",
	    msisdn_text(to, number), "text", text, "encoding", wish_encoding(v->cost.alphabet), "units",
	    (int)v->cost.units, "segments", (int)v->cost.parts, "route", route, "class",
	    message_class_name(class));
}

struct problem preview_not_admitted(enum kz r, enum message_class class, unsigned after_s)
{
	struct problem problem = post_unavailable(after_s);

	if (r == KZ_BUSY)
		problem = problem_make(PROBLEM_TOO_MANY_MESSAGES, NULL,
		    "too many or too old messages of class %s wait for this operator; slow down",
		    message_class_name(class));
	problem.after_s = after_s;
	return problem;
}
