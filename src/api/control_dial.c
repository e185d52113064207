#include "api/control_dial.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/problem.h"
#include "base/mem.h"
#include "flow/dial.h"

/* What is asked; text points into the JSON that it was read from. */
struct dial_wish {
	struct msisdn phone;
	enum ussd_said said;
	const char *text;
};

static bool dial_read_said(const char *said, enum ussd_said *ret)
{
	static const struct {
		const char *name;
		enum ussd_said said;
	} words[] = {{"dial", USSD_DIALLED}, {"type", USSD_TYPED}, {"cancel", USSD_CANCELLED}};

	for (size_t i = 0; said && i < sizeof words / sizeof *words; i++)
		if (strcmp(said, words[i].name) == 0) {
			*ret = words[i].said;
			return true;
		}
	return false;
}

static bool dial_read(const json_t *o, struct dial_wish *w, struct problem *ret)
{
	const char *phone = json_string_value(json_object_get(o, "phone"));
	struct msisdn_refusal why = {"empty", "give the number of the phone that calls"};

	w->text = json_string_value(json_object_get(o, "text"));
	if (!phone || msisdn_parse(phone, &w->phone, &why) != KZ_OK) {
		*ret = problem_make(PROBLEM_INVALID_VALUE, "phone", "%s", why.remedy);
		return false;
	}
	if (!dial_read_said(json_string_value(json_object_get(o, "said")), &w->said)) {
		*ret = problem_make(PROBLEM_INVALID_VALUE, "said", "dial, type or cancel");
		return false;
	}
	if (!w->text || strlen(w->text) >= USSD_TEXT) {
		*ret =
		    problem_make(PROBLEM_INVALID_VALUE, "text", "a text of less than %d octets", USSD_TEXT);
		return false;
	}
	return true;
}

static void dial_on_page(void *arg, const char *page, bool end)
{
	json_t *o = json_pack("{s:s, s:b}", "page", page, "end", end);
	char *text = json_dumps(o, JSON_COMPACT);

	door_reply_json(arg, 200, text ? text : "{}");
	mem_wiped_give(text);
	json_decref(o);
}

void control_dial(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct problem problem =
	    problem_make(PROBLEM_MALFORMED_JSON, NULL, "send {\"phone\": ..., \"said\": ..., \"text\": ...}");
	struct dial_wish w;
	size_t len;
	const char *body = call_body(c, &len);
	json_t *o = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);

	(void)who;
	(void)id;
	if (o && dial_read(o, &w, &problem))
		dial_terminal(d->dial, w.phone, w.said, w.text, dial_on_page, c);
	else
		problem_reply(c, &problem);
	json_decref(o);
}
