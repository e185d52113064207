/* kezekctl sample: the sample city as lines for kezekctl import, on standard output. Asks nobody. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ctl_city.h"
#include "ctl_command.h"

#define SAMPLE_SEED   1
#define SAMPLE_ZONE_S (5 * 3600) /* of all Kazakhstan since 2024-03-01 */

enum { OPT_SEED = 1, OPT_APPLICATIONS, OPT_DAY };

static bool sample_number(const char *text, uint64_t most, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return !errno && *text >= '0' && *text <= '9' && !*end && *ret <= most;
}

static bool sample_day(const char *text, int32_t *ret)
{
	char *moment = mem_printf("%sT00:00:00Z", text);
	const int64_t us = strlen(text) == 10 ? clock_parse_rfc3339(moment) : -1;

	free(moment);
	*ret = (int32_t)(us / 86400 / 1000000);
	return *ret >= CITY_DAY_MIN && *ret <= CITY_DAY_MAX;
}

/* -1: go on. */
static int sample_option(struct ctl *c, struct city_options *o, int opt)
{
	uint64_t number;

	if (opt == OPT_SEED)
		return sample_number(optarg, UINT64_MAX, &o->seed)
		           ? -1
		           : ctl_usage(c, "--seed wants a whole number");
	if (opt == OPT_DAY)
		return sample_day(optarg, &o->day) ? -1 : ctl_usage(c, "--day wants a date as in 2026-09-01");
	if (opt != OPT_APPLICATIONS)
		return ctl_option(c, opt);
	if (!sample_number(optarg, CITY_MAX, &number) || !number)
		return ctl_usage(c, "--applications wants 1 to %d", CITY_MAX);
	o->applications = (uint32_t)number;
	return -1;
}

/* An earlier one would have referrals that are open and past their end, which no import takes. */
static int32_t sample_today(void)
{
	const int64_t day = (clock_wall_ms(&clock_real) / 1000 + SAMPLE_ZONE_S) / 86400;

	return (int32_t)(day < CITY_DAY_MIN ? CITY_DAY_MIN : day > CITY_DAY_MAX ? CITY_DAY_MAX : day);
}

static bool sample_write(void *arg, const char *lines, size_t len)
{
	(void)arg;
	return fwrite(lines, 1, len, stdout) == len;
}

static int sample_run(struct ctl *c, int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {"seed", required_argument, NULL, OPT_SEED},
	    {"applications", required_argument, NULL, OPT_APPLICATIONS},
	    {"day", required_argument, NULL, OPT_DAY}, {0}};
	struct city_options o = {SAMPLE_SEED, CITY_APPLICATIONS, sample_today()};
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if ((code = sample_option(c, &o, opt)) >= 0)
			return code;
	}
	if (optind != argc)
		return ctl_usage(c, "sample wants no argument");
	if (city_make(&o, sample_write, NULL))
		return CTL_DONE;
	perror("kezekctl: standard output");
	return CTL_FAILED;
}

const struct ctl_command ctl_sample_command = {
    .name = "sample",
    .summary = "a city that nobody lives in, as lines for import",
    .usage =
        "usage: kezekctl sample [--seed N] [--applications N] [--day DATE]\n"
        "\n"
        "Without a daemon. Districts, kindergartens, groups, vacancies, applications and referrals on\n"
        "standard output, one JSON object a line: names and numbers are invented, and the same for the\n"
        "same options and day.\n"
        "\n"
        "  --seed N          another city for each number (1)\n"
        "  --applications N  so many, 1 to 9000000 (108344, with 344 kindergartens and 3471 free places)\n"
        "  --day DATE        as it stands on the morning of that day (today)\n",
    .run = sample_run,
};
