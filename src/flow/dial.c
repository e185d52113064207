/* The owner of turns, questions and menus. What comes from a carrier and from the terminal goes the same way;
 * only what is said goes back by the way that it came. */
#include "flow/dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "flow/dial_turn.h"
#include "store/tries.h"
#include "store/vacancies.h"

#define TERMINAL_DEADLINE_MS 10000
#define TERMINAL_PERSON_MS   120000
#define ZONE_S               (5 * 3600)

int64_t dial_wall_ms(const struct dial *d)
{
	return clock_wall_ms(loop_clock(d->base.loop));
}

void dial_local(int64_t wall_us, struct tm *ret)
{
	time_t local = (time_t)(wall_us / 1000000 + ZONE_S);

	gmtime_r(&local, ret);
}

void dial_moment(int64_t wall_us, char ret[SESSION_VALUE])
{
	struct tm tm;

	dial_local(wall_us, &tm);
	strftime(ret, SESSION_VALUE, "%d.%m %H:%M", &tm);
}

struct dial_way dial_way(const struct dial *d, const char *carrier)
{
	const struct carrier *c = *carrier ? ways_named(send_ways(d->base.send), carrier) : NULL;
	const struct profile_ussd *u = c ? &carrier_profile(c)->ussd : NULL;

	return u ? (struct dial_way){u->deadline_ms, u->person_ms, u->repeat_ms}
	         : (struct dial_way){TERMINAL_DEADLINE_MS, TERMINAL_PERSON_MS, 0};
}

void dial_say(struct turn *t, const char *page, bool last)
{
	dial_page_fn *done = t->done;

	t->done = NULL;
	if (!*t->carrier)
		done(t->arg, t->gone ? "" : page, t->gone || last);
	else if (t->pushed && !t->gone)
		dial_push_page(t, page);
	else if (!t->gone)
		dial_page_send(t, page, last);
}

void dial_hear(struct dial *d, struct carrier *c, const struct ussd_in *in)
{
	if (!d->menu || d->stopped || in->said == USSD_CONFIRMED)
		return;
	if (in->phone.digits)
		turn_start(turn_new(d, in, carrier_name(c), NULL, NULL));
	else if (in->said != USSD_CANCELLED)
		dial_page_send_hidden(d, carrier_name(c), in);
}

bool dial_has_menu(const struct dial *d)
{
	return d->menu != NULL;
}

static void dial_make_metrics(struct dial *d)
{
	static const char *const why[CLOSES] = {
	    [CLOSE_DOWN] = "down", [CLOSE_OVER] = "over", [CLOSE_HIDDEN] = "hidden"};
	static const char *const late[] = {"told", "silent", "given_up"};
	char labels[32];

	for (enum dial_close c = CLOSE_DOWN; c < CLOSES; c++) {
		snprintf(labels, sizeof labels, "why=\"%s\"", why[c]);
		d->closed[c] = metric_counter(
		    "kezek_ussd_closed_total", "USSD calls that ended on a closing page", labels);
	}
	for (size_t i = 0; i < 3; i++) {
		snprintf(labels, sizeof labels, "how=\"%s\"", late[i]);
		d->late[i] = metric_counter("kezek_ussd_late_total",
		    "Answers that came after their USSD page, by what became of them", labels);
	}
	d->pushed[0] = metric_counter(
	    "kezek_ussd_pushed_total", "Offers that were pushed to phones", "result=\"taken\"");
	d->pushed[1] =
	    metric_counter("kezek_ussd_pushed_total", "Offers that were pushed to phones", "result=\"lost\"");
	d->repeated = metric_counter(
	    "kezek_ussd_repeated_total", "Repeated USSD requests that got their page again", "");
	d->dropped = metric_counter("kezek_ussd_resumes_total", "SMS about dropped USSD calls", "");
	d->open_gauge = metric_gauge("kezek_ussd_turns", "USSD turns under way", "");
	d->late_gauge =
	    metric_gauge("kezek_ussd_late", "Answers that will go by SMS, of all daemons, a second ago", "");
	d->time = metric_seconds("kezek_ussd_turn_seconds", "From what was dialled or typed to its page", "");
}

struct dial *dial_new(const struct dial_base *base, struct dial_files *files)
{
	struct dial *d = mem_new(sizeof *d);

	d->base = *base;
	turns_init(d);
	dial_pages_init(d);
	list_init(&d->asks);
	list_init(&d->drops);
	list_init(&d->menus);
	list_init(&d->letters);
	dial_debts_init(d);
	d->sessions = sessions_new(base->redis, base->keyring, SESSIONS_OPEN);
	d->owed = sessions_new(base->redis, base->keyring, SESSIONS_OWED);
	d->vacancies = vacancies_new(base->loop, base->pg);
	d->tries = tries_new(base->loop, base->pg);
	d->late_timer = timer_new(base->loop, dial_late_on_timer, d);
	d->drop_timer = timer_new(base->loop, dial_drop_on_timer, d);
	d->keep_timer = timer_new(base->loop, dial_menu_keep, d);
	dial_make_metrics(d);
	dial_set_files(d, files);
	return d;
}

void dial_set_files(struct dial *d, struct dial_files *files)
{
	d->files = *files;
	dial_menu_set(d, files->dialog, files->source);
	files->dialog = d->files.dialog = NULL;
	files->source = d->files.source = NULL;
}

struct vacancies *dial_vacancies_of(const struct dial *d)
{
	return d->vacancies;
}

struct tries *dial_tries_of(const struct dial *d)
{
	return d->tries;
}

const struct dial_base *dial_base_of(const struct dial *d)
{
	return &d->base;
}

const struct dial_files *dial_files_of(const struct dial *d)
{
	return &d->files;
}

void dial_terminal(
    struct dial *d, struct msisdn phone, enum ussd_said said, const char *text, dial_page_fn *done, void *arg)
{
	struct ussd_in in = {.said = said, .phone = phone, .peer = {.reference = UINT32_MAX}};

	snprintf(in.text, sizeof in.text, "%s", text);
	if (d->menu && !d->stopped)
		turn_start(turn_new(d, &in, "", done, arg));
	else
		done(arg, "", true);
}

void dial_start(struct dial *d)
{
	timer_start(d->drop_timer, 0);
	timer_start(d->late_timer, 0);
	timer_start(d->debt_timer, 0);
}

void dial_stop(struct dial *d)
{
	d->stopped = true;
	timer_stop(d->late_timer);
	timer_stop(d->drop_timer);
	timer_stop(d->debt_timer);
	timer_stop(d->keep_timer);
	turns_stop(d);
}

void dial_free(struct dial *d)
{
	if (!d)
		return;
	turns_free(d);
	list_each(&d->asks, n, next) dial_ask_free(list_entry(n, struct dial_ask, node));
	dial_letters_free(d);
	dial_debts_free(d);
	dial_pages_free(d);
	dial_drops_free(d);
	dial_menus_free(d);
	vacancies_free(d->vacancies);
	tries_free(d->tries);
	sessions_free(d->sessions);
	sessions_free(d->owed);
	timer_free(d->late_timer);
	timer_free(d->drop_timer);
	timer_free(d->keep_timer);
	free(d);
}
