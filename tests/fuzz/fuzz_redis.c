/* Redis gone wrong: what it says to the first command and to two more, octet by octet. The first octet says
 * how many of the rest it says at once. Every command is answered exactly once; nothing else is promised. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "net/loop.h"
#include "store/redis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define ASKED 2

static int64_t fake_us = 1000000;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static char folder[] = "/tmp/kezek-fuzz-redis-XXXXXX", text[sizeof address.sun_path + 8];
static int listener;
static struct redis *redis;
static int asked, answered;

static int64_t fake_now(void)
{
	return fake_us;
}

static const struct clock fake_clock = {fake_now, fake_now};

static void leave(void)
{
	unlink(address.sun_path);
	rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_set_level(LOG_LEVEL_ERROR);
	if (!mkdtemp(folder))
		abort();
	atexit(leave);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
	snprintf(text, sizeof text, "unix:%s", address.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (bind(listener, (const struct sockaddr *)&address, sizeof address) || listen(listener, 8))
		abort();
	return 0;
}

/* Reads every value there is. */
static size_t weigh(const struct redis_reply *r)
{
	size_t len = 0, n = (size_t)redis_int(r) & 1;
	const char *words = redis_text(r, &len);

	assert(words[len] == '\0');
	for (size_t i = 0; i < redis_count(r); i++)
		n += weigh(redis_item(r, i));
	return n + len + redis_is_nil(r);
}

static void on_answer(void *arg, enum kz r, const struct redis_reply *reply)
{
	(void)arg;
	answered++;
	assert(r == KZ_OK || r == KZ_LOST || r == KZ_REFUSED);
	assert(reply || r == KZ_LOST);
	if (reply)
		(void)!weigh(reply);
}

static void on_up(void *arg, bool up)
{
	(void)arg;
	for (int i = 0; up && i < ASKED; i++)
		asked += redis_ask(redis, 2, (const char *const[]){"GET", "key"}, NULL, on_answer, NULL,
		             NULL) == KZ_OK;
}

static void say(struct loop *l, int fd, const uint8_t *data, size_t n)
{
	(void)!send(fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	for (int i = 0; i < 3; i++)
		loop_turn(l, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct redis_options o = {
	    .address = text, .connect_ms = 1000, .command_ms = 1000, .silent_ms = 60000, .max_commands = 8};
	struct loop *l = loop_new(&fake_clock);

	if (size < 1 || size > 60000) {
		loop_free(l);
		return 0;
	}
	asked = answered = 0;
	redis = redis_new(l, &o, on_up, NULL);
	for (int i = 0; i < 5; i++)
		loop_turn(l, 0);
	int fd = accept(listener, NULL, NULL);
	size_t first = data[0] < size - 1 ? data[0] : size - 1;
	say(l, fd, data + 1, first);
	say(l, fd, data + 1 + first, size - 1 - first);
	close(fd);
	for (int i = 0; i < 3; i++)
		loop_turn(l, 0);
	fake_us += 1000000; /* what is not answered is late now */
	loop_turn(l, 0);
	assert(answered == asked);
	redis_free(redis);
	while ((fd = accept(listener, NULL, NULL)) >= 0)
		close(fd); /* it had dialled again */
	loop_free(l);
	return 0;
}
