/* dial_body: what the files of a USSD turn share: flow/dial*.c only. dial.c and dial_turn.c walk a turn;
 * dial_<what>.c answer the services of the contracts, each a handler of dial_services below. */
#ifndef FLOW_DIAL_BODY_H
#define FLOW_DIAL_BODY_H

#include <time.h>

#include "flow/dial.h"
#include "store/owed.h"
#include "ussd/answer.h"
#include "ussd/engine.h"
#include "ussd/service.h"
#include "ussd/session.h"

/* One question of a turn to a service. Its handler answers it once, from inside or later, by dial_answer. It
 * lives until then, also when the turn is over and the answer goes by SMS. */
struct dial_call {
	struct dial *dial;
	enum service service;
	const struct dialog *dialog;
	struct session session; /* as the step left it: values by dial_value */
	struct msisdn phone;    /* that calls */
	int64_t phone_key;      /* person_phone of it */
	int64_t token;          /* the same when the same press of a key comes again, never 0 */
	int64_t now_us;         /* wall time of the turn */
	struct answer answer;   /* empty, of result "down", at first */
	void *room;             /* the handler's own; freed by it before dial_answer */
};

typedef void dial_service_fn(struct dial_call *c);

/* c->answer is filled, with every field that the contract has for its result: the turn goes on, from the
 * loop. */
void dial_answer(struct dial_call *c);
/* The value of the session, "" when it is not set. */
const char *dial_value(const struct dial_call *c, const char *name);
uint64_t dial_number(const struct dial_call *c, const char *name); /* 0: not set */

/* The wall time in Kazakhstan, UTC+5 in the whole country since 2024-03-01. */
void dial_local(int64_t wall_us, struct tm *ret);
/* "19.09 17:02": a moment as pages and SMS show it, by the time of Kazakhstan. */
void dial_moment(int64_t wall_us, char ret[SESSION_VALUE]);

/* What the phone that calls is told by SMS once the call is done, in the session's language: ret is given to
 * the statement that does it, so that it is owed by the same commit, and freed by owed_fini. Left empty when
 * its text cannot be written. */
void dial_owe(const struct dial_call *c, const char *template, const struct template_param *params, size_t n,
    struct owed *ret);
/* The call is that SMS alone: answered "ok" once it is owed, "down" else. */
void dial_owe_only(struct dial_call *c, const char *template, const struct template_param *params, size_t n);
/* Something owed was committed: it goes now. */
void dial_debts_speak(struct dial *d);

/* The base and files in force, for handlers. */
const struct dial_base *dial_base_of(const struct dial *d);
const struct dial_files *dial_files_of(const struct dial *d);
/* Free places as they are kept for all calls. */
struct vacancies *dial_vacancies_of(const struct dial *d);
/* What is counted of the digits of all calls. */
struct tries *dial_tries_of(const struct dial *d);

/* By enum service. */
extern dial_service_fn *const dial_services[SERVICES];

/* dial_caller.c */
dial_service_fn dial_caller_open, dial_caller_children;
/* dial_queue.c */
dial_service_fn dial_queue_by_child, dial_queue_by_parent, dial_queue_by_app;
/* dial_vacancy.c */
dial_service_fn dial_vacancy_list, dial_vacancy_get, dial_garden_list, dial_watch_garden, dial_watch_group;
/* dial_referral.c */
dial_service_fn dial_referral_list, dial_referral_get, dial_referral_by_number, dial_referral_take,
    dial_referral_accept, dial_referral_decline;
/* dial_code.c */
dial_service_fn dial_login_code, dial_phone_change, dial_phone_confirm;
/* dial_enrol.c */
dial_service_fn dial_enrol_start, dial_enrol_submit, dial_enrol_tell;
/* dial_district.c */
dial_service_fn dial_district_list, dial_district_set;
/* dial_copy.c */
dial_service_fn dial_sms_queue, dial_sms_referral;

#endif
