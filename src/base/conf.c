#include "base/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

#define SECOND 1000LL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static const char *const starttls[] = {"required", "off", NULL};
static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};

#define AT(field) offsetof(struct conf, field)

/* One key a row. */
/* clang-format off */
static const struct key table[] = {
	{"http.listen", KEY_TEXT, AT(http_listen), "127.0.0.1:8080", 0, 0, NULL, false, "",
	    "Address of the portal's door: host:port, [v6]:port or *:port."},
	{"http.tls_cert", KEY_TEXT, AT(http_tls_cert), "", 0, 0, NULL, false, "",
	    "PEM file of the door's certificate chain; empty: plain HTTP."},
	{"http.tls_key", KEY_TEXT, AT(http_tls_key), "", 0, 0, NULL, false, "",
	    "PEM file of the private key that belongs to http.tls_cert."},
	{"http.header_limit", KEY_BYTES, AT(http_header_limit), "16k", 1024, 65536, NULL, true, "octets",
	    "Longest request line and headers together."},
	{"http.body_limit", KEY_BYTES, AT(http_body_limit), "1m", 1024, 16 << 20, NULL, true, "octets",
	    "Longest request body."},
	{"http.connections", KEY_INT, AT(http_connections), "12000", 1, 60000, NULL, true, "",
	    "Open connections at most."},
	{"http.connections_per_peer", KEY_INT, AT(http_connections_per_peer), "11000", 1, 60000, NULL, true, "",
	    "Open connections at most from one address."},
	{"http.memory", KEY_BYTES, AT(http_memory), "128m", 1 << 20, INT64_C(16) << 30, NULL, true, "octets",
	    "Octets of all requests that are held at once; beyond it a client that sent over 8 KiB of one gets 503."},
	{"http.request_timeout", KEY_MS, AT(http_request_ms), "10s", 100, 5 * MINUTE, NULL, true, "",
	    "From the first octet of a request to its last, however slowly they come."},
	{"http.idle_timeout", KEY_MS, AT(http_idle_ms), "60s", SECOND, HOUR, NULL, true, "",
	    "A connection without a request is closed after this."},
	{"http.write_timeout", KEY_MS, AT(http_write_ms), "20s", SECOND, 5 * MINUTE, NULL, true, "",
	    "A client that does not read its answer is closed after this."},
	{"control.socket", KEY_TEXT, AT(control_socket), "/run/kezek/control.sock", 0, 100, NULL, false, "",
	    "Unix socket for kezekctl; whoever may open it may do everything."},
	{"database.conninfo", KEY_TEXT, AT(database_conninfo), "dbname=kezek user=kezek host=/var/run/postgresql", 0, 0,
	    NULL, false, "", "libpq's connection string; several hosts and target_session_attrs=read-write are welcome. Give addresses, "
	    "hostaddr or a socket's folder: a host name is looked up by libpq, and a silent name server holds up everything."},
	{"database.password_file", KEY_TEXT, AT(database_password_file), "", 0, 0, NULL, false, "",
	    "File with the database password; empty: none."},
	{"database.connections", KEY_INT, AT(database_connections), "4", 2, 16, NULL, false, "",
	    "Connections for messages and events; one more holds the slot."},
	{"database.connect_timeout", KEY_MS, AT(database_connect_ms), "5s", 100, MINUTE, NULL, false, "",
	    "A connection attempt that takes longer is given up."},
	{"database.job_timeout", KEY_MS, AT(database_job_ms), "10s", 100, 5 * MINUTE, NULL, false, "",
	    "A transaction that is not answered in time counts as lost; the connection is made anew."},
	{"database.batch_rows", KEY_INT, AT(database_batch_rows), "256", 1, 2000, NULL, true, "rows",
	    "A group commit takes at most so many requests or events."},
	{"database.batch_wait", KEY_MS, AT(database_batch_ms), "2ms", 0, 100, NULL, true, "",
	    "A request waits at most so long for neighbours to be committed with."},
	{"redis.address", KEY_TEXT, AT(redis_address), "127.0.0.1:6379", 0, 100, NULL, false, "",
	    "Redis: numeric host:port, or unix:/path; empty: none."},
	{"redis.password_file", KEY_TEXT, AT(redis_password_file), "", 0, 0, NULL, false, "",
	    "File with the Redis password; empty: none."},
	{"operators", KEY_TEXT, AT(operators), "operators", 0, 0, NULL, true, "",
	    "Folder of the operators' profiles, *.yaml; relative to this file's folder."},
	{"templates", KEY_TEXT, AT(templates), "../dialogs/sms.yaml", 0, 0, NULL, true, "",
	    "File of the SMS templates; relative to this file's folder."},
	{"purposes", KEY_TEXT, AT(purposes), "purposes.yaml", 0, 0, NULL, true, "",
	    "File of the purposes of verification codes; relative to this file's folder."},
	{"regions", KEY_TEXT, AT(regions), "regions", 0, 0, NULL, true, "",
	    "Folder of the regions' law of the queue, *.yaml; relative to this file's folder."},
	{"holidays", KEY_TEXT, AT(holidays), "holidays.yaml", 0, 0, NULL, true, "",
	    "File of the days off, by which working days are counted; relative to this file's folder."},
	{"keyring", KEY_TEXT, AT(keyring), "keyring", 0, 0, NULL, true, "",
	    "File of the secret keys by which numbers, texts and codes at rest are sealed and marked; kezekctl keyring new makes one."},
	{"texts.dial", KEY_TEXT, AT(texts_dial), "1234", 0, 11, NULL, true, "",
	    "The short code of the menu, as SMS, emails and pages name it: {dial} in their files. The operators' ussd.codes have it too."},
	{"texts.helpline", KEY_TEXT, AT(texts_helpline), "1414", 0, 11, NULL, true, "",
	    "The number of the help line: {helpline} in the same files."},
	{"ussd.dialog", KEY_TEXT, AT(ussd_dialog), "", 0, 0, NULL, true, "",
	    "File of the menu that parents dial; relative to this file's folder; empty: there is none, who dials is refused."},
	{"ussd.services", KEY_TEXT, AT(ussd_services), "../dialogs/services.yaml", 0, 0, NULL, true, "",
	    "File of the contracts of the services that the menu asks; relative to this file's folder."},
	{"ussd.continue", KEY_MS, AT(ussd_continue_ms), "15m", 60000, 3600000, NULL, true, "",
	    "For so long a call that was dropped can be gone on with, by dialling again."},
	{"queue.max_messages", KEY_INT, AT(queue_max_messages), "200000", 100, 5000000, NULL, true, "messages",
	    "Accepted and not yet submitted messages in memory at most; beyond it the door answers 429, and for one operator's class "
	    "already when that has more than what is left, so at half when it is alone. A quarter of the places is for codes."},
	{"queue.max_age", KEY_MS, AT(queue_max_age_ms), "15m", SECOND, DAY, NULL, true, "",
	    "When the oldest message of a class for an operator waits longer, or longer than half of the class's life, the door "
	    "answers 429 for that class and operator."},
	{"message.max_parts", KEY_INT, AT(message_max_parts), "10", 1, 32, NULL, true, "segments",
	    "A text that needs more SMS than this is refused."},
	{"message.life_code", KEY_MS, AT(message_life_code_ms), "5m", 10 * SECOND, HOUR, NULL, true, "",
	    "How long a message of class code lives when expires_at is not given."},
	{"message.life_notice", KEY_MS, AT(message_life_notice_ms), "24h", MINUTE, 7 * DAY, NULL, true, "",
	    "The same for class notice."},
	{"message.life_bulk", KEY_MS, AT(message_life_bulk_ms), "24h", MINUTE, 7 * DAY, NULL, true, "",
	    "The same for class bulk."},
	{"message.attempts", KEY_INT, AT(message_attempts), "8", 1, 100, NULL, true, "",
	    "Submissions of one message that may end in a temporary refusal before it has failed."},
	{"message.retry_min", KEY_MS, AT(message_retry_min_ms), "5s", 10, HOUR, NULL, true, "",
	    "Wait before the second attempt; doubled for each further one."},
	{"message.retry_max", KEY_MS, AT(message_retry_max_ms), "10m", 10, DAY, NULL, true, "",
	    "Longest wait between attempts."},
	{"message.in_doubt_wait", KEY_MS, AT(message_in_doubt_ms), "60s", 10, HOUR, NULL, true, "",
	    "A notice or bulk message that was written and not answered waits so long for a late receipt before it goes again."},
	{"message.receipt_wait", KEY_MS, AT(message_receipt_wait_ms), "3d", 10 * SECOND, 7 * DAY, NULL, true, "",
	    "A message that an operator took ends as unconfirmed when no final receipt has come after this."},
	{"notice.number_wait", KEY_MS, AT(notice_number_wait_ms), "3m", 10 * SECOND, 10 * MINUTE, NULL, true, "",
	    "The SMS with the number of an application that has no good receipt after this goes by another link, then to the second phone."},
	{"notice.receipt_wait", KEY_MS, AT(notice_receipt_wait_ms), "6h", 10 * SECOND, 7 * DAY, NULL, true, "",
	    "The same for all other notices; what ended badly goes at once."},
	{"codes.failures", KEY_INT, AT(codes_failures), "10", 1, 10, NULL, true, "",
	    "Wrong tries of a phone within an hour, over all its codes, before it is locked."},
	{"codes.lock", KEY_MS, AT(codes_lock_ms), "1h", HOUR, DAY, NULL, true, "",
	    "How long the first lock lasts; each further one within a day twice as long as the one before, a day at most."},
	{"codes.resends", KEY_INT, AT(codes_resends), "5", 0, 10, NULL, true, "", "Resends of one code at most."},
	{"codes.resends_day", KEY_INT, AT(codes_resends_day), "10", 0, 100, NULL, true, "",
	    "Resends to one phone within a day at most, over all its codes."},
	{"codes.wait_first", KEY_MS, AT(codes_wait_first_ms), "60s", SECOND, HOUR, NULL, true, "",
	    "After a code was sent to a phone, the wait until one may be sent to it again."},
	{"codes.wait_second", KEY_MS, AT(codes_wait_second_ms), "120s", SECOND, HOUR, NULL, true, "",
	    "The wait after the second in a row without an approval."},
	{"codes.wait_later", KEY_MS, AT(codes_wait_later_ms), "300s", SECOND, HOUR, NULL, true, "",
	    "The wait after every further one."},
	{"guard.ranges", KEY_LIST, AT(guard_ranges), "+77", 0, 16, NULL, true, "",
	    "Numbers that codes are sent to: those that begin so, each + and up to 11 digits, the first a 7."},
	{"guard.phone_hour", KEY_INT, AT(guard_phone_hour), "8", 1, 1000, NULL, true, "",
	    "Codes sent to one phone within an hour at most, resends too."},
	{"guard.phone_day", KEY_INT, AT(guard_phone_day), "20", 1, 1000, NULL, true, "", "The same within a day."},
	{"guard.prefix_hour", KEY_INT, AT(guard_prefix_hour), "100", 1, 10000, NULL, true, "",
	    "Codes sent within an hour to numbers that differ in their last four digits only."},
	{"guard.key_minute", KEY_INT, AT(guard_key_minute), "6000", 1, 1000000, NULL, true, "",
	    "Codes that one API key may ask for within a minute."},
	{"guard.address_hour", KEY_INT, AT(guard_address_hour), "30", 1, 100000, NULL, true, "",
	    "Codes within an hour for one end user's address, when the portal gives it."},
	{"guard.day", KEY_INT, AT(guard_day), "200000", 1, CONF_GUARD_DAY_MAX, NULL, true, "",
	    "Codes within a day, over everything: what an attack may cost at most."},
	{"guard.conversion_sends", KEY_INT, AT(guard_conversion_sends), "40", 10, 50, NULL, true, "",
	    "Of the last 50 codes to numbers of one prefix so many must have been sent before it may be held."},
	{"guard.conversion_percent", KEY_INT, AT(guard_conversion_percent), "10", 0, 100, NULL, true, "",
	    "The prefix is held when fewer of them were approved; 0: never."},
	{"guard.hold", KEY_MS, AT(guard_hold_ms), "1h", MINUTE, 7 * DAY, NULL, true, "",
	    "How long a prefix is held."},
	{"webhook.timeout", KEY_MS, AT(webhook_timeout_ms), "10s", 100, MINUTE, NULL, true, "",
	    "An endpoint answers within this, or the webhook has failed."},
	{"webhook.in_flight", KEY_INT, AT(webhook_in_flight), "8", 1, 64, NULL, true, "",
	    "Webhooks that one endpoint is asked at once at most."},
	{"webhook.retry_min", KEY_MS, AT(webhook_retry_min_ms), "5s", 10, HOUR, NULL, true, "",
	    "First wait before a webhook that failed is told again; the others grow with it, each a day at most."},
	{"webhook.allow_private", KEY_BOOL, AT(webhook_allow_private), "no", 0, 0, NULL, false, "",
	    "Endpoints may have private, loopback and other addresses that are not public, and plain http."},
	{"webhook.tls_ca", KEY_TEXT, AT(webhook_tls_ca), "", 0, 0, NULL, false, "",
	    "PEM bundle of the authorities that endpoints' certificates are verified by; empty: the system's."},
	{"mail.url", KEY_TEXT, AT(mail_url), "", 0, 0, NULL, false, "",
	    "Server that takes emails further: smtp://host:port or smtps://host:port; empty: all notices go by SMS."},
	{"mail.starttls", KEY_CHOICE, AT(mail_starttls), "required", 0, 0, starttls, false, "",
	    "With smtp://: required, or off, never TLS, for a server on the same machine."},
	{"mail.user", KEY_TEXT, AT(mail_user), "", 0, 0, NULL, false, "",
	    "User at the mail server, said over TLS only; empty: no login."},
	{"mail.password_file", KEY_TEXT, AT(mail_password_file), "", 0, 0, NULL, false, "",
	    "File with the user's password; empty: none."},
	{"mail.from", KEY_TEXT, AT(mail_from), "", 0, 254, NULL, false, "",
	    "Sender's address; its domain is the name that the mail server is greeted by."},
	{"mail.from_name", KEY_TEXT, AT(mail_from_name), "", 0, 200, NULL, false, "",
	    "Sender's name, as mail programs show it."},
	{"mail.tls_ca", KEY_TEXT, AT(mail_tls_ca), "", 0, 0, NULL, false, "",
	    "PEM bundle of the authorities that the mail server's certificate is verified by; empty: the system's."},
	{"mail.unsubscribe", KEY_TEXT, AT(mail_unsubscribe), "", 0, 500, NULL, true, "",
	    "Where parents choose how they are told, https: or mailto:, for List-Unsubscribe; empty: none."},
	{"mail.templates", KEY_TEXT, AT(mail_templates), "../dialogs/mail.yaml", 0, 0, NULL, true, "",
	    "File of the emails' subjects and texts; relative to this file's folder."},
	{"mail.timeout", KEY_MS, AT(mail_timeout_ms), "30s", SECOND, 5 * MINUTE, NULL, false, "",
	    "The mail server takes a letter within this, or it is tried again later."},
	{"mail.connections", KEY_INT, AT(mail_connections), "2", 1, 8, NULL, false, "",
	    "Letters that the mail server is told at once, each on a connection and in a thread."},
	{"retention.messages", KEY_MS, AT(retention_messages_ms), "90d", 8 * DAY, 3660 * DAY, NULL, true, "",
	    "Messages and their events are dropped after this, by whole days; no message lives longer than 7 days."},
	{"retention.personal", KEY_MS, AT(retention_personal_ms), "30d", 8 * DAY, 3660 * DAY, NULL, true, "",
	    "Numbers and texts are dropped after this, by whole days."},
	{"shutdown_timeout", KEY_MS, AT(shutdown_ms), "30s", SECOND, 10 * MINUTE, NULL, true, "",
	    "On SIGTERM: the longest wait for open requests and operators' answers."},
	{"log.level", KEY_CHOICE, AT(log_level), "info", 0, 0, log_levels, true, "", "Least important lines that are written."},
};
/* clang-format on */
#define KEYS (sizeof table / sizeof *table)

