#include "api/health.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/metrics.h"

void health_live(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	(void)d;
	(void)who;
	(void)id;
	door_reply_json(c, 200, "{\"status\":\"ok\"}");
}

json_t *health_reasons(const struct door *d)
{
	json_t *reasons = json_array();

	if (d->draining)
		json_array_append_new(reasons, json_string("shutting down"));
	if (!pg_is_up(d->pg))
		json_array_append_new(reasons, json_string("the database is away"));
	else if (slots_own(d->slots) < 0)
		json_array_append_new(reasons, json_string("no slot is held yet"));
	else if (!d->partitions_ready)
		json_array_append_new(reasons, json_string("today's partitions are not made yet"));
	if (!clients_is_ready(d->clients))
		json_array_append_new(reasons, json_string("the API keys are not read yet"));
	return reasons;
}

bool health_is_ready(const struct door *d)
{
	json_t *reasons = health_reasons(d);
	bool ready = json_array_size(reasons) == 0;

	json_decref(reasons);
	return ready;
}

static const char *health_up(bool up)
{
	return up ? "up" : "down";
}

void health_ready(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	json_t *reasons = health_reasons(d), *operators = json_object();
	bool ready = json_array_size(reasons) == 0;
	struct carrier *way;

	(void)who;
	(void)id;
	for (size_t i = 0; (way = ways_at(send_ways(d->send), i)) != NULL; i++)
		json_object_set_new(operators, carrier_name(way), json_string(health_up(carrier_is_up(way))));
	json_t *o = json_pack("{s:s, s:o, s:s, s:s, s:o}", "status", ready ? "ready" : "unready", "reasons",
	    reasons, "database", health_up(pg_is_up(d->pg)), "redis",
	    health_up(d->redis && redis_is_up(d->redis)), "operators", operators);
	char *text = json_dumps(o, JSON_COMPACT);
	if (!ready)
		call_header_add(c, "Retry-After", "2");
	door_reply_json(c, ready ? 200 : 503, text ? text : "{}");
	free(text);
	json_decref(o);
}

void health_metrics(struct door *d, struct call *c, const struct door_caller *who, const char *id)
{
	struct buf out = {0};

	(void)who;
	(void)id;
	send_measure(d->send);
	metrics_write(&out);
	call_reply(c, 200, "text/plain; version=0.0.4; charset=utf-8", buf_text(&out), out.len);
	buf_fini(&out);
}
