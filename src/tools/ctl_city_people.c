/* Families: a family has one to three children in the queue, whose phones and parents are the same. What a
 * family is follows from its number, so that no table of them is kept. Serials of IINs begin at 5000, which
 * is above those that are given to the births of a day. */
#include <stdio.h>
#include <time.h>

#include "ctl_city_body.h"

#define COUNT(a)     (sizeof(a) / sizeof *(a))
#define SERIALS      5000
#define PARENT_DAYS  10957 /* 30 years, a prime */
#define PARENT_FIRST 1826  /* 1975-01-01 */
#define FAMILY_BACK  4000  /* a brother or sister came at most so many applications before */

static const char *const girls[] = {"Айгерім", "Аружан", "Айша", "Айару", "Томирис", "Раяна", "Сафия", "Аяла",
    "Інжу", "Медина", "Әмина", "Жанерке", "Дильназ", "Назерке", "Ұлпан", "Гүлназ", "Алина", "Дарья", "Милана",
    "Вероника"};
static const char *const boys[] = {"Алихан", "Айсұлтан", "Нұрислам", "Әмір", "Мансұр", "Ерасыл", "Алдияр",
    "Санжар", "Ислам", "Бекзат", "Дәулет", "Жандос", "Ғалымжан", "Қайрат", "Өмірбек", "Тимур", "Артём",
    "Максим", "Даниил", "Роман"};
/* A boy's; a girl's has one letter more. */
static const char *const surnames[] = {"Ахметов", "Омаров", "Серіков", "Ибраев", "Жұмабаев", "Оспанов",
    "Қасымов", "Сұлтанов", "Нұрланов", "Әбдіров", "Төлегенов", "Мұратов", "Есенов", "Байжанов", "Қалиев",
    "Искаков", "Садыков", "Темиров", "Иванов", "Волков", "Кузнецов", "Соколов", "Морозов", "Павлов"};
static const char *const prefixes[] = {"701", "702", "775", "778", "705", "771", "776", "777", "707", "747"};

static uint64_t chance_mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

struct city_chance city_chance(uint64_t seed, char kind, uint64_t number)
{
	return (struct city_chance){chance_mix(chance_mix(seed + (uint64_t)kind) + number)};
}

uint32_t city_below(struct city_chance *c, uint32_t below)
{
	c->state += UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)((chance_mix(c->state) >> 32) * below >> 32);
}

static struct tm city_tm(int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	return tm;
}

