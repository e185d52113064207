/* fault: one slip of an author's, put into the text of the menu or of its services. Knows nothing of the
 * proof: of what a change means it has only what its kind says. */
#ifndef TESTS_DIALOGS_FAULT_H
#define TESTS_DIALOGS_FAULT_H

#include "ussd/dialog.h"

#define FAULT_KINDS 12

/* The files as they are. */
struct bench {
	char *file[2]; /* the dialog, the services */
	size_t len[2];
	struct dialog *dialog; /* of the files as they are */
	uint64_t random;       /* never 0; the same faults for the same one, everywhere */
};

/* What has become of one of them. */
struct fault {
	int file;
	struct buf text;
	char what[200];
};

const char *fault_name(size_t kind);
/* The file that it is in differs from what it was. */
void fault_make(struct bench *b, size_t kind, struct fault *f);

#endif
