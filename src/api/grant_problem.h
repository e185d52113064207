/* grant_problem: why a place was not given, or a referral not changed, as clients see it. */
#ifndef API_GRANT_PROBLEM_H
#define API_GRANT_PROBLEM_H

#include "api/problem.h"
#include "flow/places.h"

/* What a take, or a change of a referral, that was not answered KZ_OK came to. */
struct problem grant_problem_take(enum kz r, const struct places_answer *a);
struct problem grant_problem_hear(enum kz r, const struct places_answer *a);
/* Of a referral that was put. */
struct problem grant_problem_put(enum kz r, const struct places_answer *a);

#endif
