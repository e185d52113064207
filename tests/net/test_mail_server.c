/* The client against a mail server that others wrote, and its letters as Python's email package reads them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/mail.h"

static char folder[] = "/tmp/kezek-mail.XXXXXX", cert[64];
static pid_t server;
static FILE *server_says;

/* Where the server listens. */
enum way { IN_CLEAR, BY_STARTTLS, BY_TLS, WAYS };
static unsigned ports[WAYS];

struct heard {
	int count;
	struct mail_answer answer;
};

struct rig {
	struct loop *loop;
	struct mail_client *client;
	char url[64];
};

static void server_run(int fd)
{
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	execl("/usr/bin/python3", "python3", KEZEK_SOURCE_DIR "/tests/net/smtp_server.py", folder, NULL);
	_exit(127);
}

/* It ends when our end of the pair is closed, also by our death. */
static int group_setup(void **state)
{
	char line[64];
	int pair[2];

	(void)state;
	if (!mkdtemp(folder) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	snprintf(cert, sizeof cert, "%s/server.crt", folder);
	server = fork();
	if (server == 0)
		server_run(pair[1]);
	close(pair[1]);
	server_says = fdopen(pair[0], "r");
	return fgets(line, sizeof line, server_says) &&
	               sscanf(line, "%u %u %u", &ports[IN_CLEAR], &ports[BY_STARTTLS], &ports[BY_TLS]) == 3
	           ? 0
	           : -1;
}

static int group_teardown(void **state)
{
	char key[64];
	int status;

	(void)state;
	fclose(server_says);
	waitpid(server, &status, 0);
	snprintf(key, sizeof key, "%s/server.key", folder);
	unlink(key);
	unlink(cert);
	return rmdir(folder);
}

static int rig_setup(void **state)
{
	struct rig *g = calloc(1, sizeof *g);

	g->loop = loop_new(&clock_real);
	*state = g;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *g = *state;

	mail_client_free(g->client);
	loop_free(g->loop);
	free(g);
	return 0;
}

static void rig_client(
    struct rig *g, enum way way, const char *ca_path, const char *password, int64_t timeout_ms)
{
	const struct mail_client_options o = {.url = g->url,
	    .starttls = way == BY_STARTTLS ? MAIL_STARTTLS_REQUIRED : MAIL_STARTTLS_OFF,
	    .ca_path = ca_path,
	    .user = *password ? "kezek" : "",
	    .password = password,
	    .from = "queue@example.kz",
	    .from_name = "Кезек",
	    .threads = 2,
	    .waiting = 2,
	    .timeout_ms = timeout_ms};
	char why[256];

	snprintf(g->url, sizeof g->url, "%s://127.0.0.1:%u", way == BY_TLS ? "smtps" : "smtp", ports[way]);
	assert_null(mail_client_fault(&o, &(const char *){NULL}));
	mail_client_free(g->client);
	g->client = mail_client_new(g->loop, &o, why);
	assert_non_null(g->client);
}

static void on_answer(void *arg, const struct mail_answer *a)
{
	struct heard *h = arg;

	h->count++;
	h->answer = *a;
}

static struct mail_answer send_mail(struct rig *g, const struct mail *m)
{
	int64_t give_up = clock_real.mono_us() + 20000000;
	struct heard h = {0};

	assert_int_equal(mail_client_send(g->client, m, on_answer, &h), KZ_OK);
	assert_int_equal(h.count, 0);
	while (!h.count && clock_real.mono_us() < give_up)
		loop_turn(g->loop, 20);
	assert_int_equal(h.count, 1);
	assert_int_equal(mail_client_open(g->client), 0);
	return h.answer;
}

static struct mail_answer send_to(struct rig *g, const char *to)
{
	return send_mail(
	    g, &(struct mail){.id = "n1", .to = to, .subject = "s", .text = "t", .language = "en"});
}

/* The line of the next letter that the server took: what stands before its Date, and after. */
static void server_took(const char *before, const char *after)
{
	long long now = clock_real.wall_us() / 1000000, date;
	char line[4096], *end;

	assert_non_null(fgets(line, sizeof line, server_says));
	if (strncmp(line, before, strlen(before)) != 0)
		fail_msg("%s", line);
	date = strtoll(line + strlen(before), &end, 10);
	assert_in_range(now - date, 0, 60);
	assert_string_equal(end, after);
}

static void send__three_languages__read_back_with_their_charset_and_language(void **state)
{
	struct rig *g = *state;
	const struct mail kk = {"1a.kk", "ana@example.kz",
	    "Балаңызға балабақшадан орын берілді: жолдаманы үш жұмыс күні ішінде қабылдаңыз",
	    "Құрметті ата-ана!\nЖолдама 12.12 күніне дейін.\n.\nӘ Ғ Қ Ң Ө Ұ Ү Һ І\n", "kk",
	    "https://example.kz/u?t=a1&l=kk"};
	const struct mail ru = {"1a.ru", "ana@example.kz", "Направление выдано",
	    "Здравствуйте!\r\nЪ ё Э — «до 12.12»\r\n", "ru", NULL};
	const struct mail en = {
	    "1a.en", "ana@example.kz", "A place is offered", "Dear parent,\nuntil 12.12\n", "en", NULL};

	rig_client(g, IN_CLEAR, "", "", 20000);
	assert_int_equal(send_mail(g, &kk).outcome, MAIL_ACCEPTED);
	server_took("queue@example.kz|ana@example.kz|Кезек|queue@example.kz|ana@example.kz|"
	            "Балаңызға балабақшадан орын берілді: жолдаманы үш жұмыс күні ішінде қабылдаңыз|kk|utf-8|"
	            "Құрметті ата-ана!/Жолдама 12.12 күніне дейін././Ә Ғ Қ Ң Ө Ұ Ү Һ І/|"
	            "<https://example.kz/u?t=a1&l=kk>|auto-generated|<1a.kk@example.kz>|",
	    "|login=None|defects=0|long=0\n");
	assert_int_equal(send_mail(g, &ru).outcome, MAIL_ACCEPTED);
	server_took("queue@example.kz|ana@example.kz|Кезек|queue@example.kz|ana@example.kz|"
	            "Направление выдано|ru|utf-8|Здравствуйте!/Ъ ё Э — «до 12.12»/|None|auto-generated|"
	            "<1a.ru@example.kz>|",
	    "|login=None|defects=0|long=0\n");
	assert_int_equal(send_mail(g, &en).outcome, MAIL_ACCEPTED);
	server_took(
	    "queue@example.kz|ana@example.kz|Кезек|queue@example.kz|ana@example.kz|"
	    "A place is offered|en|utf-8|Dear parent,/until 12.12/|None|auto-generated|<1a.en@example.kz>|",
	    "|login=None|defects=0|long=0\n");
}

static void send__longest_letter__taken_whole(void **state)
{
	struct rig *g = *state;
	char *text = malloc(MAIL_TEXT + 1);
	struct mail_answer a;
	char line[256];
	int c;

	memset(text, '\n', MAIL_TEXT);
	text[MAIL_TEXT] = '\0';
	rig_client(g, IN_CLEAR, "", "", 20000);
	a = send_mail(g, &(struct mail){"long", "ana@example.kz", "s", text, "en", NULL});
	assert_int_equal(a.outcome, MAIL_ACCEPTED);
	int lines = 0;
	while ((c = getc(server_says)) != '\n' && c != EOF)
		lines += c == '/';
	assert_int_equal(lines, MAIL_TEXT);
	assert_int_equal(send_to(g, "ana@example.kz").outcome, MAIL_ACCEPTED);
	assert_non_null(fgets(line, sizeof line, server_says));
	free(text);
}

static void send__refused__the_verdict_with_its_codes(void **state)
{
	static const struct {
		const char *to;
		struct mail_answer wanted;
	} cases[] = {
	    {"full@example.kz", {MAIL_TEMPORARY, MAIL_RECIPIENT, false, 450, "4.2.2"}},
	    {"nobody@example.kz", {MAIL_PERMANENT, MAIL_RECIPIENT, false, 550, "5.1.1"}},
	    {"old@example.kz", {MAIL_PERMANENT, MAIL_RECIPIENT, false, 553, ""}},
	    {"spam@example.kz", {MAIL_PERMANENT, MAIL_CONTENT, false, 554, "5.7.1"}},
	};
	struct rig *g = *state;

	rig_client(g, IN_CLEAR, "", "", 20000);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mail_answer a = send_to(g, cases[i].to);

		assert_int_equal(a.outcome, cases[i].wanted.outcome);
		assert_int_equal(a.reason, cases[i].wanted.reason);
		assert_int_equal(a.in_doubt, false);
		assert_int_equal(a.code, cases[i].wanted.code);
		assert_string_equal(a.enhanced, cases[i].wanted.enhanced);
	}
}

