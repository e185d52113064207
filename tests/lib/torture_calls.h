/* torture_calls: the calls of a program into the system and into its libraries, each of which is a step of
 * torture. The target is linked with --wrap for what its own objects call; what libraries call (libevent,
 * curl) is defined here anew, which the linker lets come first. Memory is not among them: out of memory ends
 * the program by design, and every size from outside is bounded before it is used. Nor are calls that fail
 * for a wrong argument alone (epoll_wait, timerfd_settime), or whose failure nobody looks at (setsockopt,
 * shutdown). */
#ifndef TESTS_TORTURE_CALLS_H
#define TESTS_TORTURE_CALLS_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>

#include "torture.h"

#define REAL(name) __typeof__(name) __real_##name
#define WRAP(name) __wrap_##name
#define THEIRS(result, name, ...)                                                                            \
	__attribute__((visibility("default"))) result name(__VA_ARGS__);                                     \
	__attribute__((visibility("default"))) result name(__VA_ARGS__)
#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

/* The descriptor is a socket on which nothing ever comes. */
static inline void torture_mute(int fd)
{
	int pair[2];

	if (NEXT(socketpair)(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0) {
		dup2(pair[0], fd);
		close(pair[0]);
		torture_far_end = pair[1];
	}
}

/* Sockets of our own. */

REAL(send);
REAL(recv);
REAL(connect);
REAL(socket);
REAL(getsockopt);

ssize_t WRAP(send)(int fd, const void *bytes, size_t n, int flags);
ssize_t WRAP(send)(int fd, const void *bytes, size_t n, int flags)
{
	if (!torture_step("send", CAN_BREAK | CAN_HALF))
		return __real_send(fd, bytes, n, flags);
	if (torture->way == TORTURE_BREAKS) {
		errno = ECONNRESET;
		return -1;
	}
	return __real_send(fd, bytes, 1, flags);
}

ssize_t WRAP(recv)(int fd, void *to, size_t room, int flags);
ssize_t WRAP(recv)(int fd, void *to, size_t room, int flags)
{
	if (!torture_step("recv", CAN_BREAK | CAN_HALF | CAN_MUTE))
		return __real_recv(fd, to, room, flags);
	if (torture->way == TORTURE_HALF)
		return __real_recv(fd, to, 1, flags);
	if (torture->way == TORTURE_MUTE)
		torture_mute(fd);
	errno = torture->way == TORTURE_MUTE ? EAGAIN : ECONNRESET;
	return -1;
}

int WRAP(connect)(int fd, const struct sockaddr *to, socklen_t len);
int WRAP(connect)(int fd, const struct sockaddr *to, socklen_t len)
{
	if (!torture_step("connect", CAN_BREAK))
		return __real_connect(fd, to, len);
	errno = ECONNREFUSED;
	return -1;
}

int WRAP(socket)(int family, int type, int protocol);
int WRAP(socket)(int family, int type, int protocol)
{
	if (!torture_step("socket", CAN_BREAK))
		return __real_socket(family, type, protocol);
	errno = EMFILE;
	return -1;
}

int WRAP(getsockopt)(int fd, int level, int name, void *value, socklen_t *len);
int WRAP(getsockopt)(int fd, int level, int name, void *value, socklen_t *len)
{
	if (!torture_step("getsockopt", CAN_BREAK))
		return __real_getsockopt(fd, level, name, value, len);
	errno = ENOBUFS;
	return -1;
}

/* What libevent does for the door. */

REAL(evbuffer_write);

int WRAP(evbuffer_write)(struct evbuffer *b, evutil_socket_t fd);
int WRAP(evbuffer_write)(struct evbuffer *b, evutil_socket_t fd)
{
	if (!torture_step("evbuffer_write", CAN_BREAK | CAN_HALF))
		return __real_evbuffer_write(b, fd);
	if (torture->way == TORTURE_BREAKS) {
		errno = EPIPE;
		return -1;
	}
	return evbuffer_write_atmost(b, fd, 1);
}

THEIRS(int, accept4, int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	if (!torture_step("accept4", CAN_BREAK | CAN_HALF))
		return NEXT(accept4)(fd, from, len, flags);
	errno = torture->way == TORTURE_BREAKS ? EMFILE : ECONNABORTED;
	return -1;
}

THEIRS(ssize_t, readv, int fd, const struct iovec *to, int n)
{
	if (!torture_step("readv", CAN_BREAK | CAN_HALF))
		return NEXT(readv)(fd, to, n);
	errno = torture->way == TORTURE_BREAKS ? ECONNRESET : EAGAIN;
	return -1;
}

/* What libevent needs to begin, and curl to wake itself. */

THEIRS(int, epoll_create1, int flags)
{
	if (!torture_step("epoll_create1", CAN_BREAK))
		return NEXT(epoll_create1)(flags);
	errno = EMFILE;
	return -1;
}

THEIRS(int, timerfd_create, int clock, int flags)
{
	if (!torture_step("timerfd_create", CAN_BREAK))
		return NEXT(timerfd_create)(clock, flags);
	errno = EMFILE;
	return -1;
}

THEIRS(int, pipe2, int ret_pair[2], int flags)
{
	if (!torture_step("pipe2", CAN_BREAK))
		return NEXT(pipe2)(ret_pair, flags);
	errno = EMFILE;
	return -1;
}

THEIRS(int, socketpair, int family, int type, int protocol, int ret_pair[2])
{
	if (!torture_step("socketpair", CAN_BREAK))
		return NEXT(socketpair)(family, type, protocol, ret_pair);
	errno = EMFILE;
	return -1;
}

/* Only to begin watching needs memory. */
THEIRS(int, epoll_ctl, int epoll, int op, int fd, struct epoll_event *event)
{
	if (op != EPOLL_CTL_ADD || !torture_step("epoll_ctl", CAN_BREAK))
		return NEXT(epoll_ctl)(epoll, op, fd, event);
	errno = ENOMEM;
	return -1;
}

/* The door's sockets. */

REAL(bind);
REAL(listen);
REAL(chmod);
REAL(getsockname);
REAL(lstat);
REAL(unlink);

int WRAP(bind)(int fd, const struct sockaddr *at, socklen_t len);
int WRAP(bind)(int fd, const struct sockaddr *at, socklen_t len)
{
	if (!torture_step("bind", CAN_BREAK))
		return __real_bind(fd, at, len);
	errno = EADDRINUSE;
	return -1;
}

int WRAP(listen)(int fd, int backlog);
int WRAP(listen)(int fd, int backlog)
{
	if (!torture_step("listen", CAN_BREAK))
		return __real_listen(fd, backlog);
	errno = EADDRINUSE;
	return -1;
}

int WRAP(chmod)(const char *path, mode_t mode);
int WRAP(chmod)(const char *path, mode_t mode)
{
	if (!torture_step("chmod", CAN_BREAK))
		return __real_chmod(path, mode);
	errno = EROFS;
	return -1;
}

int WRAP(getsockname)(int fd, struct sockaddr *ret_at, socklen_t *len);
int WRAP(getsockname)(int fd, struct sockaddr *ret_at, socklen_t *len)
{
	if (!torture_step("getsockname", CAN_BREAK))
		return __real_getsockname(fd, ret_at, len);
	errno = ENOBUFS;
	return -1;
}

int WRAP(lstat)(const char *path, struct stat *ret_st);
int WRAP(lstat)(const char *path, struct stat *ret_st)
{
	if (!torture_step("lstat", CAN_BREAK))
		return __real_lstat(path, ret_st);
	errno = EACCES;
	return -1;
}

int WRAP(unlink)(const char *path);
int WRAP(unlink)(const char *path)
{
	if (!torture_step("unlink", CAN_BREAK))
		return __real_unlink(path);
	errno = EACCES;
	return -1;
}

/* PostgreSQL. */

REAL(PQconnectPoll);
REAL(PQsendPrepare);
REAL(PQsendQueryPrepared);
REAL(PQpipelineSync);
REAL(PQflush);
REAL(PQconsumeInput);

PostgresPollingStatusType WRAP(PQconnectPoll)(PGconn *c);
PostgresPollingStatusType WRAP(PQconnectPoll)(PGconn *c)
{
	return torture_step("PQconnectPoll", CAN_BREAK) ? PGRES_POLLING_FAILED : __real_PQconnectPoll(c);
}

int WRAP(PQsendPrepare)(PGconn *c, const char *name, const char *sql, int n, const Oid *types);
int WRAP(PQsendPrepare)(PGconn *c, const char *name, const char *sql, int n, const Oid *types)
{
	return torture_step("PQsendPrepare", CAN_BREAK) ? 0 : __real_PQsendPrepare(c, name, sql, n, types);
}

int WRAP(PQsendQueryPrepared)(PGconn *c, const char *name, int n, const char *const *values,
    const int *lengths, const int *formats, int format);
int WRAP(PQsendQueryPrepared)(PGconn *c, const char *name, int n, const char *const *values,
    const int *lengths, const int *formats, int format)
{
	if (torture_step("PQsendQueryPrepared", CAN_BREAK))
		return 0;
	return __real_PQsendQueryPrepared(c, name, n, values, lengths, formats, format);
}

int WRAP(PQpipelineSync)(PGconn *c);
int WRAP(PQpipelineSync)(PGconn *c)
{
	return torture_step("PQpipelineSync", CAN_BREAK) ? 0 : __real_PQpipelineSync(c);
}

int WRAP(PQflush)(PGconn *c);
int WRAP(PQflush)(PGconn *c)
{
	if (!torture_step("PQflush", CAN_BREAK | CAN_HALF))
		return __real_PQflush(c);
	return torture->way == TORTURE_BREAKS ? -1 : 1;
}

int WRAP(PQconsumeInput)(PGconn *c);
int WRAP(PQconsumeInput)(PGconn *c)
{
	if (!torture_step("PQconsumeInput", CAN_BREAK | CAN_HALF | CAN_MUTE))
		return __real_PQconsumeInput(c);
	if (torture->way == TORTURE_MUTE)
		torture_mute(PQsocket(c));
	return torture->way != TORTURE_BREAKS;
}

/* Redis. */

REAL(redisConnectUnixNonBlock);
REAL(redisBufferRead);
REAL(redisBufferWrite);

redisContext *WRAP(redisConnectUnixNonBlock)(const char *path);
redisContext *WRAP(redisConnectUnixNonBlock)(const char *path)
{
	return torture_step("redisConnectUnixNonBlock", CAN_BREAK) ? NULL
	                                                           : __real_redisConnectUnixNonBlock(path);
}

int WRAP(redisBufferRead)(redisContext *c);
int WRAP(redisBufferRead)(redisContext *c)
{
	if (!torture_step("redisBufferRead", CAN_BREAK | CAN_HALF))
		return __real_redisBufferRead(c);
	return torture->way == TORTURE_BREAKS ? REDIS_ERR : REDIS_OK;
}

int WRAP(redisBufferWrite)(redisContext *c, int *ret_done);
int WRAP(redisBufferWrite)(redisContext *c, int *ret_done)
{
	if (!torture_step("redisBufferWrite", CAN_BREAK | CAN_HALF))
		return __real_redisBufferWrite(c, ret_done);
	*ret_done = 0;
	return torture->way == TORTURE_BREAKS ? REDIS_ERR : REDIS_OK;
}

/* Files. */

REAL(fopen);
REAL(open);
REAL(read);
REAL(write);
REAL(scandir);

FILE *WRAP(fopen)(const char *path, const char *mode);
FILE *WRAP(fopen)(const char *path, const char *mode)
{
	if (!torture_step("fopen", CAN_BREAK))
		return __real_fopen(path, mode);
	errno = EACCES;
	return NULL;
}

int WRAP(open)(const char *path, int flags, ...);
int WRAP(open)(const char *path, int flags, ...)
{
	if (!torture_step("open", CAN_BREAK))
		return __real_open(path, flags);
	errno = EMFILE;
	return -1;
}

ssize_t WRAP(read)(int fd, void *to, size_t room);
ssize_t WRAP(read)(int fd, void *to, size_t room)
{
	if (!torture_step("read", CAN_BREAK))
		return __real_read(fd, to, room);
	errno = EIO;
	return -1;
}

/* A line of the log. */
ssize_t WRAP(write)(int fd, const void *bytes, size_t n);
ssize_t WRAP(write)(int fd, const void *bytes, size_t n)
{
	if (!torture_step("write", CAN_BREAK))
		return __real_write(fd, bytes, n);
	errno = ENOSPC;
	return -1;
}

int WRAP(scandir)(const char *path, struct dirent ***list, int (*filter)(const struct dirent *),
    int (*compare)(const struct dirent **, const struct dirent **));
int WRAP(scandir)(const char *path, struct dirent ***list, int (*filter)(const struct dirent *),
    int (*compare)(const struct dirent **, const struct dirent **))
{
	if (!torture_step("scandir", CAN_BREAK))
		return __real_scandir(path, list, filter, compare);
	errno = EACCES;
	return -1;
}

#endif
