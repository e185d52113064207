/* hook: the law of webhooks, pure: what is told of the end of a message or a code and of what became of an
 * application, how it is signed (www.standardwebhooks.com), when it is told again. */
#ifndef RULES_HOOK_H
#define RULES_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "rules/code.h"
#include "rules/message.h"
#include "rules/news.h"

#define HOOK_SECRET      32 /* octets of a secret, any */
#define HOOK_SECRET_TEXT 51 /* "whsec_", its base 64 and NUL */
#define HOOK_ID          19 /* "code_" or "news_", an id and NUL */
#define HOOK_SIGNATURE   48 /* "v1,", base 64 of the MAC and NUL */
#define HOOK_ATTEMPTS    11 /* of one event; with 5 s first the last is made about three days after */
#define HOOK_DOWN_AFTER  5  /* messages in a row that fail: the endpoint counts as down */

/* What is told of. Stored: never renumber. */
enum hook_about { HOOK_MESSAGE = 0, HOOK_CODE = 1, HOOK_NEWS = 2, HOOK_ABOUTS };

/* Of news. 0: there is none. */
struct hook_news {
	enum news_kind kind;
	enum news_via via;
	uint64_t application, seq; /* both 0 of NEWS_REQUESTED, which is itself the request */
	uint64_t referral, play_group, kindergarten; /* kindergarten: that is watched */
	int64_t until_us;                            /* end of the referral */
};

/* The end of a message, the verdict on a code, or news of an application. Texts belong to whoever holds it;
 * "" when absent. */
struct hook_event {
	enum hook_about about;
	uint64_t id;   /* of a message or a code, which has that of its first message; news have their feed */
	uint64_t feed; /* its place in the order of telling */
	int64_t at_us;
	const char *client_ref, *purpose; /* purpose: of the code, of a message that brought one too */
	/* of a message */
	enum message_state state;
	enum message_class class;
	unsigned parts;
	bool resent;                 /* a possible duplicate */
	uint64_t code;               /* that it brought; 0: none */
	const char *status, *detail; /* detail: of news too */
	/* of a code */
	enum code_verdict verdict;
	uint64_t pair; /* that it is one of; 0: none */
	struct hook_news news;
};

void hook_secret_text(const uint8_t secret[HOOK_SECRET], char text[HOOK_SECRET_TEXT]);
/* The same for each telling of the event, and of no other: a message ends once, as does a code, and news have
 * a number of their own. */
char *hook_id(const struct hook_event *e, char text[HOOK_ID]);
/* Appends the body: JSON, no person's number or name, no text, no digits of a code. */
void hook_body(const struct hook_event *e, struct buf *out);
void hook_sign(const uint8_t *secret, size_t secret_n, const char *id, int64_t timestamp_s, const char *body,
    size_t body_n, char signature[HOOK_SIGNATURE]);

/* After so many failed attempts, 1..HOOK_ATTEMPTS: the wait until the next, -1 when none is left. first_ms:
 * the first wait, up to an hour; the others are 6, 24, 120, 720, 2,160, 4,320, 8,640 and twice 17,280 times
 * as long, but a day at most. */
int64_t hook_wait_ms(unsigned attempts, int64_t first_ms);
/* The same for probes of an endpoint that is down, without end and at most 120 times first_ms, or a day. */
int64_t hook_probe_ms(unsigned probes, int64_t first_ms);

#endif
