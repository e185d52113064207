/* preview: what a message will be, and why it cannot come now, as clients are told. */
#ifndef API_PREVIEW_H
#define API_PREVIEW_H

#include <jansson.h>

#include "api/problem.h"
#include "flow/send.h"

/* What dry_run answers. */
json_t *preview_json(
    struct msisdn to, const char *text, const struct send_preview *v, enum message_class class);
/* What send_admits says. */
struct problem preview_not_admitted(enum kz r, enum message_class class, unsigned after_s);

#endif
