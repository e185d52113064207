/* The whole daemon, again and again, while its n-th step into the system or a library fails, for every n and
 * in every way (tests/lib/torture_calls.h). A child is kezekd as main.c runs it; the parent is the portal and
 * the operator and repeats what a portal and an operator repeat. One run: a message, a batch, a reload, one
 * more message, a drain. After every run: no assertion, no leak (the child's exit code), the descriptors back
 * to where they were, every request answered 202 in the end, and every message of this run and of those
 * before it ended, but for the last one of a run, which the next finishes. Most of a run is waiting, so some
 * workers share the steps, each with a database of its own. */
#include "torture_child.h"

#include <limits.h>
#include <sys/un.h>

#define WORKERS 4
#define RUN_MS  30000
#define FEW_FDS 24 /* more than it needs to begin */

static void rig_write_profile(unsigned window)
{
	rig_write(rig.profile,
	    "prefixes: ['77']\n"
	    "timers: {open: 500ms, bind: 500ms, response: 300ms, enquire: 200ms, stall: 1s, unbind: 300ms}\n"
	    "reconnect: {min: 10ms, max: 50ms, already_bound: 20ms, refused: 1s}\n"
	    "sender: {default: KEZEK}\n"
	    "links:\n"
	    "  - {host: 127.0.0.1, port: %u, bind: transceiver, system_id: k, password_file: %s/password,"
	    " window: %u, rate: 1000}\n",
	    rig.port, rig.folder, window);
}

/* The portal. */

static int portal_connect(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s", rig.control);
	if (connect(fd, (const struct sockaddr *)&at, sizeof at) == 0) {
		rig.ready = true;
		return fd;
	}
	close(fd);
	return -1;
}

/* The status of the answer; 0: the connection went before it. */
static int portal_read(int fd)
{
	char answer[8192];
	size_t n = 0;

	for (;;) {
		if (!rig_turn(fd, 20)) {
			if (rig.over)
				return 0;
			continue;
		}
		ssize_t got = recv(fd, answer + n, sizeof answer - 1 - n, MSG_DONTWAIT);
		if (got <= 0)
			return 0;
		n += (size_t)got;
		answer[n] = '\0';
		const char *end = strstr(answer, "\r\n\r\n"), *len = strcasestr(answer, "content-length:");
		if (end && len && n >= (size_t)(end - answer) + 4 + strtoul(len + 15, NULL, 10))
			return (int)strtol(answer + 9, NULL, 10);
	}
}

/* As a portal does: the same request with the same key until it is kept. */
static void portal_post(const char *doing, const char *path, const char *type, const char *body)
{
	char request[2048];
	int status = 0, n = snprintf(request, sizeof request,
	                    "POST %s HTTP/1.1\r\nHost: k\r\nContent-Type: %s\r\nIdempotency-Key: t%u\r\n"
	                    "Connection: close\r\nContent-Length: %zu\r\n\r\n%s",
	                    path, type, ++rig.keys, strlen(body), body);

	rig.doing = doing;
	while (status != 202) {
		int fd = portal_connect();

		child_may_have_given_up();
		if (fd >= 0 && send(fd, request, (size_t)n, MSG_NOSIGNAL) == n)
			status = portal_read(fd);
		if (fd >= 0)
			close(fd);
		if (status && status != 202 && status != 503 && status != 409)
			rig_fail("a request is refused");
		if (status != 202)
			rig_turn(-1, 5);
	}
}

static long long rig_count(const char *question)
{
	PGresult *r = PQexec(rig.sql, question);
	long long n = PQntuples(r) ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : -1;

	PQclear(r);
	return n;
}

static void portal_await_ends(void)
{
	rig.doing = "the messages end";
	while (rig_count("select count(*) from message m where not exists"
	                 " (select from message_event e where e.message_id = m.id and e.final)")) {
		child_may_have_given_up();
		rig_turn(-1, 5);
	}
}

