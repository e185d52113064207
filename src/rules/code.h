/* code: the law of a verification code, pure. Numbers of enums are stored: never renumber. */
#ifndef RULES_CODE_H
#define RULES_CODE_H

enum code_verdict {
	CODE_OPEN = 0, /* never stored: a code without a verdict */
	CODE_APPROVED = 1,
	CODE_EXHAUSTED = 2, /* every try was wrong */
	CODE_CANCELLED = 3,
	CODE_SUPERSEDED = 4, /* by a newer one for the same phone and purpose */
	CODE_EXPIRED = 5,
};

/* "unknown" for a number that is none. */
const char *code_verdict_name(enum code_verdict v);

#endif
