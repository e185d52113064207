/* profile: the shipped files, every key, and what a fault says and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "smpp/profile.h"
#include "smpp/profile_keys.h"
#include "smpp/ussd.h"

#define OPERATORS KEZEK_SOURCE_DIR "/config/operators"

/* A folder of its own for each test. */
static char folder[] = "/tmp/kezek-profile-XXXXXX";

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/kezek-profile-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
	char *command = mem_printf("rm -r %s", folder);
	int r = system(command);

	(void)state;
	free(command);
	return r;
}

static char *put(const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", folder, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(path, 0600);
	return path;
}

static struct profile *load(const char *text)
{
	struct faults faults = {0};
	char *path = put("kcell.yaml", text);
	struct profile *p = profile_load(path, &faults);

	if (!p)
		print_error("%s", buf_text(&faults.text));
	assert_non_null(p);
	assert_int_equal(faults.count, 0);
	faults_fini(&faults);
	free(path);
	return p;
}

/* The load fails with one line that has all of the words. */
static void refuse(const char *text, const char *place, const char *words)
{
	struct faults faults = {0};
	char *path = put("kcell.yaml", text), *start = mem_printf("%s%s", path, place);

	assert_null(profile_load(path, &faults));
	if (faults.count != 1 || strncmp(buf_text(&faults.text), start, strlen(start)) ||
	    !strstr(buf_text(&faults.text), words))
		fail_msg("wanted %s... %s, got: %s", start, words, buf_text(&faults.text));
	faults_fini(&faults);
	free(start);
	free(path);
}

#define LINKS "links:\n- {host: smpp.example, system_id: me}\n"

static void profile_load__least_file__sane_defaults(void **state)
{
	struct profile *p = load(LINKS);

	(void)state;
	assert_string_equal(p->name, "kcell");
	assert_true(p->enabled);
	assert_int_equal(p->prefixes.count, 0);
	assert_int_equal(p->enquire_ms, 30000);
	assert_int_equal(p->already_bound_ms, 120000);
	assert_int_equal(p->sender_ton, -1);
	assert_int_equal(p->dest_ton, 1);
	assert_int_equal(p->validity, VALIDITY_RELATIVE);
	assert_false(p->user_message_reference);
	assert_int_equal(p->concat, CONCAT_UDH8);
	assert_int_equal(p->dcs_ucs2, 8);
	assert_int_equal(p->receipt_busy_status, 0x64);
	assert_int_equal(p->links_n, 1);
	assert_string_equal(p->links[0].name, "1");
	assert_int_equal(p->links[0].port, 2775);
	assert_int_equal(p->links[0].bind, BIND_TRANSCEIVER);
	assert_int_equal(p->links[0].window, 10);
	assert_string_equal(p->links[0].password, "");
	profile_free(p);
}

static void profile_load__password_file__beside_the_profile(void **state)
{
	char *path = put("secret", "not1me\n");
	struct profile *p = load("links:\n- {host: h, system_id: me, password_file: secret}\n");

	(void)state;
	assert_string_equal(p->links[0].password, "not1me");
	assert_string_equal(p->links[0].password_file, path);
	profile_free(p);
	free(path);
}

static void profile_load__statuses__in_order(void **state)
{
	struct profile *p =
	    load("statuses:\n  \"0x55f\": final\n  \"0x400-0x4ff\": slow\n  \"88\": temporary\n" LINKS);

	(void)state;
	assert_int_equal(p->statuses_n, 3);
	assert_int_equal(p->statuses[0].from, 0x55f);
	assert_int_equal(p->statuses[0].to, 0x55f);
	assert_int_equal(p->statuses[0].class, STATUS_FINAL);
	assert_int_equal(p->statuses[1].from, 0x400);
	assert_int_equal(p->statuses[1].to, 0x4ff);
	assert_int_equal(p->statuses[1].class, STATUS_SLOW);
	assert_int_equal(p->statuses[2].from, 88);
	profile_free(p);
}

