/* The files of config/ and dialogs/ from anybody's hand, through the loaders that the daemon uses: by the
 * first octet kezek.yaml, a profile, the templates or the purposes, the rest is the file. What loads is
 * whole: the same again is equal, a bind and a submit_sm can be written of every profile, a template says
 * something in every language. What does not load says why. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/mem.h"
#include "rules/purpose.h"
#include "smpp/pdu.h"
#include "smpp/profile.h"
#include "smpp/submission.h"
#include "text/template.h"
#include "text/utf8.h"

#define FUZZ_MAX 20000

static const char own_texts[] =
    "code: {params: {code: digits(10), minutes: number(2)}, kk: '{code} код {minutes}', ru: '{minutes}: "
    "«{code}»',\n"
    "  en: '{code} is it for {minutes}'}\n"
    "plain: {params: {code: digits(6)}, kk: '{code}', ru: '{code}', en: '{code}', segments: 2}\n"
    "other: {params: {name: name(6)}, kk: '{name}', ru: '{name}', en: '{name}'}\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct templates *texts; /* that purposes are held against */
static char folder[] = "/tmp/kezek-fuzz-conf-XXXXXX", *path, *secret;

static void leave(void)
{
	templates_free(texts);
	unlink(path);
	unlink(secret);
	rmdir(folder);
	free(path);
	free(secret);
}

static void put_file(const char *name, const void *bytes, size_t n)
{
	FILE *f = fopen(name, "w");

	if (!f || fwrite(bytes, 1, n, f) != n || fclose(f))
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (!mkdtemp(folder))
		abort();
	path = mem_printf("%s/one.yaml", folder);
	secret = mem_printf("%s/password", folder);
	put_file(secret, "secret\n", 7);
	put_file(path, own_texts, sizeof own_texts - 1);
	struct faults faults = {0};

	texts = templates_load(path, &words_usual, &faults);
	assert(!faults.count);
	atexit(leave);
	return 0;
}

static void check_conf(struct faults *faults)
{
	struct conf *a = conf_load(path, faults), *b = a ? conf_load(path, faults) : NULL;

	assert(!a == (faults->count > 0));
	if (a) {
		assert(!conf_fixed_difference(a, b));
		assert(a->queue_max_messages >= 100 && a->message_retry_max_ms >= a->message_retry_min_ms);
		assert(a->database_password && a->redis_password && strlen(a->control_socket) <= 100);
	}
	conf_free(a);
	conf_free(b);
}

static void check_bind(const struct profile_link *l, struct buf *out)
{
	struct pdu_bind b = {.command = PDU_BIND_TRANSCEIVER, .interface_version = 0x34};

	assert(strlen(l->system_id) < sizeof b.system_id && strlen(l->password) < sizeof b.password);
	assert(strlen(l->system_type) < sizeof b.system_type &&
	       strlen(l->address_range) < sizeof b.address_range);
	assert(l->window >= 1 && l->rate >= 1 && l->port >= 1 && l->port <= 65535);
	snprintf(b.system_id, sizeof b.system_id, "%s", l->system_id);
	snprintf(b.password, sizeof b.password, "%s", l->password);
	snprintf(b.system_type, sizeof b.system_type, "%s", l->system_type);
	snprintf(b.address_range, sizeof b.address_range, "%s", l->address_range);
	assert(pdu_put_bind(out, 1, &b) == KZ_OK);
}

static void check_submission(const struct profile *p, struct buf *out)
{
	static const struct submission what = {.id = 1, .lane = LANE_CODE, .wall_ms = 1795000000000};
	const struct shipment_part part = {.destination = {1, 1, "77011234567"},
	    .expires_wall_ms = 1795000300000,
	    .receipt = true,
	    .segment = {.bytes = (const uint8_t *)"text", .len = 4, .number = 1, .total = 1}};
	struct buf tlvs = {0};
	struct pdu_sm m;

	assert(submission_fill(p, &what, &part, &tlvs, &m) == KZ_OK);
	assert(pdu_put_sm(out, 1, &m) == KZ_OK);
	buf_fini(&tlvs);
}

static void check_profile(struct faults *faults)
{
	struct profile *a = profile_load(path, faults), *b = a ? profile_load(path, faults) : NULL;
	struct buf out = {0};

	assert(!a == (faults->count > 0));
	if (a) {
		assert(profile_equal(a, b) && a->links_n >= 1);
		for (size_t i = 0; i < a->links_n; i++)
			check_bind(&a->links[i], &out);
		check_submission(a, &out);
	}
	buf_fini(&out);
	profile_free(a);
	profile_free(b);
}

/* What was proved of the longest values holds for others. */
static void check_filled(const struct buf *filled, unsigned segments)
{
	struct buf text = {0};
	struct text_cost cost;
	enum kz r = utf8_for_phone(buf_text(filled), filled->len, &text);

	assert(r == KZ_OK);
	r = template_cost(buf_text(&text), text.len, &cost);
	assert(r == KZ_OK && cost.parts <= segments);
	buf_fini(&text);
}

static void check_templates(struct faults *faults)
{
	static const struct template_param code[] = {{"code", "1234"}, {"minutes", "5"}};
	struct templates *t = templates_load(path, &words_usual, faults);
	char why[TEMPLATE_WHY];
	struct buf out = {0};

	/* with faults it is for no use but to be freed */
	for (enum language l = 0; l < LANGUAGES && !faults->count; l++) {
		buf_clear(&out);
		if (template_fill(t, "code", l, code, 2, &out, why) == KZ_OK)
			check_filled(&out, template_segments(template_find(t, "code"), l));
	}
	buf_fini(&out);
	templates_free(t);
}

static void check_code_text(const struct purpose *p, enum language l)
{
	struct buf holed = {0}, text = {0}, again = {0};
	struct text_cost cost;

	purpose_text(p, l, p->life_ms, &holed);
	assert(code_has_hole(buf_text(&holed)));
	code_fill(buf_text(&holed), "123456", &text);
	enum kz r = utf8_for_phone(buf_text(&text), text.len, &again);
	assert(r == KZ_OK && !strcmp(buf_text(&text), buf_text(&again)));
	r = template_cost(buf_text(&text), text.len, &cost);
	assert(r == KZ_OK && cost.parts <= template_segments(p->text, l));
	buf_fini(&holed);
	buf_fini(&text);
	buf_fini(&again);
}

static void check_purposes(struct faults *faults)
{
	struct purposes *p = purposes_load(path, texts, faults);

	for (size_t i = 0; i < purposes_count(p) && !faults->count; i++) {
		const struct purpose *one = purposes_at(p, i);

		assert(purpose_find(p, one->name) == one);
		assert(
		    one->length >= CODE_MIN && one->length <= CODE_MAX && one->tries >= 1 && one->tries <= 5);
		assert(one->life_ms <= CODE_LIFE_MAX_MS && one->receipt_wait_ms < one->life_ms);
		for (enum language l = 0; l < LANGUAGES; l++)
			check_code_text(one, l);
	}
	purposes_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(struct faults *) = {
	    check_conf, check_profile, check_templates, check_purposes};
	struct faults faults = {0};

	if (!size || size > FUZZ_MAX)
		return 0;
	put_file(path, data + 1, size - 1);
	checks[data[0] % 4](&faults);
	assert(faults.count == 0 || *buf_text(&faults.text));
	faults_fini(&faults);
	return 0;
}
