/* The places, and the order of the lines: what another line speaks of stands before it. */
#include "ctl_city.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ctl_city_body.h"

#define COUNT(a)      (sizeof(a) / sizeof *(a))
#define WRITE_OCTETS  65536
#define GROUPS        (CITY_KINDERGARTENS * CITY_GROUPS)
#define FRESH_DAYS    2 /* places released since then may still be for the privileged alone */
#define REFERRAL_DAYS 7

struct city_names {
	const char *kk, *ru, *en;
};

static const struct city_names districts[CITY_DISTRICTS] = {{"Арман ауданы", "район Арман", "Arman District"},
    {"Жұлдыз ауданы", "район Жулдыз", "Zhuldyz District"},
    {"Көктөбе ауданы", "район Коктобе", "Koktobe District"},
    {"Самал ауданы", "район Самал", "Samal District"},
    {"Таңшолпан ауданы", "район Таншолпан", "Tansholpan District"},
    {"Өзенді ауданы", "район Озенди", "Ozendi District"}};

static const struct city_names kindergartens[] = {{"Айгөлек", "Айголек", "Aigolek"},
    {"Балдырған", "Балдырган", "Baldyrgan"}, {"Бөбек", "Бобек", "Bobek"},
    {"Қарлығаш", "Карлыгаш", "Karlygash"}, {"Еркемай", "Еркемай", "Erkemai"},
    {"Күншуақ", "Куншуак", "Kunshuak"}, {"Балауса", "Балауса", "Balausa"}, {"Ақбота", "Акбота", "Akbota"},
    {"Құлыншақ", "Кулыншак", "Kulynshak"}, {"Шаттық", "Шаттык", "Shattyk"}, {"Нұрсәт", "Нурсат", "Nursat"},
    {"Жанарым", "Жанарым", "Zhanarym"}};

/* The ages of the groups of one kindergarten, from and up to. */
static const unsigned char ages[][CITY_GROUPS][2] = {{{2, 3}, {3, 4}, {4, 5}, {5, 6}},
    {{1, 2}, {2, 3}, {3, 5}, {5, 7}}, {{1, 3}, {3, 4}, {4, 6}, {6, 7}}, {{2, 3}, {3, 6}, {4, 7}, {5, 6}}};

/* One making of it. */
struct city {
	const struct city_options *o;
	city_write_fn *write;
	void *arg;
	struct buf lines;
	uint16_t free[GROUPS];
	struct city_births births;
	bool stopped;
};

static void city_flush(struct city *x, size_t keep)
{
	if (x->lines.len <= keep)
		return;
	x->stopped = x->stopped || !x->write(x->arg, x->lines.data, x->lines.len);
	buf_clear(&x->lines);
}

static unsigned city_group_id(unsigned kindergarten, unsigned at)
{
	return (kindergarten + 1) * 10 + at + 1;
}

static unsigned city_district_of(unsigned kindergarten)
{
	return 1 + kindergarten % CITY_DISTRICTS;
}

static const unsigned char *city_ages(const struct city *x, unsigned kindergarten, unsigned at)
{
	struct city_chance c = city_chance(x->o->seed, 'k', kindergarten);

	return ages[city_below(&c, COUNT(ages))][at];
}

static void city_put_districts(struct city *x)
{
	for (unsigned i = 0; i < CITY_DISTRICTS; i++)
		buf_printf(&x->lines,
		    "{\"kind\":\"district\",\"id\":%u,\"region\":\"sample\",\"names\":{\"kk\":\"%s\","
		    "\"ru\":\"%s\",\"en\":\"%s\"}}\n",
		    i + 1, districts[i].kk, districts[i].ru, districts[i].en);
}

static void city_put_kindergartens(struct city *x)
{
	for (unsigned k = 0; k < CITY_KINDERGARTENS; k++) {
		const struct city_names *n = &kindergartens[k % COUNT(kindergartens)];

		buf_printf(&x->lines,
		    "{\"kind\":\"kindergarten\",\"id\":%u,\"district\":%u,\"names\":{\"kk\":\"№%u %s\","
		    "\"ru\":\"№%u %s\",\"en\":\"No. %u %s\"}}\n",
		    k + 1, city_district_of(k), k + 1, n->kk, k + 1, n->ru, k + 1, n->en);
	}
}

