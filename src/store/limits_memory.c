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

#define MARKS        10
#define DAY_KNOWN_MS 60000

struct mark {
	int64_t at_ms, token;
	uint64_t code;
};

/* The last of them, oldest first. */
struct marks {
	struct mark mark[MARKS];
	unsigned n;
};

struct memory_phone {
	struct map_node node;
	struct list_node by_age;
	int64_t phone, at_ms;
	struct marks sent, wrong;
};

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
	struct map phones, counts;
	struct list old_phones, old_counts; /* oldest first */
	int64_t day_ms;                     /* when PostgreSQL was asked */
	int64_t day, now_ms;                /* sends of the day; the newest time seen */
};

static bool phone_equal(const struct map_node *n, const void *key)
{
	return map_entry(n, struct memory_phone, node)->phone == *(const int64_t *)key;
}

static bool count_equal(const struct map_node *n, const void *key)
{
	const struct count_key *a = &map_entry(n, struct memory_count, node)->key, *b = key;

	return a->kind == b->kind && a->subject == b->subject;
}

struct limits_memory *limits_memory_new(void)
{
	struct limits_memory *m = mem_new(sizeof *m);

	map_init(&m->phones, phone_equal);
	map_init(&m->counts, count_equal);
	list_init(&m->old_phones);
	list_init(&m->old_counts);
	return m;
}

static void phone_free(struct limits_memory *m, struct memory_phone *p)
{
	map_remove(&m->phones, &p->node);
	list_remove(&m->old_phones, &p->by_age);
	free(p);
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
	list_each(&m->old_phones, n, next)
	{
		struct memory_phone *p = list_entry(n, struct memory_phone, by_age);

		if (p->at_ms > m->now_ms - LIMITS_HOUR_MS)
			break;
		phone_free(m, p);
	}
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
	while ((n = list_first(&m->old_phones)))
		phone_free(m, list_entry(n, struct memory_phone, by_age));
	while ((n = list_first(&m->old_counts)))
		count_free(m, list_entry(n, struct memory_count, by_age));
	map_fini(&m->phones);
	map_fini(&m->counts);
	free(m);
}

static struct memory_phone *phone_find(const struct limits_memory *m, int64_t phone)
{
	struct map_node *n = map_get(&m->phones, map_hash_u64((uint64_t)phone), &phone);

	return n ? map_entry(n, struct memory_phone, node) : NULL;
}

/* NULL: there is no room. */
static struct memory_phone *phone_make(struct limits_memory *m, int64_t phone)
{
	struct memory_phone *p = phone_find(m, phone);

	if (p || m->phones.count >= LIMITS_MEMORY_PHONES)
		return p;
	p = mem_new(sizeof *p);
	p->phone = phone;
	p->at_ms = m->now_ms;
	map_put(&m->phones, &p->node, map_hash_u64((uint64_t)phone));
	list_append(&m->old_phones, &p->by_age);
	return p;
}

static const struct memory_phone *phone_look(const struct limits_memory *m, int64_t phone)
{
	static const struct memory_phone nobody;
	const struct memory_phone *p = phone_find(m, phone);

	return p ? p : &nobody;
}

static void phone_mark(struct limits_memory *m, struct memory_phone *p, struct marks *s, struct mark mark)
{
	if (s->n == MARKS)
		memmove(s->mark, s->mark + 1, sizeof *s->mark * --s->n);
	p->at_ms = mark.at_ms = m->now_ms;
	s->mark[s->n++] = mark;
	list_remove(&m->old_phones, &p->by_age);
	list_append(&m->old_phones, &p->by_age);
}

static bool phone_mark_sent(struct limits_memory *m, const struct limits_send *s)
{
	struct memory_phone *p = phone_make(m, s->phone);

	if (p)
		phone_mark(m, p, &p->sent, (struct mark){.token = s->token});
	return p != NULL;
}

static bool phone_mark_wrong(struct limits_memory *m, const struct limits_try *t)
{
	struct memory_phone *p = phone_make(m, t->phone);

	if (p)
		phone_mark(m, p, &p->wrong, (struct mark){.token = t->token, .code = t->code});
	return p != NULL;
}

/* Those of the last hour; *ret_oldest is the first of them. */
static unsigned marks_count(const struct marks *s, int64_t now_ms, int64_t *ret_oldest)
{
	unsigned i = 0;

	while (i < s->n && s->mark[i].at_ms <= now_ms - LIMITS_HOUR_MS)
		i++;
	if (i < s->n)
		*ret_oldest = s->mark[i].at_ms;
	return s->n - i;
}

static bool marks_have(const struct marks *s, int64_t token)
{
	for (unsigned i = 0; token && i < s->n; i++)
		if (s->mark[i].token == token)
			return true;
	return false;
}

static unsigned marks_of(const struct marks *s, uint64_t code)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++)
		n += s->mark[i].code == code;
	return n;
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

