/* kezekctl aside: what operators sent as receipts and nobody could read. It may be any octets: those that are
 * not plain ASCII are printed as \xNN. */
#include <stdio.h>
#include <string.h>

#include "ctl_client.h"
#include "ctl_text.h"

static void aside_add_octet(struct buf *out, unsigned octet)
{
	if (octet >= ' ' && octet <= '~' && octet != '\\')
		buf_char(out, (char)octet);
	else
		buf_printf(out, "\\x%02x", octet);
}

static void aside_print(const json_t *aside)
{
	const char *hex = ctl_text_field(aside, "hex", NULL);
	struct buf b = {0};
	unsigned octet;

	ctl_text_time(&b, ctl_text_field(aside, "at", "?"), true);
	buf_str(&b, "  ");
	ctl_text_clean(&b, ctl_text_field(aside, "carrier", "?"));
	buf_str(&b, "  ");
	ctl_text_clean(&b, ctl_text_field(aside, "what", "?"));
	buf_str(&b, hex ? "\n  " : "\n  sealed by a key that is not in the keyring");
	for (; hex && sscanf(hex, "%2x", &octet) == 1 && hex[1]; hex += 2)
		aside_add_octet(&b, octet & 0xff);
	puts(buf_text(&b));
	buf_fini(&b);
}

static int aside_run(struct ctl *c, int argc, char **argv)
{
	static const struct option options[] = {CTL_OPTIONS, {0}};
	const struct ctl_question q = {.method = "GET", .path = "/control/asides"};
	json_t *answer = NULL, *aside;
	int opt, code;
	size_t i;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if ((code = ctl_option(c, opt)) >= 0)
			return code;
	}
	if (optind != argc)
		return ctl_usage(c, "aside wants no argument");
	code = ctl_client_ask(c, &q, &answer);
	if (code == CTL_DONE && c->json)
		ctl_client_print(answer);
	else if (code == CTL_DONE && !json_array_size(json_object_get(answer, "asides")))
		puts("nothing is kept aside");
	else if (code == CTL_DONE)
		json_array_foreach(json_object_get(answer, "asides"), i, aside) aside_print(aside);
	json_decref(answer);
	return code;
}

const struct ctl_command ctl_aside_command = {
    .name = "aside",
    .summary = "receipts that nobody could read, as they came",
    .usage = "usage: kezekctl aside\n"
             "\n"
             "The newest 50. What is not plain ASCII is printed as \\xNN.\n",
    .run = aside_run,
};
