/* A migration is one DO block: PostgreSQL's extended protocol takes one statement, and the block's guard
 * makes two daemons that migrate at once harmless. The files are linked in as they are (.incbin), so a
 * program cannot be separated from its schema; the block is closed around them by the assembler, so that each
 * is one static text, as pg asks for. */
#include "store/migrate.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* Inside the assembler's quotes: no quote, no backslash. */
#define MIGRATION_HEAD                                                                                       \
	"do $kezek$ begin perform pg_advisory_xact_lock(x'6b7a6b'::int, 0);"                                 \
	" create table if not exists kezek_schema"                                                           \
	" (version int primary key, applied_at timestamptz not null default now());"                         \
	" if exists (select from kezek_schema where version = "
#define MIGRATION_GUARD ") then return; end if; "
#define MIGRATION_TAIL  " insert into kezek_schema (version) values ("
#define MIGRATION_END   "); end $kezek$"

#define MIGRATION(symbol, version, file)                                                                     \
	__asm__(".pushsection .rodata\n" #symbol ":\n"                                                       \
	        ".ascii \"" MIGRATION_HEAD #version MIGRATION_GUARD "\"\n"                                   \
	        ".incbin \"" KEZEK_SQL_DIR "/" file "\"\n"                                                   \
	        ".byte 10\n"                                                                                 \
	        ".asciz \"" MIGRATION_TAIL #version MIGRATION_END "\"\n"                                     \
	        ".popsection\n");                                                                            \
	extern const char symbol[]

MIGRATION(migration_0001, 1, "0001_messages.sql");
MIGRATION(migration_0002, 2, "0002_webhooks.sql");
MIGRATION(migration_0003, 3, "0003_codes.sql");
MIGRATION(migration_0004, 4, "0004_records.sql");
MIGRATION(migration_0005, 5, "0005_queue.sql");
MIGRATION(migration_0006, 6, "0006_places.sql");
MIGRATION(migration_0007, 7, "0007_notices.sql");
MIGRATION(migration_0008, 8, "0008_imports.sql");
MIGRATION(migration_0009, 9, "0009_callers.sql");
MIGRATION(migration_0010, 10, "0010_dialogs.sql");
MIGRATION(migration_0011, 11, "0011_caller_try.sql");
MIGRATION(migration_0012, 12, "0012_enrolment.sql");

static const struct pg_sql migrations[] = {{"migrate_1", migration_0001, 0, NULL},
    {"migrate_2", migration_0002, 0, NULL}, {"migrate_3", migration_0003, 0, NULL},
    {"migrate_4", migration_0004, 0, NULL}, {"migrate_5", migration_0005, 0, NULL},
    {"migrate_6", migration_0006, 0, NULL}, {"migrate_7", migration_0007, 0, NULL},
    {"migrate_8", migration_0008, 0, NULL}, {"migrate_9", migration_0009, 0, NULL},
    {"migrate_10", migration_0010, 0, NULL}, {"migrate_11", migration_0011, 0, NULL},
    {"migrate_12", migration_0012, 0, NULL}};

#define MIGRATIONS ((int)(sizeof migrations / sizeof *migrations))

struct migrate {
	struct pg *pg;
	migrate_fn *done;
	void *arg;
	int next;
};

int migrate_wanted(void)
{
	return MIGRATIONS;
}

static void migrate_finish(struct migrate *m, enum kz r, int version, const char *why)
{
	m->done(m->arg, r, version, why);
	free(m);
}

static void migrate_why(enum kz r, const struct pg_reply *reply, char why[512])
{
	if (r == KZ_LOST)
		snprintf(why, 512, "the database was lost meanwhile");
	else
		snprintf(why, 512, "%s (SQLSTATE %s)", pg_message(reply), pg_sqlstate(reply));
}

static enum kz migrate_ask(struct migrate *m, const struct pg_sql *sql, pg_done_fn *on_done)
{
	struct pg_job *job = pg_job_new(m->pg, on_done, m);

	pg_job_add(job, sql, NULL);
	return pg_job_run(job, NULL);
}

static enum kz migrate_step(struct migrate *m);

static void migrate_on_step(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct migrate *m = arg;
	char why[512];

	if (r != KZ_OK) {
		migrate_why(r, reply, why);
		migrate_finish(m, r, m->next, why);
	} else if (++m->next == MIGRATIONS) {
		migrate_finish(m, KZ_OK, MIGRATIONS, "");
	} else if (migrate_step(m) != KZ_OK) {
		migrate_finish(m, KZ_BUSY, m->next, "the database takes no more jobs");
	}
}

static enum kz migrate_step(struct migrate *m)
{
	return migrate_ask(m, &migrations[m->next], migrate_on_step);
}

enum kz migrate_run(struct pg *pg, migrate_fn *done, void *arg)
{
	struct migrate *m = mem_new(sizeof *m);

	*m = (struct migrate){.pg = pg, .done = done, .arg = arg};
	if (migrate_step(m) == KZ_OK)
		return KZ_OK;
	free(m);
	return KZ_BUSY;
}

/* to_regclass: a database without the table is version 0, not an error. */
static const struct pg_sql sql_exists = {
    "migrate_exists", "select case when to_regclass('kezek_schema') is null then 0 else 1 end", 0, NULL};
static const struct pg_sql sql_version = {
    "migrate_version", "select coalesce(max(version), 0) from kezek_schema", 0, NULL};

static void migrate_on_version(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct migrate *m = arg;
	char why[512] = "";

	if (r != KZ_OK)
		migrate_why(r, reply, why);
	migrate_finish(m, r, r == KZ_OK ? (int)pg_int(reply, 0, 0, 0) : 0, why);
}

static void migrate_on_exists(void *arg, enum kz r, const struct pg_reply *reply)
{
	struct migrate *m = arg;
	char why[512];

	if (r != KZ_OK) {
		migrate_why(r, reply, why);
		migrate_finish(m, r, 0, why);
	} else if (!pg_int(reply, 0, 0, 0)) {
		migrate_finish(m, KZ_OK, 0, "");
	} else if (migrate_ask(m, &sql_version, migrate_on_version) != KZ_OK) {
		migrate_finish(m, KZ_BUSY, 0, "the database takes no more jobs");
	}
}

enum kz migrate_check(struct pg *pg, migrate_fn *done, void *arg)
{
	struct migrate *m = mem_new(sizeof *m);

	*m = (struct migrate){.pg = pg, .done = done, .arg = arg};
	if (migrate_ask(m, &sql_exists, migrate_on_exists) == KZ_OK)
		return KZ_OK;
	free(m);
	return KZ_BUSY;
}
