#include "app.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "flow/dial.h"
#include "net/tls.h"
#include "rules/notice_text.h"
#include "rules/route.h"
#include "ussd/audit.h"

/* For the threads of mail: some minutes' worth at the pace of a slow server. */
#define MAIL_WAITING 100

/* Files that are used at start or later only, yet a wrong one is a fault of the configuration. */
static void app_check_tls(const struct conf *c, struct faults *faults)
{
	struct tls *door = NULL, *webhooks = NULL;
	char why[256];

	if (*c->http_tls_cert && !(door = tls_server_new(c->http_tls_cert, c->http_tls_key, why)))
		conf_fault(c, "http.tls_cert", faults, why);
	if (*c->webhook_tls_ca && !(webhooks = tls_client_new(c->webhook_tls_ca, "", "", why)))
		conf_fault(c, "webhook.tls_ca", faults, why);
	tls_free(door);
	tls_free(webhooks);
}

struct mail_client_options app_mail_options(const struct conf *c)
{
	return (struct mail_client_options){.url = c->mail_url,
	    .starttls = (enum mail_starttls)c->mail_starttls,
	    .ca_path = c->mail_tls_ca,
	    .user = c->mail_user,
	    .password = c->mail_password,
	    .from = c->mail_from,
	    .from_name = c->mail_from_name,
	    .threads = (size_t)c->mail_connections,
	    .waiting = MAIL_WAITING,
	    .timeout_ms = c->mail_timeout_ms};
}

static void app_check_mail(const struct conf *c, struct faults *faults)
{
	const struct mail_client_options o = app_mail_options(c);
	const char *option, *fault = *c->mail_url ? mail_client_fault(&o, &option) : NULL;
	struct tls *tls = NULL;
	char why[256], key[32];

	if (fault) {
		snprintf(key, sizeof key, "mail.%s", option);
		conf_fault(c, key, faults, fault);
	}
	if (*c->mail_tls_ca && !(tls = tls_client_new(c->mail_tls_ca, "", "", why)))
		conf_fault(c, "mail.tls_ca", faults, why);
	if (*c->mail_unsubscribe && !mail_unsubscribe_fits(c->mail_unsubscribe))
		conf_fault(c, "mail.unsubscribe", faults, "an https: or mailto: URI of ASCII is expected");
	tls_free(tls);
}

/* Purposes and notices are proved against the templates: against broken ones each would be a fault too, and
 * not its own. */
static void app_load_texts(struct app_files *f, struct faults *faults)
{
	const struct words w = words_of(f->conf);
	int before = faults->count;

	f->templates = templates_load(f->conf->templates, &w, faults);
	if (faults->count != before)
		return;
	f->purposes = purposes_load(f->conf->purposes, f->templates, faults);
	notice_texts_check(f->templates, f->conf->templates, faults);
}

static void app_load_emails(struct app_files *f, struct faults *faults)
{
	const struct words w = words_of(f->conf);
	int before = faults->count;

	f->emails = emails_load(f->conf->mail_templates, &w, faults);
	if (faults->count == before)
		notice_emails_check(f->emails, f->conf->mail_templates, faults);
}

/* texts_good: what goes by SMS is held against the templates. */
static void app_load_dialog(struct app_files *f, bool texts_good, struct faults *faults)
{
	const struct conf *c = f->conf;
	const struct words w = words_of(c);

	if (!*c->ussd_dialog)
		return;
	f->source = mem_new(sizeof *f->source);
	if (dialog_source_read(c->ussd_dialog, c->ussd_services, f->source, faults))
		f->dialog = dialog_load(f->source, &w, faults);
	if (f->dialog)
		(void)audit_check(f->dialog, f->source, faults);
	if (!f->dialog || !texts_good)
		return;
	contracts_check_templates(f->dialog->contracts, f->templates, c->ussd_services, faults);
	dial_check_texts(f->dialog, f->templates, c->templates, faults);
}

bool app_files_load(const char *path, struct app_files *ret, struct faults *faults)
{
	struct app_files f = {.conf = conf_load(path, faults)};

	if (f.conf) {
		app_check_tls(f.conf, faults);
		app_check_mail(f.conf, faults);
		f.profiles = profiles_load(f.conf->operators, &f.profiles_n, faults);
		if (f.profiles_n > ROUTE_MAX)
			faults_add(faults, "%s: %zu profiles; at most %d operators are served",
			    f.conf->operators, f.profiles_n, ROUTE_MAX);
		int before = faults->count;
		app_load_texts(&f, faults);
		app_load_dialog(&f, faults->count == before, faults);
		app_load_emails(&f, faults);
		f.regions = regions_load(f.conf->regions, faults);
		f.calendar = calendar_load(f.conf->holidays, faults);
		f.keyring = keyring_load(f.conf->keyring, faults);
	}
	if (!faults->count) {
		*ret = f;
		return true;
	}
	app_files_free(&f);
	*ret = (struct app_files){0};
	return false;
}

void app_files_free(struct app_files *f)
{
	profiles_free(f->profiles, f->profiles_n);
	purposes_free(f->purposes);
	emails_free(f->emails);
	templates_free(f->templates);
	regions_free(f->regions);
	calendar_free(f->calendar);
	keyring_free(f->keyring);
	dialog_free(f->dialog);
	if (f->source)
		dialog_source_fini(f->source);
	free(f->source);
	conf_free(f->conf);
	*f = (struct app_files){0};
}
