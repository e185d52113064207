/* The SMS that the menu sends by names of its own, held against the templates when both are read: one that is
 * missing or takes other parameters would else be found so when a parent was to be told, who then is not. The
 * others are named by the contracts, and held against them there (ussd/contract_late.c). */
#include <string.h>

#include "flow/dial.h"
#include "ussd/service.h"
#include "ussd/session.h"

#define PARAMS 4
#define MOMENT "31.12 23:59"

/* of: a bit for each service that it follows from; 0: it may follow from any call. params: with their widest
 * values; NULL: as wide as the contract's; what is cut to the template's room is one letter. */
static const struct dial_text {
	const char *template;
	uint32_t of;
	struct template_param params[PARAMS];
} texts[] = {
    {.template = "resume", .params = {{"minutes", "60"}}},
    {.template = "ussd_language"},
    {.template = "ussd_watch", .of = 1u << SERVICE_WATCH_GARDEN | 1u << SERVICE_WATCH_GROUP},
    {.template = "ussd_district", .of = 1u << SERVICE_DISTRICT_SET, .params = {{"place", NULL}}},
    {.template = "ussd_queue",
        .of = 1u << SERVICE_SMS_QUEUE,
        .params = {{"app", "999999999"}, {"pos", "999999"}, {"at", MOMENT}}},
    {.template = "late",
        .of = 1u << SERVICE_SMS_QUEUE,
        .params = {{"name", "Ә"}, {"pos", "999999"}, {"cat", "Ә"}, {"at", MOMENT}}},
    {.template = "ussd_referral",
        .of = 1u << SERVICE_SMS_REFERRAL,
        .params = {{"ref", "999999"}, {"kg", "Ә"}, {"status", "Ә"}, {"until", MOMENT}}},
    {.template = "ussd_enrol", .of = 1u << SERVICE_ENROL_SUBMIT},
    {.template = "ussd_enrol_documents", .of = 1u << SERVICE_ENROL_TELL},
};

static uint32_t texts_asked(const struct dialog *d)
{
	uint32_t of = 0;

	for (size_t i = 0; i < d->screens_n; i++)
		if (d->screens[i].kind == SCREEN_DO || d->screens[i].kind == SCREEN_LIST)
			of |= 1u << d->screens[i].service;
	return of;
}

static void text_widen(const struct dialog *d, const char *name, char ret[SESSION_VALUE])
{
	int v = contract_value(d->contracts, name, strlen(name));
	size_t n = 0;

	for (unsigned i = 0; v >= 0 && i < d->contracts->values[v].type->max && n + 2 < SESSION_VALUE;
	     i++, n += 2)
		memcpy(ret + n, "Ә", 2);
	ret[n] = '\0';
}

/* How many parameters; widest: room for a value, as long as they live. */
static size_t text_params(const struct dialog *d, const struct dial_text *x, char widest[SESSION_VALUE],
    struct template_param ret[PARAMS])
{
	size_t n = 0;

	for (; n < PARAMS && x->params[n].name; n++) {
		ret[n] = x->params[n];
		if (ret[n].value)
			continue;
		text_widen(d, ret[n].name, widest);
		ret[n].value = widest;
	}
	return n;
}

void dial_check_texts(
    const struct dialog *d, const struct templates *t, const char *path, struct faults *faults)
{
	const uint32_t asked = texts_asked(d);
	struct template_param params[PARAMS];
	char widest[SESSION_VALUE], why[TEMPLATE_WHY] = "";
	struct buf filled = {0};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (texts[i].of && !(texts[i].of & asked))
			continue;
		size_t n = text_params(d, &texts[i], widest, params);
		if (template_fill(t, texts[i].template, LANGUAGE_KK, params, n, &filled, why) != KZ_OK)
			faults_add(faults, "%s: %s: SMS of the menu are made so", path, why);
	}
	buf_fini(&filled);
}
