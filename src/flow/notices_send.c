/* To the phone: the message is kept in one transaction with the mark of its notice, so that a notice has no
 * second message of the same number, whatever dies in between. */
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/notices_body.h"
#include "store/queue.h"
#include "text/utf8.h"

#define AGAIN_MS     5000  /* somebody else may have been faster: what is so is read again */
#define UNROUTED_MS  60000 /* at least, until an operator that serves the number may be there */
#define UNROUTED_MAX (6 * INT64_C(3600000))

static const char *const hows[] = {[REMEDY_LINK] = "link", [REMEDY_PHONE] = "phone"};

static void send_on_kept(void *arg, enum kz r, const char *answer)
{
	struct errand *e = arg;
	struct notices *n = e->notices;
	char id[IDS_TEXT];

	(void)answer;
	if (r == KZ_OK) {
		metric_add(n->sent[e->kind][NOTICE_SMS], 1);
		if (e->remedy != REMEDY_NONE) {
			metric_add(
			    n->again[e->remedy == REMEDY_LINK ? NOTICES_BY_LINK : NOTICES_BY_PHONE], 1);
			log_info(ids_text(e->id, id),
			    "did not arrive and is sent once more, notice=%s, how=%s",
			    notice_kind_name(e->kind), hows[e->remedy]);
		} else if (n->told) {
			n->told(n->told_arg, e->kind, e->to, e->application);
		}
	}
	if (r == KZ_OK || r == KZ_LOST)
		errand_free(e);
	else
		errand_wait_ms(e, AGAIN_MS);
}

/* No client's key is so: those are of visible characters. */
static void send_key(const struct errand *e, uint8_t hash[SECRET_HASH])
{
	uint8_t text[8 + sizeof e->id + 1] = "\0notice";

	memcpy(text + 8, &e->id, sizeof e->id);
	text[8 + sizeof e->id] = (uint8_t)(e->sends + 1);
	secret_sha256(text, sizeof text, hash);
}

static void send_keep_letter(struct errand *e, struct letter *l)
{
	struct notices *n = e->notices;
	const struct conf *c = n->files.conf;
	int64_t wait_ms = e->kind == NOTICE_NUMBER ? c->notice_number_wait_ms : c->notice_receipt_wait_ms;
	struct send_request request = {.api_key = e->api_key,
	    .status = 202,
	    .answer = mem_str(""),
	    .letters = mem_array(1, sizeof(struct letter *)),
	    .letters_n = 1,
	    .notices = mem_array(1, sizeof(struct notice_row)),
	    .notices_n = 1};

	request.letters[0] = l;
	*request.notices =
	    (struct notice_row){e->id, letter_id(l), e->sends + 1, notices_now_us(n) + wait_ms * 1000};
	send_key(e, request.key_hash);
	send_key(e, request.body_hash);
	enum kz r = send_keep(n->base.send, &request, send_on_kept, e);
	if (r == KZ_CONFLICT)
		errand_wait_ms(e, AGAIN_MS);
	else if (r != KZ_OK)
		errand_free(e);
}

static int64_t send_expires_ms(const struct errand *e)
{
	int64_t last_ms = notices_now_us(e->notices) / 1000 + e->notices->files.conf->message_life_notice_ms;
	int64_t until_ms = e->facts.until_us / 1000;

	return notice_ends(e->kind) && until_ms && until_ms < last_ms ? until_ms : last_ms;
}

/* The longer nobody serves the number, the less often it is looked at. */
static void send_unrouted(struct errand *e)
{
	int64_t half_age_ms = (notices_now_us(e->notices) / 1000 - ids_wall_ms(e->id)) / 2;

	errand_wait_ms(e, half_age_ms < UNROUTED_MS    ? UNROUTED_MS
	                  : half_age_ms < UNROUTED_MAX ? half_age_ms
	                                               : UNROUTED_MAX);
}

static void send_text(struct errand *e, const char *text)
{
	struct send *s = e->notices->base.send;
	const struct send_wish w = {.class = MESSAGE_NOTICE,
	    .to = e->to,
	    .text = text,
	    .language = (int)e->language,
	    .expires_wall_ms = send_expires_ms(e),
	    .avoid = e->remedy == REMEDY_LINK ? e->link : NULL};
	struct send_preview preview;
	unsigned after_s = 0;

	if (send_preview(s, &w, &preview) != KZ_OK) {
		send_unrouted(e);
		return;
	}
	enum kz r = send_admits(s, w.class, &preview, &after_s);
	if (r == KZ_OK)
		send_keep_letter(e, letter_new(s, &w, &preview, e->api_key));
	else if (r == KZ_BUSY)
		errand_wait_ms(e, (int64_t)after_s * 1000);
	else
		errand_free(e);
}

static void send_filled(struct errand *e)
{
	struct buf text = {0}, for_phone = {0};

	notice_text(e->notices->files.templates, e->kind, e->language, &e->facts, &text);
	if (utf8_for_phone(buf_text(&text), text.len, &for_phone) == KZ_OK)
		send_text(e, buf_text(&for_phone));
	else
		send_unrouted(e);
	buf_fini(&text);
	buf_fini(&for_phone);
}

static void send_on_entry(void *arg, const struct queue_entry *q)
{
	struct errand *e = arg;

	e->facts.position = q->position;
}

static void send_on_queue(void *arg, enum kz r)
{
	struct errand *e = arg;

	if (r != KZ_OK)
		errand_free(e);
	else if (*e->email)
		errand_mail(e);
	else
		send_filled(e);
}

bool errand_asks_queue(struct errand *e)
{
	struct notices *n = e->notices;

	if (!e->by_queue)
		return false;
	e->by_queue = false;
	if (queue_find(n->base.pg, &n->files.regions, QUEUE_BY_APPLICATION, (int64_t)e->application,
	        send_on_entry, send_on_queue, e) != KZ_OK)
		errand_free(e);
	return true;
}

void errand_send(struct errand *e)
{
	if (!errand_asks_queue(e))
		send_filled(e);
}
