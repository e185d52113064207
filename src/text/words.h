/* words: what texts of every kind name and the configuration says once: the short code of the menu and the
 * number of the help line. In a file of texts {dial} and {helpline} are these; they are put in when it is
 * read, so that its proof measures what a phone shows. */
#ifndef TEXT_WORDS_H
#define TEXT_WORDS_H

#include "base/conf.h"
#include "base/yaml.h"

/* Digits; they live as long as the configuration. */
struct words {
	const char *dial, *helpline;
};

/* Of a configuration that says nothing: for tools that have none. */
extern const struct words words_usual;

struct words words_of(const struct conf *c);
/* In all texts of y. */
void words_put(struct yaml *y, const struct words *w);

#endif
