/* Crude and tighter: with Redis away, what PostgreSQL knows and what passed here are compared and the greater
 * counts, so that neither a new process nor a second daemon begins anew. Phones are remembered for an hour
 * after the last that was counted, prefixes, keys and addresses by plain windows and a quarter of their
 * limit. When there is no room nothing new passes: to forget the oldest would be what an attacker wants. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "store/limits_body.h"
#include "store/limits_phones.h"

#define DAY_KNOWN_MS 60000

enum count_kind { COUNT_PREFIX, COUNT_KEY, COUNT_ADDRESS };

struct count_key {
	enum count_kind kind;
	int64_t subject;
};

struct memory_count {
	struct map_node node;
	struct list_node by_age;
	struct count_key key;
	int64_t begun_ms;
	unsigned n;
};

struct limits_memory {
	struct limits_phones phones;
	struct map counts;
	struct list old_counts; /* oldest first */
	int64_t day_ms;         /* when PostgreSQL was asked */
	int64_t day, now_ms;    /* sends of the day; the newest time seen */
};

static bool count_equal(const struct map_node *n, const void *key)
{
	const struct count_key *a = &map_entry(n, struct memory_count, node)->key, *b = key;

	return a->kind == b->kind && a->subject == b->subject;
}

struct limits_memory *limits_memory_new(void)
{
	struct limits_memory *m = mem_new(sizeof *m);

	limits_phones_init(&m->phones);
	map_init(&m->counts, count_equal);
	list_init(&m->old_counts);
	return m;
}

static void count_free(struct limits_memory *m, struct memory_count *c)
{
	map_remove(&m->counts, &c->node);
	list_remove(&m->old_counts, &c->by_age);
	free(c);
}

/* A clock that falls back ages nothing, and renews nothing. */
static int64_t memory_now(struct limits_memory *m, int64_t wall_ms)
{
	if (wall_ms > m->now_ms)
		m->now_ms = wall_ms;
	limits_phones_age(&m->phones, m->now_ms);
	list_each(&m->old_counts, n, next)
	{
		struct memory_count *c = list_entry(n, struct memory_count, by_age);

		if (c->begun_ms > m->now_ms - LIMITS_HOUR_MS)
			break;
		count_free(m, c);
	}
	return m->now_ms;
}

void limits_memory_free(struct limits_memory *m)
{
	struct list_node *n;

	if (!m)
		return;
	while ((n = list_first(&m->old_counts)))
		count_free(m, list_entry(n, struct memory_count, by_age));
	limits_phones_fini(&m->phones);
	map_fini(&m->counts);
	free(m);
}

static uint64_t count_hash(const struct count_key *k)
{
	return map_hash_u64((uint64_t)k->subject * 4 + k->kind);
}

/* NULL: nothing in the window. */
static struct memory_count *count_find(struct limits_memory *m, const struct count_key *k, int64_t window_ms)
{
	struct map_node *n = map_get(&m->counts, count_hash(k), k);
	struct memory_count *c = n ? map_entry(n, struct memory_count, node) : NULL;

	if (c && c->begun_ms <= m->now_ms - window_ms) {
		count_free(m, c);
		return NULL;
	}
	return c;
}

static struct memory_count *count_make(struct limits_memory *m, const struct count_key *k)
{
	struct memory_count *c = mem_new(sizeof *c);

	c->key = *k;
	c->begun_ms = m->now_ms;
	map_put(&m->counts, &c->node, count_hash(k));
	list_append(&m->old_counts, &c->by_age);
	return c;
}

static enum kz memory_refuse(struct limits_verdict *v, enum limit limit, int64_t after_ms)
{
	*v = (struct limits_verdict){.limit = limit, .after_ms = after_ms > 0 ? after_ms : 1};
	return KZ_REFUSED;
}

static int64_t older(int64_t a_ms, int64_t b_ms)
{
	return !a_ms || (b_ms && b_ms < a_ms) ? b_ms : a_ms;
}

