/* Calls that were dropped: the person hung up, or the network did without a word and no key came in time.
 * What was typed is kept for a new call, and the parent is told so by one SMS, whoever notices first: the SMS
 * is kept under the session's own number, and only then is it written down that it was told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/dial_turn.h"

#define TICK_MS   1000
#define MINUTE_MS 60000
#define DUE_MOST  64
#define DROP_SMS  0
#define TEMPLATE  "resume"

/* One dropped call; in the list `drops` of its dial. */
struct dial_drop {
	struct list_node node;
	struct dial *dial;
	int64_t phone_key;
	uint64_t revision;
	enum dial_seen how;
	bool sends;
	struct dial_record record;
};

static void drop_free(struct dial_drop *p)
{
	list_remove(&p->dial->drops, &p->node);
	session_wipe(&p->record.session);
	free(p);
}

static void drop_on_kept(void *arg, enum kz r)
{
	(void)r;
	drop_free(arg);
}

/* Not told, it is due again in a minute. */
static void drop_keep(struct dial_drop *p)
{
	struct dial *d = p->dial;
	struct buf bytes = {.wiped = true};

	dial_record_pack(&p->record, &bytes);
	enum kz r = sessions_put(d->sessions, p->phone_key, &p->revision, bytes.data, bytes.len,
	    d->files.conf->ussd_continue_ms, 0, drop_on_kept, p);
	buf_wipe(&bytes);
	if (r != KZ_OK)
		drop_free(p);
}

static void drop_on_sms(void *arg, enum kz r)
{
	struct dial_drop *p = arg;

	p->sends = false;
	if (r != KZ_OK) {
		drop_free(p);
		return;
	}
	metric_add(p->dial->dropped, 1);
	p->record.told = true;
	drop_keep(p);
}

static void drop_tell(struct dial_drop *p)
{
	struct dial *d = p->dial;
	const struct session *s = &p->record.session;
	char minutes[24];
	const struct template_param param = {"minutes", minutes};

	snprintf(minutes, sizeof minutes, "%lld", (long long)(d->files.conf->ussd_continue_ms / MINUTE_MS));
	p->sends = true;
	dial_sms_to(d, p->record.phone, s->language,
	    keyring_lookup(d->base.keyring, "ussd drop", &s->uid, sizeof s->uid), DROP_SMS, TEMPLATE, &param,
	    1, drop_on_sms, p);
}

static void drop_judge(struct dial_drop *p)
{
	struct dial *d = p->dial;
	const struct session *s = &p->record.session;
	struct dial_menu *m = dial_menu_get(d, s->dialog);

	if (m)
		dial_menu_count(m, s->screen, p->how);
	if (!s->typed || s->ended) {
		if (sessions_remove(d->sessions, p->phone_key, p->revision, drop_on_kept, p) != KZ_OK)
			drop_free(p);
		return;
	}
	if (p->record.told)
		drop_keep(p);
	else
		drop_tell(p);
}

static struct dial_drop *drop_new(struct dial *d, int64_t phone_key, enum dial_seen how)
{
	struct dial_drop *p = mem_new(sizeof *p);

	p->dial = d;
	p->phone_key = phone_key;
	p->how = how;
	list_append(&d->drops, &p->node);
	return p;
}

void dial_drop_begin(struct dial *d, const struct dial_record *r, int64_t phone_key, uint64_t revision)
{
	struct dial_drop *p = drop_new(d, phone_key, SEEN_DROPPED);

	p->record = *r;
	p->revision = revision;
	drop_judge(p);
}

static void drop_on_got(void *arg, enum kz r, const void *bytes, size_t n, uint64_t revision)
{
	struct dial_drop *p = arg;

	p->revision = revision;
	if (r == KZ_OK && !p->dial->stopped && dial_record_unpack(bytes, n, &p->record) == KZ_OK)
		drop_judge(p);
	else
		drop_free(p);
}

static void drop_on_due(void *arg, enum kz r, const int64_t *phones, size_t n, size_t all)
{
	struct dial *d = arg;

	(void)all;
	d->looking = false;
	for (size_t i = 0; r == KZ_OK && i < n; i++) {
		struct dial_drop *p = drop_new(d, phones[i], SEEN_TIME_OUT);

		if (sessions_get(d->sessions, phones[i], drop_on_got, p) != KZ_OK)
			drop_free(p);
	}
}

/* Without a slot no SMS can be kept. */
void dial_drop_on_timer(void *arg)
{
	struct dial *d = arg;

	if (d->stopped)
		return;
	timer_start(d->drop_timer, TICK_MS);
	if (!d->looking && d->drops.count < DUE_MOST && feed_slot(d->base.feed) >= 0)
		d->looking = sessions_due(d->sessions, DUE_MOST, drop_on_due, d) == KZ_OK;
}

void dial_drops_free(struct dial *d)
{
	list_each(&d->drops, n, next) drop_free(list_entry(n, struct dial_drop, node));
}
