/* status: what a command_status of an operator means for a message: a table of data that a profile overrides.
 */
#ifndef SMPP_STATUS_H
#define SMPP_STATUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

enum status_class {
	STATUS_OK,
	STATUS_SLOW,      /* same link, later, without using an attempt: throttled, queue full */
	STATUS_TEMPORARY, /* back-off, limited attempts, then another link */
	STATUS_REROUTE,   /* once by another carrier */
	STATUS_FINAL,     /* never again */
	STATUS_LINK,      /* the link is not allowed to do this: stop or rebind, alarm */
	STATUS_BUG,       /* our octets are wrong: never the same again, alarm */
	STATUS_CLASSES
};

/* One row of an override: statuses from..to mean class. */
struct status_rule {
	uint32_t from, to;
	enum status_class class;
};

/* The first of the rules that fits (n may be 0), else the default table of reference; unknown is
 * STATUS_TEMPORARY. */
enum status_class status_class(uint32_t status, const struct status_rule *rules, size_t n);
/* "slow", "temporary", ... */
const char *status_class_name(enum status_class c);
enum kz status_class_parse(const char *text, enum status_class *ret) KZ_CHECK;
/* "ESME_RTHROTTLED" or "0x0000055f"; room has 12 octets; returns a static text or room. */
const char *status_name(uint32_t status, char room[12]);

#endif
