/* screen_body: numbers and pages of lists, shared by screen.c and engine.c. */
#ifndef USSD_SCREEN_BODY_H
#define USSD_SCREEN_BODY_H

#include "ussd/screen.h"

#define SCREEN_ITEMS 5 /* of a list on a page at most */

/* What is pressed for item i of a list, from 0: the same on whatever page it stands. 9, 0 and 00 are the
 * navigation's. */
unsigned screen_item_number(size_t i);

#endif
