#include "api/open_data.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/problem.h"
#include "base/mem.h"
#include "store/open_data.h"
#include "text/utf8.h"

#define OPEN_LIMIT      50
#define OPEN_NUMBER_MAX 999999999
#define OPEN_AGE_MAX    18
#define OPEN_NAME_MAX   160 /* octets */

/* One question; what is found gathers until the database is done. */
struct open_call {
	struct call *call;
	const char *list; /* the answer's member */
	json_t *found;
	int64_t asked_us;
	bool names;
};

static void open_put_time(json_t *o, const char *name, int64_t wall_us)
{
	char text[32];

	json_object_set_new(o, name, json_string(clock_rfc3339(wall_us, text)));
}

static json_t *open_names(const char *const names[LANGUAGES])
{
	json_t *o = json_object();

	for (enum language l = 0; l < LANGUAGES; l++)
		json_object_set_new(o, language_name(l), json_string(names[l]));
	return o;
}

static json_t *open_place(const struct open_place *p)
{
	return json_pack("{s:I, s:i, s:i, s:s, s:{s:I, s:o}, s:{s:I, s:o}}", "group", (json_int_t)p->group,
	    "age_from", p->age_from, "age_to", p->age_to, "language", language_name(p->language),
	    "kindergarten", "id", (json_int_t)p->kindergarten, "names", open_names(p->kindergarten_names),
	    "district", "id", (json_int_t)p->district, "names", open_names(p->district_names));
}

static void open_on_vacancy(void *arg, const struct open_vacancy *v)
{
	struct open_call *q = arg;
	json_t *o = open_place(&v->place);

	json_object_set_new(o, "free", json_integer((json_int_t)v->free));
	open_put_time(o, "released_at", v->released_us);
	if (v->priority_until_us)
		open_put_time(o, "priority_until", v->priority_until_us);
	json_array_append_new(q->found, o);
}

/* "А." of a name that begins with it. */
static json_t *open_initial(const char *name)
{
	uint32_t letter;
	size_t n = utf8_next(name, strlen(name), &letter);
	char text[8];

	memcpy(text, name, n);
	memcpy(text + n, ".", 2);
	return json_string(n ? text : "");
}

static json_t *open_child(const struct open_call *q, const struct open_referral *r)
{
	json_t *o = json_pack("{s:i}", "birth_year", r->birth_year);

	if (q->names) {
		json_object_set_new(o, "first_name", json_string(r->first_name));
		json_object_set_new(o, "last_name", json_string(r->last_name));
	} else {
		json_object_set_new(o, "first_name", open_initial(r->first_name));
	}
	return o;
}

static void open_on_referral(void *arg, const struct open_referral *r)
{
	struct open_call *q = arg;
	json_t *o = open_place(&r->place);

	json_object_set_new(o, "number", json_integer((json_int_t)r->number));
	json_object_set_new(o, "status", json_string(referral_status_name(r->status)));
	json_object_set_new(o, "extended", json_boolean(r->extended));
	open_put_time(o, "from", r->from_us);
	open_put_time(o, "to", r->to_us);
	json_object_set_new(o, "child", open_child(q, r));
	if (q->names)
		json_object_set_new(o, "application", json_integer((json_int_t)r->application));
	json_array_append_new(q->found, o);
}

static void open_reply(const struct open_call *q, uint64_t next)
{
	json_t *o = json_pack("{s:O}", q->list, q->found);

	open_put_time(o, "as_of", q->asked_us);
	if (next)
		json_object_set_new(o, "next", json_integer((json_int_t)next));
	char *text = json_dumps(o, JSON_COMPACT);
	door_reply_json(q->call, 200, text ? text : "{}");
	free(text);
	json_decref(o);
}

static void open_on_done(void *arg, enum kz r, uint64_t next)
{
	struct open_call *q = arg;
	struct problem p;

	if (r == KZ_OK) {
		open_reply(q, next);
	} else {
		p = r == KZ_TOO_LONG
		        ? problem_make(PROBLEM_INVALID_VALUE, "kindergarten",
		              "more than %d have that in their names; say more of it",
		              OPEN_DATA_KINDERGARTENS)
		        : problem_make(PROBLEM_UNAVAILABLE, NULL, "the database is away; ask again");
		p.after_s = r == KZ_TOO_LONG ? 0 : 2;
		problem_reply(q->call, &p);
	}
	json_decref(q->found);
	free(q);
}

