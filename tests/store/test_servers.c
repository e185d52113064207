/* servers: those of a test program that is killed end with it. */
#include "servers.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define GIVE_UP_MS 60000

/* Processes that work in the folder; a server changes to its own first of all. */
static unsigned servers_count(const char *dir)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;
	unsigned n = 0;

	while ((d = readdir(proc)) != NULL) {
		char link[sizeof d->d_name + 16], cwd[256];

		snprintf(link, sizeof link, "/proc/%s/cwd", d->d_name);
		ssize_t len = readlink(link, cwd, sizeof cwd - 1);
		if (len > 0 && (size_t)len > strlen(dir) && !strncmp(cwd, dir, strlen(dir)))
			n++;
	}
	closedir(proc);
	return n;
}

/* A test program, which tells its folder when the servers run, or just before they do. */
static pid_t program_start(bool they_run, char *ret_dir)
{
	int tell[2];
	pid_t pid;

	assert_int_equal(pipe(tell), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!they_run) {
			if (servers_make())
				_exit(1);
			servers_begin("start");
		} else if (servers_setup(NULL)) {
			_exit(1);
		}
		(void)!write(tell[1], servers_dir, sizeof servers_dir);
		for (;;)
			pause();
	}
	close(tell[1]);
	assert_int_equal(read(tell[0], ret_dir, sizeof servers_dir), sizeof servers_dir);
	close(tell[0]);
	return pid;
}

static int watch_begin(const char *path, uint32_t events)
{
	int watch = inotify_init1(IN_CLOEXEC);

	assert_true(inotify_add_watch(watch, path, events) > 0);
	return watch;
}

static void watch_await(int watch, uint32_t event)
{
	struct pollfd news = {.fd = watch, .events = POLLIN};
	struct inotify_event e;

	assert_int_equal(poll(&news, 1, GIVE_UP_MS), 1);
	assert_int_equal(read(watch, &e, sizeof e), sizeof e);
	assert_int_equal(e.mask & event, event);
}

/* The folder goes in one step: nobody finds it half empty and begins in it. */
static void program_kill_and_await_end(pid_t pid, const char *dir)
{
	int gone = watch_begin(dir, IN_MOVE_SELF | IN_DELETE_SELF);

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	watch_await(gone, IN_MOVE_SELF);
	watch_await(gone, IN_DELETE_SELF);
	close(gone);
	assert_int_equal(access(dir, F_OK), -1);
	assert_int_equal(servers_count(dir), 0);
}

static void servers__their_program_is_killed__end_with_it(void **state)
{
	char dir[sizeof servers_dir];
	pid_t pid = program_start(true, dir);

	(void)state;
	assert_true(servers_count(dir) > 2); /* PostgreSQL's processes, and Redis */
	program_kill_and_await_end(pid, dir);
}

static void servers__their_program_is_killed_while_they_start__end_too(void **state)
{
	char dir[sizeof servers_dir];
	pid_t pid = program_start(false, dir);

	(void)state;
	program_kill_and_await_end(pid, dir);
}

static void server_stop(const char *dir, const char *pid_file)
{
	char path[128], line[32] = "";
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, pid_file);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	fclose(f);
	assert_int_equal(kill((pid_t)strtol(line, NULL, 10), SIGSTOP), 0);
}

static void servers__stopped_in_their_tracks__end_with_their_program(void **state)
{
	char dir[sizeof servers_dir];
	pid_t pid = program_start(true, dir);

	(void)state;
	server_stop(dir, "pg/postmaster.pid");
	server_stop(dir, "redis.pid");
	program_kill_and_await_end(pid, dir);
}

/* Nobody would end what is started then. */
static void servers__their_end_comes_before_the_start__nothing_starts(void **state)
{
	char lock[sizeof servers_dir + 8], waiter[64], line[256] = "";
	struct stat at;

	(void)state;
	assert_non_null(mkdtemp(servers_dir));
	snprintf(lock, sizeof lock, "%s/lock", servers_dir);
	int fd = open(lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(fstat(fd, &at), 0);
	snprintf(waiter, sizeof waiter, ":%llu ", (unsigned long long)at.st_ino);
	FILE *start = servers_begin("start");
	while (!strstr(line, "->") || !strstr(line, waiter)) {
		FILE *locks = fopen("/proc/locks", "re");

		while (fgets(line, sizeof line, locks) && !(strstr(line, "->") && strstr(line, waiter)))
			;
		fclose(locks);
	}
	assert_int_equal(unlink(lock) + rmdir(servers_dir), 0);
	close(fd);
	int waited = pclose(start), later = pclose(servers_begin("start"));
	bool made = access(servers_dir, F_OK) == 0;
	if (made)
		servers_do("end");
	assert_false(made);
	assert_true(waited != 0 && later != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(servers__their_program_is_killed__end_with_it),
	    cmocka_unit_test(servers__their_program_is_killed_while_they_start__end_too),
	    cmocka_unit_test(servers__stopped_in_their_tracks__end_with_their_program),
	    cmocka_unit_test(servers__their_end_comes_before_the_start__nothing_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