static void profile_load__faults__place_and_remedy(void **state)
{
	(void)state;
	refuse("timers: {enquire: soon}\n" LINKS, ":1:19: ", "timers.enquire: \"soon\" is not a time");
	refuse("timer: {enquire: 5s}\n" LINKS, ":1:1: ", "no such key");
	refuse("text: {conkat: sar}\n" LINKS, ":1:8: ", "did you mean text.concat?");
	refuse("prefixes: [\"+7701\"]\n" LINKS, ":1:11: ", "write digits as in 7701");
	refuse("sender: {default: TWELVE LETTERS}\n" LINKS, ":1:19: ", "at most 11 characters");
	refuse("sender: {default: \"\xd0\x9a\"}\n" LINKS, ":1:19: ", "of ASCII");
	refuse("reconnect: {min: 2m, max: 1m}\n" LINKS, ":1:27: ", "shorter than reconnect.min");
	refuse("statuses: {\"0x0\": final}\n" LINKS, ":1:12: ", "is not a status");
	refuse("statuses: {\"0x5-0x4\": final}\n" LINKS, ":1:12: ", "is not a status");
	refuse("statuses: {\"0x100000000\": final}\n" LINKS, ":1:12: ", "is not a status");
	refuse("statuses: {\"0x5\": ok}\n" LINKS, ":1:19: ", "not one of slow, temporary");
	refuse("statuses: [final]\n" LINKS, ":1:11: ", "a map is wanted");
	refuse("enabled: yes\n", ":1:1: ", "a list of 1 to 32 binds");
	refuse("links: []\n", ":1:8: ", "a list of 1 to 32 binds");
	refuse("links:\n- {system_id: a}\n", ":2:3: ", "host: this key is required");
	refuse("links:\n- {host: a}\n", ":2:3: ", "system_id: this key is required");
	refuse("links:\n- {host: \"\", system_id: a}\n", ":2:10: ", "a name or an address is wanted");
	refuse("links:\n- {host: a, system_id: a, bind: receiver}\n", ":2:1: ", "none of them can submit");
	refuse("links:\n- {host: a, system_id: a, port: 0}\n", ":2:33: ", "out of range: 1 to 65535");
	refuse("links:\n- {host: a, system_id: a, interface_version: 40}\n", ":2:46: ", "33, 34 or 50");
	refuse("links:\n- {host: a, system_id: a, name: A B}\n", ":2:33: ", "a-z, 0-9");
	refuse("links:\n- {host: a, system_id: a, name: x}\n- {host: a, system_id: a, name: x}\n",
	    ":3:33: ", "is there twice");
	refuse("links:\n- {host: a, system_id: a, password_file: gone}\n", ":2:42: ", "cannot be read");
	refuse("links:\n- {host: a, system_id: a, tls_cert: x}\n", ":2:3: ", "belong together");
	refuse("links:\n- {host: a, system_id: a, tls: yes, tls_ca: gone.pem}\n", ":2:32: ", "gone.pem");
	refuse("links:\n- {host: a, system_id: a, password: open}\n", ":2:27: ", "no such key");
	refuse("links:\n- {host: a, system_id: a, pasword_file: x}\n", ":2:27: ", "mean password_file?");
}

static void profile_load__faults_of_ussd__place_and_remedy(void **state)
{
	(void)state;
	refuse("ussd: {dialled: [one]}\n" LINKS, ":1:17: ", "\"one\" is not a ussd_service_op");
	refuse("ussd: {dialled: [256]}\n" LINKS, ":1:17: ", "is not a ussd_service_op");
	refuse("ussd: {typed: [1, 18]}\n" LINKS, ":1:15: ", "1 (0x01) would mean two things");
	refuse("ussd: {key_tlv: sesion}\n" LINKS, ":1:17: ", "0x1501");
	refuse("ussd: {key_mask: 0x0}\n" LINKS, ":1:18: ", "is no mask");
	refuse("ussd: {codes: [\"*123#\"]}\n" LINKS, ":1:15: ", "write 123 for *123#");
	refuse("ussd: {detect: destination}\n" LINKS, ":1:16: ", "ussd.codes has none");
	refuse("ussd: {push: tell}\n" LINKS, ":1:14: ", "no code that pushes could come from");
	refuse("ussd: {code_kept: yes}\n" LINKS, ":1:19: ", "no code that pages could come from");
	refuse("ussd: {tlvs: [\"0x1380\"]}\n" LINKS, ":1:14: ", "write \"0x1380=05\"");
	refuse("ussd: {tlvs: [\"0x1380=5\"]}\n" LINKS, ":1:14: ", "is not a TLV");
	refuse("ussd: {tlvs: [\"0x1380=0g\"]}\n" LINKS, ":1:14: ", "is not a TLV");
	refuse("ussd: {tlvs: [\"0=05\"]}\n" LINKS, ":1:14: ", "is not a TLV");
	refuse(
	    "ussd: {tlvs: [\"1=00\", \"2=00\", \"3=00\", \"4=00\", \"5=00\", \"6=00\", \"7=00\", \"8=00\", "
	    "\"9=00\"]}\n" LINKS,
	    ":1:14: ", "at most 8");
	refuse("ussd: {ucs2: 81}\n" LINKS, ":1:14: ", "out of range: 20 to 80");
}

