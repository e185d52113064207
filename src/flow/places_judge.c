/* What the law makes of the facts that were read, and what is to be written by it. The law is that of rules/;
 * the region's words for it, ends and turns, are reckoned here. */
#include "flow/places_body.h"
#include "store/applicant.h"

struct places_referral places_referral_of(const struct referral_row *r)
{
	return (struct places_referral){r->number, r->application, r->play_group, r->life.status,
	    r->life.extended, r->life.from_us, r->life.to_us};
}

static enum kz judge_lacks(struct places_answer *a, enum kz r, const char *what)
{
	a->what = what;
	return r;
}

/* Region and category of the application, as they are configured. */
static enum kz judge_find(const struct places_op *op, const struct referral_facts *f,
    const struct region **ret_region, const struct region_category **ret_category, struct places_answer *a)
{
	if (!f->has_application)
		return judge_lacks(a, KZ_NOT_FOUND, "application");
	if (!f->has_group)
		return judge_lacks(a, KZ_NOT_FOUND, "group");
	*ret_region = region_find(op->places->files.regions, f->region);
	if (!*ret_region)
		return judge_lacks(a, KZ_INVALID, "region");
	*ret_category = region_category_find(*ret_region, f->category);
	return *ret_category ? KZ_OK : judge_lacks(a, KZ_INVALID, "category");
}

static enum kz judge_age(const struct places_op *op, const struct referral_facts *f,
    const struct region *region, int64_t now_us, int *ret)
{
	struct applicant who;

	if (applicant_open(op->places->base.keyring, op->wish.application, f->sealed, f->sealed_n, &who) !=
	    KZ_OK)
		return KZ_INVALID;
	*ret = region_child_age(region, &who.child, now_us);
	applicant_wipe(&who);
	return KZ_OK;
}

static enum kz judge_take(struct places_op *op, const struct referral_facts *f, struct places_answer *a)
{
	struct place_application application = f->application;
	const struct region *region = NULL;
	const struct region_category *category = NULL;
	int64_t now_us = places_change_now_us(op);
	enum kz r = judge_find(op, f, &region, &category, a);

	if (r != KZ_OK)
		return r;
	application.privileged = category->privileged;
	if (judge_age(op, f, region, now_us, &application.age) != KZ_OK)
		return judge_lacks(a, KZ_INVALID, "keyring");
	a->place = place_judge(&application, &f->vacancy, now_us);
	if (a->place.verdict != PLACE_OK)
		return KZ_REFUSED;
	op->wish.from_us = now_us;
	op->wish.to_us = places_change_end_us(op, region, REGION_ACCEPT, now_us);
	places_change_begin(op, f, now_us);
	op->change.judged.referral.remind_us = places_change_remind_us(op->wish.to_us, now_us);
	op->change.judged.news = NEWS_TAKEN;
	places_change_turn(op, region, category);
	places_change_notice(op, NOTICE_TAKEN, region, op->wish.to_us);
	return KZ_OK;
}

/* What is told of an event; ENROL is the portal's own news, and the parent brought the child herself. */
static const struct {
	int news; /* -1: none, and no notice */
	enum notice_kind notice;
} words[REFERRAL_EVENTS] = {
    [REFERRAL_ACCEPT] = {NEWS_ACCEPTED, NOTICE_ACCEPTED},
    [REFERRAL_DECLINE] = {NEWS_DECLINED, NOTICE_DECLINED},
    [REFERRAL_EXTEND] = {NEWS_EXTENDED, NOTICE_EXTENDED},
    [REFERRAL_EXPIRE] = {NEWS_EXPIRED, NOTICE_EXPIRED},
    [REFERRAL_CANCEL] = {NEWS_CANCELLED, NOTICE_CANCELLED},
    [REFERRAL_ENROL] = {-1, NOTICE_KINDS},
};

static void judge_words(
    struct places_op *op, enum referral_event e, const struct region *region, int64_t end_us)
{
	op->change.judged.news = words[e].news;
	if (words[e].news >= 0)
		places_change_notice(op, words[e].notice, region, end_us);
}

