#include "rules/tries.h"

#define MINUTE_US  INT64_C(60000000)
#define DAY_MINUTE 1440

static const struct try_law laws[TRY_KINDS] = {
    [TRY_PIN] = {.most = 5, .within_s = 3600, .most_day = 20, .locks = true},
    [TRY_LOOKUP] = {.most = 5, .within_s = 3600, .most_day = 10},
    [TRY_ENROL] = {.most = 5, .within_s = 3600, .most_day = 10},
};

const struct try_law *try_law(enum try_kind k)
{
	return &laws[k];
}

unsigned try_minutes(int64_t until_us, int64_t now_us)
{
	int64_t minutes = until_us > now_us ? (until_us - now_us - 1) / MINUTE_US + 1 : 1;

	return minutes < DAY_MINUTE ? (unsigned)minutes : DAY_MINUTE;
}
