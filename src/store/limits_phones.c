#include "store/limits_phones.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool phone_equal(const struct map_node *n, const void *key)
{
	return map_entry(n, struct limits_phone, node)->phone == *(const int64_t *)key;
}

void limits_phones_init(struct limits_phones *all)
{
	map_init(&all->by_phone, phone_equal);
	list_init(&all->old);
}

static void phone_free(struct limits_phones *all, struct limits_phone *p)
{
	map_remove(&all->by_phone, &p->node);
	list_remove(&all->old, &p->by_age);
	free(p);
}

void limits_phones_fini(struct limits_phones *all)
{
	struct list_node *n;

	while ((n = list_first(&all->old)))
		phone_free(all, list_entry(n, struct limits_phone, by_age));
	map_fini(&all->by_phone);
}

void limits_phones_age(struct limits_phones *all, int64_t now_ms)
{
	list_each(&all->old, n, next)
	{
		struct limits_phone *p = list_entry(n, struct limits_phone, by_age);

		if (p->at_ms > now_ms - LIMITS_HOUR_MS)
			break;
		phone_free(all, p);
	}
}

static struct limits_phone *phone_find(const struct limits_phones *all, int64_t phone)
{
	struct map_node *n = map_get(&all->by_phone, map_hash_u64((uint64_t)phone), &phone);

	return n ? map_entry(n, struct limits_phone, node) : NULL;
}

/* NULL: there is no room. */
static struct limits_phone *phone_make(struct limits_phones *all, int64_t phone, int64_t now_ms)
{
	struct limits_phone *p = phone_find(all, phone);

	if (p || all->by_phone.count >= LIMITS_MEMORY_PHONES)
		return p;
	p = mem_new(sizeof *p);
	p->phone = phone;
	p->at_ms = now_ms;
	map_put(&all->by_phone, &p->node, map_hash_u64((uint64_t)phone));
	list_append(&all->old, &p->by_age);
	return p;
}

const struct limits_phone *limits_phones_look(const struct limits_phones *all, int64_t phone)
{
	static const struct limits_phone nobody;
	const struct limits_phone *p = phone_find(all, phone);

	return p ? p : &nobody;
}

static void phone_mark(
    struct limits_phones *all, struct limits_phone *p, struct limits_marks *s, struct limits_mark mark)
{
	if (s->n == LIMITS_MARKS)
		memmove(s->mark, s->mark + 1, sizeof *s->mark * --s->n);
	p->at_ms = mark.at_ms;
	s->mark[s->n++] = mark;
	list_remove(&all->old, &p->by_age);
	list_append(&all->old, &p->by_age);
}

bool limits_phones_sent(struct limits_phones *all, int64_t now_ms, const struct limits_send *s)
{
	struct limits_phone *p = phone_make(all, s->phone, now_ms);

	if (p)
		phone_mark(all, p, &p->sent, (struct limits_mark){.at_ms = now_ms, .token = s->token});
	return p != NULL;
}

bool limits_phones_wrong(struct limits_phones *all, int64_t now_ms, const struct limits_try *t)
{
	struct limits_phone *p = phone_make(all, t->phone, now_ms);

	if (p)
		phone_mark(all, p, &p->wrong,
		    (struct limits_mark){.at_ms = now_ms, .token = t->token, .code = t->code});
	return p != NULL;
}

unsigned limits_marks_count(const struct limits_marks *s, int64_t now_ms, int64_t *ret_oldest)
{
	unsigned i = 0;

	while (i < s->n && s->mark[i].at_ms <= now_ms - LIMITS_HOUR_MS)
		i++;
	if (i < s->n)
		*ret_oldest = s->mark[i].at_ms;
	return s->n - i;
}

bool limits_marks_have(const struct limits_marks *s, int64_t token)
{
	for (unsigned i = 0; token && i < s->n; i++)
		if (s->mark[i].token == token)
			return true;
	return false;
}

unsigned limits_marks_of(const struct limits_marks *s, uint64_t code)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->n; i++)
		n += s->mark[i].code == code;
	return n;
}

/* The marks of the last hour in the words of the scripts. */
static char *marks_text(const struct limits_marks *s, int64_t now_ms, bool sent)
{
	struct buf b = {0};

	for (unsigned i = 0; i < s->n; i++)
		if (s->mark[i].at_ms > now_ms - LIMITS_HOUR_MS) {
			buf_printf(&b, "%s%" PRId64, b.len ? "," : "", s->mark[i].at_ms);
			if (sent)
				buf_printf(&b, ":0:%" PRId64, s->mark[i].token);
		}
	return buf_take(&b);
}

void limits_phones_add(const struct limits_phones *all, int64_t phone, int64_t now_ms, struct limits_known *k)
{
	int64_t oldest_ms;
	const struct limits_phone *p = phone_find(all, phone);

	if (!p)
		return;
	if (limits_marks_count(&p->wrong, now_ms, &oldest_ms) > k->wrong) {
		free(k->text[KNOWN_PHONE + 2]);
		k->text[KNOWN_PHONE + 2] = marks_text(&p->wrong, now_ms, false);
	}
	if (limits_marks_count(&p->sent, now_ms, &oldest_ms) > k->sent && !k->text[KNOWN_PHONE][0]) {
		free(k->text[KNOWN_PHONE]);
		k->text[KNOWN_PHONE] = marks_text(&p->sent, now_ms, true);
	}
}

void limits_phones_forgive(struct limits_phones *all, int64_t phone, int64_t until_ms)
{
	struct limits_phone *p = phone_find(all, phone);
	unsigned gone = 0;

	if (!p)
		return;
	while (gone < p->wrong.n && p->wrong.mark[gone].at_ms <= until_ms)
		gone++;
	p->wrong.n -= gone;
	memmove(p->wrong.mark, p->wrong.mark + gone, sizeof *p->wrong.mark * p->wrong.n);
}
