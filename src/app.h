/* app: the one owner of the rooms: builds them bottom-up, closes them top-down, reloads, drains. */
#ifndef APP_H
#define APP_H

#include "base/conf.h"
#include "base/keyring.h"
#include "net/mail.h"
#include "rules/calendar.h"
#include "rules/purpose.h"
#include "rules/region.h"
#include "smpp/profile.h"
#include "store/pg.h"
#include "text/email.h"
#include "text/template.h"
#include "ussd/dialog.h"

/* Everything that the files of config/ and dialogs/ say, checked together. */
struct app_files {
	struct conf *conf;
	struct profile **profiles;
	size_t profiles_n;
	struct templates *templates;
	struct purposes *purposes; /* of these templates */
	struct emails *emails;
	struct regions *regions;
	struct calendar *calendar;
	struct keyring *keyring;
	struct dialog *dialog;        /* NULL: no menu is named */
	struct dialog_source *source; /* of dialog */
};

/* false with lines in faults; *ret is empty then. */
bool app_files_load(const char *path, struct app_files *ret, struct faults *faults);
void app_files_free(struct app_files *f);

/* Each runs until it is over and returns the exit code: 0, or 1 after one clear line. Owns f. */
int app_run(const char *path, struct app_files *f);
/* Needs kezek.yaml alone: profiles and their secrets may not be there yet. Owns c. */
int app_migrate(struct conf *c);

/* libpq's connection string with the password in it: wiped and freed by the caller. */
char *app_conninfo(const struct conf *c);
/* As long as c; mail.url names a server. */
struct mail_client_options app_mail_options(const struct conf *c);
/* conninfo is not copied. */
struct pg_options app_pg_options(const struct conf *c, const char *conninfo);

#endif
