/* Whether the digits of codes are drawn fairly: chi-square over 10^7 codes as the daemon derives them, by
 * place, by pairs of neighbours, as whole codes, against the code before and against the next issue of the
 * same code. The statistic is turned into standard deviations (Wilson and Hilferty); more than six of them,
 * to either side, fail: a fair source does that once in a thousand million. The key is fixed, so the verdict
 * of one build is always the same; --key HEX64 is for others. Last comes the control: octet % 10, which
 * favours 0 to 5, must fail, or this program would see nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "rules/code.h"

#define CODES    10000000
#define CONTROL  1000000
#define LENGTH   6
#define ALL      1000000 /* codes that there are */
#define BINS     1000
#define ALLOWED  6.0
#define ANY_KEY  "8f2b1c6d4e7a90315c2db8f04e6a7d1993c0b5e2f1a8476d0e3b9c5a2d7f6418"
#define START_MS 1795000000000

struct counts {
	unsigned long place[LENGTH][10], pair[LENGTH - 1][100], whole[ALL], bin[BINS], step[BINS],
	    issue[BINS];
	unsigned long n, issues;
};

static double deviations(const unsigned long *count, size_t bins)
{
	double n = 0, chi = 0, k = (double)bins - 1;

	for (size_t i = 0; i < bins; i++)
		n += (double)count[i];
	for (size_t i = 0; i < bins; i++)
		chi += ((double)count[i] - n / (double)bins) * ((double)count[i] - n / (double)bins);
	chi /= n / (double)bins;
	return (cbrt(chi / k) - (1 - 2 / (9 * k))) / sqrt(2 / (9 * k));
}

/* One line; whether it is within what chance does. */
static int judge(const char *what, const unsigned long *count, size_t bins)
{
	double z = deviations(count, bins);
	int fair = fabs(z) <= ALLOWED;

	printf("%-32s %7zu bins  %+12.2f deviations  %s\n", what, bins, z, fair ? "fair" : "NOT FAIR");
	return fair;
}

static int judge_all(const struct counts *c)
{
	int fair = 1;
	char what[40];

	for (int i = 0; i < LENGTH; i++) {
		snprintf(what, sizeof what, "digit %d", i + 1);
		fair &= judge(what, c->place[i], 10);
	}
	for (int i = 0; i + 1 < LENGTH; i++) {
		snprintf(what, sizeof what, "digits %d and %d", i + 1, i + 2);
		fair &= judge(what, c->pair[i], 100);
	}
	fair &= judge("codes, in order", c->bin, BINS);
	fair &= judge("codes, each", c->whole, ALL);
	fair &= judge("less the code before, last three", c->step, BINS);
	if (c->issues)
		fair &= judge("less the next issue, last three", c->issue, BINS);
	return fair;
}

static unsigned long count_code(struct counts *c, const char *digits, unsigned long before)
{
	unsigned long code = 0;

	for (int i = 0; i < LENGTH; i++) {
		code = code * 10 + (unsigned long)(digits[i] - '0');
		c->place[i][digits[i] - '0']++;
		if (i)
			c->pair[i - 1][(digits[i - 1] - '0') * 10 + digits[i] - '0']++;
	}
	c->whole[code]++;
	c->bin[code / (ALL / BINS)]++;
	if (c->n++)
		c->step[(code + ALL - before) % BINS]++;
	return code;
}

/* Ids as daemons make them: several in a millisecond, slots in turn. */
static int derive_all(struct counts *c, const struct keyring *k)
{
	struct ids slots[4] = {{.slot = 0}, {.slot = 1}, {.slot = 2}, {.slot = 255}};
	char digits[CODE_MAX + 1], next[CODE_MAX + 1];
	unsigned long before = 0;

	for (long i = 0; i < CODES; i++) {
		uint64_t id = ids_next(&slots[i % 4], START_MS + i / 8);

		if (code_derive(k, 1, id, 1, LENGTH, digits) != KZ_OK)
			return 0;
		before = count_code(c, digits, before);
		if (i % 10)
			continue;
		if (code_derive(k, 1, id, 2, LENGTH, next) != KZ_OK)
			return 0;
		c->issue[(before + ALL - strtoul(next, NULL, 10)) % BINS]++;
		c->issues++;
	}
	return 1;
}

static int control_is_caught(struct counts *c)
{
	char digits[LENGTH];
	unsigned long before = 0;
	uint8_t octets[LENGTH];

	memset(c, 0, sizeof *c);
	for (long i = 0; i < CONTROL; i++) {
		secret_random(octets, sizeof octets);
		for (int d = 0; d < LENGTH; d++)
			digits[d] = (char)('0' + octets[d] % 10);
		before = count_code(c, digits, before);
	}
	puts("control: octet % 10");
	for (int i = 0; i < LENGTH; i++)
		if (judge("digit", c->place[i], 10))
			return 0;
	return 1;
}

int main(int argc, char **argv)
{
	const char *key = argc == 3 && !strcmp(argv[1], "--key") ? argv[2] : ANY_KEY;
	struct counts *c = calloc(1, sizeof *c);
	struct faults faults = {0};
	char text[256];
	int n = snprintf(text, sizeof text, "lookup %s\n1 %s\n", ANY_KEY, key);
	struct keyring *k = keyring_parse("keyring", text, (size_t)n, &faults);

	if (!c || !k || !derive_all(c, k)) {
		fputs("no keyring\n", stderr);
		return 2;
	}
	int fair = judge_all(c), caught = control_is_caught(c);
	printf("%s\n", !caught ? "the control was not caught" : fair ? "fair" : "NOT FAIR");
	keyring_free(k);
	faults_fini(&faults);
	free(c);
	return fair && caught ? 0 : 1;
}
