/* One letter told by libcurl's easy interface. What the server says, and to what, is read from the copy of
 * the talk that libcurl gives for debugging: its own result does not tell a refused sender from a refused
 * recipient, nor an answer to the letter from none. Behind QUIT nothing matters any more, so nobody waits for
 * its answer. Each letter has its connection: notices come one by one, and a server's limits of letters a
 * connection are nothing to know about. */
#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "net/mail_body.h"

/* What was said last. */
enum word {
	WORD_NONE,
	WORD_HELLO,
	WORD_STARTTLS,
	WORD_LOGIN,
	WORD_SENDER,
	WORD_RECIPIENT,
	WORD_DATA,
	WORD_TEXT,
	WORD_QUIT
};

struct ear {
	const struct mail_client *client;
	const struct mail_talk *talk;
	enum word word, last; /* last: before QUIT */
	size_t given, said;   /* octets of the text */
	int code;             /* the answer to last */
	char enhanced[MAIL_ENHANCED];
};

static bool line_begins(const char *line, size_t len, const char *verb)
{
	return len >= strlen(verb) && memcmp(line, verb, strlen(verb)) == 0;
}

/* libcurl writes its commands in capitals. What is none of them belongs to a login. */
static enum word line_word(const char *line, size_t len)
{
	static const struct {
		const char *verb;
		enum word word;
	} verbs[] = {{"EHLO ", WORD_HELLO}, {"HELO ", WORD_HELLO}, {"STARTTLS", WORD_STARTTLS},
	    {"MAIL FROM:", WORD_SENDER}, {"RCPT TO:", WORD_RECIPIENT}, {"DATA", WORD_DATA},
	    {"QUIT", WORD_QUIT}};

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (line_begins(line, len, verbs[i].verb))
			return verbs[i].word;
	return WORD_LOGIN;
}

static void ear_said(struct ear *e, enum word word)
{
	e->word = word;
	if (word == WORD_QUIT)
		return;
	e->last = word;
	e->code = 0;
	e->enhanced[0] = '\0';
}

static void ear_said_text(struct ear *e, size_t len)
{
	e->said += len;
	if (e->said >= e->talk->text.len && e->last != WORD_TEXT)
		ear_said(e, WORD_TEXT);
}

/* "5.1.1" of the code's own class (RFC 2034, 4), else nothing. */
static void enhanced_read(const char *text, size_t len, char class, char ret[MAIL_ENHANCED])
{
	size_t n = 0, dots = 0;

	for (; n < len && (isdigit((unsigned char)text[n]) || text[n] == '.'); n++)
		dots += text[n] == '.';
	if (n < 5 || n >= MAIL_ENHANCED || dots != 2 || text[0] != class || text[1] != '.' ||
	    text[2] == '.' || text[n - 1] == '.')
		n = 0;
	memcpy(ret, text, n);
	ret[n] = '\0';
}

/* One line of the server's; the last of an answer counts. */
static void ear_heard(struct ear *e, const char *line, size_t len)
{
	if (e->word == WORD_QUIT || len < 4 || line[3] == '-')
		return;
	for (size_t i = 0; i < 3; i++)
		if (!isdigit((unsigned char)line[i]))
			return;
	int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
	if (code < 200 || code > 599)
		return;
	e->code = code;
	enhanced_read(line + 4, len - 4, line[0], e->enhanced);
}

static int ear_on_talk(CURL *easy, curl_infotype type, char *bytes, size_t len, void *arg)
{
	(void)easy;
	if (type == CURLINFO_HEADER_IN)
		ear_heard(arg, bytes, len);
	else if (type == CURLINFO_HEADER_OUT)
		ear_said(arg, line_word(bytes, len));
	else if (type == CURLINFO_DATA_OUT)
		ear_said_text(arg, len);
	return 0;
}

/* libcurl asks once a second at least, whatever it waits for. */
static int ear_on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct ear *e = arg;

	(void)a, (void)b, (void)c, (void)d;
	return e->word == WORD_QUIT || atomic_load(&e->client->stopping);
}

