#include "rules/place.h"

const char *place_verdict_name(enum place_verdict v)
{
	static const char *const names[PLACE_VERDICTS] = {"ok", "closed", "already", "not_district",
	    "not_age", "not_language", "gone", "stop_list", "not_turn"};

	return (unsigned)v < PLACE_VERDICTS ? names[v] : "unknown";
}

/* What the application itself stands in the way of. */
static enum place_verdict place_judge_application(const struct place_application *a)
{
	if (application_is_over(a->status))
		return PLACE_CLOSED;
	if (a->status != APPLICATION_WAITING || a->referred)
		return PLACE_ALREADY;
	return PLACE_OK;
}

static enum place_verdict place_judge_vacancy(
    const struct place_application *a, const struct place_vacancy *v)
{
	if (a->district != v->district)
		return PLACE_NOT_DISTRICT;
	if (a->age < v->age_from || a->age >= v->age_to)
		return PLACE_NOT_AGE;
	if (a->languages && !(a->languages & 1u << v->language))
		return PLACE_NOT_LANGUAGE;
	return v->free > 0 ? PLACE_OK : PLACE_GONE;
}

static int64_t place_turn_us(const struct place_application *a, const struct place_vacancy *v)
{
	if (a->privileged || v->priority_until_us < v->released_us)
		return v->released_us;
	return v->priority_until_us;
}

static struct place_answer place_judge_time(
    const struct place_application *a, const struct place_vacancy *v, int64_t now_us)
{
	int64_t turn_us = place_turn_us(a, v);

	if (a->stop_list_until_us > now_us && a->stop_list_until_us >= turn_us)
		return (struct place_answer){PLACE_STOP_LIST, a->stop_list_until_us};
	if (turn_us > now_us)
		return (struct place_answer){PLACE_NOT_TURN, turn_us};
	return (struct place_answer){PLACE_OK, 0};
}

struct place_answer place_judge(
    const struct place_application *a, const struct place_vacancy *v, int64_t now_us)
{
	enum place_verdict verdict = place_judge_application(a);

	if (verdict == PLACE_OK)
		verdict = place_judge_vacancy(a, v);
	if (verdict != PLACE_OK)
		return (struct place_answer){verdict, 0};
	return place_judge_time(a, v, now_us);
}
