/* The district that a parent looks for places in. */
#include <stdio.h>
#include <string.h>

#include "flow/dial_body.h"
#include "store/districts.h"
#include "ussd/screen.h"

static void district_on_each(void *arg, uint64_t id, const char *name)
{
	struct dial_call *c = arg;
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)id);
	const char *const fields[] = {text, name};
	answer_add(&c->answer, fields, 2);
}

static void district_on_list(void *arg, enum kz r)
{
	struct dial_call *c = arg;

	if (r == KZ_OK && c->answer.items_n)
		c->answer.result = "ok";
	dial_answer(c);
}

void dial_district_list(struct dial_call *c)
{
	if (districts_list(dial_base_of(c->dial)->pg, c->phone_key, c->session.language, SESSION_ITEMS + 1,
	        district_on_each, district_on_list, c) != KZ_OK)
		dial_answer(c);
}

static void district_on_chosen(void *arg, enum kz r)
{
	struct dial_call *c = arg;

	if (r == KZ_OK) {
		c->answer.result = "ok";
		dial_debts_speak(c->dial);
	}
	dial_answer(c);
}

/* The SMS is of the page's width: both name the place as the contract cuts it. */
static void district_on_name(void *arg, enum kz r, const char *name)
{
	struct dial_call *c = arg;
	char place[SESSION_VALUE];
	struct owed owed = {0};
	int value = contract_value(c->dialog->contracts, "place", strlen("place"));

	if (r != KZ_OK || value < 0) {
		dial_answer(c);
		return;
	}
	screen_cut(name, c->dialog->contracts->values[value].type->max, place);
	answer_set(&c->answer, "place", place);
	const struct template_param param = {"place", place};
	dial_owe(c, "ussd_district", &param, 1, &owed);
	if (districts_choose(dial_base_of(c->dial)->pg, c->phone_key, dial_number(c, "district"), &owed,
	        district_on_chosen, c) != KZ_OK)
		dial_answer(c);
	owed_fini(&owed);
}

void dial_district_set(struct dial_call *c)
{
	if (districts_name(dial_base_of(c->dial)->pg, dial_number(c, "district"), c->session.language,
	        district_on_name, c) != KZ_OK)
		dial_answer(c);
}
