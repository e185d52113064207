/* Any dialog that loads, any keys, any answers of its services: there is always a page, it is UTF-8 and
 * within its bounds, and the session can be kept and read back. The dialog and its services, apart by 0x1e,
 * then 0x1d and the walk: an octet that chooses, and the octets of what is typed or answered behind their
 * number. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/utf8.h"
#include "ussd/engine.h"

#define FUZZ_MAX 60000
#define STEPS    200
#define RESUME   0xff /* instead of something typed: the call drops and is dialled again */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct session s;
static struct answer a;

struct walk {
	const uint8_t *at;
	size_t left;
};

static uint8_t walk_octet(struct walk *w)
{
	if (w->left == 0)
		return 0;
	w->left--;
	return *w->at++;
}

/* Up to most octets, as text. */
static char *walk_text(struct walk *w, size_t most, size_t *ret_n)
{
	size_t n = walk_octet(w) % (most + 1);
	char *text;

	n = n < w->left ? n : w->left;
	text = mem_strn((const char *)w->at, n);
	w->at += n;
	w->left -= n;
	*ret_n = n;
	return text;
}

static void walk_item(struct walk *w)
{
	char *texts[SESSION_ITEM];
	size_t n;

	for (int f = 0; f < SESSION_ITEM; f++)
		texts[f] = walk_text(w, 120, &n);
	(void)answer_add(&a, (const char *const *)texts, SESSION_ITEM);
	for (int f = 0; f < SESSION_ITEM; f++)
		free(texts[f]);
}

static void walk_answer(const struct dialog *d, struct walk *w, enum service service)
{
	const struct service_result *r = service_shape(service)->results;
	unsigned n = 0, chosen, fields, items;
	size_t len;

	while (r[n].name)
		n++;
	chosen = walk_octet(w) % (n + 1);
	answer_start(&a, chosen == n ? "no_such_result" : r[chosen].name);
	fields = d->contracts->values_n ? walk_octet(w) % ANSWER_FIELDS : 0;
	while (fields-- > 0) {
		size_t v = walk_octet(w) % d->contracts->values_n;
		char *text = walk_text(w, 120, &len);

		answer_set(&a, d->contracts->values[v].name, text);
		free(text);
	}
	for (items = walk_octet(w) % (SESSION_ITEMS + 1); items > 0; items--)
		walk_item(w);
}

static void check_page(const struct dialog *d)
{
	struct session again;
	struct buf packed = {0}, repacked = {0};

	assert(strlen(s.page) < SESSION_PAGE && utf8_check(s.page, strlen(s.page)) == KZ_OK);
	assert(s.ended || (engine_fits(d, &s) && d->screens[s.screen].kind != SCREEN_END));
	session_pack(&s, &packed);
	assert(packed.len <= SESSION_OCTETS);
	assert(session_unpack(packed.data, packed.len, &again) == KZ_OK);
	session_pack(&again, &repacked);
	assert(packed.len == repacked.len && memcmp(packed.data, repacked.data, packed.len) == 0);
	buf_fini(&packed);
	buf_fini(&repacked);
}

static struct engine_step walk_key(const struct dialog *d, struct walk *w)
{
	size_t n;

	if (w->at[0] == RESUME) {
		walk_octet(w);
		return engine_resume(d, &s);
	}
	char *typed = walk_text(w, 40, &n);
	struct engine_step step = engine_type(d, &s, typed, n);
	free(typed);
	return step;
}

static void walk_dialog(const struct dialog *d, struct walk *w)
{
	session_start(&s, d, 1);
	struct engine_step step =
	    engine_dial(d, &s, walk_octet(w) % 2 || !d->shortcuts_n ? "" : d->shortcuts[0].digits);
	for (int i = 0; i < STEPS && w->left > 0; i++) {
		if (step.does == ENGINE_ASK) {
			walk_answer(d, w, step.service);
			step = engine_give(d, &s, &a);
			continue;
		}
		check_page(d);
		if (s.ended)
			return;
		step = walk_key(d, w);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char names[2][2] = {"d", "s"};
	const uint8_t *cut = memchr(data, 0x1e, size);
	const uint8_t *walk = cut ? memchr(cut, 0x1d, size - (size_t)(cut - data)) : NULL;
	struct faults faults = {0};

	if (size > FUZZ_MAX || !walk)
		return 0;
	struct dialog_source source = {.name = {names[0], names[1]},
	    .bytes = {mem_strn((const char *)data, (size_t)(cut - data)),
	        mem_strn((const char *)cut + 1, (size_t)(walk - cut - 1))},
	    .len = {(size_t)(cut - data), (size_t)(walk - cut - 1)}};
	struct dialog *d = dialog_load(&source, &words_usual, &faults);
	struct walk w = {walk + 1, size - (size_t)(walk - data) - 1};
	if (d)
		walk_dialog(d, &w);
	dialog_free(d);
	free(source.bytes[0]);
	free(source.bytes[1]);
	faults_fini(&faults);
	return 0;
}