static void send__server_falls_silent__timeout(void **state)
{
	struct rig *g = *state;
	struct mail_answer a;

	rig_client(g, IN_CLEAR, "", "", 300);
	a = send_to(g, "silent@example.kz");
	assert_int_equal(a.outcome, MAIL_TEMPORARY);
	assert_int_equal(a.reason, MAIL_TIMEOUT);
	assert_false(a.in_doubt);
}

static void check_tls(struct rig *g, enum way way, const char *login)
{
	struct mail_answer a;
	char after[64];

	rig_client(g, way, "", "құпия", 20000);
	a = send_to(g, "ana@example.kz");
	assert_int_equal(a.outcome, MAIL_TEMPORARY);
	assert_int_equal(a.reason, MAIL_NO_TLS);
	rig_client(g, way, cert, "wrong", 20000);
	a = send_to(g, "ana@example.kz");
	assert_int_equal(a.outcome, MAIL_TEMPORARY);
	assert_int_equal(a.reason, MAIL_LOGIN);
	assert_int_equal(a.code, 535);
	assert_string_equal(a.enhanced, "5.7.8");
	rig_client(g, way, cert, "құпия", 20000);
	assert_int_equal(send_to(g, "ana@example.kz").outcome, MAIL_ACCEPTED);
	snprintf(after, sizeof after, "|login=%s:kezek|defects=0|long=0\n", login);
	server_took("queue@example.kz|ana@example.kz|Кезек|queue@example.kz|ana@example.kz|s|en|utf-8|t|None|"
	            "auto-generated|<n1@example.kz>|",
	    after);
}