static enum kz send_judge_day(
    const struct conf *c, const struct limits_op *o, int64_t now_ms, struct limits_verdict *v)
{
	const struct limits_known *k = &o->known;

	if (k->sent_day && k->sent_day >= c->guard_phone_day)
		return memory_refuse(v, LIMIT_PHONE_DAY, k->sent_day_ms + LIMITS_DAY_MS - now_ms);
	if (o->send.resend && k->resends && k->resends >= c->codes_resends_day)
		return memory_refuse(v, LIMIT_RESENDS_DAY, k->resends_ms + LIMITS_DAY_MS - now_ms);
	return KZ_OK;
}

static enum kz send_judge_phone(const struct conf *c, const struct limits_known *k,
    const struct limits_phone *p, int64_t now_ms, struct limits_verdict *v)
{
	int64_t oldest_ms = 0;
	unsigned n = limits_marks_count(&p->sent, now_ms, &oldest_ms);
	int64_t last_ms = p->sent.n ? p->sent.mark[p->sent.n - 1].at_ms : 0;

	if (k->locked_ms > now_ms)
		return memory_refuse(v, LIMIT_LOCKED, k->locked_ms - now_ms);
	if (k->held_ms > now_ms)
		return memory_refuse(v, LIMIT_HELD, k->held_ms - now_ms);
	if (n >= LIMITS_ALONE_SENDS || k->sent >= LIMITS_ALONE_SENDS)
		return memory_refuse(
		    v, LIMIT_PHONE_HOUR, older(oldest_ms, k->sent_ms) + LIMITS_HOUR_MS - now_ms);
	if (k->last_ms > last_ms)
		last_ms = k->last_ms;
	if (last_ms && last_ms + c->codes_wait_later_ms > now_ms)
		return memory_refuse(v, LIMIT_WAIT, last_ms + c->codes_wait_later_ms - now_ms);
	return KZ_OK;
}

static int64_t quarter(int64_t limit)
{
	return (limit + 3) / 4;
}

/* What a send counts for, beside the phone. */
struct send_counts {
	struct count_key key[3];
	struct memory_count *count[3];
	int64_t window_ms[3], most[3];
	enum limit limit[3];
	int n;
};

static void counts_find(
    struct limits_memory *m, const struct conf *c, const struct limits_send *s, struct send_counts *ret)
{
	*ret = (struct send_counts){
	    .key = {{COUNT_PREFIX, s->prefix}, {COUNT_KEY, s->api_key}, {COUNT_ADDRESS, s->address}},
	    .window_ms = {LIMITS_HOUR_MS, 60000, LIMITS_HOUR_MS},
	    .most = {quarter(c->guard_prefix_hour), quarter(c->guard_key_minute),
	        quarter(c->guard_address_hour)},
	    .limit = {LIMIT_PREFIX_HOUR, LIMIT_KEY_MINUTE, LIMIT_ADDRESS_HOUR},
	    .n = s->address ? 3 : 2};
	for (int i = 0; i < ret->n; i++)
		ret->count[i] = count_find(m, &ret->key[i], ret->window_ms[i]);
}

/* more: so many go before it. */
static enum kz counts_judge(const struct limits_memory *m, const struct conf *c, const struct limits_known *k,
    const struct send_counts *s, unsigned more, struct limits_verdict *v)
{
	for (int i = 0; i < s->n; i++)
		if (s->count[i] && s->count[i]->n + more >= s->most[i])
			return memory_refuse(
			    v, s->limit[i], s->count[i]->begun_ms + s->window_ms[i] - m->now_ms);
	if (k->prefix + more >= s->most[0])
		return memory_refuse(v, LIMIT_PREFIX_HOUR, LIMITS_HOUR_MS / 6);
	if (m->day + more >= c->guard_day)
		return memory_refuse(v, LIMIT_DAY, LIMITS_HOUR_MS);
	return KZ_OK;
}

static void counts_add(struct limits_memory *m, struct send_counts *s)
{
	for (int i = 0; i < s->n; i++) {
		if (!s->count[i])
			s->count[i] = count_make(m, &s->key[i]);
		s->count[i]->n++;
	}
	m->day++;
}

bool limits_memory_knows_day(const struct limits_memory *m, int64_t wall_ms)
{
	return m->day_ms && wall_ms - m->day_ms < DAY_KNOWN_MS;
}

