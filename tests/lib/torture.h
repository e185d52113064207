/* torture: a program whose n-th call into the system or a library fails, in one of three ways. Steps are
 * counted in memory that a parent shares; nothing happens before torture_begin. The calls are in
 * torture_calls.h. */
#ifndef TESTS_TORTURE_H
#define TESTS_TORTURE_H

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum torture_way {
	TORTURE_BREAKS, /* an error */
	TORTURE_HALF,   /* as little as may be: one octet, or none yet */
	TORTURE_MUTE,   /* the connection is gone and nobody says so */
	TORTURE_WAYS
};

/* Ways in which a call can fail. */
#define CAN_BREAK 1u
#define CAN_HALF  2u
#define CAN_MUTE  4u

struct torture {
	unsigned at; /* the step that fails, from 1; 0: none */
	enum torture_way way;
	unsigned steps;
	char hit[32]; /* its name; "": it never came */
};

static struct torture *torture; /* shared with the child */
static bool torture_on;
static int torture_far_end = -1; /* of the socket that stands for a mute one */

static inline void torture_begin(void)
{
	torture_on = true;
}

static inline void torture_end(void)
{
	torture_on = false;
	if (torture_far_end >= 0)
		close(torture_far_end);
}

/* Counts the step, when it can fail in the way that is asked for; true when it is the one. */
static inline bool torture_step(const char *name, unsigned can)
{
	if (!torture_on || !(can & 1u << torture->way) || ++torture->steps != torture->at)
		return false;
	snprintf(torture->hit, sizeof torture->hit, "%s", name);
	return true;
}

#endif
