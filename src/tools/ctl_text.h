/* ctl_text: values as a person at a terminal reads them. What comes from the daemon may hold what an operator
 * or a client wrote, so nothing of it reaches the terminal before ctl_text_clean. */
#ifndef TOOLS_CTL_TEXT_H
#define TOOLS_CTL_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Adds UTF-8 text with every control character, line break and direction mark as U+FFFD. */
void ctl_text_clean(struct buf *out, const char *text);
/* "12 s", "3 min 20 s", "2 h 5 min", "4 d 3 h". */
void ctl_text_age(struct buf *out, int64_t ms);
/* The same, but exact below a minute: "850 ms", "12.345 s". */
void ctl_text_duration(struct buf *out, int64_t ms);
/* Local time with milliseconds of an RFC 3339 text, the text itself when it is none.
 * date: "2026-11-22 23:44:01.123 +0500", else "23:44:01.123". */
void ctl_text_time(struct buf *out, const char *rfc3339, bool date);
/* A string, number or boolean, cleaned; those of a list with ", " between; nothing for anything else. value
 * may not be NULL. */
void ctl_text_value(struct buf *out, const json_t *value);
/* Rates: at most one decimal, none when whole. */
void ctl_text_rate(struct buf *out, double per_second);
/* JSON for people and programs, indented, with the control characters that jansson leaves written as \u00XX.
 */
void ctl_text_json(struct buf *out, const json_t *value);

/* Fields of an object, of the wanted type or the fallback. */
const char *ctl_text_field(const json_t *object, const char *name, const char *fallback);
/* At most a thousand million millions either way, so that it can be counted with. */
int64_t ctl_number_field(const json_t *object, const char *name);
double ctl_real_field(const json_t *object, const char *name);

#endif
