/* grant_wish: one JSON object of a client -> a referral as the portal's records say it. Every member is
 * checked; unknown ones are refused. */
#ifndef API_GRANT_WISH_H
#define API_GRANT_WISH_H

#include <jansson.h>

#include "api/problem.h"
#include "flow/places.h"

#define GRANT_REFERRAL_MAX 999999    /* a referral's number */
#define GRANT_ID_MAX       999999999 /* an application's, a group's */

/* 1..most in decimal; KZ_INVALID else. */
enum kz grant_number(const char *text, uint64_t most, uint64_t *ret) KZ_CHECK;
/* {"group": N}. KZ_INVALID with *ret_problem set. */
enum kz grant_wish_group(const json_t *o, uint64_t *ret, struct problem *ret_problem) KZ_CHECK;
/* All of a referral but its number, ret->referral. As grant_wish_group. */
enum kz grant_wish_read(const json_t *o, struct places_put *ret, struct problem *ret_problem) KZ_CHECK;
/* {}. As grant_wish_group. */
enum kz grant_wish_none(const json_t *o, struct problem *ret_problem) KZ_CHECK;

#endif
