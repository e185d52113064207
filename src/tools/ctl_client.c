/* libcurl's easy interface: a tool asks once and waits, so there is nothing for a loop to do here. A proxy of
 * the environment is switched off, or curl would speak to it over the daemon's socket. Nothing is repeated by
 * itself: after a lost answer the person decides, and `send` has its Idempotency-Key to make the second try
 * safe. */
#include "ctl_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "ctl_text.h"

#define ANSWER_MAX (16U << 20)
#define TIMEOUT_MS 30000L
#define CONNECT_MS 5000L

static size_t client_on_bytes(char *bytes, size_t size, size_t n, void *arg)
{
	struct buf *b = arg;

	if (size * n > ANSWER_MAX - b->len)
		return 0; /* curl ends the transfer */
	buf_add(b, bytes, size * n);
	return size * n;
}

static struct curl_slist *client_headers(const struct ctl_question *q)
{
	struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");
	char *key;

	if (q->body != NULL || q->lines != NULL)
		list = curl_slist_append(list, q->lines != NULL ? "Content-Type: application/x-ndjson"
		                                                : "Content-Type: application/json");
	if (q->idempotency_key != NULL) {
		key = mem_printf("Idempotency-Key: %s", q->idempotency_key);
		list = curl_slist_append(list, key);
		free(key);
	}
	return list;
}

static void client_set(CURL *h, const struct ctl *c, const struct ctl_question *q, const char *url)
{
	curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, c->socket);
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, q->method);
	curl_easy_setopt(h, CURLOPT_USERAGENT, "kezekctl/" KEZEK_VERSION);
}

static const char *client_remedy(long os_error)
{
	switch (os_error) {
	case EACCES:
	case EPERM:
		return "this user may not open it: use sudo, or join the daemon's group";
	case ENOENT:
		return "there is no such socket: start kezekd, or name its control.socket with --socket or "
		       "KEZEK_SOCKET";
	case ECONNREFUSED:
		return "the socket is there but nobody listens: kezekd has died or is stopped; start it";
	default:
		return "start kezekd, or name its control.socket with --socket or KEZEK_SOCKET";
	}
}

static int client_unreachable(const struct ctl *c, CURL *h, CURLcode r)
{
	long os_error = 0;

	curl_easy_getinfo(h, CURLINFO_OS_ERRNO, &os_error);
	if (r == CURLE_COULDNT_CONNECT)
		fprintf(stderr, "kezekctl: no daemon at %s: %s\n", c->socket, client_remedy(os_error));
	else if (r == CURLE_OPERATION_TIMEDOUT)
		fprintf(stderr, "kezekctl: the daemon at %s did not answer in %ld s: see its log\n",
		    c->socket, TIMEOUT_MS / 1000);
	else
		fprintf(stderr, "kezekctl: the daemon at %s gave no whole answer: %s\n", c->socket,
		    curl_easy_strerror(r));
	return CTL_UNREACHABLE;
}

static json_t *client_parse(const struct buf *b)
{
	return b->len == 0 ? NULL : json_loadb(b->data, b->len, JSON_DECODE_ANY, NULL);
}

int ctl_client_call(const struct ctl *c, const struct ctl_question *q, struct ctl_answer *ret)
{
	CURL *h = curl_easy_init();
	char *url = mem_printf("http://kezek%s", q->path);
	char *body = q->body == NULL ? NULL : json_dumps(q->body, JSON_COMPACT);
	struct curl_slist *headers = client_headers(q);
	struct buf answer = {0};
	CURLcode r;
	int code = CTL_DONE;

	client_set(h, c, q, url);
	if (body != NULL)
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, body);
	if (q->lines != NULL) {
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)q->lines->len);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, buf_text(q->lines));
	}
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, client_on_bytes);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, &answer);
	r = curl_easy_perform(h);
	if (r == CURLE_OK) {
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &ret->status);
		ret->json = client_parse(&answer);
	} else {
		code = q->quiet ? CTL_UNREACHABLE : client_unreachable(c, h, r);
	}
	buf_fini(&answer);
	curl_slist_free_all(headers);
	curl_easy_cleanup(h);
	free(body);
	free(url);
	return code;
}

void ctl_client_print(const json_t *value)
{
	struct buf b = {0};

	ctl_text_json(&b, value);
	puts(buf_text(&b));
	buf_fini(&b);
}

static void client_problem(const struct ctl_answer *a)
{
	const char *field = ctl_text_field(a->json, "field", "");
	const char *request = ctl_text_field(a->json, "request_id", "");
	struct buf b = {0};

	ctl_text_clean(
	    &b, ctl_text_field(a->json, "detail", ctl_text_field(a->json, "title", "no reason given")));
	buf_printf(&b, " (%ld ", a->status);
	ctl_text_clean(&b, ctl_text_field(a->json, "code", "unknown"));
	if (*field != '\0') {
		buf_str(&b, ", field ");
		ctl_text_clean(&b, field);
	}
	if (*request != '\0') {
		buf_str(&b, ", request ");
		ctl_text_clean(&b, request);
	}
	buf_char(&b, ')');
	if (json_is_true(json_object_get(a->json, "retryable")))
		buf_str(&b, "; the same may work later");
	fprintf(stderr, "kezekctl: %s\n", buf_text(&b));
	buf_fini(&b);
}

int ctl_client_refused(const struct ctl *c, struct ctl_answer *a)
{
	if (c->json && a->json != NULL)
		ctl_client_print(a->json);
	else
		client_problem(a);
	json_decref(a->json);
	a->json = NULL;
	return CTL_FAILED;
}

int ctl_client_ask(const struct ctl *c, const struct ctl_question *q, json_t **ret)
{
	struct ctl_answer a = {0};
	int code = ctl_client_call(c, q, &a);

	if (code != CTL_DONE)
		return code;
	if (a.status < 200 || a.status > 299 || (a.json == NULL && a.status != 204))
		return ctl_client_refused(c, &a);
	*ret = a.json;
	return CTL_DONE;
}

char *ctl_client_escape(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, (int)strlen(text));
	char *copy = mem_str(escaped != NULL ? escaped : "");

	curl_free(escaped);
	return copy;
}
