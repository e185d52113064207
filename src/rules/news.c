#include "rules/news.h"

static const char *const kind_names[NEWS_KINDS] = {"referral.taken", "referral.accepted", "referral.declined",
    "referral.extended", "referral.expired", "referral.cancelled", "phone.changed", "application.requested",
    "watcher.added", "notice.late"};
static const char *const via_names[NEWS_VIAS] = {"portal", "ussd", "clock"};

const char *news_kind_name(enum news_kind k)
{
	return (unsigned)k < NEWS_KINDS ? kind_names[k] : "unknown";
}

const char *news_via_name(enum news_via v)
{
	return (unsigned)v < NEWS_VIAS ? via_names[v] : "unknown";
}
