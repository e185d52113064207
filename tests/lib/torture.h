/* torture: the calls of a program into the system and into its libraries, one of which fails. Each is a step;
 * steps are counted in memory that a parent shares, and the one that is asked for fails in one of three ways.
 * The target is linked with --wrap for what its own objects call; what libraries call (libevent) is defined
 * here anew, which the linker lets come first. Nothing happens before torture_begin. Memory is not among
 * them, nor are the kernel's for watching (epoll_ctl): out of memory ends the program by design, and every
 * size from outside is bounded before it is used. */
#ifndef TESTS_TORTURE_H
#define TESTS_TORTURE_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <hiredis/hiredis.h>
#include <libpq-fe.h>

enum torture_way {
	TORTURE_BREAKS, /* an error */
	TORTURE_HALF,   /* as little as may be: one octet, or none yet */
	TORTURE_MUTE,   /* the connection is gone and nobody says so */
	TORTURE_WAYS
};

/* Ways in which a call can fail. */
#define CAN_BREAK 1u
#define CAN_HALF  2u
#define CAN_MUTE  4u

struct torture {
	unsigned at; /* the step that fails, from 1; 0: none */
	enum torture_way way;
	unsigned steps;
	char hit[32]; /* its name; "": it never came */
};

static struct torture *torture; /* shared with the child */
static bool torture_on;
static int torture_far_end = -1; /* of the socket that stands for a mute one */

static inline void torture_begin(void)
{
	torture_on = true;
}

static inline void torture_end(void)
{
	torture_on = false;
	if (torture_far_end >= 0)
		close(torture_far_end);
}

/* Counts the step, when it can fail in the way that is asked for; true when it is the one. */
static inline bool torture_step(const char *name, unsigned can)
{
	if (!torture_on || !(can & 1u << torture->way) || ++torture->steps != torture->at)
		return false;
	snprintf(torture->hit, sizeof torture->hit, "%s", name);
	return true;
}

/* The descriptor is a socket on which nothing ever comes. */
static inline void torture_mute(int fd)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0) {
		dup2(pair[0], fd);
		close(pair[0]);
		torture_far_end = pair[1];
	}
}

#define REAL(name) __typeof__(name) __real_##name
#define WRAP(name) __wrap_##name

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

#define THEIRS(result, name, ...)                                                                            \
	__attribute__((visibility("default"))) result name(__VA_ARGS__);                                     \
	__attribute__((visibility("default"))) result name(__VA_ARGS__)
#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

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
