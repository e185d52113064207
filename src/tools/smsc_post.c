#include "smsc_post.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

/* A receipt is in one of three lists: due (its delay runs), its account's ready (nobody has room), flying
 * (written; not acknowledged, or refused for now). Delay and retry are the same for all, so that both lists
 * are in the order of their times and one timer for each is enough. */

#define STATUS_THROTTLED 0x58
#define STATUS_TEMPORARY 0x64

struct smsc_account {
	struct map_node node;
	char system_id[33];
	struct list receivers; /* those that receive, the next first */
	struct list ready;     /* of struct smsc_parcel */
	size_t members, parcels;
	bool pumping;
};

/* Owned by the list it is in. */
struct smsc_parcel {
	struct list_node node;
	struct smsc_account *account;
	struct smsc_receiver *receiver; /* in whose ring it is; NULL: in none */
	uint32_t sequence;
	int64_t due_ms;
	struct smsc_receipt receipt;
};

struct smsc_post {
	struct loop *loop;
	const struct smsc_options *options;
	struct smsc_report *report;
	struct smsc_journal *journal;
	struct map accounts;
	struct list due, flying;
	struct timer *due_timer, *flying_timer;
	size_t parcels;
	struct buf scratch;
};

static void post_on_due(void *arg);
static void post_on_overdue(void *arg);

static bool account_is(const struct map_node *n, const void *key)
{
	return !strcmp(map_entry(n, struct smsc_account, node)->system_id, key);
}

const char *smsc_account_system_id(const struct smsc_account *a)
{
	return a->system_id;
}

struct smsc_post *smsc_post_new(
    struct loop *l, const struct smsc_options *o, struct smsc_report *r, struct smsc_journal *journal)
{
	struct smsc_post *p = mem_new(sizeof *p);

	p->loop = l;
	p->options = o;
	p->report = r;
	p->journal = journal;
	map_init(&p->accounts, account_is);
	list_init(&p->due);
	list_init(&p->flying);
	p->due_timer = timer_new(l, post_on_due, p);
	p->flying_timer = timer_new(l, post_on_overdue, p);
	return p;
}

static struct smsc_account *account_find(struct smsc_post *p, const char *system_id)
{
	uint64_t hash = map_hash_bytes(system_id, strlen(system_id));
	struct map_node *n = map_get(&p->accounts, hash, system_id);

	if (n)
		return map_entry(n, struct smsc_account, node);
	if (p->accounts.count == SMSC_POST_ACCOUNTS)
		return NULL;
	struct smsc_account *a = mem_new(sizeof *a);
	memcpy(a->system_id, system_id, strnlen(system_id, sizeof a->system_id - 1));
	list_init(&a->receivers);
	list_init(&a->ready);
	map_put(&p->accounts, &a->node, hash);
	return a;
}

/* An account lives while a session or a receipt has it. */
static void account_let_go(struct smsc_post *p, struct smsc_account *a)
{
	if (a->members || a->parcels || a->pumping)
		return;
	map_remove(&p->accounts, &a->node);
	free(a);
}

/* parcel is in no list any more. */
static void parcel_free(struct smsc_post *p, struct smsc_parcel *parcel)
{
	struct smsc_account *a = parcel->account;

	assert(!list_is_linked(&parcel->node) && !parcel->receiver);
	free(parcel);
	p->parcels--;
	a->parcels--;
	account_let_go(p, a);
}

/* Out of its session's ring. */
static void parcel_land(struct smsc_parcel *parcel)
{
	struct smsc_receiver *r = parcel->receiver;

	if (!r)
		return;
	r->ring[parcel->sequence % SMSC_POST_RING] = NULL;
	r->in_flight--;
	parcel->receiver = NULL;
}

static void parcels_drop(struct smsc_post *p, struct list *l)
{
	struct list_node *n;

	while ((n = list_take_first(l)))
		parcel_free(p, list_entry(n, struct smsc_parcel, node));
}

void smsc_post_free(struct smsc_post *p)
{
	struct map_node *n;

	if (!p)
		return;
	parcels_drop(p, &p->due);
	parcels_drop(p, &p->flying);
	while ((n = map_any(&p->accounts))) {
		struct smsc_account *a = map_entry(n, struct smsc_account, node);

		a->members++; /* until its last receipt is gone */
		parcels_drop(p, &a->ready);
		a->members--;
		account_let_go(p, a);
	}
	map_fini(&p->accounts);
	timer_free(p->due_timer);
	timer_free(p->flying_timer);
	buf_fini(&p->scratch);
	free(p);
}

