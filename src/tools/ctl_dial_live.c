#include "ctl_dial_live.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "ctl_client.h"
#include "ctl_text.h"

/* Line breaks of a page are its own; the rest of it is cleaned. */
static void live_show(const json_t *answer)
{
	const char *at = ctl_text_field(answer, "page", "");
	struct buf clean = {0};

	for (size_t n = strcspn(at, "\n");; at += n + 1, n = strcspn(at, "\n")) {
		struct buf line = {0};

		buf_add(&line, at, n);
		ctl_text_clean(&clean, buf_text(&line));
		buf_char(&clean, '\n');
		buf_fini(&line);
		if (!at[n])
			break;
	}
	printf("----\n%s----\n", buf_text(&clean));
	fflush(stdout);
	buf_fini(&clean);
}

/* What the daemon says to one thing that the phone does; *ret_end: it was the last page. */
static int live_say(const struct ctl *c, const char *phone, const char *said, const char *text, bool *ret_end)
{
	json_t *body = json_pack("{s:s, s:s, s:s}", "phone", phone, "said", said, "text", text);
	const struct ctl_question q = {.method = "POST", .path = "/control/dial", .body = body};
	json_t *answer = NULL;
	int code;

	if (!body)
		return ctl_usage(c, "what is dialled and typed is UTF-8");
	code = ctl_client_ask(c, &q, &answer);
	json_decref(body);
	*ret_end = code != CTL_DONE || json_is_true(json_object_get(answer, "end"));
	if (code == CTL_DONE && c->json)
		ctl_client_print(answer);
	else if (code == CTL_DONE && *ctl_text_field(answer, "page", ""))
		live_show(answer);
	json_decref(answer);
	return code;
}

int ctl_dial_live(const struct ctl *c, const char *phone, const char *code)
{
	char line[512];
	bool end;
	int r = live_say(c, phone, "dial", code, &end);

	while (!end) {
		if (!c->json) {
			fputs("> ", stdout);
			fflush(stdout);
		}
		if (!fgets(line, sizeof line, stdin)) {
			r = live_say(c, phone, "cancel", "", &end);
			break;
		}
		line[strcspn(line, "\r\n")] = '\0';
		r = live_say(c, phone, "type", line, &end);
	}
	secret_wipe(line, sizeof line);
	return r;
}