static void profile_load__ops_of_ussd__decimal_and_hexadecimal(void **state)
{
	struct profile *p = load("ussd: {typed: [\"0x12\", \"2\"], cancelled: []}\n" LINKS);

	(void)state;
	assert_int_equal(p->ussd.means[1], USSD_DIALLED);
	assert_int_equal(p->ussd.means[2], USSD_TYPED);
	assert_int_equal(p->ussd.means[18], USSD_TYPED);
	assert_int_equal(p->ussd.means[129], USSD_MEANS_NOTHING);
	profile_free(p);
}

static void profile_load__password_too_long__not_shown(void **state)
{
	char *path = put("secret", "a-password-that-is-much-longer-than-32\n"), *text;
	struct faults faults = {0};

	(void)state;
	text = put("kcell.yaml", "links:\n- {host: a, system_id: a, password_file: secret}\n");
	assert_null(profile_load(text, &faults));
	assert_int_equal(faults.count, 1);
	assert_null(strstr(buf_text(&faults.text), "a-password"));
	faults_fini(&faults);
	free(text);
	free(path);
}

static void profile_load__bad_name__said(void **state)
{
	struct faults faults = {0};
	char *path = put("My Operator.yaml", LINKS);

	(void)state;
	assert_null(profile_load(path, &faults));
	assert_int_equal(faults.count, 1);
	assert_non_null(strstr(buf_text(&faults.text), "the file's name is the operator's"));
	faults_fini(&faults);
	free(path);
}

static void profiles_load__folder__by_name_and_all_or_nothing(void **state)
{
	struct faults faults = {0};
	size_t n = 7;
	struct profile **p;

	(void)state;
	assert_null(profiles_load(folder, &n, &faults));
	assert_int_equal(n, 0);
	assert_int_equal(faults.count, 0);
	free(put("tele2.yaml", "enabled: no\n" LINKS));
	free(put("beeline.yaml", LINKS));
	free(put("old.yaml.disabled", "not: read\n"));
	p = profiles_load(folder, &n, &faults);
	assert_int_equal(n, 2);
	assert_string_equal(p[0]->name, "beeline");
	assert_string_equal(p[1]->name, "tele2");
	assert_false(p[1]->enabled);
	profiles_free(p, n);
	free(put("altel.yaml", "enabled: perhaps\nlinks: none\n"));
	assert_null(profiles_load(folder, &n, &faults));
	assert_int_equal(n, 0);
	assert_int_equal(faults.count, 2);
	faults_fini(&faults);
	assert_null(profiles_load("/nonexistent", &n, &faults));
	assert_int_equal(faults.count, 1);
	faults_fini(&faults);
}

static void profile_equal__any_difference__seen(void **state)
{
	static const char *const other[] = {
	    "preference: 1\n" LINKS,
	    "statuses: {\"0x5\": final}\n" LINKS,
	    "ussd: {detect: any}\n" LINKS,
	    LINKS "- {host: h, system_id: s}\n",
	    "links:\n- {host: smpp.example, system_id: me, rate: 7}\n",
	    "links:\n- {host: smpp.example, system_id: me, password_file: secret}\n",
	};
	char *secret = put("secret", "one");
	struct profile *a = load(LINKS), *b = load(LINKS);

	(void)state;
	assert_true(profile_equal(a, b));
	profile_free(b);
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		b = load(other[i]);
		assert_false(profile_equal(a, b));
		profile_free(b);
	}
	profile_free(a);
	/* A new password in the same file is a difference too. */
	a = load(other[5]);
	free(put("secret", "two"));
	b = load(other[5]);
	assert_false(profile_equal(a, b));
	profile_free(a);
	profile_free(b);
	free(secret);
}

static bool names(const struct yaml_node *map, const char *key)
{
	char *path = mem_str(key), *rest = path, *step;

	while (map && (step = strsep(&rest, ".")) != NULL)
		map = yaml_get(map, step);
	free(path);
	return map != NULL;
}

