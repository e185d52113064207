/* spot: where in the text of a file something can be changed. */
#ifndef TESTS_DIALOGS_SPOT_H
#define TESTS_DIALOGS_SPOT_H

#include "fault.h"

#define SPOTS 16384

/* A piece of a file: of the text that is to be changed, or of a whole line. */
struct spot {
	size_t at, n;
};

struct spots {
	struct spot all[SPOTS];
	size_t n;
};

size_t random_below(struct bench *b, size_t n);
struct spot spot_any(struct bench *b, const struct spots *s);
/* To be freed. */
char *spot_text(const struct bench *b, int file, struct spot s);
/* Every word of name characters right behind each `before`; appended, as by the others. */
void spots_behind(const char *text, const char *before, struct spots *s);
/* Texts in quotes behind kk, ru and en: what stands between them. */
void spots_texts(const char *text, struct spots *s);
/* "name: screen" pairs of results: {...}: the whole pair with the comma behind it. */
void spots_branches(const char *text, struct spots *s);
/* Each letter of those texts that looks like one of the other alphabet. */
void spots_twins(const char *text, const struct spots *texts, struct spots *s);
/* That letter; NULL: none does. *ret_n: octets of the one at `at`. */
const char *twin_of(const char *at, size_t *ret_n);
/* The file with the spot as `to`. */
void fault_put(const struct bench *b, struct fault *f, int file, struct spot s, const char *to);

#endif
