/* smsc_options_body: what smsc_options.c (the table) and smsc_options_list.c (options that hold two values,
 * or may be given again) share. False: why has the reason in words. */
#ifndef TOOLS_SMSC_OPTIONS_BODY_H
#define TOOLS_SMSC_OPTIONS_BODY_H

#include "smsc_options.h"

#define SMSC_COUNT_MAX 1000000000

/* STATUS:PREFIX */
bool smsc_options_refuse(struct smsc_options *o, const char *text, char why[160]);
/* A form of receipts. */
bool smsc_options_odd(struct smsc_options *o, const char *text, char why[160]);
/* N:STATUS */
bool smsc_options_every(int64_t *ret_every, uint32_t *ret_status, const char *text, char why[160]);

#endif
