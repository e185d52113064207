/* The body of a request from a client with a key: JSON, then what is wanted sent. Either a wish that the flow
 * may take as it is, or a problem that can be answered. The first octet chooses a batch's line or a request.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/wish.h"
#include "text/utf8.h"

#define FUZZ_MAX 20000

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct templates *templates;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char yaml[] = "code:\n  params: {code: text(160)}\n  segments: 3\n  kk: \"{code} - "
	                           "растау коды\"\n  ru: \"Код {code}\"\n  en: \"Code {code}\"\n"
	                           "hello:\n  kk: Сәлем\n  ru: Привет\n  en: Hello\n";
	char path[] = "/tmp/kezek-fuzz-XXXXXX";
	struct faults faults = {0};
	int fd = mkstemp(path);

	(void)argc;
	(void)argv;
	if (fd < 0 || write(fd, yaml, sizeof yaml - 1) != (ssize_t)sizeof yaml - 1)
		abort();
	close(fd);
	templates = templates_load(path, &words_usual, &faults);
	unlink(path);
	assert(!faults.count);
	return 0;
}

static void check_text(const char *s, size_t max)
{
	enum kz r = utf8_check(s, strlen(s));

	assert(r == KZ_OK && strlen(s) <= max);
}

static void check_wish(const struct wish *w, bool batch)
{
	struct buf again = {0};
	struct msisdn m;
	enum kz r = msisdn_from_digits(w->send.to.digits, &m);

	assert(r == KZ_OK);
	/* What was made fit for the phone is fit. */
	r = utf8_for_phone(w->send.text, strlen(w->send.text), &again);
	assert(r == KZ_OK && *w->send.text && !strcmp(buf_text(&again), w->send.text));
	buf_fini(&again);
	assert(w->send.class < MESSAGE_CLASSES);
	assert(w->send.language >= -1 && w->send.language < LANGUAGES);
	assert(w->send.expires_wall_ms >= 0);
	assert(!w->send.sender || (*w->send.sender && strlen(w->send.sender) <= 15));
	if (w->send.client_ref)
		check_text(w->send.client_ref, 64 * 4);
	assert(!batch || !w->dry_run);
}

static void check_problem(const struct problem *p)
{
	assert(p->status == 422 && p->code && p->title && !p->retryable && *p->detail);
	check_text(p->field, sizeof p->field - 1);
	check_text(p->detail, sizeof p->detail - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem problem = {0};
	struct wish wish;

	if (!size || size > FUZZ_MAX)
		return 0;
	bool batch = data[0] == 'b';
	json_t *o = json_loadb((const char *)data + 1, size - 1, JSON_REJECT_DUPLICATES, NULL);
	if (!o)
		return 0;
	if (wish_read(o, templates, batch, &wish, &problem) == KZ_OK)
		check_wish(&wish, batch);
	else
		check_problem(&problem);
	wish_fini(&wish);
	json_decref(o);
	return 0;
}