static size_t ear_give_text(char *room, size_t size, size_t n, void *arg)
{
	struct ear *e = arg;
	size_t left = e->talk->text.len - e->given, take = size * n < left ? size * n : left;

	memcpy(room, e->talk->text.data + e->given, take);
	e->given += take;
	return take;
}

static void easy_fence(CURL *easy, const struct mail_client *c)
{
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	/* A name server that is silent is not waited for when the time is over. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)(c->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	if (*c->ca_path) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, c->ca_path);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
}

static void easy_listen(CURL *easy, struct ear *e)
{
	curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, ear_on_talk);
	curl_easy_setopt(easy, CURLOPT_DEBUGDATA, e);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, ear_on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, e);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, ear_give_text);
	curl_easy_setopt(easy, CURLOPT_READDATA, e);
}

static void easy_fill(CURL *easy, const struct mail_client *c, const struct mail_talk *t, long left_ms,
    const struct curl_slist *to)
{
	curl_easy_setopt(easy, CURLOPT_URL, c->url);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, left_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, left_ms);
	if (*c->user) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, c->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, c->password);
	}
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, c->from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)t->text.len);
}

/* A word that was refused. */
static enum mail_reason word_reason(enum word w)
{
	static const enum mail_reason reasons[] = {
	    [WORD_NONE] = MAIL_SERVER,
	    [WORD_HELLO] = MAIL_SERVER,
	    [WORD_STARTTLS] = MAIL_NO_TLS,
	    [WORD_LOGIN] = MAIL_LOGIN,
	    [WORD_SENDER] = MAIL_SENDER,
	    [WORD_RECIPIENT] = MAIL_RECIPIENT,
	    [WORD_DATA] = MAIL_CONTENT,
	    [WORD_TEXT] = MAIL_CONTENT,
	    [WORD_QUIT] = MAIL_BROKEN,
	};

	return reasons[w];
}

/* Nothing was refused by a word. */
static enum mail_reason result_reason(CURLcode result)
{
	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return MAIL_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return MAIL_TIMEOUT;
	case CURLE_USE_SSL_FAILED:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CIPHER:
		return MAIL_NO_TLS;
	case CURLE_LOGIN_DENIED:
		return MAIL_LOGIN;
	default:
		return MAIL_BROKEN;
	}
}

static struct mail_answer ear_answer(const struct ear *e, CURLcode result)
{
	struct mail_answer a = {.outcome = MAIL_TEMPORARY, .code = e->code};

	memcpy(a.enhanced, e->enhanced, sizeof a.enhanced);
	if (e->last == WORD_TEXT && e->code / 100 == 2) {
		a.outcome = MAIL_ACCEPTED;
		a.reason = MAIL_TAKEN;
	} else if (e->code >= 400) {
		a.reason = word_reason(e->last);
		if (e->code >= 500 && (a.reason == MAIL_RECIPIENT || a.reason == MAIL_CONTENT))
			a.outcome = MAIL_PERMANENT;
	} else {
		a.reason = result_reason(result);
		a.in_doubt = e->last == WORD_TEXT;
		a.code = 0;
		a.enhanced[0] = '\0';
	}
	return a;
}

static struct mail_answer talk_tell(const struct mail_client *c, const struct mail_talk *t, long left_ms)
{
	struct ear e = {.client = c, .talk = t};
	struct curl_slist *to = curl_slist_append(NULL, t->to);
	CURL *easy = curl_easy_init();

	assert(to && easy);
	easy_fence(easy, c);
	easy_listen(easy, &e);
	easy_fill(easy, c, t, left_ms, to);
	CURLcode result = curl_easy_perform(easy);
	curl_easy_cleanup(easy);
	curl_slist_free_all(to);
	return ear_answer(&e, result);
}

void mail_talk_run(const struct mail_client *c, struct mail_talk *t)
{
	int64_t left_ms = (t->until_us - clock_real.mono_us()) / 1000;

	t->answer = left_ms > 0 ? talk_tell(c, t, (long)left_ms)
	                        : (struct mail_answer){.outcome = MAIL_TEMPORARY, .reason = MAIL_TIMEOUT};
}
