/* A child that is to be put in the queue: what is asked is handed to the portal, which alone makes
 * applications. Asking whether a child and a parent can be is counted, right or wrong: else who has a list of
 * numbers would learn which children wait. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/dial_body.h"
#include "store/applicant.h"
#include "store/enrolments.h"
#include "store/queue.h"
#include "store/tries.h"

#define SCHOOL_AGE 7
#define PARENT_AGE 14 /* older than the child by so many years at least */

static bool enrol_iin(const struct dial_call *c, const char *name, struct iin *ret)
{
	const char *text = dial_value(c, name);
	struct iin_refusal why;

	return iin_parse(text, strlen(text), ret, &why) == KZ_OK;
}

static void enrol_answer(struct dial_call *c, const char *result)
{
	c->answer.result = result;
	dial_answer(c);
}

/* A child below school age, and somebody who can be its parent. */
static bool enrol_can_be(const struct iin *child, const struct iin *parent, int64_t now_us)
{
	struct tm t;

	dial_local(now_us, &t);
	const struct iin_day today = {t.tm_year + 1900, t.tm_mon + 1, t.tm_mday};
	int age = iin_age(child, today);
	return age >= 0 && age < SCHOOL_AGE && iin_age(parent, iin_birth(child)) >= PARENT_AGE;
}

/* The newest application that is one; the answer is its. */
static void enrol_on_entry(void *arg, const struct queue_entry *e)
{
	struct dial_call *c = arg;

	if (strcmp(c->answer.result, "down") != 0 || !enrolment_is_had(e->status))
		return;
	if (e->position) {
		c->answer.result = "already";
		answer_set_number(&c->answer, "pos", e->position);
	} else {
		c->answer.result = "over";
		answer_set(&c->answer, "appstatus", application_status_name(e->status));
	}
}

static void enrol_on_queue(void *arg, enum kz r)
{
	struct dial_call *c = arg;
	struct iin child;

	if (r != KZ_OK) {
		answer_start(&c->answer, "down");
	} else if (!strcmp(c->answer.result, "down") && enrol_iin(c, "kid", &child)) {
		c->answer.result = "ok";
		answer_set_number(&c->answer, "year", (uint64_t)iin_birth(&child).year);
		answer_set(&c->answer, "sex", iin_sex(&child) == IIN_MALE ? "boy" : "girl");
		secret_wipe(&child, sizeof child);
	}
	dial_answer(c);
}

static void enrol_on_asked(void *arg, enum kz r)
{
	struct dial_call *c = arg;
	const struct dial_base *b = dial_base_of(c->dial);
	struct iin child;

	if (r != KZ_NOT_FOUND || !enrol_iin(c, "kid", &child)) {
		enrol_answer(c, r == KZ_OK ? "asked" : "down");
		return;
	}
	if (queue_find(b->pg, &dial_files_of(c->dial)->regions, QUEUE_BY_CHILD,
	        applicant_iin(b->keyring, &child), enrol_on_entry, enrol_on_queue, c) != KZ_OK)
		dial_answer(c);
	secret_wipe(&child, sizeof child);
}

static void enrol_begin(struct dial_call *c)
{
	const struct dial_base *b = dial_base_of(c->dial);
	struct iin child = {0}, parent = {0};

	if (!enrol_iin(c, "kid", &child) || !enrol_iin(c, "parent", &parent) ||
	    !enrol_can_be(&child, &parent, c->now_us))
		enrol_answer(c, "no_match");
	else if (enrolment_ask(b->pg, applicant_iin(b->keyring, &child), enrol_on_asked, c) != KZ_OK)
		dial_answer(c);
	secret_wipe(&child, sizeof child);
	secret_wipe(&parent, sizeof parent);
}

static void enrol_on_try(void *arg, enum kz r, struct try_state s)
{
	struct dial_call *c = arg;

	if (r != KZ_OK) {
		dial_answer(c);
	} else if (s.again_us) {
		answer_set_number(&c->answer, "num", try_minutes(s.again_us, c->now_us));
		enrol_answer(c, "too_often");
	} else {
		enrol_begin(c);
	}
}

void dial_enrol_start(struct dial_call *c)
{
	if (tries_take(dial_base_of(c->dial)->pg, c->phone_key, TRY_ENROL, c->token, enrol_on_try, c) !=
	    KZ_OK)
		dial_answer(c);
}

static void enrol_on_added(void *arg, enum kz r, enum enrolment_verdict v)
{
	struct dial_call *c = arg;

	bool good = v == ENROLMENT_ADDED || v == ENROLMENT_SAME;

	if (r == KZ_OK && good)
		dial_debts_speak(c->dial);
	enrol_answer(c, r != KZ_OK ? "down" : good ? "ok" : "asked");
}

void dial_enrol_submit(struct dial_call *c)
{
	const struct dial_base *b = dial_base_of(c->dial);
	struct owed owed = {0};
	struct enrolment_wish w = {.enrolment = {.phones = {c->phone}, .language = c->session.language},
	    .via = NEWS_BY_USSD,
	    .token = c->token,
	    .now_us = c->now_us,
	    .owed = &owed};
	struct enrolment *e = &w.enrolment;

	dial_owe(c, "ussd_enrol", NULL, 0, &owed);
	if (dial_number(c, "phone2") == c->phone.digits)
		enrol_answer(c, "same");
	else if (msisdn_from_digits(dial_number(c, "phone2"), &e->phones[1]) != KZ_OK ||
	         !enrol_iin(c, "kid", &e->child) || !enrol_iin(c, "parent", &e->parent) ||
	         enrolment_add(b->pg, b->feed, b->keyring, &w, enrol_on_added, c) != KZ_OK)
		dial_answer(c);
	owed_fini(&owed);
	secret_wipe(&w, sizeof w);
}

void dial_enrol_tell(struct dial_call *c)
{
	dial_owe_only(c, "ussd_enrol_documents", NULL, 0);
}
