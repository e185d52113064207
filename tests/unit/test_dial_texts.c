/* dial_texts: the SMS of the menu are held against the templates before a parent is to be told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/menu.h"
#include "flow/dial.h"

#define SHIPPED KEZEK_SOURCE_DIR "/dialogs/sms.yaml"

/* What is said of the shipped templates, with the first `from` as `to`. */
static void says(const char *from, const char *to, const char *fault)
{
	char path[] = "/tmp/kezek_texts_XXXXXX";
	struct faults faults = {0};
	size_t n = 0;
	char *text = NULL, *at;
	FILE *in = fopen(SHIPPED, "re"), *out = fdopen(mkstemp(path), "we");

	assert_true(in && out && getdelim(&text, &n, '\0', in) > 0);
	at = strstr(text, from);
	assert_non_null(at);
	fprintf(out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	fclose(in);
	fclose(out);
	struct templates *t = templates_load(path, &words_usual, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	dial_check_texts(menu, t, "sms.yaml", &faults);
	assert_string_equal(buf_text(&faults.text), fault);
	faults_fini(&faults);
	templates_free(t);
	free(text);
	unlink(path);
}

static void check_texts__shipped__no_fault(void **state)
{
	(void)state;
	says("\nresume:", "\nresume:", "");
}

static void check_texts__missing_or_of_other_parameters__named(void **state)
{
	(void)state;
	says("\nresume:", "\nresumed:", "sms.yaml: no template \"resume\": SMS of the menu are made so\n");
	says("params: {place: text(13)}\n  kk: \"Аудан", "params: {place: text(12)}\n  kk: \"Аудан",
	    "sms.yaml: parameter \"place\" of template \"ussd_district\" is longer than text(12): SMS of the "
	    "menu are made so\n");
}

static void check_texts__of_a_service_that_is_not_asked__not_wanted(void **state)
{
	enum service *s = NULL;

	(void)state;
	for (size_t i = 0; i < menu->screens_n; i++)
		if (menu->screens[i].kind == SCREEN_DO && menu->screens[i].service == SERVICE_ENROL_TELL)
			s = &menu->screens[i].service;
	assert_non_null(s);
	says("\nussd_enrol_documents:", "\nussd_enrol_papers:",
	    "sms.yaml: no template \"ussd_enrol_documents\": SMS of the menu are made so\n");
	*s = SERVICE_DISTRICT_LIST;
	says("\nussd_enrol_documents:", "\nussd_enrol_papers:", "");
	*s = SERVICE_ENROL_TELL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(check_texts__shipped__no_fault),
	    cmocka_unit_test(check_texts__missing_or_of_other_parameters__named),
	    cmocka_unit_test(check_texts__of_a_service_that_is_not_asked__not_wanted),
	};

	return cmocka_run_group_tests(tests, menu_read, menu_free);
}
