/* email: named emails in Kazakh, Russian and English, a subject and a text each, from dialogs/mail.yaml. As
 * with templates, one that lacks a language or a parameter, or of which a subject may become too long, does
 * not load. */
#ifndef TEXT_EMAIL_H
#define TEXT_EMAIL_H

#include "base/yaml.h"
#include "text/template.h"
#include "text/words.h"

#define EMAIL_SUBJECT 200   /* octets of a subject at most, filled */
#define EMAIL_TEXT    40000 /* of a text: TEMPLATE_MAX_TEXT and as many of the longest values as it may have */

struct emails;

/* Always returns; what is wrong is in faults. */
struct emails *emails_load(const char *path, const struct words *w, struct faults *faults);
void emails_free(struct emails *e); /* NULL is fine */
/* Both of the same parameters, to be filled by template_fill_trusted; as long as the emails live; NULL when
 * there is none of the name. */
const struct template *email_subject(const struct emails *e, const char *name);
const struct template *email_text(const struct emails *e, const char *name);

#endif
