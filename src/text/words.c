#include "text/words.h"

const struct words words_usual = {"1234", "1414"};

struct words words_of(const struct conf *c)
{
	return (struct words){c->texts_dial, c->texts_helpline};
}

void words_put(struct yaml *y, const struct words *w)
{
	yaml_put(y, "{dial}", w->dial);
	yaml_put(y, "{helpline}", w->helpline);
}
