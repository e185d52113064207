/* smsc_block: an SMS, a page and a line as a terminal shows them: nothing of a peer can move the cursor.
 * Pure. */
#ifndef TOOLS_SMSC_BLOCK_H
#define TOOLS_SMSC_BLOCK_H

#include <stdint.h>

#include "base/buf.h"
#include "smsc_report.h"

#define SMSC_BLOCK_TIME 16

/* "18:23:06.123" in local time; returns text. */
char *smsc_block_time(int64_t wall_us, char text[SMSC_BLOCK_TIME]);
/* Appends the text with control characters and what is no UTF-8 as middle dots. */
void smsc_block_plain(const char *text, struct buf *out);
/* Appends the head line and the framed text. */
void smsc_block_sms(const struct smsc_sms *sms, int64_t wall_us, struct buf *out);
void smsc_block_page(const struct smsc_page *page, int64_t wall_us, struct buf *out);

#endif