/* path, unless empty or absolute, against the folder that file is in. */
static void conf_resolve(char **path, const char *file)
{
	const char *slash = strrchr(file, '/');

	if (!**path || **path == '/' || !slash)
		return;
	char *whole = mem_printf("%.*s/%s", (int)(slash - file), file, *path);
	free(*path);
	*path = whole;
}

/* Where the file says key, else other, else its first line. */
static const struct yaml_node *conf_place(const struct yaml_node *root, const char *key, const char *other)
{
	const struct yaml_node *n = keys_find(root, key);

	if (!n)
		n = keys_find(root, other);
	return n ? n : root;
}

static void conf_secret(
    const char *path, const char *key, const struct yaml_node *root, char **ret, struct faults *faults)
{
	const struct yaml_node *place = conf_place(root, key, key);
	enum kz r = KZ_OK;

	if (*path)
		r = secret_file(path, 256, ret);
	if (r == KZ_NOT_FOUND)
		faults_at(faults, place, "%s: %s cannot be read", key, path);
	else if (r != KZ_OK)
		faults_at(faults, place,
		    "%s: %s must hold one line of at most 256 characters without spaces, and not be writable "
		    "by everybody",
		    key, path);
	if (!*ret)
		*ret = mem_str("");
}

/* Of the numbers that there are, so that no slip of the pen lets none through, or all. */
static bool conf_is_range(const char *text)
{
	size_t n = strspn(text + (*text == '+'), "0123456789");

	return text[0] == '+' && text[1] == '7' && n <= 11 && !text[1 + n];
}

