/* Two tables: what an event does in a status, and what a status means for place and application. Of what a
 * parent does time is looked at before the first of them, so that a referral whose end has come answers her
 * alike before and after the clock has written that it expired. */
#include "rules/referral.h"

#include <assert.h>
#include <string.h>

static const char *const status_names[REFERRAL_STATUSES] = {
    "offered", "accepted", "declined", "expired", "cancelled", "enrolled"};

struct referral_move {
	enum referral_verdict verdict;
	enum referral_status next; /* when the verdict is OK */
};

static const struct referral_move offered_moves[REFERRAL_EVENTS] = {
    [REFERRAL_ACCEPT] = {REFERRAL_OK, REFERRAL_ACCEPTED},
    [REFERRAL_DECLINE] = {REFERRAL_OK, REFERRAL_DECLINED},
    [REFERRAL_EXTEND] = {REFERRAL_OK, REFERRAL_OFFERED},
    [REFERRAL_EXPIRE] = {REFERRAL_OK, REFERRAL_EXPIRED},
    [REFERRAL_CANCEL] = {REFERRAL_OK, REFERRAL_CANCELLED},
    [REFERRAL_ENROL] = {.verdict = REFERRAL_NOT_ACCEPTED},
};
static const struct referral_move accepted_moves[REFERRAL_EVENTS] = {
    [REFERRAL_ACCEPT] = {.verdict = REFERRAL_ALREADY_ACCEPTED},
    [REFERRAL_DECLINE] = {.verdict = REFERRAL_ALREADY_ACCEPTED},
    [REFERRAL_EXTEND] = {REFERRAL_OK, REFERRAL_ACCEPTED},
    [REFERRAL_EXPIRE] = {REFERRAL_OK, REFERRAL_EXPIRED},
    [REFERRAL_CANCEL] = {REFERRAL_OK, REFERRAL_CANCELLED},
    [REFERRAL_ENROL] = {REFERRAL_OK, REFERRAL_ENROLLED},
};
static const enum referral_verdict ended_verdicts[REFERRAL_STATUSES] = {
    [REFERRAL_DECLINED] = REFERRAL_ALREADY_DECLINED,
    [REFERRAL_EXPIRED] = REFERRAL_PAST_END,
    [REFERRAL_CANCELLED] = REFERRAL_ALREADY_CANCELLED,
    [REFERRAL_ENROLLED] = REFERRAL_ALREADY_ENROLLED,
};

static const struct referral_meaning {
	enum application_status application;
	bool place_freed;
	bool stop_list;
} meanings[REFERRAL_STATUSES] = {
    [REFERRAL_OFFERED] = {APPLICATION_REFERRED, false, false},
    [REFERRAL_ACCEPTED] = {APPLICATION_ENROLLING, false, false},
    [REFERRAL_DECLINED] = {APPLICATION_WAITING, true, false},
    [REFERRAL_EXPIRED] = {APPLICATION_WAITING, true, true},
    [REFERRAL_CANCELLED] = {APPLICATION_WAITING, true, false},
    [REFERRAL_ENROLLED] = {APPLICATION_ENROLLED, false, false},
};

const char *referral_status_name(enum referral_status s)
{
	return (unsigned)s < REFERRAL_STATUSES ? status_names[s] : "unknown";
}

const char *referral_event_name(enum referral_event e)
{
	static const char *const names[REFERRAL_EVENTS] = {
	    "accept", "decline", "extend", "expire", "cancel", "enrol"};

	return (unsigned)e < REFERRAL_EVENTS ? names[e] : "unknown";
}

const char *referral_verdict_name(enum referral_verdict v)
{
	static const char *const names[REFERRAL_VERDICTS] = {"ok", "not_begun", "past_end", "not_due",
	    "not_accepted", "no_extension", "already_extended", "already_accepted", "already_declined",
	    "already_cancelled", "already_enrolled"};

	return (unsigned)v < REFERRAL_VERDICTS ? names[v] : "unknown";
}

enum kz referral_status_parse(const char *text, enum referral_status *ret)
{
	for (enum referral_status s = 0; s < REFERRAL_STATUSES; s++)
		if (!strcmp(text, status_names[s])) {
			*ret = s;
			return KZ_OK;
		}
	return KZ_INVALID;
}

static bool referral_is_open(enum referral_status s)
{
	return s == REFERRAL_OFFERED || s == REFERRAL_ACCEPTED;
}

enum referral_status referral_stands(enum referral_status s, int64_t to_us, int64_t now_us)
{
	return referral_is_open(s) && to_us <= now_us ? REFERRAL_EXPIRED : s;
}

static bool referral_is_parents(enum referral_event e)
{
	return e == REFERRAL_ACCEPT || e == REFERRAL_DECLINE || e == REFERRAL_EXTEND;
}

static enum referral_verdict referral_judge_time(
    const struct referral_life *r, enum referral_event e, int64_t now_us)
{
	if (e == REFERRAL_EXPIRE)
		return now_us < r->to_us ? REFERRAL_NOT_DUE : REFERRAL_OK;
	if (!referral_is_parents(e))
		return REFERRAL_OK;
	if (now_us >= r->to_us)
		return REFERRAL_PAST_END;
	return now_us < r->from_us ? REFERRAL_NOT_BEGUN : REFERRAL_OK;
}

static struct referral_move referral_find_move(
    const struct referral_life *r, enum referral_event e, int64_t now_us)
{
	if (!referral_is_open(r->status))
		return (struct referral_move){.verdict = ended_verdicts[r->status]};
	enum referral_verdict verdict = referral_judge_time(r, e, now_us);
	if (verdict != REFERRAL_OK)
		return (struct referral_move){.verdict = verdict};
	return r->status == REFERRAL_OFFERED ? offered_moves[e] : accepted_moves[e];
}

static enum referral_verdict referral_judge_extension(
    const struct referral_life *r, const struct referral_law *law)
{
	if (r->extended)
		return REFERRAL_ALREADY_EXTENDED;
	return law->extension_end_us > r->to_us ? REFERRAL_OK : REFERRAL_NO_EXTENSION;
}

static void referral_move_end(
    struct referral_life *next, enum referral_event e, const struct referral_law *law)
{
	if (e == REFERRAL_EXTEND) {
		next->to_us = law->extension_end_us;
		next->extended = true;
	} else if (e == REFERRAL_ACCEPT && law->documents_end_us > next->to_us) {
		next->to_us = law->documents_end_us;
	}
}

enum referral_verdict referral_hear(const struct referral_life *r, enum referral_event e,
    const struct referral_law *law, int64_t now_us, struct referral_plan *ret)
{
	assert((unsigned)r->status < REFERRAL_STATUSES && (unsigned)e < REFERRAL_EVENTS);
	struct referral_move move = referral_find_move(r, e, now_us);

	if (move.verdict == REFERRAL_OK && e == REFERRAL_EXTEND)
		move.verdict = referral_judge_extension(r, law);
	if (move.verdict != REFERRAL_OK)
		return move.verdict;
	const struct referral_meaning *means = &meanings[move.next];
	*ret = (struct referral_plan){*r, means->place_freed, means->application, 0};
	ret->next.status = move.next;
	referral_move_end(&ret->next, e, law);
	if (move.next == REFERRAL_DECLINED && law->decline_annuls)
		ret->application = APPLICATION_ANNULLED;
	else if (means->stop_list)
		ret->stop_list_until_us = law->stop_list_end_us;
	return REFERRAL_OK;
}