uint32_t smsc_receiver_sequence(struct smsc_receiver *r)
{
	do
		r->sequence = r->sequence % 0x7FFFFFFF + 1;
	while (r->ring[r->sequence % SMSC_POST_RING]);
	return r->sequence;
}

static void timer_follow(struct smsc_post *p, struct timer *t, const struct list *l)
{
	struct list_node *n = list_first(l);

	if (!n || timer_is_armed(t))
		return;
	int64_t wait_ms = list_entry(n, struct smsc_parcel, node)->due_ms - loop_now_ms(p->loop);
	timer_start(t, wait_ms > 0 ? wait_ms : 0);
}

static void parcel_send(struct smsc_post *p, struct smsc_parcel *parcel, struct smsc_receiver *r)
{
	uint32_t sequence = smsc_receiver_sequence(r);

	buf_clear(&p->scratch);
	if (smsc_receipt_put(&parcel->receipt, p->options, sequence, &p->scratch) != KZ_OK) {
		smsc_report_odd(
		    p->report, parcel->account->system_id, "a receipt cannot be written for such addresses");
		parcel_free(p, parcel);
		return;
	}
	parcel->sequence = sequence;
	parcel->receiver = r;
	parcel->due_ms = loop_now_ms(p->loop) + p->options->receipt_retry_ms;
	r->ring[sequence % SMSC_POST_RING] = parcel;
	r->in_flight++;
	list_append(&p->flying, &parcel->node);
	timer_follow(p, p->flying_timer, &p->flying);
	smsc_report_receipt_sent(p->report);
	r->write(r->arg, &p->scratch); /* may make the session leave, which lands the parcel again */
}

/* The next session in turn that has room; NULL when none has. */
static struct smsc_receiver *account_receiver(struct smsc_post *p, struct smsc_account *a)
{
	list_each(&a->receivers, n, next)
	{
		struct smsc_receiver *r = list_entry(n, struct smsc_receiver, node);

		if (r->in_flight >= (size_t)p->options->receipt_window || !r->ready(r->arg))
			continue;
		list_remove(&a->receivers, n);
		list_append(&a->receivers, n);
		return r;
	}
	return NULL;
}

static void account_pump(struct smsc_post *p, struct smsc_account *a)
{
	struct smsc_receiver *r;

	if (a->pumping)
		return;
	a->pumping = true;
	while (list_first(&a->ready) && (r = account_receiver(p, a)))
		parcel_send(p, list_entry(list_take_first(&a->ready), struct smsc_parcel, node), r);
	a->pumping = false;
	account_let_go(p, a);
}

enum kz smsc_post_join(struct smsc_post *p, struct smsc_receiver *r, const char *system_id, bool receives)
{
	struct smsc_account *a = account_find(p, system_id);

	assert(!r->account);
	if (!a)
		return KZ_BUSY;
	a->members++;
	r->account = a;
	r->receives = receives;
	if (receives)
		list_append(&a->receivers, &r->node);
	return KZ_OK;
}

void smsc_post_leave(struct smsc_post *p, struct smsc_receiver *r)
{
	struct smsc_account *a = r->account;

	if (!a)
		return;
	for (size_t i = 0; r->in_flight && i < SMSC_POST_RING; i++) {
		struct smsc_parcel *parcel = r->ring[i];

		if (!parcel)
			continue;
		parcel_land(parcel);
		list_remove(&p->flying, &parcel->node);
		list_append(&a->ready, &parcel->node);
	}
	if (r->receives)
		list_remove(&a->receivers, &r->node);
	r->account = NULL;
	a->members--;
	account_pump(p, a);
}

/* What is left of the delay; within it, also when the wall clock was set meanwhile. */
static int64_t post_wait_ms(const struct smsc_post *p, const struct smsc_receipt *receipt)
{
	int64_t delay_ms = p->options->receipt_delay_ms;
	int64_t spent_ms = clock_wall_ms(loop_clock(p->loop)) - receipt->submitted_wall_ms;

	return spent_ms < 0 ? delay_ms : spent_ms < delay_ms ? delay_ms - spent_ms : 0;
}

