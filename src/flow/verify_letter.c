/* One sending of a code as a letter: the phone's text in memory, and the text that stands at rest, with a
 * hole where the digits go. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/verify_body.h"

#define LETTER_ROOM 4096 /* more than any text of a template has */

static struct send_wish letter_wish(
    const struct verify_mail *m, const struct buf *rest, const struct buf *text)
{
	return (struct send_wish){.id = m->message_id,
	    .class = (enum message_class)m->purpose->lane,
	    .to = m->to,
	    .text = buf_text(text),
	    .at_rest = buf_text(rest),
	    .code = {.id = m->code_id,
	        .key = m->given ? 0 : m->key,
	        .issue = m->issue,
	        .length = (uint8_t)m->length},
	    .client_ref = m->client_ref,
	    .avoid = m->avoid,
	    .language = (int)m->language,
	    .expires_wall_ms = m->expires_wall_ms};
}

static enum verify_word letter_admit(
    struct verify *v, const struct send_wish *w, struct send_preview *preview, struct verify_begun *ret)
{
	unsigned after_s = 0;

	ret->why.class = w->class;
	ret->why.sendable = send_preview(v->base.send, w, preview);
	ret->why.parts = preview->cost.parts;
	if (ret->why.sendable != KZ_OK)
		return VERIFY_UNSENDABLE;
	enum kz r = send_admits(v->base.send, w->class, preview, &after_s);
	ret->why.after_ms = after_s * INT64_C(1000);
	return r == KZ_OK ? VERIFY_OK : r == KZ_BUSY ? VERIFY_NOT_ADMITTED : VERIFY_LOST;
}

struct letter *verify_letter(struct verify *v, const struct verify_mail *m, struct verify_begun *ret)
{
	struct buf rest = {0}, text = {0};
	struct send_preview preview;
	struct letter *l = NULL;

	purpose_text(
	    m->purpose, m->language, m->expires_wall_ms - clock_wall_ms(loop_clock(v->base.loop)), &rest);
	buf_space(&text, LETTER_ROOM); /* so that it never moves, and leaves no copy */
	code_fill(buf_text(&rest), m->digits, &text);
	const struct send_wish w = letter_wish(m, &rest, &text);
	ret->word = letter_admit(v, &w, &preview, ret);
	if (ret->word == VERIFY_OK)
		l = letter_new(v->base.send, &w, &preview, m->api_key);
	buf_wipe(&text);
	buf_fini(&rest);
	return l;
}

enum kz verify_row(struct verify *v, const struct verify_mail *m, struct code_row *ret)
{
	char binding[VERIFY_BINDING];
	const struct keyring *k = v->base.keyring;

	*ret = (struct code_row){.id = m->code_id,
	    .message_id = m->message_id,
	    .phone = m->phone,
	    .to = person_phone(k, m->to),
	    .n = m->n,
	    .resends = m->resends,
	    .why = m->why,
	    .issue = m->issue,
	    .purpose = mem_str(m->purpose->name),
	    .at_us = loop_clock(v->base.loop)->wall_us(),
	    .expires_us = m->expires_wall_ms * 1000,
	    .key = m->key};
	const struct code_bond bond = {
	    m->code_id, m->issue, m->phone, m->purpose->name, verify_binding(m->binding, binding)};
	return code_mac(k, m->key, &bond, m->digits, ret->mac);
}

void verify_begun_fini(struct verify *v, struct verify_begun *b)
{
	for (size_t i = 0; b->letters && i < b->sent_n; i++)
		letter_drop(v->base.send, b->letters[i]);
	for (size_t i = 0; b->codes && i < b->sent_n; i++)
		code_row_fini(&b->codes[i]);
	free(b->letters);
	free(b->codes);
}
