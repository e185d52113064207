/* region_body: what the files of a region share: src/rules/region*.c only. */
#ifndef RULES_REGION_BODY_H
#define RULES_REGION_BODY_H

#include "rules/region.h"

/* A region with the texts that its values were read from. */
struct region_written {
	struct region region;
	char *clocks[REGION_CLOCKS], *age_on, *quiet;
};

struct regions {
	struct region_written list[REGION_MAX];
	size_t count;
};

#endif