static struct referral_law judge_law(
    const struct places_op *op, const struct region *region, const struct referral_life *life, int64_t now_us)
{
	return (struct referral_law){.decline_annuls = region->decline == REGION_DECLINE_ANNULS,
	    .documents_end_us = places_change_end_us(op, region, REGION_DOCUMENTS, now_us),
	    .extension_end_us = places_change_end_us(op, region, REGION_EXTENSION, life->from_us),
	    .stop_list_end_us = places_change_end_us(op, region, REGION_STOP_LIST, life->to_us)};
}

static enum kz judge_hear(struct places_op *op, const struct referral_facts *f, struct places_answer *a)
{
	const struct region *region = region_find(op->places->files.regions, f->group_region);
	struct referral_judged *j = &op->change.judged;
	int64_t now_us = places_change_now_us(op);
	struct referral_plan plan;

	if (!region)
		return judge_lacks(a, KZ_INVALID, "region");
	const struct referral_life *life = &f->referral.life;
	const struct referral_law law = judge_law(op, region, life, now_us);
	a->verdict = referral_hear(life, op->event, &law, now_us, &plan);
	if (a->verdict != REFERRAL_OK)
		return KZ_REFUSED;
	places_change_next(op, f, &plan.next, now_us);
	if (!application_is_over(f->application.status))
		j->application = plan.application;
	j->frees = plan.place_freed;
	j->priority_until_us =
	    plan.place_freed ? places_change_end_us(op, region, REGION_PRIORITY, now_us) : 0;
	j->stop_list_until_us = plan.stop_list_until_us;
	judge_words(op, op->event, region, places_is_open(plan.next.status) ? plan.next.to_us : 0);
	return KZ_OK;
}

/* A request that was made before, unless its token belongs to another. */
static enum kz judge_repeated(
    const struct places_op *op, const struct referral_facts *f, struct places_answer *a)
{
	const struct referral_row *r = &f->referral;
	bool same = op->kind == PLACES_TAKE
	                ? f->event == REFERRAL_TAKE && r->application == op->wish.application &&
	                      r->play_group == op->wish.play_group
	                : f->event == (int)op->event && r->number == op->wish.referral;

	a->repeated = same;
	return same ? KZ_OK : KZ_CONFLICT;
}

/* What the portal gives needs no judgement but that there is an application to give to, and a place. */
static enum place_verdict judge_gift(const struct places_op *op, const struct referral_facts *f)
{
	if (application_is_over(f->application.status))
		return PLACE_CLOSED;
	if (f->application.status != APPLICATION_WAITING || f->application.referred)
		return PLACE_ALREADY;
	return op->wish.held || f->vacancy.free ? PLACE_OK : PLACE_GONE;
}

/* One that is over by now is noted, and nothing else. */
static void judge_history(struct places_op *op, const struct referral_facts *f)
{
	struct referral_judged *j = &op->change.judged;

	j->takes = false;
	j->application = f->application.status;
}

/* The clock would end it at once, with a stop list and a notice to a parent who was never told of it. */
static enum kz judge_past_end(struct places_answer *a)
{
	a->verdict = REFERRAL_PAST_END;
	return judge_lacks(a, KZ_REFUSED, "to");
}

static enum kz judge_put_new(struct places_op *op, const struct referral_facts *f, struct places_answer *a)
{
	struct referral_judged *j = &op->change.judged;
	const struct region *region = NULL;
	const struct region_category *category = NULL;
	int64_t now_us = places_change_now_us(op);
	enum kz r = judge_find(op, f, &region, &category, a);
	bool open = places_is_open(op->wish.status);

