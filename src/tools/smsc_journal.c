#include "smsc_journal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/secret.h"
#include "smsc_post.h"

/* Written for a crash of the process, not of the machine, so without fsync: the kernel keeps what write() was
 * given. JSON, as the log has, was not taken: a journal of an hour is read back at each start, and this form
 * is read ten times as fast. */

#define HASH_LEN     8
#define LINE_MAX_LEN 512 /* two addresses and a system_id of escaped octets fit */

/* A submission whose receipts are not all acknowledged. */
struct owed {
	struct map_node node;
	struct list_node age;
	unsigned receipts;
	char system_id[33];
	struct smsc_receipt receipt;
};

struct smsc_journal {
	const char *path;
	int fd;
	off_t size; /* of its whole lines */
	bool torn;  /* there may be octets behind them */
	uint64_t next;
	struct map by_number;
	struct list owed; /* in the order of the file */
	struct buf line;
};

static bool owed_is(const struct map_node *n, const void *key)
{
	return map_entry(n, struct owed, node)->receipt.number == *(const uint64_t *)key;
}

static void owed_free(struct smsc_journal *j, struct owed *o)
{
	map_remove(&j->by_number, &o->node);
	list_remove(&j->owed, &o->age);
	free(o);
}

/* A word begins with '=' so that an empty one is seen; space, '%' and what is not printable as %XX. */
static void word_put(struct buf *out, const char *word)
{
	buf_str(out, " =");
	for (; *word; word++)
		if (*word > ' ' && *word < 0x7F && *word != '%')
			buf_char(out, *word);
		else
			buf_printf(out, "%%%02x", (unsigned)(unsigned char)*word);
}

static void address_put(struct buf *out, const struct pdu_address *a)
{
	buf_printf(out, " %u %u", (unsigned)a->ton, (unsigned)a->npi);
	word_put(out, a->text);
}

/* The next field, cut off with a NUL; "" at the end. */
static char *field_take(char **at)
{
	char *field = *at, *end = field + strcspn(field, " ");

	*at = *end ? end + 1 : end;
	*end = '\0';
	return field;
}

static bool number_take(char **at, uint64_t max, uint64_t *ret)
{
	char *field = field_take(at), *end;

	errno = 0;
	*ret = strtoull(field, &end, 10);
	return isdigit((unsigned char)*field) && !*end && !errno && *ret <= max;
}

static bool octet_take(char **at, uint8_t *ret)
{
	uint64_t v;

	if (!number_take(at, UINT8_MAX, &v))
		return false;
	*ret = (uint8_t)v;
	return true;
}

