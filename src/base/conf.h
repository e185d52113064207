/* conf: config/kezek.yaml as a const snapshot. conf.c has the one table of its keys. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdint.h>

#include "base/keys.h"
#include "base/yaml.h"

/* So many rows the database counts within a second, when Redis has lost all. */
#define CONF_GUARD_DAY_MAX 1000000

/* Fields stand in the order of the table; texts are owned by the snapshot; times in milliseconds. Paths are
 * resolved against the file's folder. */
struct conf {
	char *http_listen, *http_tls_cert, *http_tls_key;
	int64_t http_header_limit, http_body_limit, http_connections, http_connections_per_peer, http_memory;
	int64_t http_request_ms, http_idle_ms, http_write_ms;
	char *control_socket;
	char *database_conninfo, *database_password_file;
	int64_t database_connections, database_connect_ms, database_job_ms;
	int64_t database_batch_rows, database_batch_ms;
	char *redis_address, *redis_password_file;
	char *operators, *templates, *purposes, *regions, *holidays, *keyring;
	char *ussd_dialog, *ussd_services, *texts_dial, *texts_helpline;
	int64_t ussd_continue_ms;
	int64_t queue_max_messages, queue_max_age_ms;
	int64_t message_max_parts, message_life_code_ms, message_life_notice_ms, message_life_bulk_ms;
	int64_t message_attempts, message_retry_min_ms, message_retry_max_ms, message_in_doubt_ms,
	    message_receipt_wait_ms;
	int64_t notice_number_wait_ms, notice_receipt_wait_ms;
	int64_t codes_failures, codes_lock_ms, codes_resends, codes_resends_day;
	int64_t codes_wait_first_ms, codes_wait_second_ms, codes_wait_later_ms;
	struct key_list guard_ranges;
	int64_t guard_phone_hour, guard_phone_day, guard_prefix_hour, guard_key_minute, guard_address_hour,
	    guard_day;
	int64_t guard_conversion_sends, guard_conversion_percent, guard_hold_ms;
	int64_t webhook_timeout_ms, webhook_in_flight, webhook_retry_min_ms;
	bool webhook_allow_private;
	char *webhook_tls_ca;
	char *mail_url;
	int mail_starttls; /* enum mail_starttls */
	char *mail_user, *mail_password_file, *mail_from, *mail_from_name, *mail_tls_ca, *mail_unsubscribe,
	    *mail_templates;
	int64_t mail_timeout_ms, mail_connections;
	int64_t retention_messages_ms, retention_personal_ms;
	int64_t shutdown_ms;
	int log_level;
	/* read from the files named above; wiped when freed; "" when none is named */
	char *database_password, *redis_password, *mail_password;
	struct yaml *source; /* for conf_fault */
};

/* NULL with lines in faults when anything is wrong. */
struct conf *conf_load(const char *path, struct faults *faults);
void conf_free(struct conf *c);
/* A fault of the key's value that another room finds, at the place where the file says it, else its section.
 */
void conf_fault(const struct conf *c, const char *key, struct faults *faults, const char *what);
/* The first key that differs and needs a restart, NULL when none. */
const char *conf_fixed_difference(const struct conf *a, const struct conf *b);
/* The table for people. */
void conf_help(struct buf *out);

#endif