static void profile_load__shipped_files__good_and_the_example_names_every_key(void **state)
{
	struct faults faults = {0};
	struct profile *p = profile_load(OPERATORS "/simulator.yaml", &faults);

	(void)state;
	assert_non_null(p);
	assert_true(p->enabled);
	assert_string_equal(p->links[0].host, "127.0.0.1");
	assert_int_equal(p->links[0].port, 2775);
	profile_free(p);
	p = profile_load(OPERATORS "/example.yaml.disabled", &faults);
	assert_non_null(p);
	assert_string_equal(p->name, "example");
	assert_false(p->enabled);
	profile_free(p);

	struct yaml *y = yaml_load(OPERATORS "/example.yaml.disabled", &faults);
	const struct yaml_node *root = yaml_root(y), *links = yaml_get(root, "links");
	for (size_t i = 0; i < profile_keys_n; i++)
		if (!names(root, profile_keys[i].name))
			fail_msg("the example lacks %s", profile_keys[i].name);
	for (size_t i = 0; i < profile_link_keys_n; i++)
		if (!names(&links->children[0], profile_link_keys[i].name))
			fail_msg("the example's first link lacks %s", profile_link_keys[i].name);
	yaml_tree_free(y);
	faults_fini(&faults);
}

static void profile_load__dialects__good_and_connect_to_nobody(void **state)
{
	struct faults faults = {0};
	size_t n = 0;
	struct profile **p = profiles_load(OPERATORS "/dialects", &n, &faults);

	(void)state;
	assert_string_equal(buf_text(&faults.text), "");
	assert_int_equal(n, 9);
	for (size_t i = 0; i < n; i++) {
		assert_false(p[i]->enabled);
		assert_int_not_equal(p[i]->ussd.detect, USSD_BY_NOTHING);
	}
	profiles_free(p, n);
	faults_fini(&faults);
}

static void manual__every_key_of_ussd__with_its_facts(void **state)
{
	struct buf help = {0}, manual = {0};
	FILE *f = fopen(KEZEK_SOURCE_DIR "/docs/kezek.yaml.5", "re");
	size_t n, keys = 0;

	(void)state;
	assert_non_null(f);
	while ((n = fread(buf_space(&manual, 4096), 1, 4096, f)) > 0)
		buf_wrote(&manual, n);
	fclose(f);
	profile_help(&help);
	for (char *at = strstr(help.data, "ussd."); at && !strncmp(at, "ussd.", 5); keys++) {
		char *name = strsep(&at, "\n"), *words = strsep(&at, "\n") + 4,
		     *facts = strsep(&at, "\n") + 4;
		char *entry = mem_printf("\n.B %s\n%s\n.br\n%s.\n", name, words, facts);

		if (!strstr(manual.data, entry))
			fail_msg("the manual lacks:%s", entry);
		free(entry);
	}
	assert_true(keys > 30);
	buf_fini(&help);
	buf_fini(&manual);
}

static void profile_help__tables__every_key(void **state)
{
	struct buf out = {0};

	(void)state;
	profile_help(&out);
	for (size_t i = 0; i < profile_keys_n; i++)
		assert_non_null(strstr(buf_text(&out), profile_keys[i].name));
	assert_non_null(strstr(buf_text(&out), "statuses\n"));
	assert_non_null(strstr(buf_text(&out), "password_file\n"));
	buf_fini(&out);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(profile_load__least_file__sane_defaults),
	    TEST(profile_load__password_file__beside_the_profile),
	    TEST(profile_load__statuses__in_order),
	    TEST(profile_load__faults__place_and_remedy),
	    TEST(profile_load__faults_of_ussd__place_and_remedy),
	    TEST(profile_load__ops_of_ussd__decimal_and_hexadecimal),
	    TEST(profile_load__password_too_long__not_shown),
	    TEST(profile_load__bad_name__said),
	    TEST(profiles_load__folder__by_name_and_all_or_nothing),
	    TEST(profile_equal__any_difference__seen),
	    TEST(profile_load__shipped_files__good_and_the_example_names_every_key),
	    TEST(profile_load__dialects__good_and_connect_to_nobody),
	    TEST(manual__every_key_of_ussd__with_its_facts),
	    TEST(profile_help__tables__every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
