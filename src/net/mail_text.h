/* mail_text: a letter as it goes over the wire (RFC 5322, MIME): headers of ASCII, the text in base64, so
 * that no line is longer than 998 octets or begins with a dot. */
#ifndef NET_MAIL_TEXT_H
#define NET_MAIL_TEXT_H

#include "base/buf.h"
#include "net/mail.h"

/* Appends headers and text, lines ended by CR LF. m has no fault; from and from_name are those of the client,
 * wall_us is the Date. */
void mail_text_write(
    const struct mail *m, const char *from, const char *from_name, int64_t wall_us, struct buf *out);

#endif