static void conf_check_range(const struct yaml_node *item, struct faults *faults)
{
	if (item->kind == YAML_TEXT && !conf_is_range(item->text))
		faults_at(faults, item, "guard.ranges: each item is + and 1 to 11 digits, the first a 7");
}

static void conf_check_ranges(const struct yaml_node *root, struct faults *faults)
{
	const struct yaml_node *n = keys_find(root, "guard.ranges");

	for (size_t i = 0; n && n->kind == YAML_LIST && i < n->count; i++)
		conf_check_range(&n->children[i], faults);
	if (n && n->kind == YAML_TEXT && *n->text)
		conf_check_range(n, faults);
}

static void conf_check_digits(
    const struct yaml_node *root, const char *key, const char *text, struct faults *faults)
{
	size_t n = strspn(text, "0123456789");

	if (n < 1 || text[n])
		faults_at(faults, conf_place(root, key, key), "%s: digits are expected", key);
}

/* What no single key can say. */
static void conf_check(struct conf *c, const struct yaml_node *root, struct faults *faults)
{
	if (!*c->http_tls_cert != !*c->http_tls_key)
		faults_at(faults, conf_place(root, "http.tls_cert", "http.tls_key"),
		    "http.tls_cert and http.tls_key: give both or none");
	if (strlen(c->control_socket) > 100)
		faults_at(faults, conf_place(root, "control.socket", "control.socket"),
		    "control.socket: longer than 100 characters with the folder it is in");
	if (c->message_retry_max_ms < c->message_retry_min_ms)
		faults_at(faults, conf_place(root, "message.retry_max", "message.retry_min"),
		    "message.retry_max: less than message.retry_min");
	if (c->retention_messages_ms < c->retention_personal_ms)
		faults_at(faults, conf_place(root, "retention.messages", "retention.personal"),
		    "retention.messages: less than retention.personal");
	if (c->retention_messages_ms < c->message_receipt_wait_ms + 8 * DAY)
		faults_at(faults, conf_place(root, "retention.messages", "message.receipt_wait"),
		    "retention.messages: less than message.receipt_wait and 8 days, so messages would be "
		    "dropped "
		    "before they end");
	if (*c->database_password_file && strstr(c->database_conninfo, "://"))
		faults_at(faults, conf_place(root, "database.password_file", "database.password_file"),
		    "database.password_file: needs database.conninfo as keywords (host=... dbname=...), not "
		    "as a URI");
	conf_check_digits(root, "texts.dial", c->texts_dial, faults);
	conf_check_digits(root, "texts.helpline", c->texts_helpline, faults);
	conf_check_ranges(root, faults);
	conf_secret(c->database_password_file, "database.password_file", root, &c->database_password, faults);
	conf_secret(c->redis_password_file, "redis.password_file", root, &c->redis_password, faults);
	conf_secret(c->mail_password_file, "mail.password_file", root, &c->mail_password, faults);
}