	if (r != KZ_OK)
		return r;
	a->place.verdict = open ? judge_gift(op, f) : PLACE_OK;
	if (a->place.verdict != PLACE_OK)
		return KZ_REFUSED;
	if (open && op->wish.to_us <= now_us)
		return judge_past_end(a);
	places_change_begin(op, f, now_us);
	j->referral.life.status = op->wish.status;
	if (!open) {
		judge_history(op, f);
		return KZ_OK;
	}
	j->takes = !op->wish.held;
	j->application = op->wish.status == REFERRAL_ACCEPTED ? APPLICATION_ENROLLING : APPLICATION_REFERRED;
	j->referral.remind_us = places_change_remind_us(op->wish.to_us, now_us);
	if (!op->wish.held)
		places_change_turn(op, region, category);
	if (op->wish.status == REFERRAL_OFFERED)
		places_change_notice(op, NOTICE_OFFERED, region, op->wish.to_us);
	return KZ_OK;
}

static const char *judge_difference(const struct places_put *w, const struct referral_row *r)
{
	return r->application != w->application ? "application"
	       : r->play_group != w->play_group ? "group"
	       : r->life.from_us != w->from_us  ? "from"
	                                        : NULL;
}

/* The portal's word of its end: not an earlier one than the parent was told. It is told as an extension is,
 * but leaves her the one that is hers. */
static enum kz judge_end(
    struct places_op *op, const struct referral_facts *f, struct places_answer *a, bool *ret_over)
{
	struct referral_life next = f->referral.life;

	*ret_over = next.to_us == op->wish.to_us || !places_is_open(next.status);
	if (*ret_over)
		return KZ_OK;
	if (op->wish.to_us < next.to_us)
		return judge_lacks(a, KZ_CONFLICT, "to");
	const struct region *region = region_find(op->places->files.regions, f->group_region);
	if (!region)
		return judge_lacks(a, KZ_INVALID, "region");
	next.to_us = op->wish.to_us;
	places_change_next(op, f, &next, places_change_now_us(op));
	judge_words(op, REFERRAL_EXTEND, region, next.to_us);
	return KZ_OK;
}

/* There is no way back to OFFERED: whoever asks for it is told what stands in the way of an acceptance. */
static const enum referral_event event_to[REFERRAL_STATUSES] = {
    [REFERRAL_OFFERED] = REFERRAL_ACCEPT,
    [REFERRAL_ACCEPTED] = REFERRAL_ACCEPT,
    [REFERRAL_DECLINED] = REFERRAL_DECLINE,
    [REFERRAL_EXPIRED] = REFERRAL_EXPIRE,
    [REFERRAL_CANCELLED] = REFERRAL_CANCEL,
    [REFERRAL_ENROLLED] = REFERRAL_ENROL,
};

static enum kz judge_told(
    struct places_op *op, const struct referral_facts *f, struct places_answer *a, bool *ret_over)
{
	if (!f->has_referral)
		return judge_put_new(op, f, a);
	const char *other = judge_difference(&op->wish, &f->referral);
	if (other)
		return judge_lacks(a, KZ_CONFLICT, other);
	if (f->referral.life.status == op->wish.status)
		return judge_end(op, f, a, ret_over);
	op->event = event_to[op->wish.status];
	return judge_hear(op, f, a);
}

static enum kz judge_put(
    struct places_op *op, const struct referral_facts *f, struct places_answer *a, bool *ret_over)
{
	enum kz r = judge_told(op, f, a, ret_over);

	if (op->wish.quiet) {
		op->change.judged.notice = 0;
		op->change.judged.news = -1;
	}
	return r;
}

enum kz places_judge(
    struct places_op *op, const struct referral_facts *f, struct places_answer *ret, bool *ret_over)
{
	*ret_over = f->asked_before || op->kind == PLACES_SHOW;
	ret->referral = places_referral_of(&f->referral);
	if (f->asked_before)
		return judge_repeated(op, f, ret);
	if (op->kind == PLACES_TAKE)
		return judge_take(op, f, ret);
	if (op->kind == PLACES_PUT)
		return judge_put(op, f, ret, ret_over);
	if (!f->has_referral)
		return judge_lacks(ret, KZ_NOT_FOUND, "referral");
	return op->kind == PLACES_HEAR ? judge_hear(op, f, ret) : KZ_OK;
}