void city_put_day(struct buf *out, int32_t day)
{
	const struct tm tm = city_tm((int64_t)day * DAY_S);

	buf_printf(out, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

void city_put_time(struct buf *out, int64_t unix_s)
{
	const struct tm tm = city_tm(unix_s);

	city_put_day(out, (int32_t)(unix_s / DAY_S));
	buf_printf(out, "T%02d:%02d:%02dZ", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The first number of that day and sex whose serial is not below the given one; answers the serial. */
static unsigned city_iin(int32_t day, bool female, unsigned serial, struct iin *ret)
{
	const struct tm tm = city_tm((int64_t)day * DAY_S);
	char stem[32];

	for (;; serial++) {
		snprintf(stem, sizeof stem, "%02d%02d%02d%d%04u", tm.tm_year % 100, tm.tm_mon + 1, tm.tm_mday,
		    (tm.tm_year < 100 ? 3 : 5) + female, SERIALS + serial % SERIALS);
		if (iin_complete(stem, ret) == KZ_OK)
			return serial;
	}
}

static enum application_status city_status(struct city_chance *c, enum referral_status referral)
{
	uint32_t of = city_below(c, 1000);

	if (referral != CITY_NO_REFERRAL)
		return APPLICATION_WAITING; /* the referral's line makes more of it */
	return of < 970   ? APPLICATION_WAITING
	       : of < 982 ? APPLICATION_ENROLLED
	       : of < 994 ? APPLICATION_WITHDRAWN
	                  : APPLICATION_ARCHIVED;
}

static enum referral_status city_referral(struct city_chance *c)
{
	uint32_t of = city_below(c, 10000);

	return of < 40 ? REFERRAL_OFFERED : of < 55 ? REFERRAL_ACCEPTED : CITY_NO_REFERRAL;
}

/* They came evenly, by day, the last one on the day before. */
void city_application(const struct city_options *o, uint32_t index, struct city_application *ret)
{
	struct city_chance c = city_chance(o->seed, 'a', index);
	const int64_t ago = (int64_t)CITY_QUEUE_DAYS * (o->applications - 1 - index) / o->applications;
	const int32_t day = o->day - 1 - (int32_t)ago;

	*ret = (struct city_application){.index = index,
	    .born_day = day - 10 - (int32_t)city_below(&c, CITY_CHILD_DAYS - 10),
	    .registered_s = (int64_t)day * DAY_S + 3 * 3600 + city_below(&c, 10 * 3600),
	    .girl = city_below(&c, 2),
	    .district = 1 + city_below(&c, CITY_DISTRICTS),
	    .referral = city_referral(&c)};
	ret->status = city_status(&c, ret->referral);
	ret->chance = c;
}

static uint32_t city_family(const struct city_options *o, uint32_t index)
{
	struct city_chance c = city_chance(o->seed, 'f', index);
	uint32_t back = 1 + city_below(&c, FAMILY_BACK);

	return back <= index && !city_below(&c, 5) ? index - back : index;
}

static void city_put_parents(uint32_t family, struct city_chance *c, struct buf *out)
{
	const int32_t day = PARENT_FIRST + (int32_t)((uint64_t)family * 7919 % PARENT_DAYS);
	const unsigned serial = family / PARENT_DAYS * 5; /* of five in a row one at least was issued */
	struct iin i;

	city_iin(day, true, serial, &i);
	buf_printf(out, ",\"parents\":[{\"iin\":\"%s\"}", i.digits);
	if (city_below(c, 10) < 7) {
		city_iin(day, false, serial, &i);
		buf_printf(out, ",{\"iin\":\"%s\"}", i.digits);
	}
	buf_char(out, ']');
}

/* Each family has two numbers of its own, whether it gives the second or not. */
static void city_put_phones(uint32_t family, struct city_chance *c, struct buf *out)
{
	const char *prefix = prefixes[city_below(c, COUNT(prefixes))];
	const unsigned number = (unsigned)((uint64_t)family * 7368787 % 10000000);

	buf_printf(out, ",\"phones\":[{\"number\":\"+7%s%07u\",\"verified\":%s}", prefix, number,
	    city_below(c, 20) ? "true" : "false");
	if (city_below(c, 10) < 6)
		buf_printf(out, ",{\"number\":\"+7700%07u\",\"verified\":%s}", number,
		    city_below(c, 4) ? "true" : "false");
	buf_char(out, ']');
}

static void city_put_wishes(uint32_t family, struct city_chance *c, struct buf *out)
{
	static const char *const groups[] = {"[\"kk\"]", "[\"kk\"]", "[\"ru\"]", "[\"kk\",\"ru\"]"};
	const bool email = !city_below(c, 8);
	const uint32_t language = city_below(c, 50), category = city_below(c, 100);

	if (email)
		buf_printf(out, ",\"email\":\"family%u@example.org\"", family + 1);
	buf_printf(out, ",\"channel\":\"%s\",\"language\":\"%s\",\"groups\":%s,\"category\":\"%s\"",
	    email ? "email" : "sms",
	    language < 30   ? "kk"
	    : language < 49 ? "ru"
	                    : "en",
	    groups[city_below(c, COUNT(groups))],
	    category < 2    ? "extraordinary"
	    : category < 20 ? "privileged"
	                    : "general");
}

void city_put_application(
    const struct city_options *o, struct city_births *b, struct city_application *a, struct buf *out)
{
	const uint32_t family = city_family(o, a->index);
	struct city_chance name = city_chance(o->seed, 'n', family), *c = &a->chance;
	uint16_t *given = &b->given[o->day - a->born_day - 11][a->girl];
	struct iin i;

	*given = (uint16_t)(city_iin(a->born_day, a->girl, *given, &i) + 1);
	buf_printf(out,
	    "{\"kind\":\"application\",\"number\":%u,\"child\":{\"iin\":\"%s\",\"first_name\":\"%s\","
	    "\"last_name\":\"%s%s\"}",
	    CITY_FIRST_NUMBER + a->index, i.digits,
	    a->girl ? girls[city_below(c, COUNT(girls))] : boys[city_below(c, COUNT(boys))],
	    surnames[city_below(&name, COUNT(surnames))], a->girl ? "а" : "");
	city_put_parents(family, &name, out);
	city_put_phones(family, &name, out);
	city_put_wishes(family, c, out);
	buf_printf(out, ",\"district\":%u,\"registered_at\":\"", a->district);
	city_put_time(out, a->registered_s);
	buf_printf(out, "\",\"status\":\"%s\"}\n", application_status_name(a->status));
}
