/* The texts of notices, by the templates that are shipped and by others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/notice_text.h"
#include "text/utf8.h"

#define SHIPPED        KEZEK_SOURCE_DIR "/dialogs/sms.yaml"
#define SHIPPED_EMAILS KEZEK_SOURCE_DIR "/dialogs/mail.yaml"
#define UNTIL          INT64_C(1789830120000000) /* 2026-09-19 15:02 in UTC */

static const struct notice_facts whole = {.application = 123456789,
    .referral = 48871,
    .position = 614,
    .kindergarten = "Айгөлек",
    .place = "Абай 1, каб. 5",
    .until_us = UNTIL,
    .offset_min = 300};

static struct templates *shipped(void)
{
	struct faults faults = {0};
	struct templates *t = templates_load(SHIPPED, &words_usual, &faults);

	assert_string_equal(buf_text(&faults.text), "");
	return t;
}

static void text_is(const struct templates *t, enum notice_kind k, enum language l,
    const struct notice_facts *f, const char *wanted)
{
	struct buf text = {0};

	notice_text(t, k, l, f, &text);
	assert_string_equal(buf_text(&text), wanted);
	buf_fini(&text);
}

static void notice_text__facts__in_each_language(void **state)
{
	struct templates *t = shipped();
	struct notice_facts f = whole;

	(void)state;
	text_is(t, NOTICE_NUMBER, LANGUAGE_RU, &f,
	    "Заявление №123456789 принято. Очередь №614. Проверить: *1234#");
	text_is(t, NOTICE_OFFERED, LANGUAGE_KK, &f,
	    "Жолдама №48871: Айгөлек. Мерзімі 19.09 20:02. Көру: *1234*4#");
	text_is(t, NOTICE_DOCUMENTS, LANGUAGE_EN, &f, "Bring the benefit document by 19.09: Абай 1, каб. 5.");
	f.position = 0;
	text_is(t, NOTICE_NUMBER, LANGUAGE_EN, &f, "Application No.123456789 registered. Check: *1234#");
	templates_free(t);
}

static void notice_text__a_long_name__cut_to_its_room(void **state)
{
	struct templates *t = shipped();
	struct notice_facts f = whole;

	(void)state;
	f.kindergarten = "Ясли-сад №12\n«Айгөлек» 😀 для всех";
	text_is(t, NOTICE_OFFERED, LANGUAGE_RU, &f,
	    "Направление №48871: Ясли-сад №12 «А. До 19.09 20:02. Набрать *1234*4#");
	f.kindergarten = "\xff";
	text_is(t, NOTICE_PLACE, LANGUAGE_RU, &f, "Есть свободное место: -. Взять: *1234#");
	f.kindergarten = NULL;
	text_is(t, NOTICE_PLACE, LANGUAGE_RU, &f, "Есть свободное место: -. Взять: *1234#");
	templates_free(t);
}

/* Widest facts of every kind: what is filled in is for the phone, and one SMS. */
static void notice_text__widest_facts__one_sms_each(void **state)
{
	struct templates *t = shipped();
	const struct notice_facts f = {.application = 999999999,
	    .referral = 999999,
	    .position = 999999,
	    .kindergarten = "ЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖ",
	    .place = "ЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖЖ",
	    .until_us = UNTIL,
	    .offset_min = 840};

	(void)state;
	for (enum notice_kind k = 0; k < NOTICE_KINDS; k++)
		for (enum language l = 0; l < LANGUAGES; l++) {
			struct buf text = {0}, for_phone = {0};
			struct text_cost cost;

			notice_text(t, k, l, &f, &text);
			assert_int_equal(utf8_for_phone(buf_text(&text), text.len, &for_phone), KZ_OK);
			assert_int_equal(template_cost(buf_text(&for_phone), for_phone.len, &cost), KZ_OK);
			assert_int_equal(cost.parts, 1);
			buf_fini(&text);
			buf_fini(&for_phone);
		}
	templates_free(t);
}

static struct emails *shipped_emails(void)
{
	struct faults faults = {0};
	struct emails *e = emails_load(SHIPPED_EMAILS, &words_usual, &faults);

	assert_string_equal(buf_text(&faults.text), "");
	return e;
}

static void email_is(const struct emails *e, enum notice_kind k, enum language l,
    const struct notice_facts *f, const char *wanted_subject, const char *wanted_text)
{
	struct buf subject = {0}, text = {0};

	notice_email(e, k, l, f, &subject, &text);
	assert_string_equal(buf_text(&subject), wanted_subject);
	assert_string_equal(buf_text(&text), wanted_text);
	buf_fini(&subject);
	buf_fini(&text);
}

static void notice_email__facts__in_each_language(void **state)
{
	struct emails *e = shipped_emails();
	struct notice_facts f = whole;

	(void)state;
	email_is(e, NOTICE_OFFERED, LANGUAGE_KK, &f, "Жолдама №48871 берілді",
	    "Құрметті ата-ана!\n\nБалаңызға балабақшадан орын берілді.\nБалабақша: Айгөлек\n"
	    "Жолдама нөмірі: 48871\nӨтініш нөмірі: 123456789\nМерзімі: 19.09 20:02\n\n"
	    "Осы мерзімге дейін жолдаманы қабылдаңыз немесе бас тартыңыз: порталда не телефоннан *1234*4#\n\n"
	    "Бұл хат автоматты түрде жіберілді, оған жауап бермеңіз.\n");
	email_is(e, NOTICE_DOCUMENTS, LANGUAGE_RU, &f, "Заявление №123456789: нужен документ о льготе",
	    "Уважаемые родители!\n\nНужен документ, который подтверждает льготу.\n"
	    "Номер заявления: 123456789\nКуда: Абай 1, каб. 5\nСрок: 19.09\n\n"
	    "Письмо отправлено автоматически, отвечать на него не нужно.\n");
	f.position = 0;
	email_is(e, NOTICE_NUMBER, LANGUAGE_EN, &f, "Application No.123456789 registered",
	    "Dear parents,\n\nyour application for a place in a kindergarten was registered.\n"
	    "Application number: 123456789\n\nTo check it by phone: *1234#\n\n"
	    "This letter was sent automatically, please do not reply to it.\n");
	emails_free(e);
}