static int hex_value(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* room: of ret with its NUL. */
static bool word_take(char **at, char *ret, size_t room)
{
	const char *from = field_take(at);
	size_t n = 0;

	if (*from++ != '=')
		return false;
	for (; *from && n + 1 < room; from++, n++) {
		ret[n] = *from;
		if (*from != '%')
			continue;
		if (hex_value(from[1]) < 0 || hex_value(from[2]) < 0)
			return false;
		ret[n] = (char)(hex_value(from[1]) << 4 | hex_value(from[2]));
		from += 2;
	}
	ret[n] = '\0';
	return !*from;
}

static bool address_take(char **at, struct pdu_address *ret)
{
	return octet_take(at, &ret->ton) && octet_take(at, &ret->npi) &&
	       word_take(at, ret->text, sizeof ret->text);
}

static bool took_take(char *at, struct owed *o)
{
	uint64_t wall_ms, reference, receipts;
	uint8_t part, total;

	if (!number_take(&at, UINT64_MAX - 1, &o->receipt.number) || !number_take(&at, INT64_MAX, &wall_ms) ||
	    !octet_take(&at, &part) || !octet_take(&at, &total) ||
	    !number_take(&at, UINT16_MAX, &reference) || strlen(field_take(&at)) != HASH_LEN * 2 ||
	    !number_take(&at, 2, &receipts) || !address_take(&at, &o->receipt.phone) ||
	    !address_take(&at, &o->receipt.sender) || !word_take(&at, o->system_id, sizeof o->system_id))
		return false;
	o->receipt.submitted_wall_ms = o->receipt.done_wall_ms = (int64_t)wall_ms;
	o->receipts = (unsigned)receipts;
	return !*at;
}

static bool journal_read_took(struct smsc_journal *j, char *fields)
{
	struct owed *o = mem_new(sizeof *o);

	if (!took_take(fields, o)) {
		free(o);
		return false;
	}
	if (o->receipt.number >= j->next)
		j->next = o->receipt.number + 1;
	/* As many as the post carries: over it the receipt was dropped when it was made, too. */
	if (!o->receipts || j->owed.count == SMSC_POST_MAX ||
	    map_get(&j->by_number, map_hash_u64(o->receipt.number), &o->receipt.number)) {
		free(o);
		return true;
	}
	map_put(&j->by_number, &o->node, map_hash_u64(o->receipt.number));
	list_append(&j->owed, &o->age);
	return true;
}

static bool journal_read_acknowledged(struct smsc_journal *j, char *at)
{
	uint64_t number, wall_ms, status;

	if (!number_take(&at, UINT64_MAX, &number) || !number_take(&at, INT64_MAX, &wall_ms) ||
	    !number_take(&at, UINT32_MAX, &status) || *at)
		return false;
	struct map_node *n = map_get(&j->by_number, map_hash_u64(number), &number);
	if (n && !--map_entry(n, struct owed, node)->receipts)
		owed_free(j, map_entry(n, struct owed, node));
	return true;
}

static bool journal_read_line(struct smsc_journal *j, char *line)
{
	char *at = line;
	const char *kind = field_take(&at);

	if (!strcmp(kind, "took"))
		return journal_read_took(j, at);
	return !strcmp(kind, "acked") && journal_read_acknowledged(j, at);
}

static bool journal_read(struct smsc_journal *j, FILE *f)
{
	char line[LINE_MAX_LEN];

	for (unsigned n = 1; fgets(line, sizeof line, f); n++) {
		size_t len = strlen(line);
		bool whole = len && line[len - 1] == '\n';

		if (!whole && feof(f)) {
			j->torn = true; /* its writer was killed over it, and nobody was answered */
			break;
		}
		if (whole)
			line[len - 1] = '\0';
		if (!whole || !journal_read_line(j, line)) {
			fprintf(stderr, "kezek-smsc: %s: line %u is not of a journal\n", j->path, n);
			return false;
		}
		j->size += (off_t)len;
	}
	return true;
}

/* The descriptor that is locked and appended to, and another to read from the beginning. */
static bool journal_open_files(struct smsc_journal *j, FILE **ret_read)
{
	struct stat st;

	*ret_read = NULL;
	if ((j->fd = open(j->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600)) < 0 ||
	    fstat(j->fd, &st) != 0)
		fprintf(stderr, "kezek-smsc: %s: %s\n", j->path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		fprintf(stderr, "kezek-smsc: %s: not a file\n", j->path);
	else if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
		fprintf(stderr, "kezek-smsc: %s: another centre has it\n", j->path);
	else if (!(*ret_read = fopen(j->path, "re")))
		fprintf(stderr, "kezek-smsc: %s: %s\n", j->path, strerror(errno));
	return *ret_read != NULL;
}

struct smsc_journal *smsc_journal_open(const char *path)
{
	struct smsc_journal *j = mem_new(sizeof *j);
	FILE *f;

	j->path = path;
	map_init(&j->by_number, owed_is);
	list_init(&j->owed);
	bool good = journal_open_files(j, &f) && journal_read(j, f);
	if (f)
		fclose(f);
	if (good)
		return j;
	smsc_journal_free(j);
	return NULL;
}

void smsc_journal_free(struct smsc_journal *j)
{
	struct list_node *n;

	if (!j)
		return;
	while ((n = list_first(&j->owed)))
		owed_free(j, list_entry(n, struct owed, age));
	map_fini(&j->by_number);
	buf_fini(&j->line);
	if (j->fd >= 0)
		close(j->fd);
	free(j);
}

uint64_t smsc_journal_next(const struct smsc_journal *j)
{
	return j->next;
}

void smsc_journal_owed(struct smsc_journal *j, smsc_journal_owed_fn *each, void *arg)
{
	struct list_node *n;

	while ((n = list_first(&j->owed))) {
		struct owed *o = list_entry(n, struct owed, age);

		for (unsigned i = 0; i < o->receipts; i++)
			each(arg, o->system_id, &o->receipt);
		owed_free(j, o);
	}
}

/* Half a line, as a full disk leaves it, goes away before the next: two in one would make the file
 * unreadable. */
static enum kz journal_write(struct smsc_journal *j)
{
	if (j->torn && ftruncate(j->fd, j->size) != 0)
		return KZ_LOST;
	buf_char(&j->line, '\n');
	j->torn = write(j->fd, j->line.data, j->line.len) != (ssize_t)j->line.len;
	if (j->torn)
		return KZ_LOST;
	j->size += (off_t)j->line.len;
	return KZ_OK;
}

/* Enough to tell parts apart and the same one again. */
static void hash_write(const struct pdu_sm *m, const struct smsc_part *part, char hex[HASH_LEN * 2 + 1])
{
	uint8_t hash[SECRET_HASH];

	secret_sha256(
	    m->text_len ? m->text + part->udh_len : (const uint8_t *)"", m->text_len - part->udh_len, hash);
	secret_hex(hash, HASH_LEN, hex);
}

enum kz smsc_journal_took(struct smsc_journal *j, const struct pdu_sm *m, const struct smsc_part *part,
    const char *system_id, const struct smsc_receipt *r, unsigned receipts)
{
	char hash[HASH_LEN * 2 + 1];

	hash_write(m, part, hash);
	buf_clear(&j->line);
	buf_printf(&j->line, "took %" PRIu64 " %" PRId64 " %u %u %u %s %u", r->number, r->submitted_wall_ms,
	    (unsigned)part->number, (unsigned)part->total, (unsigned)part->reference, hash, receipts);
	address_put(&j->line, &r->phone);
	address_put(&j->line, &r->sender);
	word_put(&j->line, system_id);
	return journal_write(j);
}

enum kz smsc_journal_acknowledged(struct smsc_journal *j, uint64_t number, int64_t wall_ms, uint32_t status)
{
	buf_clear(&j->line);
	buf_printf(&j->line, "acked %" PRIu64 " %" PRId64 " %u", number, wall_ms, (unsigned)status);
	return journal_write(j);
}