static void city_put_groups(struct city *x)
{
	for (unsigned i = 0; i < GROUPS; i++) {
		const unsigned k = i / CITY_GROUPS, at = i % CITY_GROUPS;
		const unsigned char *age = city_ages(x, k, at);
		struct city_chance c = city_chance(x->o->seed, 'g', i);

		buf_printf(&x->lines,
		    "{\"kind\":\"group\",\"id\":%u,\"kindergarten\":%u,\"age_from\":%u,\"age_to\":%u,"
		    "\"language\":\"%s\"}\n",
		    city_group_id(k, at), k + 1, age[0], age[1], city_below(&c, 5) < 3 ? "kk" : "ru");
	}
}

/* Two groups of three have none free: where places are, they are some. */
static void city_share_places(struct city *x)
{
	for (unsigned i = 0; i < CITY_PLACES; i++) {
		struct city_chance c = city_chance(x->o->seed, 'p', i);

		x->free[city_below(&c, GROUPS / 3) * 3 + i % 2]++;
	}
}

static void city_put_vacancies(struct city *x)
{
	city_share_places(x);
	for (unsigned i = 0; i < GROUPS; i++) {
		struct city_chance c = city_chance(x->o->seed, 'v', i);
		const uint32_t days =
		    city_below(&c, 4) ? FRESH_DAYS + city_below(&c, 60) : city_below(&c, FRESH_DAYS);

		buf_printf(&x->lines, "{\"kind\":\"vacancy\",\"group\":%u,\"free\":%u,\"released_at\":\"",
		    city_group_id(i / CITY_GROUPS, i % CITY_GROUPS), x->free[i]);
		city_put_time(&x->lines, (int64_t)(x->o->day - 1 - (int32_t)days) * DAY_S + 12 * 3600);
		buf_str(&x->lines, "\"}\n");
	}
}

static void city_put_applications(struct city *x)
{
	struct city_application a;

	for (uint32_t i = 0; i < x->o->applications && !x->stopped; i++) {
		city_application(x->o, i, &a);
		city_put_application(x->o, &x->births, &a, &x->lines);
		city_flush(x, WRITE_OCTETS);
	}
}

/* One of the district that is for the child's age, by its years as a whole. */
static unsigned city_group_for(const struct city *x, struct city_application *a)
{
	const int age = (x->o->day - a->born_day) * 4 / CITY_QUEUE_DAYS;
	const unsigned of = (CITY_KINDERGARTENS - a->district) / CITY_DISTRICTS + 1;
	const unsigned first = city_below(&a->chance, of);

	for (unsigned n = 0; n < of; n++) {
		const unsigned k = (first + n) % of * CITY_DISTRICTS + a->district - 1;

		for (unsigned at = 0; at < CITY_GROUPS; at++) {
			const unsigned char *for_ages = city_ages(x, k, at);

			if (age >= for_ages[0] && age < for_ages[1])
				return city_group_id(k, at);
		}
	}
	return city_group_id(a->district - 1, 0);
}

static void city_put_referral(struct city *x, unsigned number, struct city_application *a)
{
	const unsigned group = city_group_for(x, a);
	const int64_t from = (int64_t)x->o->day * DAY_S - 60 * (1 + city_below(&a->chance, 5 * DAY_S / 60));

	buf_printf(&x->lines,
	    "{\"kind\":\"referral\",\"number\":%u,\"application\":%u,\"group\":%u,\"status\":\"%s\",\"held\":"
	    "true,"
	    "\"from\":\"",
	    number, CITY_FIRST_NUMBER + a->index, group, referral_status_name(a->referral));
	city_put_time(&x->lines, from);
	buf_str(&x->lines, "\",\"to\":\"");
	city_put_time(&x->lines, from + REFERRAL_DAYS * DAY_S);
	buf_str(&x->lines, "\"}\n");
}

static void city_put_referrals(struct city *x)
{
	unsigned number = CITY_FIRST_REFERRAL;
	struct city_application a;

	for (uint32_t i = 0; i < x->o->applications && !x->stopped; i++) {
		city_application(x->o, i, &a);
		if (a.referral == CITY_NO_REFERRAL)
			continue;
		city_put_referral(x, number++, &a);
		city_flush(x, WRITE_OCTETS);
	}
}

bool city_make(const struct city_options *o, city_write_fn *write, void *arg)
{
	struct city *x = mem_new(sizeof *x);

	x->o = o;
	x->write = write;
	x->arg = arg;
	city_put_districts(x);
	city_put_kindergartens(x);
	city_put_groups(x);
	city_put_vacancies(x);
	city_put_applications(x);
	city_put_referrals(x);
	city_flush(x, 0);
	const bool whole = !x->stopped;
	buf_fini(&x->lines);
	free(x);
	return whole;
}