/* *ret stays when the query does not have it. */
static bool open_read_number(const struct call *c, const char *name, uint64_t least, uint64_t most,
    uint64_t *ret, struct problem *ret_p)
{
	const char *text = call_query(c, name);
	size_t n = text ? strspn(text, "0123456789") : 0;

	if (!text)
		return true;
	uint64_t v = n && n <= 9 && !text[n] ? strtoull(text, NULL, 10) : UINT64_MAX;
	if (v < least || v > most) {
		*ret_p = problem_make(PROBLEM_INVALID_VALUE, name, "%llu to %llu", (unsigned long long)least,
		    (unsigned long long)most);
		return false;
	}
	*ret = v;
	return true;
}

/* By its number, or by some of its name. */
static bool open_read_kindergarten(const struct call *c, struct open_data_filter *f, struct problem *ret)
{
	const char *text = call_query(c, "kindergarten");
	size_t n = text ? strlen(text) : 0;

	if (!text)
		return true;
	if (n && strspn(text, "0123456789") == n)
		return open_read_number(c, "kindergarten", 1, OPEN_NUMBER_MAX, &f->kindergarten, ret);
	f->name = text;
	if (n && n <= OPEN_NAME_MAX && utf8_check(text, n) == KZ_OK)
		return true;
	*ret = problem_make(PROBLEM_INVALID_VALUE, "kindergarten",
	    "its number, or 1 to %d octets of its name", OPEN_NAME_MAX);
	return false;
}

static bool open_read_words(
    const struct call *c, bool of_referrals, struct open_data_filter *f, struct problem *ret)
{
	const char *language = call_query(c, "language"),
	           *status = of_referrals ? call_query(c, "status") : NULL;
	enum language l = LANGUAGES;
	enum referral_status s = REFERRAL_STATUSES;

	if (language && language_parse(language, &l) != KZ_OK) {
		*ret = problem_make(PROBLEM_INVALID_VALUE, "language", "one of kk, ru, en");
		return false;
	}
	if (status && referral_status_parse(status, &s) != KZ_OK) {
		*ret = problem_make(PROBLEM_INVALID_VALUE, "status",
		    "one of offered, accepted, declined, expired, cancelled, enrolled");
		return false;
	}
	f->language = language ? (int)l : -1;
	f->status = status ? (int)s : -1;
	return true;
}

static bool open_read(
    const struct call *c, bool of_referrals, struct open_data_filter *ret, struct problem *ret_p)
{
	uint64_t age = UINT64_MAX, limit = OPEN_LIMIT;

	*ret = (struct open_data_filter){0};
	if (!open_read_number(c, "district", 1, OPEN_NUMBER_MAX, &ret->district, ret_p) ||
	    !open_read_number(c, "age", 0, OPEN_AGE_MAX, &age, ret_p) ||
	    !open_read_number(c, "after", 1, OPEN_NUMBER_MAX, &ret->after, ret_p) ||
	    !open_read_number(c, "limit", 1, OPEN_DATA_PAGE, &limit, ret_p) ||
	    !open_read_kindergarten(c, ret, ret_p) || !open_read_words(c, of_referrals, ret, ret_p))
		return false;
	ret->age = age == UINT64_MAX ? -1 : (int)age;
	ret->limit = (unsigned)limit;
	return true;
}

/* NULL after answering that the query is not good. */
static struct open_call *open_begin(const struct door *d, struct call *c, const struct door_caller *who,
    const char *list, struct open_data_filter *ret)
{
	struct open_call *q;
	struct problem p;

	if (!open_read(c, !strcmp(list, "referrals"), ret, &p)) {
		problem_reply(c, &p);
		return NULL;
	}
	q = mem_new(sizeof *q);
	*q = (struct open_call){
	    c, list, json_array(), loop_clock(d->loop)->wall_us(), (who->scopes & SCOPE_NAMES) != 0};
	return q;
}

void open_data_vacancies(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct open_data_filter f;
	struct open_call *q = open_begin(d, c, who, "vacancies", &f);

	(void)id;
	if (q && open_vacancies(d->pg, &f, open_on_vacancy, open_on_done, q) != KZ_OK)
		open_on_done(q, KZ_LOST, 0);
}

void open_data_referrals(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct open_data_filter f;
	struct open_call *q = open_begin(d, c, who, "referrals", &f);

	(void)id;
	if (q && open_referrals(d->pg, d->keyring, &f, open_on_referral, open_on_done, q) != KZ_OK)
		open_on_done(q, KZ_LOST, 0);
}