static void starttls__certificate_and_password_known_or_not__taken_or_refused(void **state)
{
	check_tls(*state, BY_STARTTLS, "PLAIN");
}

static void tls__certificate_and_password_known_or_not__taken_or_refused(void **state)
{
	check_tls(*state, BY_TLS, "LOGIN");
}

static void starttls__server_wants_a_login_and_none_is_given__the_server_refuses_our_address(void **state)
{
	struct rig *g = *state;
	struct mail_answer a;

	rig_client(g, BY_STARTTLS, cert, "", 20000);
	a = send_to(g, "ana@example.kz");
	assert_int_equal(a.outcome, MAIL_TEMPORARY);
	assert_int_equal(a.reason, MAIL_SENDER);
	assert_int_equal(a.code, 530);
}

/* The server looks at the letter for two seconds; a timer of the loop goes on firing. */
struct ticks {
	struct timer *timer;
	int64_t last_us, widest_us;
};

static void tick(void *arg)
{
	struct ticks *t = arg;
	int64_t now_us = clock_real.mono_us();

	if (now_us - t->last_us > t->widest_us)
		t->widest_us = now_us - t->last_us;
	t->last_us = now_us;
	timer_start(t->timer, 5);
}

static void send__server_is_slow__the_loop_turns_meanwhile(void **state)
{
	struct rig *g = *state;
	int64_t from_us = clock_real.mono_us();
	struct ticks t = {.last_us = from_us};
	char line[256];

	t.timer = timer_new(g->loop, tick, &t);
	timer_start(t.timer, 5);
	rig_client(g, IN_CLEAR, "", "", 20000);
	assert_int_equal(send_to(g, "slow@example.kz").outcome, MAIL_ACCEPTED);
	timer_free(t.timer);
	assert_true(clock_real.mono_us() - from_us >= 2000000);
	assert_true(t.widest_us < 1000000);
	assert_non_null(fgets(line, sizeof line, server_says));
}

static void send__server_is_slower_than_the_time__in_doubt(void **state)
{
	struct rig *g = *state;
	struct mail_answer a;
	char line[256];

	rig_client(g, IN_CLEAR, "", "", 500);
	a = send_to(g, "slow@example.kz");
	assert_int_equal(a.outcome, MAIL_TEMPORARY);
	assert_int_equal(a.reason, MAIL_TIMEOUT);
	assert_true(a.in_doubt);
	assert_non_null(fgets(line, sizeof line, server_says)); /* and it was taken */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(send__three_languages__read_back_with_their_charset_and_language),
	    CASE(send__longest_letter__taken_whole),
	    CASE(send__refused__the_verdict_with_its_codes),
	    CASE(send__server_falls_silent__timeout),
	    CASE(starttls__certificate_and_password_known_or_not__taken_or_refused),
	    CASE(tls__certificate_and_password_known_or_not__taken_or_refused),
	    CASE(send__server_is_slow__the_loop_turns_meanwhile),
	    CASE(send__server_is_slower_than_the_time__in_doubt),
	    CASE(starttls__server_wants_a_login_and_none_is_given__the_server_refuses_our_address),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