enum kz limits_memory_send(struct limits_memory *m, const struct conf *c, const struct limits_op *o,
    int64_t wall_ms, struct limits_verdict *ret)
{
	int64_t now_ms = memory_now(m, wall_ms);
	const struct limits_phone *p = limits_phones_look(&m->phones, o->send.phone);
	struct send_counts counts;
	enum kz r;

	*ret = (struct limits_verdict){.wait_ms = c->codes_wait_later_ms};
	if (o->known.has & UNKNOWN_DAY) {
		m->day = o->known.day;
		m->day_ms = now_ms;
	}
	counts_find(m, c, &o->send, &counts);
	if (limits_marks_have(&p->sent, o->send.token)) {
		ret->repeated = true;
		return KZ_OK;
	}
	if ((r = send_judge_phone(c, &o->known, p, now_ms, ret)) != KZ_OK ||
	    (r = send_judge_day(c, o, now_ms, ret)) != KZ_OK ||
	    (r = counts_judge(m, c, &o->known, &counts, o->send.look, ret)) != KZ_OK || o->send.look)
		return r;
	if (m->counts.count + 3 > LIMITS_MEMORY_COUNTS ||
	    !limits_phones_sent(&m->phones, m->now_ms, &o->send))
		return KZ_LOST;
	counts_add(m, &counts);
	return KZ_OK;
}

enum kz limits_memory_try(struct limits_memory *m, const struct conf *c, const struct limits_op *o,
    int64_t wall_ms, struct limits_verdict *ret)
{
	int64_t now_ms = memory_now(m, wall_ms), oldest_ms = 0;
	const struct limits_try *t = &o->try;
	limits_phones_forgive(&m->phones, t->phone, o->known.lifted_ms);
	const struct limits_phone *p = limits_phones_look(&m->phones, t->phone);
	unsigned most =
	    (unsigned)(c->codes_failures < LIMITS_ALONE_TRIES ? c->codes_failures : LIMITS_ALONE_TRIES);

	*ret = (struct limits_verdict){0};
	if (!t->code)
		return KZ_OK;
	unsigned n = limits_marks_count(&p->wrong, now_ms, &oldest_ms),
	         used = limits_marks_of(&p->wrong, t->code);
	used = t->wrong > used ? t->wrong : used;
	ret->left = t->tries > used ? t->tries - used : 0;
	if (!t->right && limits_marks_have(&p->wrong, t->token)) {
		ret->repeated = true;
		return KZ_OK;
	}
	if (o->known.locked_ms > now_ms)
		return memory_refuse(ret, LIMIT_LOCKED, o->known.locked_ms - now_ms);
	if (n >= most || o->known.wrong >= most || t->phone_wrong >= most)
		return memory_refuse(ret, LIMIT_LOCKED,
		    older(older(oldest_ms, o->known.wrong_ms), now_ms) + LIMITS_HOUR_MS - now_ms);
	if (!ret->left) {
		ret->limit = LIMIT_TRIES;
		return KZ_REFUSED;
	}
	if (t->right)
		return KZ_OK;
	ret->left--;
	return limits_phones_wrong(&m->phones, m->now_ms, t) ? KZ_OK : KZ_LOST;
}

void limits_memory_note(struct limits_memory *m, const struct limits_try *t, int64_t wall_ms)
{
	int64_t now_ms = memory_now(m, wall_ms);
	bool noted = limits_phones_wrong(&m->phones, now_ms, t);

	(void)noted; /* without room Redis and PostgreSQL alone remember it */
}

void limits_memory_add(struct limits_memory *m, int64_t phone, int64_t wall_ms, struct limits_known *k)
{
	if (!(k->has & UNKNOWN_PHONE))
		return;
	limits_phones_forgive(&m->phones, phone, k->lifted_ms);
	limits_phones_add(&m->phones, phone, wall_ms > m->now_ms ? wall_ms : m->now_ms, k);
}

void limits_memory_forgive(struct limits_memory *m, int64_t phone, int64_t until_ms)
{
	limits_phones_forgive(&m->phones, phone, until_ms);
}

size_t limits_memory_count(const struct limits_memory *m)
{
	return m->phones.by_phone.count + m->counts.count;
}
