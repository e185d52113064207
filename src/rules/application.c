#include "rules/application.h"

#include <string.h>

static const char *const status_names[APPLICATION_STATUSES] = {
    "waiting", "referred", "enrolling", "enrolled", "withdrawn", "annulled", "archived"};

bool application_is_over(enum application_status s)
{
	return s != APPLICATION_WAITING && s != APPLICATION_REFERRED && s != APPLICATION_ENROLLING;
}

const char *application_status_name(enum application_status s)
{
	return (unsigned)s < APPLICATION_STATUSES ? status_names[s] : "unknown";
}

enum kz application_status_parse(const char *text, enum application_status *ret)
{
	for (enum application_status s = 0; s < APPLICATION_STATUSES; s++)
		if (!strcmp(text, status_names[s])) {
			*ret = s;
			return KZ_OK;
		}
	return KZ_INVALID;
}

enum kz application_told(
    enum application_status now, bool referred, enum application_status told, enum application_status *ret)
{
	if (told != APPLICATION_WAITING && told != APPLICATION_ENROLLED && told != APPLICATION_WITHDRAWN &&
	    told != APPLICATION_ARCHIVED)
		return KZ_INVALID;
	if (referred && told != APPLICATION_WAITING)
		return KZ_CONFLICT;
	*ret = referred ? now : told;
	return KZ_OK;
}
