/* The notices to parents and what they are told by. */
#include "app_body.h"

/* A message that did not arrive may have brought a code, or been a notice. */
static void app_on_lost(void *arg, uint64_t message_id)
{
	struct app *a = arg;

	verify_on_lost(a->verify, message_id);
	notices_hear_lost(a->notices, message_id);
}

static struct notices_files app_notices_files(const struct app *a)
{
	return (struct notices_files){a->files.conf, a->files.regions, a->files.templates, a->files.emails};
}

void app_build_notices(struct app *a)
{
	const struct batch_limits limits = app_batch_limits(a->files.conf);
	const struct notices_files files = app_notices_files(a);

	a->notices = notices_new(
	    &(struct notices_base){a->loop, a->pg, a->feed, a->send, a->keyring, a->mail}, &files, &limits);
	send_on_lost(a->send, app_on_lost, a);
}

void app_renew_notices(struct app *a)
{
	const struct notices_files files = app_notices_files(a);

	notices_set_files(a->notices, &files);
}
