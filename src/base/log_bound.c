/* Tables without chains: what falls on a place that another holds takes it, so that a collision, or a
 * flood of subjects, never silences anybody; for the flood there is the table of kinds, of which a program
 * has few. An error is of a kind with those of its words alone; where each has words of its own, there is the
 * bound of all errors. */
#include "base/log_bound.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* FNV-1a. */
static uint64_t bound_hash(uint64_t h, const char *text)
{
	for (; text && *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001B3u;
	return (h ^ 0xFF) * 0x100000001B3u;
}

static bool tally_admits(
    struct log_bound *b, struct log_tally *t, uint64_t key, const char *about, unsigned most, int64_t now_us)
{
	if (t->key != key)
		b->crowded_out += t->left_out;
	if (t->key != key || now_us - t->since_us >= LOG_BOUND_US) {
		*t = (struct log_tally){.key = key, .since_us = now_us};
		snprintf(t->about, sizeof t->about, "%s", about);
	}
	if (t->lines < most) {
		t->lines++;
		return true;
	}
	t->left_out++;
	return false;
}

bool log_bound_admits(
    struct log_bound *b, const void *kind, const char *about, const char *words, int64_t now_us)
{
	uint64_t of_kind = (uint64_t)(uintptr_t)kind * 0x9E3779B97F4A7C15u;
	uint64_t of_line = bound_hash(bound_hash(of_kind, about), words);

	if (!tally_admits(b, &b->lines[of_line % COUNT(b->lines)], of_line, about, LOG_BOUND_LINE, now_us))
		return false;
	if (!words)
		return tally_admits(
		    b, &b->kinds[(of_kind >> 32) % COUNT(b->kinds)], of_kind, "", LOG_BOUND_KIND, now_us);
	uint64_t of_words = bound_hash(of_kind, words);
	return tally_admits(b, &b->words[of_words % COUNT(b->words)], of_words, "", LOG_BOUND_KIND, now_us) &&
	       tally_admits(b, &b->errors, 1, "", LOG_BOUND_ERRORS, now_us);
}

static unsigned tallies_take(struct log_tally *all, size_t n, int64_t now_us, char ret_about[48])
{
	for (size_t i = 0; i < n; i++) {
		struct log_tally *t = &all[i];
		unsigned left_out = t->left_out;

		if (!left_out || now_us - t->since_us < LOG_BOUND_US)
			continue;
		memcpy(ret_about, t->about, sizeof t->about);
		*t = (struct log_tally){0};
		return left_out;
	}
	return 0;
}

unsigned log_bound_take(struct log_bound *b, int64_t now_us, char ret_about[48])
{
	unsigned n = b->crowded_out;

	*ret_about = '\0';
	b->crowded_out = 0;
	if (!n)
		n = tallies_take(b->lines, COUNT(b->lines), now_us, ret_about);
	if (!n)
		n = tallies_take(b->kinds, COUNT(b->kinds), now_us, ret_about);
	if (!n)
		n = tallies_take(b->words, COUNT(b->words), now_us, ret_about);
	if (!n)
		n = tallies_take(&b->errors, 1, now_us, ret_about);
	return n;
}