static void notice_email__every_kind__but_of_a_phone(void **state)
{
	struct emails *e = shipped_emails();

	(void)state;
	for (enum notice_kind k = 0; k < NOTICE_KINDS; k++) {
		assert_int_equal(notice_has_email(k), k != NOTICE_PHONE);
		for (enum language l = 0; l < LANGUAGES && notice_has_email(k); l++) {
			struct buf subject = {0}, text = {0};

			notice_email(e, k, l, &whole, &subject, &text);
			assert_true(
			    subject.len > 0 && subject.len <= EMAIL_SUBJECT && text.len > subject.len);
			buf_fini(&subject);
			buf_fini(&text);
		}
	}
	emails_free(e);
}

static void check_is(const char *yaml, const char *fault)
{
	char path[] = "/tmp/kezek_notice_XXXXXX";
	int fd = mkstemp(path);
	struct faults faults = {0};

	assert_true(fd >= 0 && write(fd, yaml, strlen(yaml)) == (ssize_t)strlen(yaml));
	close(fd);
	struct templates *t = templates_load(path, &words_usual, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	notice_texts_check(t, "sms.yaml", &faults);
	if (!strstr(buf_text(&faults.text), fault))
		fail_msg("\"%s\" is not in: %s", fault, buf_text(&faults.text));
	faults_fini(&faults);
	templates_free(t);
	unlink(path);
}

static void notice_texts_check__shipped__good(void **state)
{
	struct templates *t = shipped();
	struct faults faults = {0};

	(void)state;
	notice_texts_check(t, SHIPPED, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	templates_free(t);
}

static void notice_texts_check__what_is_wrong__named(void **state)
{
	(void)state;
	check_is("code:\n  kk: a\n  ru: b\n  en: c\n",
	    "sms.yaml: template \"appno\" is missing: notices are made of it");
	check_is(
	    "phone_changed:\n  params: {who: number(9)}\n  kk: \"{who}\"\n  ru: \"{who}\"\n  en: \"{who}\"\n",
	    "template \"phone_changed\": a notice has no \"who\" for it");
	check_is("phone_changed:\n  params: {kg: text(9)}\n  kk: \"{kg}\"\n  ru: \"{kg}\"\n  en: \"{kg}\"\n",
	    "template \"phone_changed\": a notice has no \"kg\" for it");
	check_is("appno:\n  params: {app: number(8)}\n  kk: \"{app}\"\n  ru: \"{app}\"\n  en: \"{app}\"\n",
	    "template \"appno\": parameter \"app\" is not a number of its length");
	check_is("remind:\n  params: {until: day}\n  kk: \"{until}\"\n  ru: \"{until}\"\n  en: \"{until}\"\n",
	    "template \"remind\": parameter \"until\" is not a moment of its length");
}

static void notice_emails_check__what_is_wrong__named(void **state)
{
	struct faults faults = {0};
	struct emails *e = shipped_emails();
	char path[] = "/tmp/kezek_notice_XXXXXX";
	static const char yaml[] =
	    "referral_expired:\n  params: {until: moment}\n"
	    "  kk: {subject: a, text: \"{until}\"}\n  ru: {subject: a, text: \"{until}\"}\n"
	    "  en: {subject: a, text: \"{until}\"}\n"
	    "appno:\n  params: {pos: number(5)}\n"
	    "  kk: {subject: a, text: \"{pos}\"}\n  ru: {subject: a, text: \"{pos}\"}\n"
	    "  en: {subject: a, text: \"{pos}\"}\n";
	int fd = mkstemp(path);

	(void)state;
	notice_emails_check(e, "mail.yaml", &faults);
	assert_string_equal(buf_text(&faults.text), "");
	emails_free(e);
	assert_true(fd >= 0 && write(fd, yaml, strlen(yaml)) == (ssize_t)strlen(yaml));
	close(fd);
	e = emails_load(path, &words_usual, &faults);
	assert_string_equal(buf_text(&faults.text), "");
	notice_emails_check(e, "mail.yaml", &faults);
	assert_non_null(strstr(buf_text(&faults.text), "mail.yaml: email \"docs\" is missing"));
	assert_non_null(strstr(
	    buf_text(&faults.text), "email \"appno\": parameter \"pos\" is not a number of its length"));
	assert_null(strstr(buf_text(&faults.text), "referral_expired"));
	assert_null(strstr(buf_text(&faults.text), "phone_changed"));
	faults_fini(&faults);
	emails_free(e);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(notice_text__facts__in_each_language),
	    cmocka_unit_test(notice_text__a_long_name__cut_to_its_room),
	    cmocka_unit_test(notice_text__widest_facts__one_sms_each),
	    cmocka_unit_test(notice_email__facts__in_each_language),
	    cmocka_unit_test(notice_email__every_kind__but_of_a_phone),
	    cmocka_unit_test(notice_texts_check__shipped__good),
	    cmocka_unit_test(notice_texts_check__what_is_wrong__named),
	    cmocka_unit_test(notice_emails_check__what_is_wrong__named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
