/* ussd_body: what the two files of ussd share: ussd.c (what comes in) and ussd_put.c (what goes out). */
#ifndef SMPP_USSD_BODY_H
#define SMPP_USSD_BODY_H

#include "smpp/ussd.h"

#define USSD_PSSD_INDICATION 0  /* a code that is answered by one page and no more */
#define USSD_PSSD_RESPONSE   16 /* SMPP 3.4, 5.3.2.44 */
#define USSD_END_BIT         1u /* of its_session_info, 5.3.2.43 */

/* The TLV that has the key; 0: none has. */
uint16_t ussd_key_tag(const struct profile_ussd *u);
/* Writes peer's key: n octets (0 to 8) with the mask on the last four, and the phone when it is part. */
void ussd_make_key(const struct profile_ussd *u, const uint8_t *octets, size_t n, struct msisdn phone,
    struct ussd_peer *peer);
void ussd_add_echo(struct ussd_peer *peer, uint16_t tag, const uint8_t *value, size_t n);

#endif
