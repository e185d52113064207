/* notify_report: how the telling goes, for the metrics and for people. */
#include <stdlib.h>

#include "base/mem.h"
#include "flow/notify_body.h"

void notify_make_metrics(struct notify *n)
{
	n->told = metric_counter("kezek_webhooks_told_total", "Webhooks that were answered 2xx", "");
	for (enum http_outcome o = 0; o < HTTP_OUTCOMES; o++) {
		char *labels =
		    mem_printf("reason=\"%s\"", o == HTTP_ANSWERED ? "status" : http_outcome_name(o));

		n->failed[o] =
		    metric_counter("kezek_webhooks_failed_total", "Webhooks that failed once", labels);
		free(labels);
	}
	n->given_up = metric_counter("kezek_webhooks_given_up_total",
	    "Webhooks that failed at every attempt and are told no more", "");
	n->full = metric_counter("kezek_webhooks_full_total",
	    "Times that an endpoint had as many ends to be told again as are kept", "");
	n->held_back = metric_counter("kezek_webhooks_held_back_total",
	    "News that waited until earlier ones of their application were told", "");
	n->disabled = metric_counter("kezek_webhooks_disabled_total", "Endpoints that answered 410", "");
	n->up_gauge = metric_gauge("kezek_webhooks_endpoints", "Endpoints that are told", "state=\"up\"");
	n->down_gauge = metric_gauge("kezek_webhooks_endpoints", "Endpoints that are told", "state=\"down\"");
	n->locked_gauge =
	    metric_gauge("kezek_webhooks_endpoints", "Endpoints that are told", "state=\"locked\"");
	n->open_gauge = metric_gauge("kezek_webhooks_open", "Webhooks that are not answered yet", "");
	n->oldest_gauge = metric_gauge(
	    "kezek_webhooks_oldest_seconds", "Age of the oldest end that some endpoint was not told of", "");
}

static int64_t endpoint_oldest_ms(const struct endpoint *e)
{
	int64_t now_ms = clock_wall_ms(loop_clock(e->notify->loop)), oldest_ms = 0;

	for (struct list_node *at = list_first(&e->tellers); at; at = list_next(&e->tellers, at)) {
		const struct list_node *first = list_first(&list_entry(at, struct teller, node)->notes);

		if (first) {
			int64_t age_ms =
			    now_ms - ids_wall_ms(list_entry(first, const struct note, node)->event.feed);

			oldest_ms = age_ms > oldest_ms ? age_ms : oldest_ms;
		}
	}
	return oldest_ms;
}

bool notify_report(const struct notify *n, int32_t id, struct notify_report *ret)
{
	const struct endpoint *e = notify_find(n, id);

	if (e)
		*ret = (struct notify_report){
		    .down = e->probes > 0, .open = e->open, .oldest_ms = endpoint_oldest_ms(e)};
	else
		ret->locked = notify_is_locked(n, id);
	return e != NULL;
}

struct notify_sum notify_sum(const struct notify *n)
{
	struct notify_sum sum = {.locked = n->locked_n, .open = http_client_open(n->client)};

	for (struct list_node *at = list_first(&n->endpoints); at; at = list_next(&n->endpoints, at)) {
		const struct endpoint *e = list_entry(at, struct endpoint, node);
		int64_t age_ms = endpoint_oldest_ms(e);

		sum.oldest_ms = age_ms > sum.oldest_ms ? age_ms : sum.oldest_ms;
		if (e->probes)
			sum.down++;
		else
			sum.up++;
	}
	return sum;
}

void notify_measure(struct notify *n)
{
	const struct notify_sum sum = notify_sum(n);

	metric_set(n->up_gauge, (double)sum.up);
	metric_set(n->down_gauge, (double)sum.down);
	metric_set(n->locked_gauge, (double)sum.locked);
	metric_set(n->open_gauge, (double)sum.open);
	metric_set(n->oldest_gauge, (double)sum.oldest_ms / 1000);
}