void smsc_post_add(struct smsc_post *p, struct smsc_account *a, const struct smsc_receipt *receipt, bool now)
{
	if (p->parcels == SMSC_POST_MAX) {
		smsc_report_odd(
		    p->report, a->system_id, "over %d receipts wait: one is dropped", SMSC_POST_MAX);
		return;
	}
	struct smsc_parcel *parcel = mem_new(sizeof *parcel);
	parcel->account = a;
	parcel->receipt = *receipt;
	p->parcels++;
	a->parcels++;
	if (now) {
		list_append(&a->ready, &parcel->node);
		account_pump(p, a);
		return;
	}
	parcel->due_ms = loop_now_ms(p->loop) + post_wait_ms(p, receipt);
	list_append(&p->due, &parcel->node);
	timer_follow(p, p->due_timer, &p->due);
}

void smsc_post_owe(struct smsc_post *p, const char *system_id, const struct smsc_receipt *receipt)
{
	struct smsc_account *a = account_find(p, system_id);

	if (a)
		smsc_post_add(p, a, receipt, p->options->early_receipt);
	else
		smsc_report_odd(
		    p->report, system_id, "over %d system_ids: a receipt is dropped", SMSC_POST_ACCOUNTS);
}

/* The first of the list when its time has come, taken out. */
static struct smsc_parcel *parcel_take_due(struct list *l, int64_t now_ms)
{
	struct list_node *n = list_first(l);

	if (!n || list_entry(n, struct smsc_parcel, node)->due_ms > now_ms)
		return NULL;
	list_remove(l, n);
	return list_entry(n, struct smsc_parcel, node);
}

static void post_on_due(void *arg)
{
	struct smsc_post *p = arg;
	struct smsc_parcel *parcel;
	int64_t now_ms = loop_now_ms(p->loop);

	while ((parcel = parcel_take_due(&p->due, now_ms))) {
		parcel->receipt.done_wall_ms = clock_wall_ms(loop_clock(p->loop));
		list_append(&parcel->account->ready, &parcel->node);
		account_pump(p, parcel->account);
	}
	timer_follow(p, p->due_timer, &p->due);
}

static void post_on_overdue(void *arg)
{
	struct smsc_post *p = arg;
	struct smsc_parcel *parcel;
	int64_t now_ms = loop_now_ms(p->loop);
	char id[SMSC_ID];

	while ((parcel = parcel_take_due(&p->flying, now_ms))) {
		if (parcel->receiver)
			smsc_report_odd(p->report, parcel->account->system_id,
			    "the receipt of %s was not acknowledged: sent again",
			    smsc_receipt_id_text(p->options, parcel->receipt.number, id));
		parcel_land(parcel);
		list_append(&parcel->account->ready, &parcel->node);
		account_pump(p, parcel->account);
	}
	timer_follow(p, p->flying_timer, &p->flying);
}

static void parcel_note_end(struct smsc_post *p, const struct smsc_parcel *parcel, uint32_t status)
{
	if (p->journal && smsc_receipt_is_true(&parcel->receipt) &&
	    smsc_journal_acknowledged(
	        p->journal, parcel->receipt.number, clock_wall_ms(loop_clock(p->loop)), status) != KZ_OK)
		smsc_report_odd(p->report, parcel->account->system_id,
		    "the journal cannot be written: a receipt will come again after a restart");
}

enum kz smsc_post_acknowledge(
    struct smsc_post *p, struct smsc_receiver *r, uint32_t sequence, uint32_t status)
{
	struct smsc_parcel *parcel = r->ring[sequence % SMSC_POST_RING];
	char id[SMSC_ID];

	if (!parcel || parcel->sequence != sequence)
		return KZ_NOT_FOUND;
	struct smsc_account *a = parcel->account;
	parcel_land(parcel);
	smsc_report_receipt(p->report, a->system_id,
	    smsc_receipt_id_text(p->options, parcel->receipt.number, id), smsc_options_state(p->options),
	    status);
	if (status != STATUS_THROTTLED && status != STATUS_TEMPORARY) {
		parcel_note_end(p, parcel, status);
		list_remove(&p->flying, &parcel->node);
		parcel_free(p, parcel);
	} /* else it stays in flying until its time comes again */
	account_pump(p, r->account);
	return KZ_OK;
}

void smsc_post_pump(struct smsc_post *p, struct smsc_receiver *r)
{
	if (r->account && list_first(&r->account->ready))
		account_pump(p, r->account);
}
