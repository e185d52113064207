#include "rules/notice.h"

#include <string.h>

#define DAY_US (INT64_C(86400) * 1000000)

static const char *const kind_names[NOTICE_KINDS] = {"number", "offered", "taken", "remind", "accepted",
    "declined", "extended", "expired", "cancelled", "place", "documents", "phone"};
static const char *const state_names[NOTICE_STATES] = {"waiting", "sent", "delivered", "failed", "dropped"};
static const char *const channel_names[NOTICE_CHANNELS] = {"sms", "email"};

const char *notice_kind_name(enum notice_kind k)
{
	return (unsigned)k < NOTICE_KINDS ? kind_names[k] : "unknown";
}

const char *notice_state_name(enum notice_state s)
{
	return (unsigned)s < NOTICE_STATES ? state_names[s] : "unknown";
}

const char *notice_channel_name(enum notice_channel c)
{
	return (unsigned)c < NOTICE_CHANNELS ? channel_names[c] : "unknown";
}

enum kz notice_channel_parse(const char *text, enum notice_channel *ret)
{
	for (enum notice_channel c = 0; c < NOTICE_CHANNELS; c++)
		if (!strcmp(text, channel_names[c])) {
			*ret = c;
			return KZ_OK;
		}
	return KZ_INVALID;
}

static int64_t notice_local_day(const struct region *r, int64_t at_us)
{
	return (at_us + r->offset_min * 60000000) / DAY_US;
}

int64_t notice_due_us(enum notice_kind k, const struct region *r, int64_t now_us, int64_t end_us)
{
	int64_t quiet_us = region_quiet_until(r, now_us);

	if (k == NOTICE_NUMBER)
		return now_us;
	if (end_us && (end_us <= quiet_us || notice_local_day(r, end_us) == notice_local_day(r, now_us)))
		return now_us;
	return quiet_us;
}
