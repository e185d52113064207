/* Answers that no phone waits for any more. A service that is down is asked again for some minutes, under the
 * same token, so what it did meanwhile it tells; then the answer goes by the SMS that the contract names. A
 * daemon that ends forgets them: what was changed has notices of its own. */
#include <string.h>

#include "base/mem.h"
#include "flow/dial_turn.h"
#include "ussd/screen.h"

#define LATE_MS    (10 * INT64_C(60000)) /* an answer is of use for so long */
#define FIRST_MS   2000                  /* until it is asked again, doubled each time */
#define LONGEST_MS 60000
#define TICK_MS    500
#define LATE_SMS   15 /* the last of an ask's SMS: a handler has those before */
#define PARAMS     8

enum late_end { LATE_TOLD, LATE_SILENT, LATE_GIVEN_UP };

static void late_end(struct dial_ask *a, enum late_end how)
{
	struct dial *d = a->call.dial;

	d->late_n--;
	metric_set(d->late_gauge, (double)d->late_n);
	metric_add(d->late[how], 1);
	dial_ask_free(a);
}

static void late_enter(struct dial_ask *a)
{
	struct dial *d = a->call.dial;

	if (a->until_ms)
		return;
	a->until_ms = loop_now_ms(d->base.loop) + LATE_MS;
	a->wait_ms = FIRST_MS;
	metric_set(d->late_gauge, (double)++d->late_n);
	if (!timer_is_armed(d->late_timer))
		timer_start(d->late_timer, TICK_MS);
}

void dial_late_wait(struct dial_ask *a)
{
	struct dial *d = a->call.dial;

	late_enter(a);
	a->due_ms = loop_now_ms(d->base.loop) + a->wait_ms;
	a->wait_ms = a->wait_ms * 2 < LONGEST_MS ? a->wait_ms * 2 : LONGEST_MS;
	if (a->mute || d->stopped || d->late_n > DIAL_LATE || a->due_ms > a->until_ms)
		late_end(a, LATE_GIVEN_UP);
}

static const char *late_template(const struct dial_ask *a)
{
	const struct service_result *r = service_shape(a->call.service)->results;

	for (size_t i = 0; r[i].name; i++)
		if (strcmp(r[i].name, a->call.answer.result) == 0)
			return a->call.dialog->contracts->late[a->call.service][i];
	return "";
}

/* Cut to what the template has room for. */
static void late_value(const struct dial_ask *a, const char *name, char ret[SESSION_VALUE])
{
	const struct contracts *c = a->call.dialog->contracts;
	int value = contract_value(c, name, strlen(name));
	const char *text = "";

	for (size_t i = 0; i < a->call.answer.fields_n; i++)
		if (strcmp(a->call.answer.fields[i].name, name) == 0)
			text = a->call.answer.fields[i].text;
	if (value >= 0)
		text = contract_show(c->values[value].type, text, a->call.session.language);
	if (value >= 0 && c->values[value].type->kind == VALUE_TEXT)
		screen_cut(text, c->values[value].type->max, ret);
	else
		memccpy(ret, text, '\0', SESSION_VALUE);
	ret[SESSION_VALUE - 1] = '\0';
}

static void late_on_sms(void *arg, enum kz r)
{
	struct dial_ask *a = arg;

	a->speaks = false;
	if (r == KZ_OK)
		late_end(a, LATE_TOLD);
	else
		dial_late_wait(a);
}

static void late_speak(struct dial_ask *a, const struct template *t, const char *name)
{
	struct template_param params[PARAMS];
	char values[PARAMS][SESSION_VALUE];
	struct param_type type;
	size_t n = 0;

	for (; n < PARAMS && (params[n].name = template_param(t, n, &type)) != NULL; n++) {
		if (strcmp(params[n].name, "at") == 0)
			dial_moment(a->call.now_us, values[n]);
		else
			late_value(a, params[n].name, values[n]);
		params[n].value = values[n];
	}
	a->speaks = true;
	dial_sms(&a->call, LATE_SMS, name, params, n, late_on_sms, a);
}

void dial_late_tell(struct dial_ask *a)
{
	const char *name = late_template(a);
	const struct template *t = *name ? template_find(a->call.dial->files.templates, name) : NULL;

	late_enter(a);
	a->has = true;
	if (!t || a->mute || a->call.dial->stopped)
		late_end(a, LATE_SILENT);
	else
		late_speak(a, t, name);
}

/* The list is short; what is begun from here is answered later. */
void dial_late_on_timer(void *arg)
{
	struct dial *d = arg;
	int64_t now_ms = loop_now_ms(d->base.loop);

	list_each(&d->asks, n, next)
	{
		struct dial_ask *a = list_entry(n, struct dial_ask, node);

		if (a->turn || a->out || a->speaks || a->due_ms > now_ms)
			continue;
		if (a->has)
			dial_late_tell(a);
		else
			dial_ask_go(a);
	}
	if (d->late_n && !d->stopped)
		timer_start(d->late_timer, TICK_MS);
}