static void run_once(unsigned at, enum torture_way way)
{
	char one[128], batch[640], last[128];
	unsigned run = rig.keys;

	*torture = (struct torture){.at = at, .way = way};
	rig.give_up_us = clock_real.mono_us() + RUN_MS * INT64_C(1000);
	rig_write_profile(10);
	child_start();
	snprintf(one, sizeof one, "{\"to\":\"+77011234567\",\"text\":\"one %u\"}", run);
	portal_post("a message is kept", "/v1/messages", "application/json", one);
	snprintf(batch, sizeof batch,
	    "{\"to\":\"+77011234567\",\"text\":\"short %u\"}\n"
	    "{\"to\":\"+77021234567\",\"text\":\"long %u %0150d %u\",\"class\":\"code\"}\n",
	    run, run, 0, run);
	portal_post("a batch is kept", "/v1/messages/batch", "application/x-ndjson", batch);
	portal_await_ends();
	rig_write_profile(11);
	kill(rig.child, SIGHUP);
	snprintf(one, sizeof one, "{\"to\":\"+77011234567\",\"text\":\"two %u\"}", run);
	portal_post("a message is kept over a reload", "/v1/messages", "application/json", one);
	portal_await_ends();
	snprintf(last, sizeof last, "{\"to\":\"+77011234567\",\"text\":\"last %u\"}", run);
	portal_post("the last message is kept", "/v1/messages", "application/json", last);
	child_end();
}

/* Whoever was sent a text twice can read in its trace that it was in doubt. */
static void check_duplicates_are_marked(void)
{
	unsigned more = 0;

	for (size_t i = 0; i < rig.sms_n; i++)
		for (size_t j = i + 1; j < rig.sms_n && j < i + 40; j++)
			more += !strcmp(rig.sms[i].text, rig.sms[j].text);
	rig.doing = "duplicates are counted";
	if (more > rig_count("select count(*) from message_event where kind in (3, 10)"))
		rig_fail("a duplicate that is not marked");
}

static void rig_listen(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;

	for (size_t i = 0; i < SEATS; i++)
		rig.seats[i].fd = -1;
	rig.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(rig.listener, (const struct sockaddr *)&at, sizeof at) || listen(rig.listener, SEATS) ||
	    getsockname(rig.listener, (struct sockaddr *)&at, &len))
		rig_fail("no socket to listen on");
	rig.port = ntohs(at.sin_port);
}

