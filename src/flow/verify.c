#include "flow/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/verify_body.h"

#define SWEEP_MS 60000

static void verify_on_late(void *arg);
static void verify_on_sweep(void *arg);

static const char *const check_words[VERIFY_LOST + 1] = {
    [VERIFY_OK] = "approved",
    [VERIFY_WRONG] = "wrong",
    [VERIFY_OVER] = "over",
    [VERIFY_NOT_FOUND] = "not_found",
    [VERIFY_PAIR] = "not_found",
    [VERIFY_NOT_A_CODE] = "invalid",
    [VERIFY_OTHER_BINDING] = "binding_mismatch",
    [VERIFY_KEY_REUSED] = "key_reused",
    [VERIFY_LIMITED] = "limited",
    [VERIFY_LOST] = "unavailable",
};

static void verify_make_metrics(struct verify *v)
{
	char labels[64];

	v->sent = metric_counter(
	    "kezek_codes_sent_total", "Codes and resends that were given to be sent", "why=\"asked\"");
	v->resent = metric_counter(
	    "kezek_codes_sent_total", "Codes and resends that were given to be sent", "why=\"resend\"");
	v->out_of_range = metric_counter(
	    "kezek_codes_refused_total", "Refused sends and tries of codes.", "why=\"range_not_allowed\"");
	for (size_t i = 0; i <= VERIFY_LOST; i++) {
		if (!check_words[i])
			continue;
		snprintf(labels, sizeof labels, "result=\"%s\"", check_words[i]);
		v->checks[i] =
		    metric_counter("kezek_codes_checks_total", "Checks of codes by their answer", labels);
	}
	v->open_gauge = metric_gauge("kezek_codes_open", "Questions about codes that are on their way", "");
}

struct verify *verify_new(const struct verify_base *base, const struct verify_files *files)
{
	struct verify *v = mem_new(sizeof *v);

	v->base = *base;
	v->files = *files;
	list_init(&v->open);
	v->late_timer = timer_new(base->loop, verify_on_late, v);
	v->sweep_timer = timer_new(base->loop, verify_on_sweep, v);
	timer_start(v->sweep_timer, SWEEP_MS);
	verify_make_metrics(v);
	savings_init(v);
	return v;
}

void verify_set_files(struct verify *v, const struct verify_files *files)
{
	v->files = *files;
	savings_set_ages(v);
}

static void verify_on_sweep(void *arg)
{
	struct verify *v = arg;

	if (pg_is_up(v->base.pg))
		codes_sweep(v->base.pg);
	timer_start(v->sweep_timer, SWEEP_MS);
}

/* All wait equally long, so the oldest is the next. */
static void verify_on_late(void *arg)
{
	struct verify *v = arg;
	int64_t now_ms = loop_now_ms(v->base.loop);
	struct list_node *n = list_first(&v->open);

	for (; n; n = list_next(&v->open, n)) {
		struct verify_op *op = list_entry(n, struct verify_op, node);

		if (op->until_ms > now_ms) {
			timer_start(v->late_timer, op->until_ms - now_ms);
			return;
		}
		if (!op->answered) {
			op->answered = true;
			op->late(op);
		}
	}
}

bool verify_op_begin(struct verify *v, struct verify_op *op, void (*late)(struct verify_op *op),
    void (*clear)(struct verify_op *op))
{
	if (v->open.count >= VERIFY_OPEN)
		return false;
	*op = (struct verify_op){
	    .verify = v, .until_ms = loop_now_ms(v->base.loop) + VERIFY_MS, .late = late, .clear = clear};
	list_append(&v->open, &op->node);
	if (!timer_is_armed(v->late_timer))
		timer_start(v->late_timer, VERIFY_MS);
	metric_set(v->open_gauge, (double)v->open.count);
	return true;
}

void verify_op_end(struct verify_op *op)
{
	struct verify *v = op->verify;

	list_remove(&v->open, &op->node);
	metric_set(v->open_gauge, (double)v->open.count);
	op->clear(op);
	free(op);
}

void verify_free(struct verify *v)
{
	if (!v)
		return;
	while (v->open.count) {
		struct verify_op *op = list_entry(list_first(&v->open), struct verify_op, node);

		if (!op->answered)
			op->late(op);
		verify_op_end(op);
	}
	savings_free(v);
	timer_free(v->late_timer);
	timer_free(v->sweep_timer);
	free(v);
}

const char *verify_binding(int64_t binding, char text[VERIFY_BINDING])
{
	*text = '\0';
	if (binding)
		snprintf(text, VERIFY_BINDING, "%016llx", (unsigned long long)binding);
	return text;
}

int64_t verify_token(
    const struct verify *v, const struct verify_request *r, const char *domain, uint64_t about)
{
	uint8_t of[2 * SECRET_HASH + sizeof about + sizeof r->api_key];

	memcpy(of, r->key_hash, SECRET_HASH);
	memcpy(of + SECRET_HASH, r->body_hash, SECRET_HASH);
	memcpy(of + 2 * SECRET_HASH, &about, sizeof about);
	memcpy(of + 2 * SECRET_HASH + sizeof about, &r->api_key, sizeof r->api_key);
	return keyring_lookup(v->base.keyring, domain, of, sizeof of);
}

bool verify_in_range(const struct verify *v, struct msisdn m)
{
	const struct key_list *ranges = &v->files.conf->guard_ranges;
	char text[MSISDN_TEXT];

	msisdn_text(m, text);
	for (size_t i = 0; i < ranges->count; i++)
		if (!strncmp(text, ranges->items[i], strlen(ranges->items[i])))
			return true;
	return false;
}
