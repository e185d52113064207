#include "api/grant_problem.h"

#include "api/post.h"

struct grant_reason {
	enum problem_code code;
	const char *detail;
};

static const struct grant_reason place_reasons[PLACE_VERDICTS] = {
    [PLACE_CLOSED] = {PROBLEM_CLOSED, "the application is over"},
    [PLACE_ALREADY] = {PROBLEM_ALREADY, "a referral of the application is open"},
    [PLACE_NOT_DISTRICT] = {PROBLEM_NOT_DISTRICT, "the application is in the queue of another district"},
    [PLACE_NOT_AGE] = {PROBLEM_NOT_AGE, "the group is for children of another age"},
    [PLACE_NOT_LANGUAGE] = {PROBLEM_NOT_LANGUAGE, "the application is not for groups of this language"},
    [PLACE_GONE] = {PROBLEM_GONE, "no place of the group is free"},
    [PLACE_STOP_LIST] = {PROBLEM_STOP_LIST, "it let a referral pass, and is passed over until then"},
    [PLACE_NOT_TURN] = {PROBLEM_NOT_TURN, "the place is released then, or others go first until then"},
};

static const struct grant_reason referral_reasons[REFERRAL_VERDICTS] = {
    [REFERRAL_NOT_BEGUN] = {PROBLEM_NOT_BEGUN, "the parent may act from its start on"},
    [REFERRAL_PAST_END] = {PROBLEM_PAST_END, "its end has passed"},
    [REFERRAL_NOT_DUE] = {PROBLEM_NOT_DUE, "its end has not come"},
    [REFERRAL_NOT_ACCEPTED] = {PROBLEM_NOT_ACCEPTED, "it is to be accepted first"},
    [REFERRAL_NO_EXTENSION] = {PROBLEM_NO_EXTENSION, "its region gives none that would end later"},
    [REFERRAL_ALREADY_EXTENDED] = {PROBLEM_ALREADY_EXTENDED, "there is one extension"},
    [REFERRAL_ALREADY_ACCEPTED] = {PROBLEM_ALREADY_ACCEPTED, "it was accepted"},
    [REFERRAL_ALREADY_DECLINED] = {PROBLEM_ALREADY_DECLINED, "it was declined"},
    [REFERRAL_ALREADY_CANCELLED] = {PROBLEM_ALREADY_CANCELLED, "it was cancelled"},
    [REFERRAL_ALREADY_ENROLLED] = {PROBLEM_ALREADY_ENROLLED, "the child is enrolled"},
};

static struct problem grant_refused(const struct places_answer *a)
{
	const struct grant_reason *why =
	    a->place.verdict != PLACE_OK ? &place_reasons[a->place.verdict] : &referral_reasons[a->verdict];
	struct problem p = problem_make(why->code, a->what, "%s", why->detail);

	p.until_us = a->place.until_us;
	return p;
}

/* Unknown at the end of the journey: what was asked may have happened. */
static struct problem grant_other(enum kz r, const struct places_answer *a)
{
	switch (r) {
	case KZ_REFUSED:
		return grant_refused(a);
	case KZ_CONFLICT:
		return problem_make(PROBLEM_KEY_REUSED, "Idempotency-Key",
		    "it came with another request within 48 hours; use a new key");
	case KZ_INVALID:
		return problem_make(PROBLEM_INTERNAL_ERROR, NULL,
		    "the %s of the application is not in the configuration; nothing was done", a->what);
	default:
		return post_unavailable(2);
	}
}

struct problem grant_problem_take(enum kz r, const struct places_answer *a)
{
	if (r != KZ_NOT_FOUND)
		return grant_other(r, a);
	return *a->what == 'g' ? problem_make(PROBLEM_UNKNOWN_REFERENCE, "group", "no such group")
	                       : problem_make(PROBLEM_NOT_FOUND, NULL, "no such application");
}

struct problem grant_problem_hear(enum kz r, const struct places_answer *a)
{
	return r == KZ_NOT_FOUND ? problem_make(PROBLEM_NOT_FOUND, NULL, "no such referral")
	                         : grant_other(r, a);
}

struct problem grant_problem_put(enum kz r, const struct places_answer *a)
{
	if (r == KZ_NOT_FOUND)
		return problem_make(PROBLEM_UNKNOWN_REFERENCE, a->what, "no such %s", a->what);
	if (r != KZ_CONFLICT)
		return grant_other(r, a);
	if (*a->what == 't')
		return problem_make(PROBLEM_EARLIER_END, a->what, "the parent was told a later one");
	return problem_make(PROBLEM_NUMBER_TAKEN, a->what,
	    "a referral of this number stands with another; application, group and from do not change");
}
