#include "base/result.h"

const char *kz_name(enum kz r)
{
	static const char *const names[] = {
	    [KZ_OK] = "ok",
	    [KZ_BUSY] = "busy",
	    [KZ_LOST] = "lost",
	    [KZ_REFUSED] = "refused",
	    [KZ_NOT_FOUND] = "not_found",
	    [KZ_CONFLICT] = "conflict",
	    [KZ_EXPIRED] = "expired",
	    [KZ_INVALID] = "invalid",
	    [KZ_TOO_LONG] = "too_long",
	};

	return names[r];
}
