/* kezekd: arguments, exit codes. The only caller of exit(), by returning. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "app.h"

#define EXIT_BAD_CONFIG 1
#define EXIT_USAGE      2

static const char usage[] =
    "usage: kezekd [-c FILE] [-t | --migrate | --help-config | --version | --help]\n"
    "The SMS gateway of an electronic kindergarten queue.\n"
    "\n"
    "  -c, --config FILE  configuration file (default /etc/kezek/kezek.yaml)\n"
    "  -t, --test         check the configuration and every file that it names; exit 0 or 1\n"
    "      --migrate      bring the database's schema up to date; exit 0 or 1\n"
    "      --help-config  every key of the configuration file, of a profile and of a purpose\n"
    "      --version      the version\n"
    "  -h, --help         this\n"
    "\n"
    "SIGHUP reloads the configuration, SIGTERM stops after operators have answered what is on the wire.\n";

enum task { TASK_RUN, TASK_TEST, TASK_MIGRATE, TASK_HELP_CONFIG, TASK_VERSION, TASK_HELP, TASK_USAGE };

static enum task parse(int argc, char **argv, const char **ret_path)
{
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"test", no_argument, NULL, 't'},
	    {"migrate", no_argument, NULL, 'm'},
	    {"help-config", no_argument, NULL, 'k'},
	    {"version", no_argument, NULL, 'v'},
	    {"help", no_argument, NULL, 'h'},
	    {0},
	};
	enum task task = TASK_RUN;
	int o;

	while ((o = getopt_long(argc, argv, "c:th", options, NULL)) != -1) {
		switch (o) {
		case 'c':
			*ret_path = optarg;
			break;
		case 't':
			task = TASK_TEST;
			break;
		case 'm':
			task = TASK_MIGRATE;
			break;
		case 'k':
			return TASK_HELP_CONFIG;
		case 'v':
			return TASK_VERSION;
		case 'h':
			return TASK_HELP;
		default:
			return TASK_USAGE;
		}
	}
	return optind == argc ? task : TASK_USAGE;
}

static int help_config(void)
{
	struct buf text = {0};

	buf_str(&text, "kezek.yaml\n==========\n");
	conf_help(&text);
	buf_str(&text, "\noperators/*.yaml\n================\n");
	profile_help(&text);
	buf_str(&text, "\npurposes.yaml, each purpose\n===========================\n");
	purpose_help(&text);
	buf_str(&text, "\nregions/*.yaml\n==============\n");
	region_help(&text);
	fputs(buf_text(&text), stdout);
	buf_fini(&text);
	return 0;
}

static int faulty(struct faults *faults)
{
	fputs(buf_text(&faults->text), stderr);
	fprintf(stderr, "kezekd: %d fault%s in the configuration\n", faults->count,
	    faults->count == 1 ? "" : "s");
	faults_fini(faults);
	return EXIT_BAD_CONFIG;
}

static int migrate(const char *path)
{
	struct faults faults = {0};
	struct conf *c = conf_load(path, &faults);

	return c ? app_migrate(c) : faulty(&faults);
}

static int with_files(enum task task, const char *path)
{
	struct faults faults = {0};
	struct app_files files;

	if (!app_files_load(path, &files, &faults))
		return faulty(&faults);
	if (task == TASK_RUN)
		return app_run(path, &files);
	printf("%s: good; operators: %zu, templates: %zu, purposes: %zu, regions: %zu", path,
	    files.profiles_n, templates_count(files.templates), purposes_count(files.purposes),
	    regions_count(files.regions));
	if (files.dialog)
		printf(", screens: %zu", files.dialog->screens_n);
	putchar('\n');
	app_files_free(&files);
	return 0;
}

int main(int argc, char **argv)
{
	const char *path = "/etc/kezek/kezek.yaml";
	enum task task = parse(argc, argv, &path);

	switch (task) {
	case TASK_USAGE:
		fputs(usage, stderr);
		return EXIT_USAGE;
	case TASK_HELP:
		fputs(usage, stdout);
		return 0;
	case TASK_VERSION:
		puts("kezekd " KEZEK_VERSION);
		return 0;
	case TASK_HELP_CONFIG:
		return help_config();
	case TASK_MIGRATE:
		return migrate(path);
	case TASK_RUN:
	case TASK_TEST:
		break;
	}
	return with_files(task, path);
}