static void rig_make(unsigned worker)
{
	char path[128], conninfo[192];

	rig.doing = "the stage is set";
	torture = mmap(NULL, sizeof *torture, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	rig.sms = mem_array(SMS_MOST, sizeof *rig.sms);
	rig_listen();
	snprintf(rig.folder, sizeof rig.folder, "%s/w%u", servers_dir, worker);
	snprintf(rig.conf, sizeof rig.conf, "%s/kezek.yaml", rig.folder);
	snprintf(rig.control, sizeof rig.control, "%s/c", rig.folder);
	snprintf(rig.err, sizeof rig.err, "%s/err", rig.folder);
	snprintf(rig.profile, sizeof rig.profile, "%s/operators/one.yaml", rig.folder);
	mkdir(rig.folder, 0700);
	snprintf(path, sizeof path, "%s/operators", rig.folder);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/password", rig.folder);
	rig_write(path, "secret\n");
	snprintf(path, sizeof path, "%s/keyring", rig.folder);
	rig_write(path, "lookup 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
	                "1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n");
	assert_int_equal(chmod(path, 0600), 0);
	snprintf(conninfo, sizeof conninfo,
	    "host=%s/s user=kezek dbname=w%u options=-csynchronous_commit=off", servers_dir,
	    worker); /* no server dies here, and the disk is slow */
	rig.sql = PQconnectdb(conninfo);
	rig_write(rig.conf,
	    "http: {listen: 127.0.0.1:0}\n"
	    "control: {socket: %s}\n"
	    "database: {conninfo: '%s', connections: 2, job_timeout: 500ms, connect_timeout: 500ms}\n"
	    "redis: {address: 'unix:%s/s/redis'}\n"
	    "templates: %s/dialogs/sms.yaml\n"
	    "mail: {templates: %s/dialogs/mail.yaml}\n"
	    "ussd: {dialog: %s/dialogs/kindergarten.yaml, services: %s/dialogs/services.yaml}\n"
	    "purposes: %s/config/purposes.yaml\n"
	    "regions: %s/config/regions\n"
	    "holidays: %s/config/holidays.yaml\n"
	    "message: {retry_min: 10ms, retry_max: 50ms, in_doubt_wait: 10ms, attempts: 100}\n"
	    "shutdown_timeout: 2s\n"
	    "log: {level: warn}\n",
	    rig.control, conninfo, servers_dir, KEZEK_SOURCE_DIR, KEZEK_SOURCE_DIR, KEZEK_SOURCE_DIR,
	    KEZEK_SOURCE_DIR, KEZEK_SOURCE_DIR, KEZEK_SOURCE_DIR, KEZEK_SOURCE_DIR);
}

/* Until it listens, then it is ended; true when it did not come so far. */
static bool run_with_few(unsigned spare)
{
	int fd = -1;

	*torture = (struct torture){.at = 0};
	rig.give_up_us = clock_real.mono_us() + RUN_MS * INT64_C(1000);
	rig.spare = spare;
	rig.doing = "it begins with few descriptors";
	unlink(rig.control);
	child_start();
	while (!rig.over && (fd = portal_connect()) < 0)
		rig_turn(-1, 5);
	if (fd < 0) {
		if (!child_said_why())
			rig_fail("it does not say why it ended");
		return true;
	}
	close(fd);
	child_end();
	return false;
}

static void rig_free(void)
{
	for (size_t i = 0; i < SEATS; i++)
		if (rig.seats[i].fd >= 0)
			seat_close(&rig.seats[i]);
	close(rig.listener);
	free(rig.sms);
	PQfinish(rig.sql);
}

/* Its share of the steps, in every way, until none is left to fail. */
static void worker_run(unsigned worker)
{
	rig_make(worker);
	for (enum torture_way way = 0; way < TORTURE_WAYS; way++) {
		unsigned at = worker + 1;

		do {
			run_once(at, way);
			at += WORKERS;
		} while (*torture->hit);
	}
	run_once(0, TORTURE_BREAKS); /* which also ends what the last one left */
	check_duplicates_are_marked();
	rig_free();
}

static void torture__every_step_fails_in_turn__everything_is_kept_and_ends(void **state)
{
	pid_t pids[WORKERS];
	int status;

	(void)state;
	fflush(NULL);
	for (unsigned w = 0; w < WORKERS; w++) {
		pids[w] = fork();
		if (pids[w] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			worker_run(w);
			_exit(0);
		}
	}
	for (unsigned w = 0; w < WORKERS; w++) {
		waitpid(pids[w], &status, 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

/* A child that says why and ends with code 1, unless a sanitizer ends it before. */
static bool child_with_fault_said_why(bool overflow, bool use_after_free)
{
	volatile int n = INT_MAX;
	volatile char *volatile bytes = mem_new(1);
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		child_begin();
		print_error("why\n");
		if (overflow)
			n++;
		free((void *)bytes);
		if (use_after_free)
			*bytes = 1;
		exit(1);
	}
	free((void *)bytes);
	assert_int_equal(waitpid(pid, &rig.status, 0), pid);
	return child_said_why();
}

static void sanitizer__finds_a_fault__is_no_good_end(void **state)
{
	(void)state;
	snprintf(rig.err, sizeof rig.err, "%s/err", servers_dir);
	assert_true(child_with_fault_said_why(false, false));
	assert_false(child_with_fault_said_why(true, false));
	assert_false(child_with_fault_said_why(false, true));
}

static void few_worker_run(void)
{
	unsigned spare = 1;

	rig_make(0);
	rig_write_profile(10);
	while (spare < FEW_FDS && run_with_few(spare))
		spare++;
	rig.doing = "descriptors are counted";
	if (spare == 1 || spare == FEW_FDS)
		rig_fail("it never begins, or always");
	for (; spare < FEW_FDS; spare++)
		run_with_few(spare);
	rig_free();
}

static void descriptors__too_few_to_begin__says_so_and_ends(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		few_worker_run();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A database for each worker, as store_group_setup made the first. */
static int setup(void **state)
{
	char conninfo[128], sql[96];
	PGconn *admin;

	if (store_group_setup(state))
		return -1;
	snprintf(conninfo, sizeof conninfo, "host=%s/s user=postgres dbname=postgres", servers_dir);
	admin = PQconnectdb(conninfo);
	for (unsigned w = 0; w < WORKERS; w++) {
		snprintf(sql, sizeof sql, "create database w%u owner kezek template kezek", w);
		PGresult *r = PQexec(admin, sql);
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			print_error("%s", PQerrorMessage(admin));
		PQclear(r);
	}
	PQfinish(admin);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sanitizer__finds_a_fault__is_no_good_end),
	    cmocka_unit_test(descriptors__too_few_to_begin__says_so_and_ends),
	    cmocka_unit_test(torture__every_step_fails_in_turn__everything_is_kept_and_ends),
	};

	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, setup, servers_teardown);
}