struct conf *conf_load(const char *path, struct faults *faults)
{
	int before = faults->count;
	struct yaml *y = yaml_load(path, faults);

	if (!y)
		return NULL;
	struct conf *c = mem_new(sizeof *c);
	keys_read(table, KEYS, NULL, yaml_root(y), c, faults);
	char **paths[] = {&c->http_tls_cert, &c->http_tls_key, &c->database_password_file,
	    &c->redis_password_file, &c->webhook_tls_ca, &c->mail_password_file, &c->mail_tls_ca,
	    &c->mail_templates, &c->operators, &c->templates, &c->purposes, &c->regions, &c->holidays,
	    &c->ussd_dialog, &c->ussd_services, &c->keyring, &c->control_socket};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		conf_resolve(paths[i], path);
	c->source = y;
	conf_check(c, yaml_root(y), faults);
	if (faults->count > before) {
		conf_free(c);
		return NULL;
	}
	return c;
}

void conf_fault(const struct conf *c, const char *key, struct faults *faults, const char *what)
{
	char section[32];

	snprintf(section, sizeof section, "%.*s", (int)strcspn(key, "."), key);
	faults_at(faults, conf_place(yaml_root(c->source), key, section), "%s: %s", key, what);
}

static void conf_forget(char *secret)
{
	if (secret)
		secret_wipe(secret, strlen(secret));
	free(secret);
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	keys_fini(table, KEYS, c);
	conf_forget(c->database_password);
	conf_forget(c->redis_password);
	conf_forget(c->mail_password);
	yaml_tree_free(c->source);
	free(c);
}

const char *conf_fixed_difference(const struct conf *a, const struct conf *b)
{
	return keys_fixed_difference(table, KEYS, a, b);
}

void conf_help(struct buf *out)
{
	keys_help(table, KEYS, out);
}
