/* send_admit: back-pressure at the door. A message is judged by the queue that it would join, that of its
 * operator and class: an operator that is slow or away fills and ages its own, and nobody else's. One that
 * cannot be sent within half of its class's life is better refused while its sender can still do something
 * else. */
#include <stdio.h>

#include "flow/send_body.h"

#define AWAY_S      2  /* until the database or a slot may be back */
#define DOWN_S      30 /* until an operator may be back */
#define WAIT_MOST_S 60

void send_make_admit_metrics(struct send *s)
{
	static const char *const why[SEND_REFUSALS] = {
	    [REFUSED_UNAVAILABLE] = "unavailable", [REFUSED_FULL] = "full", [REFUSED_OLD] = "old"};
	char labels[64];

	for (enum message_class c = 0; c < MESSAGE_CLASSES; c++)
		for (enum send_refusal r = 0; r < SEND_REFUSALS; r++) {
			snprintf(
			    labels, sizeof labels, "class=\"%s\",why=\"%s\"", message_class_name(c), why[r]);
			s->not_admitted[c][r] = metric_counter("kezek_messages_not_admitted_total",
			    "Messages answered 429 (full, old) or 503 (unavailable)", labels);
		}
}

/* In which the queue would be empty as it goes now. */
static unsigned admit_after_s(const struct send *s, enum message_class class, const struct carrier *c)
{
	double pace = carrier_pace(c);
	double wait_s = pace > 0 ? (double)queues_count(s->queues, carrier_name(c), class) / pace : DOWN_S;

	return wait_s < 1 ? 1 : wait_s > WAIT_MOST_S ? WAIT_MOST_S : (unsigned)wait_s;
}

static int64_t admit_age_ms(const struct send *s, enum message_class class)
{
	int64_t half_ms = send_life_ms(s, class) / 2;

	return half_ms < s->conf->queue_max_age_ms ? half_ms : s->conf->queue_max_age_ms;
}

enum kz send_admits(
    struct send *s, enum message_class class, const struct send_preview *p, unsigned *ret_after_s)
{
	const char *carrier = carrier_name(p->best);

	if (s->draining || s->own < 0 || !pg_is_up(s->base.pg)) {
		metric_add(s->not_admitted[class][REFUSED_UNAVAILABLE], 1);
		*ret_after_s = AWAY_S;
		return KZ_LOST;
	}
	bool full =
	    !queues_have_room(s->queues, carrier, class, s->all.count, (size_t)s->conf->queue_max_messages);
	if (!full && carrier_oldest_ms(p->best, (enum lane) class) <= admit_age_ms(s, class))
		return KZ_OK;
	metric_add(s->not_admitted[class][full ? REFUSED_FULL : REFUSED_OLD], 1);
	*ret_after_s = admit_after_s(s, class, p->best);
	return KZ_BUSY;
}

void send_measure(const struct send *s)
{
	struct carrier *c;
	char labels[96];

	metric_set(metric_gauge("kezek_receipts_pending", "Receipts that are being recorded", ""),
	    (double)settle_pending(s->settle));
	metric_set(metric_gauge("kezek_pg_jobs", "Transactions that wait or are on their way", ""),
	    (double)pg_jobs(s->base.pg));
	for (size_t i = 0; (c = ways_at(s->ways, i)) != NULL; i++)
		for (enum message_class class = 0; class < MESSAGE_CLASSES; class ++) {
			snprintf(labels, sizeof labels, "carrier=\"%s\",class=\"%s\"", carrier_name(c),
			    message_class_name(class));
			metric_set(
			    metric_gauge("kezek_queue_messages",
			        "Messages in memory for an operator: waiting, paused or being recorded",
			        labels),
			    (double)queues_count(s->queues, carrier_name(c), class));
			metric_set(
			    metric_gauge("kezek_queue_oldest_seconds",
			        "How long the oldest that an operator could be sent has waited", labels),
			    (double)carrier_oldest_ms(c, (enum lane) class) / 1000);
		}
}
