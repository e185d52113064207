/* The tool itself, run against a daemon that this test plays on a socket of its own: what it asks, what it
 * prints, how it ends. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/keyring.h"
#include "base/mem.h"

#define REPLIES 4
#define WAIT_MS 20000

/* One run: replies are given in order, one a connection. */
struct run {
	const char *replies[REPLIES + 1]; /* "200 {...}" */
	const char *input;
	struct buf asked[REPLIES];
	struct buf out, err;
	int exit_code;
};

static char folder[] = "/tmp/kezekctl-test-XXXXXX";
static char *socket_path;

static int listener_open(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket_path);
	unlink(socket_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void fd_wait(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

/* Whether headers and as many octets as they announce are there. */
static int request_is_whole(const struct buf *b)
{
	const char *end = strstr(buf_text(b), "\r\n\r\n");
	const char *length = strcasestr(buf_text(b), "\r\nContent-Length: ");
	size_t body = length != NULL ? strtoul(length + 18, NULL, 10) : 0;

	return end != NULL && b->len >= (size_t)(end - b->data) + 4 + body;
}

static void daemon_answer(int listener, struct buf *asked, const char *reply)
{
	struct buf out = {0};
	int fd;
	ssize_t n;

	fd_wait(listener);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	while (!request_is_whole(asked)) {
		fd_wait(fd);
		n = read(fd, buf_space(asked, 4096), 4096);
		assert_true(n > 0);
		buf_wrote(asked, (size_t)n);
	}
	buf_printf(&out, "HTTP/1.1 %.3s X\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", reply,
	    strlen(reply + 4), reply + 4);
	assert_int_equal(write(fd, out.data, out.len), (ssize_t)out.len);
	close(fd);
	buf_fini(&out);
}

static void all_read(int fd, struct buf *b)
{
	ssize_t n;

	while ((n = read(fd, buf_space(b, 4096), 4096)) > 0)
		buf_wrote(b, (size_t)n);
	close(fd);
}

static void tool_exec(const int in[2], const int out[2], const int err[2], const char *const argv[])
{
	dup2(in[0], 0);
	dup2(out[1], 1);
	dup2(err[1], 2);
	setenv("TZ", "<+05>-5", 1);
	setenv("KEZEK_SOCKET", socket_path, 1);
	setenv("http_proxy", "http://127.0.0.1:9", 1);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	execv(KEZEKCTL, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static void tool_run(struct run *r, const char *const argv[])
{
	int in[2], out[2], err[2], status;
	int listener = listener_open();
	pid_t pid;

	assert_int_equal(pipe(in) | pipe(out) | pipe(err), 0);
	pid = fork();
	if (pid == 0)
		tool_exec(in, out, err, argv);
	assert_true(pid > 0);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	if (r->input != NULL)
		assert_int_equal(write(in[1], r->input, strlen(r->input)), (ssize_t)strlen(r->input));
	close(in[1]);
	for (size_t i = 0; r->replies[i] != NULL; i++)
		daemon_answer(listener, &r->asked[i], r->replies[i]);
	all_read(out[0], &r->out);
	all_read(err[0], &r->err);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	r->exit_code = WEXITSTATUS(status);
	close(listener);
}

#define RUN(r, ...) tool_run(r, (const char *[]){"kezekctl", __VA_ARGS__, NULL})

static void run_fini(struct run *r)
{
	for (size_t i = 0; i < REPLIES; i++)
		buf_fini(&r->asked[i]);
	buf_fini(&r->out);
	buf_fini(&r->err);
}

static void has(const struct buf *b, const char *text)
{
	if (strstr(buf_text(b), text) == NULL)
		fail_msg("no '%s' in:\n%s", text, buf_text(b));
}

static void has_not(const struct buf *b, const char *text)
{
	if (strstr(buf_text(b), text) != NULL)
		fail_msg("'%s' stands in:\n%s", text, buf_text(b));
}

static void begins(const struct buf *b, const char *text)
{
	if (strncmp(buf_text(b), text, strlen(text)) != 0)
		fail_msg("does not begin with '%s':\n%s", text, buf_text(b));
}

#define STATUS                                                                                               \
	"200 {\"version\":\"0.1.0\",\"pid\":7,\"uptime_s\":3725,\"ready\":false,"                            \
	"\"reasons\":[\"the database does not answer\"],"                                                    \
	"\"database\":{\"state\":\"down\",\"why\":\"connection "                                             \
	"refused\"},\"redis\":{\"state\":\"up\",\"why\":\"\"},"                                              \
	"\"slot\":3,\"queue\":{\"waiting\":2,\"lanes\":{\"code\":{\"waiting\":2,\"oldest_ms\":3250},"        \
	"\"notice\":{\"waiting\":0,\"oldest_ms\":0},\"bulk\":{\"waiting\":0,\"oldest_ms\":0}}},"             \
	"\"rates\":{\"accepted_per_s\":1.5,\"submitted_per_s\":0,\"receipts_per_s\":12},"                    \
	"\"webhooks\":{\"up\":1,\"down\":2,\"oldest_ms\":200000},"                                           \
	"\"carriers\":[{\"name\":\"kcell\",\"up\":false,\"waiting\":{\"code\":2,\"notice\":0,\"bulk\":0},"   \
	"\"links\":["                                                                                        \
	"{\"name\":\"kcell.1\",\"state\":\"waiting\",\"bind\":\"transceiver\",\"peer\":\"192.0.2.1:2775\","  \
	"\"reason\":\"bind refused: \\u001b[31m0x0000000e\",\"window_used\":4,\"window_room\":10,"           \
	"\"rate\":50,\"rate_now\":12.5,\"submitted\":100,\"refused\":3,\"receipts\":97,\"state_ms\":61000}]" \
	"}]}"

static void status__carrier_down__says_so_and_why(void **state)
{
	struct run r = {.replies = {STATUS}};

	(void)state;
	RUN(&r, "status");
	assert_int_equal(r.exit_code, 0);
	begins(&r.asked[0], "GET /control/status HTTP/1.1\r\n");
	has(&r.out, "kezekd 0.1.0, pid 7, up 1 h 2 min, slot 3: NOT READY\n"
	            "  because the database does not answer\n"
	            "database   down: connection refused\n"
	            "redis      up\n"
	            "rates      accepted 1.5/s, submitted 0/s, receipts 12/s\n"
	            "webhooks   1 up, 2 DOWN; the oldest end not told: 3 min 20 s\n");
	has(&r.out, "queue       waiting   oldest\n"
	            "  code            2  3.250 s\n"
	            "  notice          0        -\n");
	has(&r.out, "carrier kcell: DOWN; waiting: code 2, notice 0, bulk 0\n");
	has(&r.out,
	    "  kcell.1  waiting  1 min 1 s  transceiver    4/10  12.5/50        100        3        97"
	    "  192.0.2.1:2775  bind refused: ");
	run_fini(&r);
}

static void status__control_characters__never_reach_the_terminal(void **state)
{
	struct run human = {.replies = {STATUS}};
	struct run json = {.replies = {"200 {\"version\":\"\\u001b[2J\\u009b1m\\u202e\\u007f\"}"}};

	(void)state;
	RUN(&human, "status");
	has(&human.out, "bind refused: \xef\xbf\xbd[31m0x0000000e\n");
	RUN(&json, "--json", "status");
	has(&json.out, "\\u001B[2J\\u009B1m\\u202E\\u007F");
	has_not(&json.out, "\x1b");
	has_not(&json.out, "\xc2\x9b");
	run_fini(&human);
	run_fini(&json);
}

static void status__json__is_the_daemons(void **state)
{
	struct run r = {.replies = {"200 {\"version\":\"0.1.0\",\"new_field\":[1,2.5,null]}"}};

	(void)state;
	RUN(&r, "status", "--json");
	assert_int_equal(r.exit_code, 0);
	assert_string_equal(buf_text(&r.out), "{\n  \"version\": \"0.1.0\",\n  \"new_field\": [\n    1,\n"
	                                      "    2.5,\n    null\n  ]\n}\n");
	run_fini(&r);
}

static void status__numbers_beyond_all_reason__are_cut(void **state)
{
	struct run r = {.replies = {"200 {\"pid\":1e300,\"uptime_s\":-1e300,\"slot\":9223372036854775807}"}};

	(void)state;
	RUN(&r, "status");
	assert_int_equal(r.exit_code, 0);
	has(&r.out, ", pid 1000000000000000, ");
	run_fini(&r);
}

static void status__no_socket__exit_3_names_it_and_the_remedy(void **state)
{
	struct run r = {0};

	(void)state;
	RUN(&r, "status", "--socket", "/nowhere/control.sock");
	assert_int_equal(r.exit_code, 3);
	has(&r.err, "no daemon at /nowhere/control.sock");
	has(&r.err, "start kezekd");
	assert_string_equal(buf_text(&r.out), "");
	run_fini(&r);
}

#define MESSAGE(state, more)                                                                                 \
	"{\"id\":\"05fqy2n4e0401\",\"state\":\"" state "\",\"class\":\"code\",\"to\":\"+77011234567\","      \
	"\"segments\":2,\"client_ref\":\"order "                                                             \
	"7\",\"code\":\"05fqy2n4e0400\",\"code_why\":\"rescue\",\"accepted_at\":\"2026-11-22T18:59:59."      \
	"990Z\","                                                                                            \
	"\"expires_at\":\"2026-11-22T19:04:59.990Z\",\"timeline\":["                                         \
	"{\"at\":\"2026-11-22T18:59:59.990Z\",\"event\":\"accepted\"}" more "]}"
#define SUBMITTED                                                                                            \
	",{\"at\":\"2026-11-22T19:00:00.002Z\",\"event\":\"submitted\",\"part\":1,\"link\":\"kcell.1\","     \
	"\"carrier\":\"kcell\",\"operator_id\":\"0A1B\"}"
#define RECEIPT                                                                                              \
	",{\"at\":\"2026-11-22T19:00:01.507Z\",\"event\":\"receipt\",\"part\":1,\"status\":\"DELIVRD\"}"

static void trace__by_id__local_times_and_deltas(void **state)
{
	struct run r = {.replies = {"200 " MESSAGE("delivered", SUBMITTED RECEIPT)}};

	(void)state;
	RUN(&r, "trace", "05fqy2n4e0401");
	assert_int_equal(r.exit_code, 0);
	begins(&r.asked[0], "GET /v1/messages/05fqy2n4e0401 HTTP/1.1\r\n");
	assert_string_equal(buf_text(&r.out),
	    "message 05fqy2n4e0401: delivered\n"
	    "  to +77011234567, class code, segments 2, client_ref order 7, "
	    "code 05fqy2n4e0400, sent as rescue\n"
	    "  accepted 2026-11-22 23:59:59.990 +0500, expires 2026-11-23 00:04:59.990 +0500\n"
	    "\n"
	    "  23:59:59.990            accepted\n"
	    "  00:00:00.002    +12 ms  submitted  part 1  link kcell.1, operator's id 0A1B\n"
	    "  00:00:01.507  +1.505 s  receipt    part 1  status DELIVRD\n"
	    "  in all 1.517 s\n");
	run_fini(&r);
}

static void trace__no_such_id__is_tried_as_client_ref(void **state)
{
	struct run r = {.replies = {"404 {\"code\":\"not_found\"}",
	                    "200 {\"messages\":[" MESSAGE("accepted", "") "," MESSAGE("failed", "") "]}"}};

	(void)state;
	RUN(&r, "trace", "05fqy2n4e0401");
	assert_int_equal(r.exit_code, 0);
	begins(&r.out, "message 05fqy2n4e0401: accepted\n");
	has(&r.out, "\n\nmessage 05fqy2n4e0401: failed\n");
	begins(&r.asked[1], "GET /v1/messages?client_ref=05fqy2n4e0401 HTTP/1.1\r\n");
	run_fini(&r);
}

static void trace__reference__is_escaped(void **state)
{
	struct run r = {.replies = {"200 {\"messages\":[]}"}};

	(void)state;
	RUN(&r, "trace", "order 7&x=/1");
	assert_int_equal(r.exit_code, 1);
	begins(&r.asked[0], "GET /v1/messages?client_ref=order%207%26x%3D%2F1 HTTP/1.1\r\n");
	has(&r.err, "kezekctl: no message has the id or client_ref 'order 7&x=/1'\n");
	run_fini(&r);
}

static void send__text_from_stdin__asks_with_a_key_of_its_own(void **state)
{
	struct run r = {.input = "Сәлем\nекі\n",
	    .replies = {"202 {\"id\":\"05fqy2n4e0401\",\"state\":\"accepted\",\"segments\":1,"
	                "\"encoding\":\"ucs2\",\"expires_at\":\"2026-11-22T19:04:59.990Z\"}"}};
	const char *key;

	(void)state;
	RUN(&r, "send", "--to", "87011234567", "--text", "-", "--class", "notice", "--ref", "a");
	assert_int_equal(r.exit_code, 0);
	begins(&r.asked[0], "POST /v1/messages HTTP/1.1\r\n");
	has(&r.asked[0],
	    "{\"to\":\"87011234567\",\"class\":\"notice\",\"client_ref\":\"a\",\"text\":\"Сәлем\\nекі\"}");
	key = strstr(buf_text(&r.asked[0]), "\r\nIdempotency-Key: ");
	assert_non_null(key);
	assert_int_equal(strspn(key + 19, "0123456789abcdef"), 32);
	has(&r.out, "05fqy2n4e0401: accepted\n");
	has(&r.out, "encoding   ucs2\n");
	run_fini(&r);
}

static void send__template__carries_params_and_dry_run(void **state)
{
	struct run r = {.replies = {"200 {\"dry_run\":true,\"text\":\"code "
	                            "1\",\"segments\":1,\"route\":[\"kcell\",\"beeline\"]}"}};

	(void)state;
	RUN(&r, "send", "--to", "8701", "--template", "login", "--param", "code=1=2", "--param",
	    "x=", "--language", "kk", "--dry-run", "--idempotency-key", "again");
	assert_int_equal(r.exit_code, 0);
	has(&r.asked[0], "\r\nIdempotency-Key: again\r\n");
	has(&r.asked[0], "{\"to\":\"8701\",\"template\":\"login\",\"language\":\"kk\",\"dry_run\":true,"
	                 "\"params\":{\"code\":\"1=2\",\"x\":\"\"}}");
	has(&r.out, "not sent, this is what would be:\n  text       code 1\n  segments   1\n");
	has(&r.out, "carriers   kcell, beeline\n");
	run_fini(&r);
}

static void send__refused__prints_the_detail_and_exits_1(void **state)
{
	struct run r = {
	    .replies = {"422 {\"code\":\"number_foreign\",\"detail\":\"not a Kazakh mobile number\","
	                "\"field\":\"to\",\"retryable\":false,\"request_id\":\"r1\"}"}};

	(void)state;
	RUN(&r, "send", "--to", "1", "--text", "x");
	assert_int_equal(r.exit_code, 1);
	assert_string_equal(buf_text(&r.err),
	    "kezekctl: not a Kazakh mobile number (422 number_foreign, field to, request r1)\n");
	run_fini(&r);
}

static void send__not_now__tells_the_key_to_repeat_with(void **state)
{
	struct run r = {
	    .replies = {"503 {\"code\":\"unavailable\",\"detail\":\"later\",\"retryable\":true}"}};
	const char *asked, *told;

	(void)state;
	RUN(&r, "send", "--to", "8701", "--text", "x");
	assert_int_equal(r.exit_code, 1);
	has(&r.err, "kezekctl: later (503 unavailable); the same may work later\n");
	asked = strstr(buf_text(&r.asked[0]), "Idempotency-Key: ");
	told = strstr(buf_text(&r.err), "--idempotency-key ");
	assert_non_null(asked);
	assert_non_null(told);
	assert_memory_equal(asked + 17, told + 18, 32);
	run_fini(&r);
}

static void send__wait__asks_until_the_end_and_prints_the_trace(void **state)
{
	struct run r = {
	    .replies = {"202 {\"id\":\"05fqy2n4e0401\",\"state\":\"accepted\"}",
	        "200 " MESSAGE("submitted", SUBMITTED), "200 " MESSAGE("delivered", SUBMITTED RECEIPT)}};

	(void)state;
	RUN(&r, "send", "--to", "8701", "--text", "x", "--wait", "60");
	assert_int_equal(r.exit_code, 0);
	begins(&r.out, "message 05fqy2n4e0401: delivered\n");
	run_fini(&r);
}

static void send__wait_and_not_delivered__exits_1(void **state)
{
	struct run r = {.replies = {"202 {\"id\":\"05fqy2n4e0401\",\"state\":\"accepted\"}",
	                    "200 " MESSAGE("expired", "")}};

	(void)state;
	RUN(&r, "send", "--to", "8701", "--text", "x", "--wait", "60");
	assert_int_equal(r.exit_code, 1);
	begins(&r.out, "message 05fqy2n4e0401: expired\n");
	run_fini(&r);
}

static void key_add__output__is_the_key_alone(void **state)
{
	struct run r = {
	    .replies = {"201 {\"id\":\"4\",\"client\":\"portal\",\"scopes\":[\"messages:write\",\"metrics\"],"
	                "\"key\":\"kz_secret\"}"}};

	(void)state;
	RUN(&r, "key", "add", "portal", "--scope", "messages:write", "--scope", "metrics");
	assert_int_equal(r.exit_code, 0);
	begins(&r.asked[0], "POST /control/keys HTTP/1.1\r\n");
	has(&r.asked[0], "{\"client\":\"portal\",\"scopes\":[\"messages:write\",\"metrics\"]}");
	assert_string_equal(buf_text(&r.out), "kz_secret\n");
	has(&r.err, "key 4 of portal, may: messages:write, metrics\n");
	has(&r.err, "not stored");
	run_fini(&r);
}

static void key_list__revoked_one__shows_when(void **state)
{
	struct run r = {
	    .replies = {"200 {\"keys\":[{\"id\":\"4\",\"client\":\"portal\",\"scopes\":[\"metrics\"],"
	                "\"created_at\":\"2026-11-22T18:59:59.990Z\","
	                "\"revoked_at\":\"2026-11-22T19:00:00.000Z\"}]}"}};

	(void)state;
	RUN(&r, "key", "list");
	assert_string_equal(buf_text(&r.out),
	    "id  client  scopes   made                           revoked\n"
	    " 4  portal  metrics  2026-11-22 23:59:59.990 +0500  2026-11-23 00:00:00.000 +0500\n");
	run_fini(&r);
}

static void key_revoke__empty_answer__is_done(void **state)
{
	struct run r = {.replies = {"204 "}};

	(void)state;
	RUN(&r, "key", "revoke", "4/../x");
	assert_int_equal(r.exit_code, 0);
	begins(&r.asked[0], "DELETE /control/keys/4%2F..%2Fx HTTP/1.1\r\n");
	run_fini(&r);
}

static void webhook_add__output__is_the_secret_alone(void **state)
{
	struct run r = {
	    .replies = {
	        "201 {\"id\":3,\"client\":\"portal\",\"url\":\"https://a/\",\"secret\":\"whsec_x\"}"}};

	(void)state;
	RUN(&r, "webhook", "add", "portal", "https://a/");
	assert_int_equal(r.exit_code, 0);
	begins(&r.asked[0], "POST /control/webhooks HTTP/1.1\r\n");
	has(&r.asked[0], "{\"client\":\"portal\",\"url\":\"https://a/\"}");
	assert_string_equal(buf_text(&r.out), "whsec_x\n");
	has(&r.err, "webhook 3 of portal\n");
	run_fini(&r);
}

static void webhook_list__one_down_and_one_disabled__says_so(void **state)
{
	struct run r = {
	    .replies = {
	        "200 "
	        "{\"webhooks\":[{\"id\":3,\"client\":\"portal\",\"url\":\"https://a/\",\"state\":\"down\","
	        "\"created_at\":\"2026-11-22T18:59:59.990Z\",\"retries\":2,\"given_up\":0,\"oldest_ms\":"
	        "200000},"
	        "{\"id\":4,\"client\":\"cabinet\",\"url\":\"https://b/\",\"state\":\"disabled\","
	        "\"created_at\":\"2026-11-22T18:59:59.990Z\",\"retries\":0,\"given_up\":7,\"oldest_ms\":0,"
	        "\"why\":\"it answered 410\\u001b[2J\"}]}"}};

	(void)state;
	RUN(&r, "webhook", "list");
	assert_string_equal(buf_text(&r.out),
	    "id  client   url         state     untold for  retries  given up  why\n"
	    " 3  portal   https://a/  down      3 min 20 s        2\n"
	    " 4  cabinet  https://b/  disabled                              7  it answered "
	    "410\xef\xbf\xbd[2J\n");
	run_fini(&r);
}

static void aside__any_octets__shown_as_plain_text(void **state)
{
	struct run r = {
	    .replies = {"200 {\"asides\":[{\"at\":\"2026-11-28T10:00:00Z\",\"carrier\":\"be\\u001bel\","
	                "\"what\":\"no id\",\"hex\":\"69643a1b5c00ff7e\"},"
	                "{\"at\":\"2026-11-28T10:00:00Z\",\"carrier\":\"tele2\",\"what\":\"x\"}]}"}};

	(void)state;
	RUN(&r, "aside");
	begins(&r.asked[0], "GET /control/asides HTTP/1.1\r\n");
	has(&r.out, "  be\xef\xbf\xbd"
	            "el  no id\n  id:\\x1b\\x5c\\x00\\xff~\n");
	has(&r.out, "  tele2  x\n  sealed by a key that is not in the keyring\n");
	run_fini(&r);
	r = (struct run){.replies = {"200 {\"asides\":[]}"}};
	RUN(&r, "aside");
	assert_string_equal(buf_text(&r.out), "nothing is kept aside\n");
	run_fini(&r);
}

static void news__of_one_application__a_row_each_and_whom_they_are_to_be_told(void **state)
{
	struct run r = {
	    .replies = {
	        "200 {\"news\":[{\"id\":\"news_1\",\"type\":\"watcher.added\",\"timestamp\":\"?\",\"data\":{"
	        "\"application\":7,\"seq\":2,\"via\":\"portal\",\"kindergarten\":5},\"untold\":[]},"
	        "{\"type\":\"referral.taken\\u001b\",\"timestamp\":\"!\",\"data\":{\"seq\":3,\"via\":"
	        "\"ussd\","
	        "\"group\":51,\"referral\":{\"number\":48871}},\"untold\":[1,3]},7]}"}};

	(void)state;
	RUN(&r, "news", "7");
	begins(&r.asked[0], "GET /control/news/7 HTTP/1.1\r\n");
	assert_string_equal(buf_text(&r.out),
	    "at  seq  news             via     referral  group  kindergarten  untold to webhook\n"
	    "?     2  watcher.added    portal                              5\n"
	    "!     3  referral.taken\xef\xbf\xbd  ussd       48871     51                1, 3\n"
	    "?\n");
	run_fini(&r);
	r = (struct run){.replies = {"200 {\"news\":[]}"}};
	RUN(&r, "news", "7");
	assert_string_equal(buf_text(&r.out), "no news of this application are kept\n");
	run_fini(&r);
	r = (struct run){.replies = {"204 "}};
	RUN(&r, "news", "7", "--replay");
	begins(&r.asked[0], "POST /control/webhooks/replay HTTP/1.1\r\n");
	has(&r.asked[0], "{\"application\":7}");
	run_fini(&r);
}

static void late__some_and_none__a_line_each(void **state)
{
	struct run r = {
	    .replies = {"200 {\"late\":[{\"id\":\"00000001\",\"application\":614,\"kind\":\"number\","
	                "\"state\":\"sent\",\"at\":\"2026-11-28T10:00:00Z\","
	                "\"late_at\":\"2026-11-28T10:12:00Z\",\"messages\":2,"
	                "\"message\":\"0f\\u001b\"}]}"}};

	(void)state;
	RUN(&r, "late");
	begins(&r.asked[0], "GET /control/late HTTP/1.1\r\n");
	assert_non_null(strstr(buf_text(&r.out), "614"));
	assert_non_null(strstr(buf_text(&r.out), "sent"));
	assert_null(strchr(buf_text(&r.out), 0x1b));
	run_fini(&r);
	r = (struct run){.replies = {"200 {\"late\":[]}"}};
	RUN(&r, "late");
	assert_string_equal(buf_text(&r.out), "nothing is late\n");
	run_fini(&r);
}

static void guard__a_prefix_and_a_phone__listed(void **state)
{
	struct run r = {
	    .replies = {
	        "200 "
	        "{\"held\":[{\"kind\":\"prefix\",\"shown\":\"+7701123xxxx\",\"since\":\"2026-11-28T10:00:"
	        "00Z\","
	        "\"until\":\"2026-11-28T11:00:00Z\",\"why\":\"too few of its codes are approved\"},"
	        "{\"kind\":\"phone\",\"shown\":\"code:06j0w2kq4r000\",\"since\":\"2026-11-28T10:00:00Z\","
	        "\"until\":\"2026-11-28T11:00:00Z\",\"why\":\"too \\u001bmany\"}]}"}};

	(void)state;
	RUN(&r, "guard");
	begins(&r.asked[0], "GET /control/guard HTTP/1.1\r\n");
	has(&r.out, "prefix  +7701123xxxx        2026-11-28 ");
	has(&r.out, "phone   code:06j0w2kq4r000  2026-11-28 ");
	has(&r.out, "too \xef\xbf\xbdmany\n");
	run_fini(&r);
	r = (struct run){.replies = {"200 {\"held\":[]}"}};
	RUN(&r, "guard");
	assert_string_equal(buf_text(&r.out), "nothing is held\n");
	run_fini(&r);
}

static void guard_lift__by_somebody__asked_with_the_name_and_for_how_long(void **state)
{
	struct run r = {.replies = {"200 {\"shown\":\"+7701123xxxx\"}"}};

	(void)state;
	setenv("SUDO_USER", "aigul", 1);
	RUN(&r, "guard", "lift", "+7701123xxxx", "--for", "2h");
	begins(&r.asked[0], "POST /control/guard HTTP/1.1\r\n");
	has(&r.asked[0], "{\"subject\":\"+7701123xxxx\",\"by\":\"aigul\",\"for_s\":7200}");
	assert_string_equal(buf_text(&r.out), "+7701123xxxx is lifted\n");
	run_fini(&r);
	r = (struct run){.replies = {"200 {\"shown\":\"code:06j0w2kq4r000\"}"}};
	RUN(&r, "guard", "lift", "code:06j0w2kq4r000");
	has(&r.asked[0], "{\"subject\":\"code:06j0w2kq4r000\",\"by\":\"aigul\"}");
	run_fini(&r);
	unsetenv("SUDO_USER");
}

static void webhook_remove_enable_replay__ask_as_written(void **state)
{
	struct run r = {.replies = {"204 "}};

	(void)state;
	RUN(&r, "webhook", "remove", "4/../x");
	begins(&r.asked[0], "DELETE /control/webhooks/4%2F..%2Fx HTTP/1.1\r\n");
	run_fini(&r);
	r = (struct run){.replies = {"204 "}};
	RUN(&r, "webhook", "enable", "4");
	begins(&r.asked[0], "POST /control/webhooks/enable/4 HTTP/1.1\r\n");
	assert_string_equal(buf_text(&r.out), "webhook 4 is enabled\n");
	run_fini(&r);
	r = (struct run){.replies = {"204 "}};
	RUN(&r, "webhook", "replay", "06j0w2kq4r000");
	has(&r.asked[0], "{\"message\":\"06j0w2kq4r000\"}");
	run_fini(&r);
	r = (struct run){.replies = {"204 "}};
	RUN(&r, "webhook", "replay", "4", "--since", "2026-11-22T18:23:06Z");
	has(&r.asked[0], "{\"webhook\":4,\"since\":\"2026-11-22T18:23:06Z\"}");
	run_fini(&r);
}

static char *file_path(const char *name)
{
	return mem_printf("%s/%s", folder, name);
}

static struct keyring *keyring_read_back(const char *path)
{
	struct faults faults = {0};
	struct keyring *k = keyring_load(path, &faults);

	assert_string_equal(buf_text(&faults.text), "");
	faults_fini(&faults);
	return k;
}

static void keyring_new__no_file_there__one_that_loads_for_its_owner_alone(void **state)
{
	struct run r = {0}, again = {0};
	char *path = file_path("keyring"), *fresh = file_path("keyring.new");
	struct keyring *k, *same;
	struct stat st;

	(void)state;
	umask(0);
	RUN(&r, "keyring", "new", path);
	assert_int_equal(r.exit_code, 0);
	has(&r.out, "keyring: made, with key 1; keep a copy");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	k = keyring_read_back(path);
	assert_int_equal(keyring_newest(k), 1);
	RUN(&again, "keyring", "new", path);
	assert_int_equal(again.exit_code, 1);
	has(&again.err, "keyring: File exists\n");
	same = keyring_read_back(path);
	assert_int_equal(keyring_lookup(k, "d", "x", 1), keyring_lookup(same, "d", "x", 1));
	assert_int_equal(access(fresh, F_OK), -1);
	assert_int_equal(unlink(path), 0);
	keyring_free(k);
	keyring_free(same);
	run_fini(&r);
	run_fini(&again);
	free(path);
	free(fresh);
}

static void keyring_add__twice__every_key_before_stays(void **state)
{
	struct run made = {0}, one = {0}, two = {0};
	char *path = file_path("keyring");
	struct keyring *before, *after;
	struct buf sealed = {0}, clear = {0};
	struct stat st;

	(void)state;
	RUN(&made, "keyring", "new", path);
	before = keyring_read_back(path);
	keyring_seal(before, "d", 1, "old", 3, &sealed);
	assert_int_equal(chmod(path, 0640), 0);
	RUN(&one, "keyring", "add", path);
	RUN(&two, "keyring", "add", path);
	assert_int_equal(one.exit_code | two.exit_code, 0);
	has(&two.out,
	    "keyring: key 3 is added; give the file to every daemon of the database, then reload them");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	after = keyring_read_back(path);
	assert_int_equal(keyring_newest(after), 3);
	assert_int_equal(keyring_lookup(before, "d", "x", 1), keyring_lookup(after, "d", "x", 1));
	assert_int_equal(keyring_open(after, "d", 1, sealed.data, sealed.len, &clear), KZ_OK);
	assert_int_equal(unlink(path), 0);
	keyring_free(before);
	keyring_free(after);
	buf_fini(&sealed);
	buf_fini(&clear);
	run_fini(&made);
	run_fini(&one);
	run_fini(&two);
	free(path);
}

static void keyring_add__absent_or_faulty_or_being_written__left_as_it_is(void **state)
{
	struct run absent = {0}, faulty = {0}, busy = {0}, made = {0};
	char *path = file_path("keyring"), *fresh = file_path("keyring.new");

	(void)state;
	RUN(&absent, "keyring", "add", path);
	assert_int_equal(absent.exit_code, 1);
	has(&absent.err, "kezekctl keyring new ");
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fclose(f) | chmod(path, 0600), 0);
	RUN(&faulty, "keyring", "add", path);
	assert_int_equal(faulty.exit_code, 1);
	has(&faulty.err, "keyring: no line \"lookup\"");
	assert_int_equal(unlink(path), 0);
	RUN(&made, "keyring", "new", path);
	f = fopen(fresh, "we");
	assert_non_null(f);
	fclose(f);
	RUN(&busy, "keyring", "add", path);
	assert_int_equal(busy.exit_code, 1);
	has(&busy.err, "keyring.new: it is there: somebody adds a key just now");
	assert_int_equal(access(fresh, F_OK), 0);
	assert_int_equal(unlink(fresh) | unlink(path), 0);
	run_fini(&absent);
	run_fini(&faulty);
	run_fini(&busy);
	run_fini(&made);
	free(path);
	free(fresh);
}

#define NO_IMPORT                                                                                            \
	"404 {\"type\":\"/problems/not_found\",\"status\":404,\"code\":\"not_found\",\"detail\":\"none\","   \
	"\"retryable\":false}"
#define TAKEN(next, good, bad, faults)                                                                       \
	"200 {\"import\":\"night\",\"next_line\":" #next ",\"good\":" #good ",\"bad\":" #bad                 \
	",\"faults\":[" faults "]}"
#define A_FAULT                                                                                              \
	"{\"line\":2,\"field\":\"child.\\u001b[31miin\",\"code\":\"invalid_iin\",\"detail\":\"no\\nday\"}"

/* Of a request: whether the body behind its headers is this. */
static void has_body(const struct buf *asked, const char *body)
{
	const char *at = strstr(buf_text(asked), "\r\n\r\n");

	assert_non_null(at);
	assert_string_equal(at + 4, body);
}

static void import__all_lines_good__says_how_many_and_exits_0(void **state)
{
	struct run r = {.replies = {NO_IMPORT, TAKEN(4, 3, 0, "")}, .input = "{\"a\":1}\n\n{\"b\":2}"};

	(void)state;
	RUN(&r, "import", "-", "--id", "night", "--notices");
	assert_int_equal(r.exit_code, 0);
	begins(&r.asked[0], "GET /v1/records/import/night?after=0 HTTP/1.1\r\n");
	begins(&r.asked[1], "POST /v1/records/import?import=night&line=1&notices=yes HTTP/1.1\r\n");
	has(&r.asked[1], "\r\nContent-Type: application/x-ndjson\r\n");
	has_body(&r.asked[1], "{\"a\":1}\n\n{\"b\":2}");
	assert_string_equal(buf_text(&r.out), "");
	has(&r.err, "import night: 3 lines, 3 good, 0 bad, ");
	run_fini(&r);
}

static void import__nothing_in_the_file__nothing_sent(void **state)
{
	struct run r = {.replies = {NO_IMPORT}};

	(void)state;
	RUN(&r, "import", "-", "--id", "night");
	assert_int_equal(r.exit_code, 0);
	has(&r.err, "import night: 0 lines, 0 good, 0 bad, ");
	run_fini(&r);
}

static void import__bad_lines__printed_clean_and_exits_1(void **state)
{
	struct run r = {.replies = {NO_IMPORT, TAKEN(4, 1, 2, A_FAULT ",{\"line\":3,\"code\":\"x\"}")},
	    .input = "a\nb\nc\n"};
	struct run json = {.replies = {NO_IMPORT, TAKEN(3, 1, 1, A_FAULT)}, .input = "a\nb\n"};

	(void)state;
	RUN(&r, "import", "-", "--id", "night");
	assert_int_equal(r.exit_code, 1);
	assert_string_equal(buf_text(&r.out), "line 2: child.\xef\xbf\xbd[31miin: invalid_iin: no\xef\xbf\xbd"
	                                      "day\nline 3: x: \n");
	RUN(&json, "--json", "import", "-", "--id", "night");
	assert_int_equal(json.exit_code, 1);
	assert_string_equal(buf_text(&json.out), "{\"line\":2,\"field\":\"child.\\u001B[31miin\","
	                                         "\"code\":\"invalid_iin\",\"detail\":\"no\\nday\"}\n");
	run_fini(&r);
	run_fini(&json);
}

static void import__cut_short_before__goes_on_at_the_next_line_with_all_faults(void **state)
{
	struct run r = {.replies = {TAKEN(3, 1, 1, ""), TAKEN(3, 1, 1, A_FAULT), TAKEN(5, 3, 1, "")},
	    .input = "a\nb\nc\nd\n"};

	(void)state;
	RUN(&r, "import", "-", "--id", "night");
	assert_int_equal(r.exit_code, 1);
	begins(&r.asked[2], "POST /v1/records/import?import=night&line=3 HTTP/1.1\r\n");
	has_body(&r.asked[2], "c\nd\n");
	has(&r.err, "import night goes on at line 3\n");
	has(&r.out, "line 2: ");
	has(&r.err, "import night: 4 lines, 3 good, 1 bad, ");
	run_fini(&r);
}

static void import__fewer_lines_than_were_taken__another_file_refused(void **state)
{
	struct run r = {.replies = {TAKEN(4, 3, 0, "")}, .input = "a\nb\n"};

	(void)state;
	RUN(&r, "import", "-", "--id", "night");
	assert_int_equal(r.exit_code, 1);
	has(&r.err, "fewer lines than were taken of this import");
	run_fini(&r);
}

static void import__refused_for_now__waits_and_sends_the_same_again(void **state)
{
	struct run r = {
	    .replies = {NO_IMPORT,
	        "503 "
	        "{\"code\":\"un\\u001bavailable\",\"status\":503,\"detail\":\"later\",\"retryable\":true}",
	        "409 {\"code\":\"import_runs\",\"status\":409,\"detail\":\"later\",\"retryable\":true}",
	        TAKEN(3, 2, 0, "")},
	    .input = "a\nb\n"};

	(void)state;
	RUN(&r, "import", "-", "--id", "night");
	assert_int_equal(r.exit_code, 0);
	for (int i = 1; i < 4; i++) {
		begins(&r.asked[i], "POST /v1/records/import?import=night&line=1 HTTP/1.1\r\n");
		has_body(&r.asked[i], "a\nb\n");
	}
	has(&r.err, "kezekctl: -: un\xef\xbf\xbd"
	            "available: waiting, and going on by itself\n");
	run_fini(&r);
}

static void import__piece_too_large__halved(void **state)
{
	struct run r = {
	    .replies = {NO_IMPORT,
	        "413 {\"code\":\"body_too_large\",\"status\":413,\"detail\":\"x\",\"retryable\":false}",
	        TAKEN(2, 1, 0, ""), TAKEN(3, 2, 0, "")},
	    .input = "aaaa\nbbbb\n"};

	(void)state;
	RUN(&r, "import", "-", "--id", "night");
	assert_int_equal(r.exit_code, 0);
	has_body(&r.asked[1], "aaaa\nbbbb\n");
	has_body(&r.asked[2], "aaaa\n");
	begins(&r.asked[3], "POST /v1/records/import?import=night&line=2 HTTP/1.1\r\n");
	has_body(&r.asked[3], "bbbb\n");
	run_fini(&r);
}

static void import__refused__says_why_and_exits_1(void **state)
{
	struct run r = {
	    .replies = {NO_IMPORT,
	        "409 {\"code\":\"import_line\",\"status\":409,\"detail\":\"not this\",\"retryable\":false}"},
	    .input = "a\n"};

	(void)state;
	RUN(&r, "import", "-", "--id", "night");
	assert_int_equal(r.exit_code, 1);
	has(&r.err, "kezekctl: not this (409 import_line)\n");
	run_fini(&r);
}

static char *import_id_of(const char *path)
{
	struct run r = {.replies = {NO_IMPORT, TAKEN(2, 1, 0, "")}};

	RUN(&r, "import", path);
	assert_int_equal(r.exit_code, 0);
	const char *at = strstr(buf_text(&r.err), "this is import ");
	assert_non_null(at);
	char *id = mem_strn(at + 15, strcspn(at + 15, "\n"));
	run_fini(&r);
	return id;
}

static void import__no_id__that_of_the_content(void **state)
{
	char *one = file_path("one"), *two = file_path("two");

	(void)state;
	FILE *f = fopen(one, "we"), *g = fopen(two, "we");
	assert_true(f && g && fputs("{\"a\":1}\n", f) >= 0 && fputs("{\"a\":1}\n", g) >= 0);
	assert_int_equal(fclose(f) | fclose(g), 0);
	char *first = import_id_of(one), *same = import_id_of(two);
	assert_string_equal(first, same);
	assert_int_equal(strlen(first), 24);
	f = fopen(one, "ae");
	assert_true(f && fputs("{}\n", f) >= 0 && !fclose(f));
	char *other = import_id_of(one);
	assert_string_not_equal(first, other);
	assert_int_equal(unlink(one) | unlink(two), 0);
	free(first);
	free(same);
	free(other);
	free(one);
	free(two);
}

static void import__no_file_or_no_daemon__says_so(void **state)
{
	struct run none = {0}, away = {.input = "a\n"};

	(void)state;
	RUN(&none, "import", "/nowhere/at/all");
	assert_int_equal(none.exit_code, 1);
	has(&none.err, "kezekctl: /nowhere/at/all: No such file or directory\n");
	RUN(&away, "--socket", "/nowhere.sock", "import", "-");
	assert_int_equal(away.exit_code, 3);
	run_fini(&none);
	run_fini(&away);
}

static void answer__no_json__is_a_refusal(void **state)
{
	struct run r = {.replies = {"500 <html>"}};

	(void)state;
	RUN(&r, "status");
	assert_int_equal(r.exit_code, 1);
	has(&r.err, "kezekctl: no reason given (500 unknown)\n");
	run_fini(&r);
}

static void command_line__wrong__exits_2_without_asking(void **state)
{
	static const char *const lines[][8] = {
	    {"kezekctl"},
	    {"kezekctl", "stats"},
	    {"kezekctl", "status", "now"},
	    {"kezekctl", "--frobnicate", "status"},
	    {"kezekctl", "trace"},
	    {"kezekctl", "send", "--text", "x"},
	    {"kezekctl", "send", "--to", "1", "--text", "x", "--template=y"},
	    {"kezekctl", "send", "--to", "1", "--text", "x", "--wait=0"},
	    {"kezekctl", "send", "--to", "1", "--text", "x", "--wait=5x"},
	    {"kezekctl", "send", "--to", "1", "--text", "x", "--param=a=b"},
	    {"kezekctl", "send", "--to", "1", "--text", "\xff"},
	    {"kezekctl", "key"},
	    {"kezekctl", "key", "add", "portal"},
	    {"kezekctl", "key", "revoke"},
	    {"kezekctl", "aside", "all"},
	    {"kezekctl", "news"},
	    {"kezekctl", "news", "0"},
	    {"kezekctl", "news", "7", "8"},
	    {"kezekctl", "news", "x", "--replay"},
	    {"kezekctl", "late", "all"},
	    {"kezekctl", "guard", "all"},
	    {"kezekctl", "guard", "--for", "2h"},
	    {"kezekctl", "guard", "lift"},
	    {"kezekctl", "guard", "lift", "+7701123xxxx", "--for", "8d"},
	    {"kezekctl", "guard", "lift", "+7701123xxxx", "--for", "long"},
	    {"kezekctl", "webhook"},
	    {"kezekctl", "webhook", "add", "portal"},
	    {"kezekctl", "webhook", "list", "--since=x"},
	    {"kezekctl", "webhook", "remove"},
	    {"kezekctl", "webhook", "replay"},
	    {"kezekctl", "webhook", "replay", "1abc", "--since", "2026-11-22T18:23:06Z"},
	    {"kezekctl", "webhook", "replay", "06j0w2kq4r000", "--since", "2026-11-22T18:23:06Z"},
	    {"kezekctl", "webhook", "replay", "", "--since", "2026-11-22T18:23:06Z"},
	    {"kezekctl", "import"},
	    {"kezekctl", "import", "a", "b"},
	    {"kezekctl", "import", "a", "--id", ""},
	    {"kezekctl", "keyring"},
	    {"kezekctl", "keyring", "new"},
	    {"kezekctl", "keyring", "add", ""},
	    {"kezekctl", "keyring", "drop", "file"},
	    {"kezekctl", "webhook", "replay", "-4", "--since", "2026-11-22T18:23:06Z"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct run r = {0};

		tool_run(&r, lines[i]);
		assert_int_equal(r.exit_code, 2);
		has(&r.err, "--help\n");
		run_fini(&r);
	}
}

static int folder_make(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	socket_path = mem_printf("%s/control.sock", folder);
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	unlink(socket_path);
	free(socket_path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(status__carrier_down__says_so_and_why),
	    cmocka_unit_test(status__control_characters__never_reach_the_terminal),
	    cmocka_unit_test(status__json__is_the_daemons),
	    cmocka_unit_test(status__numbers_beyond_all_reason__are_cut),
	    cmocka_unit_test(status__no_socket__exit_3_names_it_and_the_remedy),
	    cmocka_unit_test(trace__by_id__local_times_and_deltas),
	    cmocka_unit_test(trace__no_such_id__is_tried_as_client_ref),
	    cmocka_unit_test(trace__reference__is_escaped),
	    cmocka_unit_test(send__text_from_stdin__asks_with_a_key_of_its_own),
	    cmocka_unit_test(send__template__carries_params_and_dry_run),
	    cmocka_unit_test(send__refused__prints_the_detail_and_exits_1),
	    cmocka_unit_test(send__not_now__tells_the_key_to_repeat_with),
	    cmocka_unit_test(send__wait__asks_until_the_end_and_prints_the_trace),
	    cmocka_unit_test(send__wait_and_not_delivered__exits_1),
	    cmocka_unit_test(key_add__output__is_the_key_alone),
	    cmocka_unit_test(key_list__revoked_one__shows_when),
	    cmocka_unit_test(key_revoke__empty_answer__is_done),
	    cmocka_unit_test(webhook_add__output__is_the_secret_alone),
	    cmocka_unit_test(webhook_list__one_down_and_one_disabled__says_so),
	    cmocka_unit_test(webhook_remove_enable_replay__ask_as_written),
	    cmocka_unit_test(news__of_one_application__a_row_each_and_whom_they_are_to_be_told),
	    cmocka_unit_test(aside__any_octets__shown_as_plain_text),
	    cmocka_unit_test(late__some_and_none__a_line_each),
	    cmocka_unit_test(guard__a_prefix_and_a_phone__listed),
	    cmocka_unit_test(guard_lift__by_somebody__asked_with_the_name_and_for_how_long),
	    cmocka_unit_test(keyring_new__no_file_there__one_that_loads_for_its_owner_alone),
	    cmocka_unit_test(keyring_add__twice__every_key_before_stays),
	    cmocka_unit_test(keyring_add__absent_or_faulty_or_being_written__left_as_it_is),
	    cmocka_unit_test(import__all_lines_good__says_how_many_and_exits_0),
	    cmocka_unit_test(import__nothing_in_the_file__nothing_sent),
	    cmocka_unit_test(import__bad_lines__printed_clean_and_exits_1),
	    cmocka_unit_test(import__cut_short_before__goes_on_at_the_next_line_with_all_faults),
	    cmocka_unit_test(import__fewer_lines_than_were_taken__another_file_refused),
	    cmocka_unit_test(import__refused_for_now__waits_and_sends_the_same_again),
	    cmocka_unit_test(import__piece_too_large__halved),
	    cmocka_unit_test(import__refused__says_why_and_exits_1),
	    cmocka_unit_test(import__no_id__that_of_the_content),
	    cmocka_unit_test(import__no_file_or_no_daemon__says_so),
	    cmocka_unit_test(answer__no_json__is_a_refusal),
	    cmocka_unit_test(command_line__wrong__exits_2_without_asking),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
