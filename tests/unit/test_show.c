/* kezekctl dialog check, pages and graph, of the shipped menu and of one with a fault; dial --offline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#define DIALOGS KEZEK_SOURCE_DIR "/dialogs"
#define MENU    DIALOGS "/kindergarten.yaml"

static char output[512 * 1024];

/* Its exit code; of both its outputs all is in output. */
static int run(const char *what, const char *menu, const char *more)
{
	char *line =
	    mem_printf(KEZEKCTL " %s --menu %s --services " DIALOGS "/services.yaml %s 2>&1 < /dev/null",
	        what, menu, more);
	FILE *f = popen(line, "r");
	size_t n;

	assert_non_null(f);
	n = fread(output, 1, sizeof output - 1, f);
	output[n] = '\0';
	free(line);
	return WEXITSTATUS(pclose(f));
}

static int show(const char *verb, const char *menu)
{
	char what[40];

	snprintf(what, sizeof what, "dialog %s", verb);
	return run(what, menu, "");
}

static int dial(const char *more)
{
	return run("dial --offline", MENU, more);
}

static void dialog_check__shipped_menu__is_proved(void **state)
{
	(void)state;
	assert_int_equal(show("check", MENU), 0);
	assert_memory_equal(output, "kindergarten 1: proved: ", 24);
	assert_non_null(strstr(output, " of 80 in UCS-2, "));
}

static void dialog_check__menu_with_a_fault__its_line_and_1(void **state)
{
	char path[] = "/tmp/kezek-menu-XXXXXX";
	int fd = mkstemp(path);
	char *line = mem_printf("sed 's/goto: acc_pin/goto: acc/' " MENU " > %s", path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(system(line), 0);
	assert_int_equal(show("check", path), 1);
	assert_non_null(strstr(output, ": acc: offer leads to referral.accept without its confirmation"));
	close(fd);
	unlink(path);
	free(line);
}

static void dial__what_is_not_dialled_or_answered__says_which(void **state)
{
	(void)state;
	assert_int_equal(dial("--code '*1234*2#' --answer vacancy.list=none 87011234567"), 0);
	assert_int_equal(dial("--code hello 87011234567"), 2);
	assert_non_null(strstr(output, "--code: what is dialled is expected, *1234# or *1234*2#"));
	assert_int_equal(dial("--code '*1234' 87011234567"), 2);
	assert_int_equal(dial("--answer caller.opn=new 87011234567"), 2);
	assert_non_null(strstr(output, "there is no service 'caller.opn'"));
	assert_int_equal(dial("--answer caller.open=nw 87011234567"), 2);
	assert_non_null(strstr(output, "caller.open has no result 'nw'"));
	assert_int_equal(dial("--answer caller.open 87011234567"), 2);
	assert_non_null(strstr(output, "SERVICE=RESULT is expected"));
}

static void dialog_check__no_file_or_an_argument__says_so(void **state)
{
	(void)state;
	assert_int_equal(show("check", "/nowhere"), 1);
	assert_non_null(strstr(output, "/nowhere: cannot be read"));
	assert_int_equal(show("check", MENU " more"), 2);
}

static void dialog_pages__shipped_menu__each_page_with_its_length(void **state)
{
	(void)state;
	assert_int_equal(show("pages", MENU), 0);
	assert_memory_equal(output, "SCREEN ", 7);
	assert_non_null(strstr(output, "Тіл / Язык / Language"));
	assert_non_null(strstr(output, "\nhidden "));
	assert_non_null(strstr(output, " GSM 7-bit "));
}

static void dialog_graph__shipped_menu__screens_and_ways(void **state)
{
	(void)state;
	assert_int_equal(show("graph", MENU), 0);
	assert_memory_equal(output, "digraph dialog {\n", 17);
	assert_non_null(strstr(output, "open [shape=ellipse, label=\"open\\ncaller.open\", penwidth=3];\n"));
	assert_non_null(strstr(output, "open -> offer [label=\"offer\", style=dashed];\n"));
	assert_non_null(strstr(output, "acc_pin -> acc [label=\"pin\"];\n"));
	assert_memory_equal(output + strlen(output) - 3, "\n}\n", 3);
}

int main(void)
{
	const struct CMUnitTest all[] = {
	    cmocka_unit_test(dialog_check__shipped_menu__is_proved),
	    cmocka_unit_test(dialog_check__menu_with_a_fault__its_line_and_1),
	    cmocka_unit_test(dial__what_is_not_dialled_or_answered__says_which),
	    cmocka_unit_test(dialog_check__no_file_or_an_argument__says_so),
	    cmocka_unit_test(dialog_pages__shipped_menu__each_page_with_its_length),
	    cmocka_unit_test(dialog_graph__shipped_menu__screens_and_ways),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
