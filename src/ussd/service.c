/* service: the table. Every service has the result "down": nothing is known, the answer comes by SMS. */
#include "ussd/service.h"

#include <string.h>

#define DOWN                                                                                                 \
	{                                                                                                    \
		"down", "", NULL                                                                             \
	}

static const struct service_shape shapes[SERVICES] = {
    [SERVICE_CALLER_OPEN] = {"caller.open", "", "child", false, false,
        {{"known", "child name pos", NULL}, {"over", "child name appstatus", NULL},
            {"referral", "child name ref until", NULL}, {"offer", "child ref kg until", NULL},
            {"many", "", NULL}, {"unknown", "", NULL}, {"new", "", NULL}, DOWN}},
    [SERVICE_CALLER_CHILDREN] = {"caller.children", "", "", false, false,
        {{"ok", "", "id name year"}, {"unknown", "", NULL}, DOWN}},
    [SERVICE_QUEUE_BY_CHILD] = {"queue.by_child", "iin", "", false, false,
        {{"ok", "shown name pos cat", NULL}, {"other", "shown pos cat", NULL},
            {"over", "shown appstatus", NULL}, {"none", "", NULL}, {"too_often", "num", NULL}, DOWN}},
    [SERVICE_QUEUE_BY_PARENT] = {"queue.by_parent", "iin", "", false, false,
        {{"ok", "", "id year pos"}, {"none", "", NULL}, {"too_often", "num", NULL}, DOWN}},
    [SERVICE_QUEUE_BY_APP] = {"queue.by_app", "app", "", false, false,
        {{"ok", "shown name pos cat", NULL}, {"other", "shown pos cat", NULL},
            {"over", "shown appstatus", NULL}, {"none", "", NULL}, {"too_often", "num", NULL}, DOWN}},
    [SERVICE_VACANCY_LIST] = {"vacancy.list", "", "child", false, false,
        {{"ok", "child grp at", "id kg free"}, {"none", "child", NULL}, {"many", "", NULL},
            {"over", "appstatus", NULL}, {"unknown", "", NULL}, DOWN}},
    [SERVICE_VACANCY_GET] = {"vacancy.get", "child item", "", false, false,
        {{"ok", "kg grp glang free", NULL}, {"priority", "kg grp glang free prio", NULL},
            {"not_turn", "kg prio", NULL}, {"not_fit", "", NULL}, {"gone", "", NULL}, DOWN}},
    [SERVICE_GARDEN_LIST] = {"garden.list", "child", "", false, false,
        {{"ok", "", "id kg"}, {"none", "", NULL}, DOWN}},
    [SERVICE_WATCH_GARDEN] = {"watch.garden", "child garden", "", true, false,
        {{"ok", "", NULL}, {"full", "", NULL}, {"over", "", NULL}, DOWN}},
    [SERVICE_WATCH_GROUP] = {"watch.group", "child item", "", true, false,
        {{"ok", "", NULL}, {"full", "", NULL}, {"over", "", NULL}, DOWN}},
    [SERVICE_REFERRAL_LIST] = {"referral.list", "", "child", false, false,
        {{"ok", "", "id kg"}, {"none", "", NULL}, {"unknown", "", NULL}, DOWN}},
    [SERVICE_REFERRAL_GET] = {"referral.get", "refitem", "", false, false,
        {{"ok", "ref kg refstatus until", NULL}, {"offer", "child ref kg until", NULL}, {"gone", "", NULL},
            DOWN}},
    [SERVICE_REFERRAL_BY_NUMBER] = {"referral.by_number", "sought", "", false, false,
        {{"ok", "ref kg refstatus until", NULL}, {"other", "ref kg refstatus until", NULL},
            {"none", "", NULL}, {"too_often", "num", NULL}, DOWN}},
    [SERVICE_REFERRAL_TAKE] = {"referral.take", "child item pin", "", true, true,
        {{"ok", "ref until", NULL}, {"wrong_pin", "left", NULL}, {"locked", "num", NULL}, {"gone", "", NULL},
            {"not_turn", "prio", NULL}, {"stop_list", "until", NULL}, {"not_fit", "", NULL},
            {"already", "ref", NULL}, DOWN}},
    [SERVICE_REFERRAL_ACCEPT] = {"referral.accept", "child ref pin", "", true, true,
        {{"ok", "ref until", NULL}, {"wrong_pin", "left", NULL}, {"locked", "num", NULL}, {"gone", "", NULL},
            DOWN}},
    [SERVICE_REFERRAL_DECLINE] = {"referral.decline", "child ref pin", "", true, true,
        {{"ok", "", NULL}, {"annulled", "", NULL}, {"wrong_pin", "left", NULL}, {"locked", "num", NULL},
            {"gone", "", NULL}, DOWN}},
    [SERVICE_LOGIN_CODE] = {"login.code", "", "", true, false,
        {{"ok", "", NULL}, {"too_often", "num", NULL}, {"none", "", NULL}, {"unknown", "", NULL}, DOWN}},
    [SERVICE_PHONE_CHANGE] = {"phone.change", "phone", "", true, false,
        {{"ok", "verify", NULL}, {"taken", "", NULL}, {"same", "", NULL}, {"refused", "", NULL},
            {"too_often", "num", NULL}, {"unknown", "", NULL}, DOWN}},
    [SERVICE_PHONE_CONFIRM] = {"phone.confirm", "phone verify code", "", true, false,
        {{"ok", "", NULL}, {"wrong", "left", NULL}, {"locked", "", NULL}, {"over", "", NULL}, DOWN}},
    [SERVICE_ENROL_START] = {"enrol.start", "kid parent", "", false, false,
        {{"ok", "year sex", NULL}, {"already", "pos", NULL}, {"over", "appstatus", NULL}, {"asked", "", NULL},
            {"no_match", "", NULL}, {"too_often", "num", NULL}, DOWN}},
    [SERVICE_ENROL_SUBMIT] = {"enrol.submit", "kid parent phone2", "", true, false,
        {{"ok", "", NULL}, {"same", "", NULL}, {"asked", "", NULL}, DOWN}},
    [SERVICE_ENROL_TELL] = {"enrol.tell", "", "", true, false, {{"ok", "", NULL}, DOWN}},
    [SERVICE_DISTRICT_LIST] = {"district.list", "", "", false, false, {{"ok", "", "id place"}, DOWN}},
    [SERVICE_DISTRICT_SET] = {"district.set", "district", "", true, false, {{"ok", "place", NULL}, DOWN}},
    [SERVICE_SMS_QUEUE] = {"sms.queue", "shown", "", true, false,
        {{"ok", "", NULL}, {"none", "", NULL}, DOWN}},
    [SERVICE_SMS_REFERRAL] = {"sms.referral", "ref", "", true, false,
        {{"ok", "", NULL}, {"gone", "", NULL}, DOWN}},
};

const struct service_shape *service_shape(enum service s)
{
	return &shapes[s];
}

int service_result_find(enum service s, const char *name)
{
	for (int i = 0; shapes[s].results[i].name; i++)
		if (strcmp(shapes[s].results[i].name, name) == 0)
			return i;
	return -1;
}

bool service_keeps(enum service s)
{
	return s == SERVICE_ENROL_START || s == SERVICE_ENROL_SUBMIT;
}

enum service service_find(const char *name, size_t n)
{
	for (int s = 0; s < SERVICES; s++)
		if (strlen(shapes[s].name) == n && memcmp(shapes[s].name, name, n) == 0)
			return (enum service)s;
	return SERVICES;
}

const char *service_next_name(const char **names, size_t *ret_n)
{
	const char *at = *names + strspn(*names, " ");

	*ret_n = strcspn(at, " ");
	*names = at + *ret_n;
	return *ret_n ? at : NULL;
}

bool service_has_name(const char *names, const char *name, size_t n)
{
	const char *at;
	size_t len;

	while ((at = service_next_name(&names, &len)) != NULL)
		if (len == n && memcmp(at, name, n) == 0)
			return true;
	return false;
}
