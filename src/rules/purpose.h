/* purpose: what verification codes are asked for and what those of each purpose are like, from
 * config/purposes.yaml. Proved against the templates when it is loaded: the text of a purpose can be written
 * in every language, and fits. */
#ifndef RULES_PURPOSE_H
#define RULES_PURPOSE_H

#include "base/keys.h"
#include "rules/code.h"
#include "rules/message.h"
#include "text/template.h"

#define PURPOSE_MAX  32 /* in one file */
#define PURPOSE_NAME 32 /* characters: a-z, 0-9 and _ */

enum purpose_binding { PURPOSE_BINDING_NONE, PURPOSE_BINDING_OPTIONAL, PURPOSE_BINDING_REQUIRED };

/* One purpose; lives as long as its purposes. */
struct purpose {
	char *name;
	char *template;
	int64_t length;  /* digits of a code that kezek makes, 6..10 */
	size_t longest;  /* of a code that the portal makes: what its texts have room for, length..10 */
	int64_t life_ms; /* of digits, a minute to ten */
	int64_t tries;   /* 1..5 */
	int lane;        /* enum message_class: MESSAGE_CODE or MESSAGE_NOTICE */
	int binding;     /* enum purpose_binding */
	int resend;      /* enum code_again */
	struct key_list fallback;
	bool other_link, second_phone; /* what fallback says */
	int64_t receipt_wait_ms;       /* without a good receipt after this the fallback is tried */
	char *host;                    /* of the last line for browsers, "@host #code"; "": none */
	const struct template *text;
};

struct purposes;

/* Always returns; what is wrong is in faults. Keeps pointers into t, which must outlive it. */
struct purposes *purposes_load(const char *path, const struct templates *t, struct faults *faults);
void purposes_free(struct purposes *p);
size_t purposes_count(const struct purposes *p);
/* In the order of the file; i below the count. */
const struct purpose *purposes_at(const struct purposes *p, size_t i);
/* NULL when there is none of the name. */
const struct purpose *purpose_find(const struct purposes *p, const char *name);
/* The table of a purpose's keys for people. */
void purpose_help(struct buf *out);

/* Appends the text of a code that is good for left_ms more, with CODE_HOLE in each place of the digits:
 * code_fill makes of it what is sent, which is fit for the phone. */
void purpose_text(const struct purpose *p, enum language l, int64_t left_ms, struct buf *out);

#endif
