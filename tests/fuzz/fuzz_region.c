/* The law of a region and the days off from anybody's hand: by the first octet a file of the regions' folder
 * or of the holidays, the rest is the file. What loads can be counted with: no value is out of its range, a
 * span never ends before it began, and its end on a working day is one. What does not load says why. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "rules/calendar.h"
#include "rules/region.h"

#define FUZZ_MAX 20000
#define DAY_US   86400000000LL
#define NOW_US   1795000000000000LL /* November 2026 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char folder[] = "/tmp/kezek-fuzz-region-XXXXXX", *path;
static struct calendar *plain; /* without a day off */

static void put_file(const void *bytes, size_t n)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(bytes, 1, n, f) != n || fclose(f))
		abort();
}

static void leave(void)
{
	calendar_free(plain);
	unlink(path);
	rmdir(folder);
	free(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct faults faults = {0};

	(void)argc;
	(void)argv;
	if (!mkdtemp(folder))
		abort();
	path = mem_printf("%s/one.yaml", folder);
	put_file("", 0);
	plain = calendar_load(path, &faults);
	assert(!faults.count);
	atexit(leave);
	return 0;
}

/* One working day at a time leads to where all of them lead at once, and days off only make it later. */
static void check_calendar(struct faults *faults)
{
	struct calendar *c = calendar_load(path, faults);
	int64_t at_us = NOW_US;

	for (int64_t n = 1; n < SPAN_MAX_DAYS && !faults->count; n += 1 + n / 3) {
		const struct span one = {1, SPAN_WORKING_DAYS}, all = {n, SPAN_WORKING_DAYS};
		int64_t end_us = calendar_add(c, NOW_US, all, 300),
		        next_us = calendar_add(c, end_us, one, 300);

		assert(end_us > at_us && (end_us - NOW_US) % DAY_US == 0);
		assert(next_us == calendar_add(c, NOW_US, (struct span){n + 1, SPAN_WORKING_DAYS}, 300));
		at_us = end_us;
	}
	calendar_free(c);
}

static void check_names(char *const names[LANGUAGES])
{
	for (enum language l = 0; l < LANGUAGES; l++)
		assert(*names[l] && strlen(names[l]) <= REGION_NAME && !strchr(names[l], '\n'));
}

static void check_categories(const struct region *r)
{
	assert(r->categories_n >= 1 && r->categories_n <= REGION_CATEGORIES);
	for (size_t i = 0; i < r->categories_n; i++) {
		const struct region_category *c = &r->categories[i];

		assert(region_category_find(r, c->id) == c && *c->id && strlen(c->id) <= REGION_ID);
		assert(c->tier >= 1 && c->tier <= 9 && c->share >= 1 && c->share <= 100);
		check_names(c->names);
	}
}

/* Where quiet hours end there are none. */
static void check_quiet(const struct region *r)
{
	for (int64_t now_us = NOW_US; now_us < NOW_US + DAY_US; now_us += DAY_US / 7) {
		int64_t until_us = region_quiet_until(r, now_us);

		assert(until_us >= now_us && until_us < now_us + DAY_US);
		assert(region_quiet_until(r, until_us) == until_us);
	}
}

static void check_region(struct faults *faults)
{
	struct regions *all = regions_load(folder, faults);
	const struct region *r = regions_at(all, 0);

	assert(regions_count(all) == 1 && region_find(all, "one") == r);
	if (!faults->count) {
		assert(r->offset_min >= -720 && r->offset_min <= 840);
		assert(r->age_month >= 0 && r->age_month <= 12 && r->age_day >= 0 && r->age_day <= 31);
		assert(!r->age_month == !r->age_day);
		for (enum region_clock i = 0; i < REGION_CLOCKS; i++)
			assert(calendar_add(plain, NOW_US, r->clocks[i], r->offset_min) >=
			       NOW_US + (r->clocks[i].n ? 60000000LL : 0));
		check_names(r->names);
		check_categories(r);
		check_quiet(r);
	}
	regions_free(all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(struct faults *) = {check_region, check_calendar};
	struct faults faults = {0};

	if (!size || size > FUZZ_MAX)
		return 0;
	put_file(data + 1, size - 1);
	checks[data[0] % 2](&faults);
	assert(faults.count == 0 || *buf_text(&faults.text));
	faults_fini(&faults);
	return 0;
}
