/* ctl_replay: transcripts: what is typed and what the phone shows, walked over a dialog and held against what
 * it shows now. */
#ifndef TOOLS_CTL_REPLAY_H
#define TOOLS_CTL_REPLAY_H

#include "base/buf.h"
#include "ussd/dialog.h"

struct replay;

struct replay *replay_new(const struct dialog *d);
void replay_free(struct replay *r);
/* Walks all transcripts of the file; what differs is in faults, with file and line. Answers how many. When
 * out is not NULL the file is written to it as it should be: with what the phone shows now. */
size_t replay_file(struct replay *r, const char *path, struct buf *out, struct faults *faults);
/* A line for each screen, option, result and error of the dialog that no transcript came to. */
void replay_uncovered(const struct replay *r, struct faults *faults);

#endif
