#include "api/record_show.h"

#include "api/record_wish.h"

static void show_time(json_t *o, const char *name, int64_t wall_us)
{
	char text[32];

	json_object_set_new(o, name, wall_us ? json_string(clock_rfc3339(wall_us, text)) : json_null());
}

static void show_id(json_t *o, const char *name, uint64_t id)
{
	json_object_set_new(o, name, json_integer((json_int_t)id));
}

static void show_place(json_t *o, const struct record *r)
{
	json_t *names = json_object();

	if (r->kind == RECORD_DISTRICT)
		json_object_set_new(o, "region", json_string(r->place.region));
	else
		show_id(o, "district", r->place.district);
	for (enum language l = 0; l < LANGUAGES; l++)
		json_object_set_new(names, language_name(l), json_string(r->place.names[l]));
	json_object_set_new(o, "names", names);
}

static void show_group(json_t *o, const struct record_group *g)
{
	show_id(o, "kindergarten", g->kindergarten);
	json_object_set_new(o, "age_from", json_integer(g->age_from));
	json_object_set_new(o, "age_to", json_integer(g->age_to));
	json_object_set_new(o, "language", json_string(language_name(g->language)));
}

static void show_vacancy(json_t *o, const struct record_vacancy *v, int64_t seq)
{
	json_object_set_new(o, "free", json_integer(v->free));
	show_time(o, "released_at", v->released_us);
	show_time(o, "priority_until", v->priority_until_us);
	json_object_set_new(o, "seq", json_integer(seq));
}

static json_t *show_iin(const struct iin *i)
{
	char last4[5];

	return json_pack("{s:s}", "iin_last4", iin_last_four(i, last4));
}

static void show_persons(json_t *o, const struct record_application *a, bool names)
{
	const struct applicant *p = &a->applicant;
	json_t *child = show_iin(&p->child), *parents = json_array(), *phones = json_array();
	char masked[MSISDN_TEXT];

	json_object_set_new(child, "birth_year", json_integer(iin_birth(&p->child).year));
	json_object_set_new(child, "first_name", json_string(p->first_name));
	if (names && *p->last_name)
		json_object_set_new(child, "last_name", json_string(p->last_name));
	for (size_t i = 0; i < p->parents_n; i++)
		json_array_append_new(parents, show_iin(&p->parents[i]));
	for (size_t i = 0; i < p->phones_n; i++)
		json_array_append_new(
		    phones, json_pack("{s:s, s:b}", "number", msisdn_masked(p->phones[i], masked), "verified",
		                (int)(a->verified >> i & 1)));
	json_object_set_new(o, "child", child);
	json_object_set_new(o, "parents", parents);
	json_object_set_new(o, "phones", phones);
	if (names && *p->email)
		json_object_set_new(o, "email", json_string(p->email));
}

static void show_application(
    json_t *o, const struct record_application *a, int64_t seq, bool opened, bool names)
{
	json_t *groups = json_array();

	if (opened)
		show_persons(o, a, names);
	show_id(o, "district", a->district);
	json_object_set_new(o, "category", json_string(a->category));
	show_time(o, "registered_at", a->registered_us);
	json_object_set_new(o, "channel", json_string(notice_channel_name(a->channel)));
	json_object_set_new(o, "language", json_string(language_name(a->language)));
	for (enum language l = 0; l < LANGUAGES; l++)
		if (a->groups & 1U << l)
			json_array_append_new(groups, json_string(language_name(l)));
	json_object_set_new(o, "groups", groups);
	json_object_set_new(o, "status", json_string(application_status_name(a->status)));
	json_object_set_new(o, "seq", json_integer(seq));
}

json_t *record_show(const struct record *r, int64_t seq, bool opened, bool names)
{
	json_t *o = json_object();

	show_id(o, record_wish_id(r->kind), r->id);
	if (r->kind == RECORD_APPLICATION)
		show_application(o, &r->application, seq, opened, names);
	else if (r->kind == RECORD_VACANCY)
		show_vacancy(o, &r->vacancy, seq);
	else if (r->kind == RECORD_GROUP)
		show_group(o, &r->group);
	else
		show_place(o, r);
	return o;
}
