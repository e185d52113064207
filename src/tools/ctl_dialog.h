/* ctl_dialog: what the commands on dialogs share: kezekctl dialog and kezekctl dial --offline. */
#ifndef TOOLS_CTL_DIALOG_H
#define TOOLS_CTL_DIALOG_H

#include "ctl_command.h"
#include "ussd/dialog.h"

/* Where an installation has them. */
#define CTL_DIALOG_MENU     "/etc/kezek/dialogs/kindergarten.yaml"
#define CTL_DIALOG_SERVICES "/etc/kezek/dialogs/services.yaml"

/* NULL with lines in faults. */
struct dialog *ctl_dialog_load(const char *menu, const char *services, struct faults *faults);

/* The verbs of kezekctl dialog; argv[0] is a name for messages. */
int ctl_dialog_check(struct ctl *c, int argc, char **argv);
int ctl_dialog_graph(struct ctl *c, int argc, char **argv);
int ctl_dialog_pages(struct ctl *c, int argc, char **argv);
int ctl_dialog_replay(struct ctl *c, int argc, char **argv);

#endif
