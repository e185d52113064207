/* Who answers what is asked: a row for each service of ussd/service.h. */
#include "flow/dial_body.h"

/* Its answer stays "down". */
static void dial_nobody(struct dial_call *c)
{
	dial_answer(c);
}

dial_service_fn *const dial_services[SERVICES] = {
    [SERVICE_CALLER_OPEN] = dial_nobody,
    [SERVICE_CALLER_CHILDREN] = dial_nobody,
    [SERVICE_QUEUE_BY_CHILD] = dial_nobody,
    [SERVICE_QUEUE_BY_PARENT] = dial_nobody,
    [SERVICE_QUEUE_BY_APP] = dial_nobody,
    [SERVICE_VACANCY_LIST] = dial_nobody,
    [SERVICE_VACANCY_GET] = dial_nobody,
    [SERVICE_GARDEN_LIST] = dial_nobody,
    [SERVICE_WATCH_GARDEN] = dial_nobody,
    [SERVICE_WATCH_GROUP] = dial_nobody,
    [SERVICE_REFERRAL_LIST] = dial_nobody,
    [SERVICE_REFERRAL_GET] = dial_nobody,
    [SERVICE_REFERRAL_TAKE] = dial_nobody,
    [SERVICE_REFERRAL_ACCEPT] = dial_nobody,
    [SERVICE_REFERRAL_DECLINE] = dial_nobody,
    [SERVICE_LOGIN_CODE] = dial_login_code,
    [SERVICE_PHONE_CHANGE] = dial_phone_change,
    [SERVICE_PHONE_CONFIRM] = dial_phone_confirm,
    [SERVICE_ENROL_START] = dial_enrol_start,
    [SERVICE_ENROL_SUBMIT] = dial_enrol_submit,
    [SERVICE_ENROL_TELL] = dial_enrol_tell,
    [SERVICE_DISTRICT_LIST] = dial_district_list,
    [SERVICE_DISTRICT_SET] = dial_district_set,
    [SERVICE_SMS_QUEUE] = dial_nobody,
    [SERVICE_SMS_REFERRAL] = dial_nobody,
};
