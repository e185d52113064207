/* open_data: GET /v1/vacancies and GET /v1/referrals: what anybody may see, with filters, a page at a time.
 */
#ifndef API_OPEN_DATA_H
#define API_OPEN_DATA_H

#include "api/door.h"

void open_data_vacancies(struct door *d, struct call *c, const struct door_caller *who, const char *id);
/* Of a child the first letter of its name and its year, unless the caller may see names. */
void open_data_referrals(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif
