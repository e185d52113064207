/* kezekctl keyring: makes the file of secret keys, and adds one to it. It works on the file alone: the daemon
 * is given its keys by a file so that nobody gets at them through a socket. The new file is whole before it
 * takes its name, and FILE.new is made by one alone, so that of two who add a key at once one is told so. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/keyring.h"
#include "base/mem.h"
#include "ctl_command.h"

/* One file on its way from what it was to what it will be. */
struct keyring_write {
	const char *path;
	char *fresh; /* path.new */
	struct stat was;
	bool replaces; /* was says of what */
	struct buf text;
};

static int keyring_failed(const char *path, const char *why)
{
	fprintf(stderr, "kezekctl: %s: %s\n", path, why);
	return CTL_FAILED;
}

static void keyring_add_line(struct buf *text, const char *name)
{
	uint8_t octets[SECRET_KEY];
	char hex[2 * SECRET_KEY + 1];

	secret_random(octets, sizeof octets);
	secret_hex(octets, sizeof octets, hex);
	buf_printf(text, "%s %s\n", name, hex);
	secret_wipe(octets, sizeof octets);
	secret_wipe(hex, sizeof hex);
}

/* Whole on the disk, and of the one that it replaces the owner and the rights. */
static bool keyring_fill(const struct keyring_write *w, int fd)
{
	size_t done = 0;

	while (done < w->text.len) {
		ssize_t n = write(fd, w->text.data + done, w->text.len - done);

		if (n < 0)
			return false;
		done += (size_t)n;
	}
	if (w->replaces && (fchown(fd, w->was.st_uid, w->was.st_gid) || fchmod(fd, w->was.st_mode & 0777)))
		return false;
	return fsync(fd) == 0;
}

/* link() never takes the place of a file that is there, rename() does. */
static bool keyring_name(const struct keyring_write *w)
{
	return w->replaces ? rename(w->fresh, w->path) == 0
	                   : link(w->fresh, w->path) == 0 && unlink(w->fresh) == 0;
}

static bool keyring_sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? mem_strn(path, (size_t)(slash - path) + 1) : mem_str(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	free(folder);
	return good;
}

static int keyring_write(const struct keyring_write *w)
{
	int fd = open(w->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return keyring_failed(
		    w->fresh, errno == EEXIST
		                  ? "it is there: somebody adds a key just now, or was cut short and left it"
		                  : strerror(errno));
	bool good = keyring_fill(w, fd), closed = close(fd) == 0;
	if (good && closed && keyring_name(w) && keyring_sync_folder(w->path))
		return CTL_DONE;
	int why = errno;
	unlink(w->fresh);
	return keyring_failed(w->path, strerror(why));
}

static int keyring_new(struct keyring_write *w)
{
	buf_str(&w->text, "# The secret keys of kezek: what stands in the database cannot be read without "
	                  "this file. Keep a\n"
	                  "# copy apart from the database's. lookup never changes; the greatest number is "
	                  "used for what is\n"
	                  "# new, the others for what stands. kezekctl keyring add FILE adds the next.\n");
	keyring_add_line(&w->text, "lookup");
	keyring_add_line(&w->text, "1");
	int code = keyring_write(w);
	if (code == CTL_DONE)
		printf("%s: made, with key 1; keep a copy of it apart from the database's\n", w->path);
	return code;
}

/* Its text as it is, ended by a line break. */
static bool keyring_read_file(struct keyring_write *w)
{
	int fd = open(w->path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf_space(&w->text, KEYRING_FILE_MAX), KEYRING_FILE_MAX);
	bool good = n > 0 && fstat(fd, &w->was) == 0;

	if (good)
		buf_wrote(&w->text, (size_t)n);
	if (good && w->text.data[w->text.len - 1] != '\n')
		buf_char(&w->text, '\n');
	if (fd >= 0)
		close(fd);
	return good;
}

static int keyring_add_to(struct keyring_write *w, const struct keyring *k)
{
	struct faults faults = {0};
	unsigned id = keyring_newest(k) + 1;
	char name[12];

	if (!keyring_read_file(w))
		return keyring_failed(w->path, strerror(errno));
	snprintf(name, sizeof name, "%u", id);
	keyring_add_line(&w->text, name);
	struct keyring *whole = keyring_parse(w->path, w->text.data, w->text.len, &faults);
	int code = whole && w->text.len <= KEYRING_FILE_MAX
	               ? keyring_write(w)
	               : keyring_failed(w->path, "no room for one more key");
	if (code == CTL_DONE)
		printf(
		    "%s: key %u is added; give the file to every daemon of the database, then reload them\n",
		    w->path, id);
	keyring_free(whole);
	faults_fini(&faults);
	return code;
}

static int keyring_add(struct keyring_write *w)
{
	struct faults faults = {0};
	struct keyring *k = keyring_load(w->path, &faults);
	int code = CTL_FAILED;

	w->replaces = true;
	if (k)
		code = keyring_add_to(w, k);
	else
		fprintf(stderr, "kezekctl: %s", buf_text(&faults.text));
	keyring_free(k);
	faults_fini(&faults);
	return code;
}

static int keyring_do(const struct ctl *c, int words, char **word)
{
	struct keyring_write w = {0};
	bool fresh = words == 2 && !strcmp(word[0], "new"), more = words == 2 && !strcmp(word[0], "add");

	if (!(fresh || more) || !*word[1])
		return ctl_usage(c, "one of keyring new FILE and keyring add FILE is expected");
	w.path = word[1];
	w.fresh = mem_printf("%s.new", w.path);
	/* All its room at once: grown, it would leave keys behind in what it grew out of. */
	buf_space(&w.text, 2 * KEYRING_FILE_MAX);
	int code = fresh ? keyring_new(&w) : keyring_add(&w);
	secret_wipe(w.text.data, w.text.len);
	buf_fini(&w.text);
	free(w.fresh);
	return code;
}

static int keyring_run(struct ctl *c, int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {0}};
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if ((code = ctl_option(c, opt)) >= 0)
			return code;
	}
	return keyring_do(c, argc - optind, argv + optind);
}

const struct ctl_command ctl_keyring_command = {
    .name = "keyring",
    .summary = "the file of secret keys: make it, add a key",
    .usage = "usage: kezekctl keyring new FILE\n"
             "       kezekctl keyring add FILE\n"
             "\n"
             "Without a daemon. new: a file that is there is never written over.\n",
    .run = keyring_run,
};
