/* log: one line per event to standard error, id first, logfmt-like words after it. Never a code, a password
 * or a text; phone numbers only masked (msisdn_masked). With a journal behind stderr each line carries its
 * priority. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are dropped; LOG_LEVEL_INFO until set. */
void log_set_level(enum log_level level);
/* id: what the line is about ("kcell.1", a message's id, "http"); octets outside printable UTF-8 are
 * replaced. Of one kind about one subject only so many lines are written (base/log_bound.h), then how many
 * were left out; debug has no bound, and an error is left out the first time only in a flood of others. */
void log_line(enum log_level level, const char *id, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
