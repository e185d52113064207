/* import: records as a stream of lines, in pieces: each a request of whole lines, which says the number of
 * its first one. What was taken of an import is in the database with the records themselves, so that whoever
 * was cut short asks for the next line and goes on. */
#ifndef API_IMPORT_H
#define API_IMPORT_H

#include "api/door.h"

/* ?import=ID&line=N, and notices=yes where they are wanted. 200: all lines of the piece are judged, also
 * those that were before; faults are those of its lines. */
void import_take(struct door *d, struct call *c, const struct door_caller *who, const char *id);
/* Where it is, and what was wrong, with ?after=LINE of later lines alone. */
void import_show(struct door *d, struct call *c, const struct door_caller *who, const char *id);

#endif
