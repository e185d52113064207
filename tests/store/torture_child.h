/* torture_child: kezekd in a child, as main.c runs it, with steps that fail or descriptors that are few; and
 * how it may end. */
#ifndef TESTS_STORE_TORTURE_CHILD_H
#define TESTS_STORE_TORTURE_CHILD_H

#include "torture_rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "app.h"

#define EXIT_FDS   77
#define EXIT_FAULT "99" /* the sanitizers', whose own is the daemon's: 1 */

THEIRS(const char *, __asan_default_options, void)
{
	return "exitcode=" EXIT_FAULT;
}

THEIRS(const char *, __ubsan_default_options, void)
{
	return "exitcode=" EXIT_FAULT;
}

static int count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* From here on only so many, and none that lies between those that are open. */
static void child_limit_descriptors(unsigned spare)
{
	int next = open("/dev/null", O_RDONLY);
	struct rlimit few = {(rlim_t)next + spare, (rlim_t)next + spare};

	close(next);
	setrlimit(RLIMIT_NOFILE, &few);
}

static void child_begin(void)
{
	int fd = open(rig.err, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

/* kezekd, as main.c runs it. */
static void child_run(void)
{
	int before = count_descriptors(), code = 1;
	struct faults faults = {0};
	struct app_files files;

	child_begin();
	if (app_files_load(rig.conf, &files, &faults)) {
		if (rig.spare)
			child_limit_descriptors(rig.spare);
		torture_begin();
		code = app_run(rig.conf, &files);
		torture_end();
	}
	faults_fini(&faults);
	exit(code == 0 && count_descriptors() != before ? EXIT_FDS : code);
}

static void child_start(void)
{
	fflush(NULL);
	rig.over = rig.ready = false;
	rig.child = fork();
	if (rig.child == 0)
		child_run();
}

/* Ended with an exit code and a line. */
static bool child_said_why(void)
{
	struct stat err;

	return WIFEXITED(rig.status) && WEXITSTATUS(rig.status) == 1 && stat(rig.err, &err) == 0 &&
	       err.st_size > 0;
}

/* For want of what it cannot do without, once: until it listens what that takes, and later as well the
 * kernel's memory for what is watched. */
static bool child_gave_up(void)
{
	static const char *const takes[] = {
	    "epoll_ctl", "socket", "bind", "listen", "chmod", "lstat", "unlink"};
	size_t n = rig.ready ? 1 : sizeof takes / sizeof *takes;

	for (size_t i = 0; torture->at && i < n; i++)
		if (!strcmp(torture->hit, takes[i]))
			return child_said_why();
	return false;
}

/* Then it is started again, as systemd does. */
static void child_may_have_given_up(void)
{
	if (!rig.over)
		return;
	if (!child_gave_up())
		rig_fail("it has ended");
	torture->at = 0;
	child_start();
}

static void child_end(void)
{
	rig.doing = "it drains";
	if (!rig.over)
		kill(rig.child, SIGTERM);
	while (!rig.over)
		rig_turn(-1, 5);
	if (!child_gave_up() && (!WIFEXITED(rig.status) || WEXITSTATUS(rig.status) != 0))
		rig_fail(WIFEXITED(rig.status) && WEXITSTATUS(rig.status) == EXIT_FDS
		             ? "descriptors are left open"
		             : "it does not end well");
}

#endif
