/* SMS that follow a call. Each is kept under an Idempotency-Key of its own, made of the token of what it
 * follows: kept twice, by whoever, it is one. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "flow/dial_turn.h"
#include "text/utf8.h"

/* One on its way into the database; in the list `letters` of its dial. */
struct dial_letter {
	struct list_node node;
	struct dial *dial;
	struct defer told; /* of what is known at once */
	enum kz r;
	dial_sms_fn *done;
	void *arg;
};

static void letter_finish(struct dial_letter *l, enum kz r)
{
	dial_sms_fn *done = l->done;
	void *arg = l->arg;

	list_remove(&l->dial->letters, &l->node);
	defer_cancel(&l->told);
	free(l);
	done(arg, r);
}

static void letter_on_told(void *arg)
{
	struct dial_letter *l = arg;

	letter_finish(l, l->r);
}

static void letter_tell(struct dial_letter *l, enum kz r)
{
	l->r = r;
	loop_defer(l->dial->base.loop, &l->told, letter_on_told, l);
}

/* KZ_CONFLICT: it was kept before. */
static void letter_on_kept(void *arg, enum kz r, const char *answer)
{
	(void)answer;
	letter_finish(arg, r == KZ_OK || r == KZ_CONFLICT ? KZ_OK : KZ_LOST);
}

/* No client's key is so: those are of visible characters. */
static void letter_key(int64_t token, unsigned n, uint8_t hash[SECRET_HASH])
{
	uint8_t text[6 + sizeof token + 1] = "\0ussd";

	memcpy(text + 6, &token, sizeof token);
	text[6 + sizeof token] = (uint8_t)n;
	secret_sha256(text, sizeof text, hash);
}

static void letter_keep(struct dial_letter *l, struct letter *letter, int64_t token, unsigned n)
{
	struct send_request request = {.status = 202,
	    .answer = mem_str(""),
	    .letters = mem_array(1, sizeof(struct letter *)),
	    .letters_n = 1};

	request.letters[0] = letter;
	letter_key(token, n, request.key_hash);
	letter_key(token, n, request.body_hash);
	if (send_keep(l->dial->base.send, &request, letter_on_kept, l) != KZ_OK)
		letter_tell(l, KZ_LOST);
}

bool dial_sms_fill(const struct dial *d, enum language language, const char *template,
    const struct template_param *params, size_t n, struct buf *out)
{
	struct buf filled = {.wiped = true};
	char why[TEMPLATE_WHY] = "";
	enum kz r = template_fill(d->files.templates, template, language, params, n, &filled, why);

	if (r == KZ_OK)
		r = utf8_for_phone(buf_text(&filled), filled.len, out);
	if (r != KZ_OK)
		log_error("ussd", "the SMS %s cannot be written: %s %s", template, kz_name(r), why);
	buf_wipe(&filled);
	return r == KZ_OK;
}

void dial_sms_text(struct dial *d, struct msisdn to, enum language language, int64_t token, unsigned n,
    const char *text, dial_sms_fn *done, void *arg)
{
	struct dial_letter *l = mem_new(sizeof *l);
	const struct send_wish w = {
	    .class = MESSAGE_NOTICE, .to = to, .text = text, .language = (int)language};
	struct send_preview preview;
	unsigned after_s = 0;

	*l = (struct dial_letter){.dial = d, .done = done, .arg = arg};
	list_append(&d->letters, &l->node);
	if (send_preview(d->base.send, &w, &preview) == KZ_OK &&
	    send_admits(d->base.send, w.class, &preview, &after_s) == KZ_OK)
		letter_keep(l, letter_new(d->base.send, &w, &preview, 0), token, n);
	else
		letter_tell(l, KZ_LOST);
}

/* A text that cannot be written is empty, and empty ones are not sent. */
void dial_sms_to(struct dial *d, struct msisdn to, enum language language, int64_t token, unsigned n,
    const char *template, const struct template_param *params, size_t params_n, dial_sms_fn *done, void *arg)
{
	struct buf text = {.wiped = true};

	if (!dial_sms_fill(d, language, template, params, params_n, &text))
		buf_clear(&text);
	dial_sms_text(d, to, language, token, n, buf_text(&text), done, arg);
	buf_wipe(&text);
}

void dial_letters_free(struct dial *d)
{
	list_each(&d->letters, node, next)
	{
		struct dial_letter *l = list_entry(node, struct dial_letter, node);

		list_remove(&d->letters, node);
		defer_cancel(&l->told);
		free(l);
	}
}
