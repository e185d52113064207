/* The parents' menu. */
#include "app_body.h"

static struct dial_files app_dial_files(struct app *a)
{
	const struct dial_files files = {a->files.conf, a->files.templates, a->files.regions,
	    a->files.calendar, a->files.dialog, a->files.source};

	a->files.dialog = NULL;
	a->files.source = NULL;
	return files;
}

static void app_on_ussd(void *arg, struct carrier *c, const struct ussd_in *in)
{
	struct app *a = arg;

	dial_hear(a->dial, c, in);
}

static void app_on_notice(void *arg, enum notice_kind k, struct msisdn to, uint64_t application)
{
	struct app *a = arg;

	if (k == NOTICE_OFFERED)
		dial_push(a->dial, to, application);
}

/* Without a menu what is dialled is refused. */
static void app_listen_ussd(struct app *a)
{
	send_on_ussd(a->send, dial_has_menu(a->dial) ? app_on_ussd : NULL, a);
}

void app_build_ussd(struct app *a)
{
	struct dial_files files = app_dial_files(a);

	a->dial = dial_new(&(struct dial_base){a->loop, a->pg, a->redis, a->feed, a->send, a->verify,
	                       a->places, a->limits, a->keyring},
	    &files);
	notices_on_told(a->notices, app_on_notice, a);
	app_listen_ussd(a);
}

void app_renew_ussd(struct app *a)
{
	struct dial_files files = app_dial_files(a);

	dial_set_files(a->dial, &files);
	app_listen_ussd(a);
}
