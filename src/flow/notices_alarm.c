/* The alarm: an application's number that has not arrived twelve minutes after registration. Whoever writes
 * it first has alarmed; the notice is looked at again then, as ways may be left. */
#include "base/ids.h"
#include "base/log.h"
#include "flow/notices_body.h"

#define AGAIN_MS 1000

static void alarm_ask(void *arg);

static void alarm_later(struct errand *e)
{
	if (!e->again)
		e->again = timer_new(e->notices->base.loop, alarm_ask, e);
	timer_start(e->again, AGAIN_MS);
}

/* One whose commit was lost is written again under the number that it had, as long as its slot is ours. */
static void alarm_on_written(void *arg, enum kz r, bool found, const char *sqlstate)
{
	struct errand *e = arg;
	char id[IDS_TEXT];

	if (r == KZ_LOST && !e->notices->stopped) {
		alarm_later(e);
		return;
	}
	if (r == KZ_REFUSED)
		log_error(ids_text(e->id, id), "the database refused an alarm (SQLSTATE %s)", sqlstate);
	if (found) {
		metric_add(e->notices->late, 1);
		log_warn(ids_text(e->id, id),
		    "late: the number of an application was not delivered in time, application=%llu, "
		    "messages=%u",
		    (unsigned long long)e->application, e->sends);
	}
	errand_free(e);
}

static void alarm_ask(void *arg)
{
	struct errand *e = arg;
	struct notices *n = e->notices;

	if (!e->feed.first && feed_slot(n->base.feed) < 0)
		errand_free(e);
	else if (notice_desk_alarm(n->base.pg, n->base.feed, &e->feed, e->id, alarm_on_written, e) != KZ_OK)
		alarm_later(e);
}

void errand_alarm(struct errand *e)
{
	alarm_ask(e);
}
