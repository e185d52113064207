/* log_bound: how much of one kind may be logged, so that a peer that sends nonsense all day does not fill the
 * disk. Pure: time is an argument. */
#ifndef BASE_LOG_BOUND_H
#define BASE_LOG_BOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_BOUND_US     10000000 /* the period */
#define LOG_BOUND_LINE   20       /* lines of one kind about one subject in it */
#define LOG_BOUND_KIND   200      /* lines of one kind about whatever subject in it */
#define LOG_BOUND_ERRORS 10000    /* errors in it, of whatever kind */

/* One thing that is counted. */
struct log_tally {
	uint64_t key;
	int64_t since_us;
	unsigned lines, left_out;
	char about[48];
};

/* A value; zero-initialise. */
struct log_bound {
	struct log_tally lines[256], kinds[64], words[64], errors;
	unsigned crowded_out; /* left out, and their place was taken */
};

/* kind: the address that the line's format stands at; about: its subject. For an error whose words must not
 * be lost the first time they are said, words is their text, and only equal ones are one kind, as long as
 * there are not too many errors in all; else NULL. */
bool log_bound_admits(
    struct log_bound *b, const void *kind, const char *about, const char *words, int64_t now_us);
/* Takes out what was left out in a period that is over: how many, 0 when there is no more now, and about
 * what:
 * "" several subjects. Before each log_bound_admits, which begins periods anew. */
unsigned log_bound_take(struct log_bound *b, int64_t now_us, char ret_about[48]);

#endif
