/* service: what a dialog can ask for, the master in C: each service's name, what it is told and its named
 * results with their fields. The contracts in dialogs/services.yaml are held against this table both ways
 * (contract_check), and flow/dial has a handler for each. A service is named after what a parent asks. */
#ifndef USSD_SERVICE_H
#define USSD_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

enum service {
	SERVICE_CALLER_OPEN,
	SERVICE_CALLER_CHILDREN,
	SERVICE_QUEUE_BY_CHILD,
	SERVICE_QUEUE_BY_PARENT,
	SERVICE_QUEUE_BY_APP,
	SERVICE_VACANCY_LIST,
	SERVICE_VACANCY_GET,
	SERVICE_GARDEN_LIST,
	SERVICE_WATCH_GARDEN,
	SERVICE_WATCH_GROUP,
	SERVICE_REFERRAL_LIST,
	SERVICE_REFERRAL_GET,
	SERVICE_REFERRAL_BY_NUMBER,
	SERVICE_REFERRAL_TAKE,
	SERVICE_REFERRAL_ACCEPT,
	SERVICE_REFERRAL_DECLINE,
	SERVICE_LOGIN_CODE,
	SERVICE_PHONE_CHANGE,
	SERVICE_PHONE_CONFIRM,
	SERVICE_ENROL_START,
	SERVICE_ENROL_SUBMIT,
	SERVICE_ENROL_TELL,
	SERVICE_DISTRICT_LIST,
	SERVICE_DISTRICT_SET,
	SERVICE_SMS_QUEUE,
	SERVICE_SMS_REFERRAL,
	SERVICES
};

#define SERVICE_RESULTS 10 /* named results of one at most, "down" among them */

/* A named result. fields: what the screens behind it may show or hand on, separated by spaces. items: what
 * each item of a list has; its first field is what picking it means; NULL: the result is no list. */
struct service_result {
	const char *name, *fields, *items;
};

struct service_shape {
	const char *name; /* "queue.by_child" */
	const char *in;   /* values that must have been typed, picked or given before, separated by spaces */
	const char *with; /* values that it uses when there are any */
	bool changes;     /* commits something: asked once per press of a key */
	bool danger;      /* only behind a confirmation: the last digits of an IIN */
	struct service_result results[SERVICE_RESULTS + 1]; /* ended by a NULL name */
};

const struct service_shape *service_shape(enum service s);
/* Index among the shape's results; -1: it has none of the name. */
int service_result_find(enum service s, const char *name);
/* Whether secrets that were typed for it stay in the session when it has answered, as the service that
 * follows takes them too; else they are forgotten then. */
bool service_keeps(enum service s);
/* SERVICES when there is none of the name. */
enum service service_find(const char *name, size_t n);
/* Steps over names separated by spaces: the next one, of *ret_n octets; NULL at their end. */
const char *service_next_name(const char **names, size_t *ret_n);
/* Whether one of names is the n octets. */
bool service_has_name(const char *names, const char *name, size_t n);

#endif
