/* A session as Redis may give it back: what is read is within its bounds, whatever the octets are, and can be
 * packed and read again; and it is walked on over the shipped menu if it fits. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"
#include "ussd/engine.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dialog *menu;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct dialog_source source;
	struct faults faults = {0};

	(void)argc;
	(void)argv;
	assert(dialog_source_read(KEZEK_SOURCE_DIR "/dialogs/kindergarten.yaml",
	    KEZEK_SOURCE_DIR "/dialogs/services.yaml", &source, &faults));
	menu = dialog_load(&source, &words_usual, &faults);
	assert(menu);
	dialog_source_fini(&source);
	faults_fini(&faults);
	return 0;
}

static void walk_on(struct session *s)
{
	static const char *const keys[] = {"1", "9", "0", "2", "000101100006", "00"};

	memcpy(s->dialog, menu->hash, DIALOG_HASH);
	for (size_t i = 0; i < sizeof keys / sizeof *keys && !s->ended && !s->asks && engine_fits(menu, s);
	     i++) {
		engine_type(menu, s, keys[i], strlen(keys[i]));
		assert(strlen(s->page) < SESSION_PAGE && utf8_check(s->page, strlen(s->page)) == KZ_OK);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session s, again;
	struct buf packed = {0};

	if (session_unpack(data, size, &s) != KZ_OK)
		return 0;
	session_pack(&s, &packed);
	assert(session_unpack(packed.data, packed.len, &again) == KZ_OK);
	assert(memcmp(&s, &again, sizeof s) == 0);
	buf_fini(&packed);
	walk_on(&s);
	return 0;
}
