/* ctl_dial_live: a phone in the terminal against the daemon: dials, shows each page and sends what is typed,
 * a line an answer, until the last page. The end of the input hangs up. */
#ifndef TOOLS_CTL_DIAL_LIVE_H
#define TOOLS_CTL_DIAL_LIVE_H

#include "ctl_command.h"

/* phone: as the person wrote it. Returns the exit code, all said. */
int ctl_dial_live(const struct ctl *c, const char *phone, const char *code);

#endif
