/* tellings_body: what the files of tellings share; for src/store/tellings*.c only. */
#ifndef STORE_TELLINGS_BODY_H
#define STORE_TELLINGS_BODY_H

#include "base/ids.h"
#include "store/pg_array.h"
#include "store/tellings.h"

struct tellings_quest {
	union {
		tellings_endpoint_fn *endpoint;
		tellings_event_fn *event;
		tellings_due_fn *due;
		tellings_news_fn *news;
	} each;
	union {
		tellings_done_fn *all;
		tellings_page_fn *page;
		tellings_next_fn *next;
		tellings_ahead_fn *ahead;
	} done;
	void *arg;
	const struct keyring *keyring; /* of tellings_load */
};

/* A job of n statements, all with these values. */
enum kz tellings_ask(struct pg *pg, const struct pg_sql *sql, unsigned n, const struct pg_value *values,
    pg_done_fn *on_done, struct tellings_quest quest, uint64_t *ret_ticket) KZ_CHECK;
/* Of the news x, which have no person's fields. */
#define NEWS_COLUMNS                                                                                         \
	" 2 as about, x.feed, x.feed as id, x.at, x.kind as state, null as client_ref, null as purpose,"     \
	" x.via as class, null::int2 as parts, null as status, x.detail, false as resent, x.referral as "    \
	"other,"                                                                                             \
	" x.application, x.seq, x.play_group, x.until_at, x.kindergarten"

/* Of the endpoint w: it was not told of the news with that feed, and will be. */
#define NEWS_UNTOLD(feed)                                                                                    \
	"(" feed " > coalesce((select c.feed from webhook_cursor c where c.webhook = w.id"                   \
	"  and c.slot = (" feed " >> 14) & 255 and c.round = w.round), w.since)"                             \
	" or exists (select from webhook_retry h where h.webhook = w.id and h.about = 2 and h.id = " feed    \
	"  and h.due is not null))"

/* Columns of a statement that tells of something, in their order. */
enum told_column {
	TOLD_ABOUT,
	TOLD_FEED,
	TOLD_ID,
	TOLD_AT,
	TOLD_STATE,
	TOLD_CLIENT_REF,
	TOLD_PURPOSE,
	TOLD_CLASS,
	TOLD_PARTS,
	TOLD_STATUS,
	TOLD_DETAIL,
	TOLD_RESENT,
	TOLD_OTHER,
	TOLD_APPLICATION,
	TOLD_SEQ,
	TOLD_GROUP,
	TOLD_UNTIL,
	TOLD_KINDERGARTEN,
	TOLD_COLUMNS
};

/* Of a statement's reply, the columns from `from` on. */
struct hook_event tellings_read_event(const struct pg_reply *reply, unsigned statement, size_t row, int from);
/* The numbers of those that are held; pg_array_fini is the caller's. */
void tellings_put_slots(struct pg_array *a, const bool held[]);

#endif
