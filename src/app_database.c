/* How the configuration reaches libpq, and kezekd --migrate. */
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "base/log.h"
#include "base/secret.h"
#include "net/loop.h"
#include "store/migrate.h"

#define PG_JOBS_MAX 4000

/* The password goes into the connection string, quoted as libpq wants it. */
char *app_conninfo(const struct conf *c)
{
	struct buf b = {0};

	buf_str(&b, c->database_conninfo);
	if (!*c->database_password)
		return buf_take(&b);
	buf_str(&b, " password='");
	for (const char *p = c->database_password; *p; p++)
		buf_printf(&b, "%s%c", *p == '\'' || *p == '\\' ? "\\" : "", *p);
	buf_char(&b, '\'');
	return buf_take(&b);
}

struct pg_options app_pg_options(const struct conf *c, const char *conninfo)
{
	return (struct pg_options){.conninfo = conninfo,
	    .connections = (unsigned)c->database_connections,
	    .connect_ms = c->database_connect_ms,
	    .job_ms = c->database_job_ms,
	    .statement_ms = c->database_job_ms - c->database_job_ms / 10, /* the server gives up first */
	    .max_jobs = PG_JOBS_MAX};
}

/* One migration run. */
struct app_migration {
	struct loop *loop;
	struct pg *pg;
	struct timer *timer;
	int code;
};

static void migration_fail(struct app_migration *m, const char *what, const char *why)
{
	log_error("kezekd", "%s: %s", what, why);
	m->code = 1;
	loop_stop(m->loop);
}

static void migration_on_done(void *arg, enum kz r, int version, const char *why)
{
	struct app_migration *m = arg;

	if (r != KZ_OK) {
		migration_fail(m, "migration failed", why);
		return;
	}
	log_info("kezekd", "schema version=%d", version);
	loop_stop(m->loop);
}

static void migration_when_up(void *arg, bool up)
{
	struct app_migration *m = arg;

	timer_stop(m->timer);
	log_set_level(LOG_LEVEL_INFO);
	if (up && migrate_run(m->pg, migration_on_done, m) != KZ_OK)
		migration_fail(m, "migration failed", "the database takes no jobs");
}

static void migration_too_late(void *arg)
{
	struct app_migration *m = arg;

	migration_fail(m, "the database cannot be reached", pg_why_down(m->pg));
}

int app_migrate(struct conf *c)
{
	struct app_migration m = {0};
	char *conninfo = app_conninfo(c);
	struct pg_options options = app_pg_options(c, conninfo);

	options.connections = 1;
	options.job_ms = options.statement_ms = 600000; /* a migration may rewrite a table */
	log_set_level(LOG_LEVEL_ERROR); /* that there is no database is said once, at the end */
	m.loop = loop_new(&clock_real);
	m.timer = timer_new(m.loop, migration_too_late, &m);
	timer_start(m.timer, 2 * c->database_connect_ms);
	m.pg = pg_new(m.loop, &options, migration_when_up, &m);
	loop_run(m.loop);
	secret_wipe(conninfo, strlen(conninfo));
	free(conninfo);
	pg_stop(m.pg);
	pg_free(m.pg);
	timer_free(m.timer);
	loop_free(m.loop);
	conf_free(c);
	return m.code;
}