static enum kz send_judge_phone(const struct conf *c, const struct limits_known *k,
    const struct memory_phone *p, int64_t now_ms, struct limits_verdict *v)
{
	int64_t oldest_ms = 0;
	unsigned n = marks_count(&p->sent, now_ms, &oldest_ms);
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

static enum kz counts_judge(const struct limits_memory *m, const struct conf *c, const struct limits_known *k,
    const struct send_counts *s, struct limits_verdict *v)
{
	for (int i = 0; i < s->n; i++)
		if (s->count[i] && s->count[i]->n >= s->most[i])
			return memory_refuse(
			    v, s->limit[i], s->count[i]->begun_ms + s->window_ms[i] - m->now_ms);
	if (k->prefix >= s->most[0])
		return memory_refuse(v, LIMIT_PREFIX_HOUR, LIMITS_HOUR_MS / 6);
	if (m->day >= c->guard_day)
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
	const struct memory_phone *p = phone_look(m, o->send.phone);
	struct send_counts counts;
	enum kz r;

	*ret = (struct limits_verdict){.wait_ms = c->codes_wait_later_ms};
	if (o->known.has & UNKNOWN_DAY) {
		m->day = o->known.day;
		m->day_ms = now_ms;
	}
	counts_find(m, c, &o->send, &counts);
	if (marks_have(&p->sent, o->send.token)) {
		ret->repeated = true;
		return KZ_OK;
	}
	if ((r = send_judge_phone(c, &o->known, p, now_ms, ret)) != KZ_OK ||
	    (r = counts_judge(m, c, &o->known, &counts, ret)) != KZ_OK)
		return r;
	if (m->counts.count + 3 > LIMITS_MEMORY_COUNTS || !phone_mark_sent(m, &o->send))
		return KZ_LOST;
	counts_add(m, &counts);
	return KZ_OK;
}

enum kz limits_memory_try(struct limits_memory *m, const struct conf *c, const struct limits_op *o,
    int64_t wall_ms, struct limits_verdict *ret)
{
	int64_t now_ms = memory_now(m, wall_ms), oldest_ms = 0;
	const struct limits_try *t = &o->try;
	const struct memory_phone *p = phone_look(m, t->phone);
	unsigned most =
	    (unsigned)(c->codes_failures < LIMITS_ALONE_TRIES ? c->codes_failures : LIMITS_ALONE_TRIES);

	*ret = (struct limits_verdict){0};
	if (!t->code)
		return KZ_OK;
	unsigned n = marks_count(&p->wrong, now_ms, &oldest_ms), used = marks_of(&p->wrong, t->code);
	used = t->wrong > used ? t->wrong : used;
	ret->left = t->tries > used ? t->tries - used : 0;
	if (!t->right && marks_have(&p->wrong, t->token)) {
		ret->repeated = true;
		return KZ_OK;
	}
	if (o->known.locked_ms > now_ms)
		return memory_refuse(ret, LIMIT_LOCKED, o->known.locked_ms - now_ms);
	if (n >= most || o->known.wrong >= most || t->phone_wrong >= most)
		return memory_refuse(
		    ret, LIMIT_LOCKED, older(oldest_ms, o->known.wrong_ms) + LIMITS_HOUR_MS - now_ms);
	if (!ret->left) {
		ret->limit = LIMIT_TRIES;
		return KZ_REFUSED;
	}
	if (t->right)
		return KZ_OK;
	ret->left--;
	return phone_mark_wrong(m, t) ? KZ_OK : KZ_LOST;
}

void limits_memory_note(struct limits_memory *m, const struct limits_op *o, int64_t wall_ms)
{
	memory_now(m, wall_ms);
	/* Without room Redis and PostgreSQL alone remember it. */
	bool noted = o->kind == LIMITS_SEND ? phone_mark_sent(m, &o->send) : phone_mark_wrong(m, &o->try);
	(void)noted;
}

/* The marks of the last hour in the words of the scripts. */
static char *marks_text(const struct marks *s, int64_t now_ms, bool sent)
{
	struct buf b = {0};

	for (unsigned i = 0; i < s->n; i++)
		if (s->mark[i].at_ms > now_ms - LIMITS_HOUR_MS)
			buf_printf(&b, sent ? "%s%lld:0:0" : "%s%lld", b.len ? "," : "",
			    (long long)s->mark[i].at_ms);
	return buf_take(&b);
}

void limits_memory_add(const struct limits_memory *m, int64_t phone, int64_t wall_ms, struct limits_known *k)
{
	int64_t now_ms = wall_ms > m->now_ms ? wall_ms : m->now_ms, oldest_ms;
	const struct memory_phone *p = phone_find(m, phone);

	if (!p || !(k->has & UNKNOWN_PHONE))
		return;
	if (marks_count(&p->wrong, now_ms, &oldest_ms) > k->wrong) {
		free(k->text[KNOWN_PHONE + 2]);
		k->text[KNOWN_PHONE + 2] = marks_text(&p->wrong, now_ms, false);
	}
	if (marks_count(&p->sent, now_ms, &oldest_ms) > k->sent && !k->text[KNOWN_PHONE][0]) {
		free(k->text[KNOWN_PHONE]);
		k->text[KNOWN_PHONE] = marks_text(&p->sent, now_ms, true);
	}
}

void limits_memory_forgive(struct limits_memory *m, int64_t phone)
{
	struct memory_phone *p = phone_find(m, phone);

	if (p)
		p->wrong.n = 0;
}

size_t limits_memory_count(const struct limits_memory *m)
{
	return m->phones.count + m->counts.count;
}
