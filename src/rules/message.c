#include "rules/message.h"

#include <string.h>

static const char *const class_names[] = {"code", "notice", "bulk"};
static const char *const state_names[] = {
    "accepted", "submitted", "failed", "rejected", "undeliverable", "expired", "delivered", "unconfirmed"};
static const char *const kind_names[] = {"accepted", "submitted", "refused", "in_doubt", "receipt", "expired",
    "failed", "ended", "resent", "sending", "interrupted", "held_back"};

const char *message_class_name(enum message_class c)
{
	return c < MESSAGE_CLASSES ? class_names[c] : "unknown";
}

enum kz message_class_parse(const char *text, enum message_class *ret)
{
	for (enum message_class c = 0; c < MESSAGE_CLASSES; c++)
		if (!strcmp(text, class_names[c])) {
			*ret = c;
			return KZ_OK;
		}
	return KZ_INVALID;
}

const char *message_state_name(enum message_state s)
{
	return s <= MESSAGE_UNCONFIRMED ? state_names[s] : "unknown";
}

const char *event_kind_name(enum event_kind k)
{
	return k <= EVENT_HELD_BACK ? kind_names[k] : "unknown";
}

bool message_state_is_final(enum message_state s)
{
	return s >= MESSAGE_FAILED;
}

static int64_t message_backoff_ms(uint32_t attempts, const struct message_limits *limits)
{
	int64_t wait_ms = limits->retry_min_ms;

	for (uint32_t i = 1; i < attempts && wait_ms < limits->retry_max_ms; i++)
		wait_ms *= 2;
	return wait_ms < limits->retry_max_ms ? wait_ms : limits->retry_max_ms;
}

static struct message_plan message_after_temporary(
    const struct message_past *past, const struct message_limits *limits)
{
	struct message_plan plan = {NEXT_AGAIN, message_backoff_ms(past->attempts, limits)};

	if (past->attempts >= limits->attempts)
		plan.step = NEXT_FAIL;
	else if (past->attempts % 2 == 0 && past->other_carrier && !past->part_taken)
		plan.step = NEXT_OTHER_CARRIER;
	return plan;
}

static struct message_plan message_after_reroute(const struct message_past *past)
{
	bool can = past->other_carrier && !past->rerouted && !past->part_taken;

	return (struct message_plan){can ? NEXT_OTHER_CARRIER : NEXT_FAIL, 0};
}

static struct message_plan message_after_doubt(
    const struct message_past *past, const struct message_limits *limits)
{
	if (past->attempts >= limits->attempts)
		return (struct message_plan){NEXT_FAIL, 0};
	return (struct message_plan){NEXT_AGAIN, past->class == MESSAGE_CODE ? 0 : limits->in_doubt_ms};
}

struct message_plan message_next(
    enum attempt a, const struct message_past *past, const struct message_limits *limits)
{
	switch (a) {
	case ATTEMPT_DONE:
		return (struct message_plan){NEXT_AWAIT_RECEIPT, 0};
	case ATTEMPT_TEMPORARY:
		return message_after_temporary(past, limits);
	case ATTEMPT_REROUTE:
		return message_after_reroute(past);
	case ATTEMPT_IN_DOUBT:
		if (past->doubted)
			break;
		return message_after_doubt(past, limits);
	case ATTEMPT_INTERRUPTED:
		return message_after_doubt(past, limits);
	case ATTEMPT_FINAL:
		break;
	}
	return (struct message_plan){NEXT_FAIL, 0};
}

enum receipt_effect message_receipt_effect(enum parts_mode mode, unsigned part, unsigned parts)
{
	if (parts == 1 || mode == PARTS_ANY)
		return RECEIPT_ENDS_MESSAGE;
	if (mode == PARTS_FIRST)
		return part == 1 ? RECEIPT_ENDS_MESSAGE : RECEIPT_ENDS_NOTHING;
	if (mode == PARTS_LAST)
		return part == parts ? RECEIPT_ENDS_MESSAGE : RECEIPT_ENDS_NOTHING;
	return RECEIPT_ENDS_PART;
}
