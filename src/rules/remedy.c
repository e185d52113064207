#include "rules/remedy.h"

static bool remedy_helps(enum remedy r, const struct remedy_past *past)
{
	return r == REMEDY_PHONE ? past->second : r == REMEDY_LINK && past->state != MESSAGE_ACCEPTED;
}

/* The operator says that it did not arrive: the same link may do better now. Of silence that is not known,
 * and an operator that never sends receipts would have every code twice. */
static bool remedy_is_refused(enum message_state s)
{
	return message_state_is_final(s) && s != MESSAGE_UNCONFIRMED;
}

/* The first way that helps; a link that is no other one after all the rest. */
static enum remedy remedy_choose(const struct remedy_rule *rule, const struct remedy_past *past)
{
	enum remedy last = REMEDY_NONE;

	for (size_t i = 0; i < rule->ways_n; i++) {
		if (!remedy_helps(rule->ways[i], past))
			continue;
		if (rule->ways[i] == REMEDY_PHONE || past->elsewhere)
			return rule->ways[i];
		if (remedy_is_refused(past->state))
			last = rule->ways[i];
	}
	return last;
}

struct remedy_plan remedy_plan(const struct remedy_rule *rule, const struct remedy_past *past, int64_t now_ms)
{
	int64_t since_ms = past->submitted_ms ? past->submitted_ms : past->sent_ms;
	int64_t wait_ms = message_state_is_final(past->state) ? 0 : since_ms + rule->wait_ms - now_ms;

	if (past->state == MESSAGE_DELIVERED || !rule->ways_n)
		return (struct remedy_plan){REMEDY_NONE, -1};
	if (wait_ms > 0)
		return (struct remedy_plan){REMEDY_NONE, wait_ms};
	struct remedy_plan plan = {remedy_choose(rule, past), -1};
	if (plan.remedy == REMEDY_NONE && past->state == MESSAGE_ACCEPTED)
		plan.wait_ms = rule->wait_ms;
	return plan;
}
