#include "ctl_pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"

#define READ_OCTETS 65536
#define ID_OCTETS   12

struct ctl_pieces {
	int fd;
	bool ended;
	uint64_t line;   /* number of the first of rest */
	struct buf rest; /* read and not given yet */
};

struct ctl_pieces *ctl_pieces_open(const char *path)
{
	const int fd = strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;

	if (fd < 0)
		return NULL;
	struct ctl_pieces *p = mem_new(sizeof *p);
	p->fd = fd;
	p->line = 1;
	return p;
}

/* A pipe has no content before it is read. */
enum kz ctl_pieces_id(struct ctl_pieces *p, char id[65])
{
	uint8_t hash[SECRET_HASH];
	struct stat st;
	void *all = NULL;

	if (fstat(p->fd, &st))
		return KZ_LOST;
	secret_random(hash, sizeof hash);
	if (S_ISREG(st.st_mode) && p->fd != STDIN_FILENO && st.st_size > 0) {
		all = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, p->fd, 0);
		if (all == MAP_FAILED)
			return KZ_LOST;
		secret_sha256(all, (size_t)st.st_size, hash);
		munmap(all, (size_t)st.st_size);
	}
	secret_hex(hash, ID_OCTETS, id);
	return KZ_OK;
}

/* One more read. false: it failed, or nothing more comes (ended). */
static bool pieces_read(struct ctl_pieces *p)
{
	ssize_t n;

	do
		n = read(p->fd, buf_space(&p->rest, READ_OCTETS), READ_OCTETS);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		buf_wrote(&p->rest, (size_t)n);
	p->ended = n == 0;
	return n > 0;
}

/* Length of the line at `at` of rest with its end; 0: there is none any more, or it cannot be read (not
 * ended). */
static size_t pieces_line(struct ctl_pieces *p, size_t at)
{
	size_t from = at;

	for (;;) {
		const char *end =
		    p->rest.len > from ? memchr(p->rest.data + from, '\n', p->rest.len - from) : NULL;

		if (end)
			return (size_t)(end - p->rest.data) + 1 - at;
		from = p->rest.len > from ? p->rest.len : from;
		if (!p->ended && pieces_read(p))
			continue;
		return p->ended && p->rest.len > at ? p->rest.len - at : 0;
	}
}

enum kz ctl_pieces_skip(struct ctl_pieces *p, uint64_t line)
{
	size_t at = 0, len;

	while (p->line < line && (len = pieces_line(p, at)) != 0) {
		at += len;
		p->line++;
		if (at < READ_OCTETS)
			continue;
		buf_drop(&p->rest, at);
		at = 0;
	}
	if (at)
		buf_drop(&p->rest, at);
	return p->line == line ? KZ_OK : p->ended ? KZ_NOT_FOUND : KZ_LOST;
}

enum kz ctl_pieces_next(
    struct ctl_pieces *p, size_t room, struct buf *lines, uint64_t *ret_line, uint64_t *ret_n)
{
	size_t at = 0, len = 0;
	uint64_t n = 0;

	while ((at < room || !n) && (len = pieces_line(p, at)) != 0 && (!n || at + len <= room)) {
		at += len;
		n++;
	}
	if (!len && !p->ended)
		return KZ_LOST;
	buf_clear(lines);
	if (at) {
		buf_add(lines, p->rest.data, at);
		buf_drop(&p->rest, at);
	}
	*ret_line = p->line;
	*ret_n = n;
	p->line += n;
	return KZ_OK;
}

void ctl_pieces_back(struct ctl_pieces *p, const struct buf *lines, uint64_t n)
{
	struct buf all = {0};

	buf_add(&all, lines->data, lines->len);
	buf_add(&all, p->rest.data, p->rest.len);
	buf_fini(&p->rest);
	p->rest = all;
	p->line -= n;
}

void ctl_pieces_close(struct ctl_pieces *p)
{
	if (!p)
		return;
	if (p->fd != STDIN_FILENO)
		close(p->fd);
	buf_fini(&p->rest);
	free(p);
}
