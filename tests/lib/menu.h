/* menu: the shipped menu, for tests. */
#ifndef TESTS_LIB_MENU_H
#define TESTS_LIB_MENU_H

#include "base/buf.h"
#include "ussd/dialog.h"

static struct dialog *menu;

static int menu_read(void **state)
{
	struct dialog_source source;
	struct faults faults = {0};

	(void)state;
	assert_true(dialog_source_read(KEZEK_SOURCE_DIR "/dialogs/kindergarten.yaml",
	    KEZEK_SOURCE_DIR "/dialogs/services.yaml", &source, &faults));
	menu = dialog_load(&source, &words_usual, &faults);
	dialog_source_fini(&source);
	assert_string_equal(buf_text(&faults.text), "");
	faults_fini(&faults);
	return menu ? 0 : -1;
}

static int menu_free(void **state)
{
	(void)state;
	dialog_free(menu);
	return 0;
}

#endif
