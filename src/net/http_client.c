/* libcurl tells which descriptors to watch and when to wake it; what has ended is taken from it when it has
 * returned, never from inside, so that a callback may post and cancel. Names are looked up by libcurl's own
 * thread: our resolver would have to be told to it address by address, and would not ask what the machine is
 * set up to ask. */
#include "net/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <strings.h>

#include "base/list.h"
#include "base/mem.h"
#include "net/address.h"

#define HEAD_MAX 65536
#define BODY_MAX 65536

struct http_client {
	struct loop *loop;
	CURLM *multi;
	struct timer *timer;
	struct list open; /* struct http_post */
	size_t most;
	bool allow_private;
	char *ca_path;
	uint64_t tickets;
};

/* One POST. */
struct http_post {
	struct list_node node;
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	uint64_t ticket;
	size_t head_n, body_n;
	bool forbidden; /* plain http, or an address was refused */
	bool permitted; /* an address was not */
	http_answer_fn *done;
	void *arg;
};

/* A descriptor of libcurl's. */
struct http_socket {
	struct http_client *client;
	struct watch *watch;
	curl_socket_t fd;
};

const char *http_outcome_name(enum http_outcome o)
{
	static const char *const names[HTTP_OUTCOMES] = {
	    "answered", "unreachable", "timeout", "tls", "forbidden", "broken"};

	return names[o];
}

static void post_free(struct http_post *p)
{
	curl_multi_remove_handle(p->client->multi, p->easy);
	curl_easy_cleanup(p->easy);
	curl_slist_free_all(p->headers);
	list_remove(&p->client->open, &p->node);
	free(p);
}

static bool code_is_tls(CURLcode code)
{
	return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
	       code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CIPHER ||
	       code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR;
}

static enum http_outcome post_outcome(const struct http_post *p, CURLcode code, long status)
{
	/* an answer whose body is too long is an answer */
	if (status >= 200 && status <= 599 && (code == CURLE_OK || p->body_n > BODY_MAX))
		return HTTP_ANSWERED;
	if (p->forbidden && !p->permitted &&
	    (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_COULDNT_CONNECT))
		return HTTP_FORBIDDEN;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return HTTP_TIMEOUT;
	if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT)
		return HTTP_UNREACHABLE;
	return code_is_tls(code) ? HTTP_TLS : HTTP_BROKEN;
}

static void post_finish(struct http_post *p, CURLcode code)
{
	http_answer_fn *done = p->done;
	void *arg = p->arg;
	curl_off_t retry_after_s = 0;
	long status = 0;

	curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(p->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	const struct http_answer a = {post_outcome(p, code, status), (int)status, retry_after_s};
	post_free(p);
	done(arg, &a);
}

static void client_take_ended(struct http_client *c)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
		struct http_post *p = NULL;

		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&p);
		post_finish(p, m->data.result);
	}
}

static void client_act(struct http_client *c, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(c->multi, fd, what, &running);
	client_take_ended(c);
}

static void client_on_timer(void *arg)
{
	client_act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int client_set_timer(CURLM *multi, long wait_ms, void *arg)
{
	struct http_client *c = arg;

	(void)multi;
	if (wait_ms < 0)
		timer_stop(c->timer);
	else
		timer_start(c->timer, wait_ms);
	return 0;
}

static void socket_on_ready(void *arg, bool readable, bool writable)
{
	const struct http_socket *s = arg;

	client_act(s->client, s->fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

static struct http_socket *socket_new(struct http_client *c, curl_socket_t fd)
{
	struct http_socket *s = mem_new(sizeof *s);

	s->client = c;
	s->fd = fd;
	s->watch = watch_new(c->loop, fd, socket_on_ready, s);
	curl_multi_assign(c->multi, fd, s);
	return s;
}

static int client_set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket)
{
	struct http_client *c = arg;
	struct http_socket *s = socket;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			watch_free(s->watch);
		free(s);
		return 0;
	}
	if (!s)
		s = socket_new(c, fd);
	watch_set(s->watch, what & CURL_POLL_IN, what & CURL_POLL_OUT);
	return 0;
}

/* The last word on where it goes: the address is the one that will be connected to. */
static curl_socket_t post_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http_post *p = arg;

	(void)purpose;
	if (!p->client->allow_private && !address_is_public(&a->addr)) {
		p->forbidden = true;
		return CURL_SOCKET_BAD;
	}
	p->permitted = true;
	return socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
}

