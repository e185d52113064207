/* record_show: a record as clients see it. Of persons the last four digits, of phones a mask; names whole and
 * the email address only for who may see names. */
#ifndef API_RECORD_SHOW_H
#define API_RECORD_SHOW_H

#include <jansson.h>

#include "store/records.h"

/* names: the caller may see them. opened: the persons of an application are there. */
json_t *record_show(const struct record *r, int64_t seq, bool opened, bool names);

#endif