/* Another count than n ends it. */
static size_t post_on_head(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_post *p = arg;

	(void)bytes;
	p->head_n += size * n;
	return p->head_n > HEAD_MAX ? 0 : size * n;
}

static size_t post_on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct http_post *p = arg;

	(void)bytes;
	p->body_n += size * n;
	return p->body_n > BODY_MAX ? 0 : size * n;
}

struct http_client *http_client_new(struct loop *l, const struct http_client_options *o)
{
	struct http_client *c = mem_new(sizeof *c);

	curl_global_init(CURL_GLOBAL_DEFAULT);
	/* one that looks names up in our only thread would hold everything up */
	assert(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS);
	*c = (struct http_client){
	    .loop = l, .most = o->asks, .allow_private = o->allow_private, .ca_path = mem_str(o->ca_path)};
	list_init(&c->open);
	c->timer = timer_new(l, client_on_timer, c);
	c->multi = curl_multi_init();
	assert(c->multi);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, client_set_socket);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, client_set_timer);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)o->asks);
	curl_multi_setopt(c->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return c;
}

static void post_fence(CURL *easy, struct http_post *p)
{
	const struct http_client *c = p->client;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, c->allow_private ? "http,https" : "https");
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, post_open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, p);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (*c->ca_path) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, c->ca_path);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* Debian's has a folder beside the file */
	}
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, post_on_head);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, p);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, post_on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, p);
}

static void post_fill(CURL *easy, struct http_post *p, const struct http_ask *ask)
{
	for (const char *const *h = ask->headers; *h; h++)
		p->headers = curl_slist_append(p->headers, *h);
	p->headers =
	    curl_slist_append(p->headers, "Expect:"); /* a body as short as ours waits for no leave */
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, p->headers);
	curl_easy_setopt(easy, CURLOPT_URL, ask->url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "kezek/" KEZEK_VERSION);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body_len);
	curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, ask->body);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ask->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)ask->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a cancel does not wait for a name server */
}

enum kz http_client_post(
    struct http_client *c, const struct http_ask *ask, http_answer_fn *done, void *arg, uint64_t *ret_ticket)
{
	struct http_post *p;

	if (c->open.count >= c->most)
		return KZ_BUSY;
	p = mem_new(sizeof *p);
	*p = (struct http_post){
	    .client = c, .easy = curl_easy_init(), .ticket = ++c->tickets, .done = done, .arg = arg};
	assert(p->easy);
	p->forbidden = !c->allow_private && strncasecmp(ask->url, "https:", 6) != 0;
	post_fence(p->easy, p);
	post_fill(p->easy, p, ask);
	curl_easy_setopt(p->easy, CURLOPT_PRIVATE, p);
	list_append(&c->open, &p->node);
	curl_multi_add_handle(c->multi, p->easy);
	*ret_ticket = p->ticket;
	return KZ_OK;
}

void http_client_cancel(struct http_client *c, uint64_t ticket)
{
	list_each(&c->open, n, next)
	{
		struct http_post *p = list_entry(n, struct http_post, node);

		if (p->ticket == ticket) {
			post_free(p);
			return;
		}
	}
}

size_t http_client_open(const struct http_client *c)
{
	return c->open.count;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	while (c->open.count)
		post_free(list_entry(list_first(&c->open), struct http_post, node));
	curl_multi_cleanup(c->multi);
	timer_free(c->timer);
	free(c->ca_path);
	free(c);
	curl_global_cleanup();
}
