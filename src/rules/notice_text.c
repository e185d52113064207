/* One table says which template a kind has and what its notices bring; a parameter's type says how much of a
 * name fits. A number is never cut: its type has room for any. */
#include "rules/notice_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "text/utf8.h"

#define VALUE_ROOM (3 * PARAM_TEXT_MAX + 4)

enum fact { FACT_APP, FACT_POS, FACT_REF, FACT_KG, FACT_PLACE, FACT_UNTIL, FACT_DM, FACTS };

static const struct {
	const char *name;
	enum param_kind kind;
	unsigned least; /* room for the greatest number; 1: what does not fit is cut; 0: of one width */
} facts[FACTS] = {
    [FACT_APP] = {"app", PARAM_NUMBER, 9},
    [FACT_POS] = {"pos", PARAM_NUMBER, 6},
    [FACT_REF] = {"ref", PARAM_NUMBER, 6},
    [FACT_KG] = {"kg", PARAM_TEXT, 1},
    [FACT_PLACE] = {"place", PARAM_TEXT, 1},
    [FACT_UNTIL] = {"until", PARAM_MOMENT, 0},
    [FACT_DM] = {"dm", PARAM_DAY, 0},
};

#define BIT(f)   (1u << FACT_##f)
#define REFERRAL (BIT(APP) | BIT(REF) | BIT(KG) | BIT(UNTIL) | BIT(DM))

struct text_row {
	const char *template;
	unsigned brings; /* bits of facts */
};

static const struct text_row rows[NOTICE_KINDS] = {
    [NOTICE_NUMBER] = {"appno", BIT(APP) | BIT(POS)},
    [NOTICE_OFFERED] = {"referral", REFERRAL},
    [NOTICE_TAKEN] = {"referral_taken", REFERRAL},
    [NOTICE_REMIND] = {"remind", REFERRAL},
    [NOTICE_ACCEPTED] = {"referral_accepted", REFERRAL},
    [NOTICE_DECLINED] = {"referral_declined", REFERRAL},
    [NOTICE_EXTENDED] = {"referral_extended", REFERRAL},
    [NOTICE_EXPIRED] = {"referral_expired", REFERRAL},
    [NOTICE_CANCELLED] = {"referral_cancelled", REFERRAL},
    [NOTICE_PLACE] = {"place_free", BIT(APP) | BIT(KG)},
    [NOTICE_DOCUMENTS] = {"docs", BIT(APP) | BIT(PLACE) | BIT(UNTIL) | BIT(DM)},
    [NOTICE_PHONE] = {"phone_changed", BIT(APP)},
};
static const struct text_row number_alone = {"appno_only", BIT(APP)};

static const struct text_row *row_of(enum notice_kind k, bool in_queue)
{
	return k == NOTICE_NUMBER && !in_queue ? &number_alone : &rows[k];
}

const char *notice_template(enum notice_kind k, bool in_queue)
{
	return row_of(k, in_queue)->template;
}

static unsigned text_max(const struct template *t, const char *param)
{
	struct param_type type;
	const char *name;

	for (size_t i = 0; (name = template_param(t, i, &type)) != NULL; i++)
		if (!strcmp(name, param))
			return type.max;
	return PARAM_TEXT_MAX;
}

/* One line of what a phone shows; a name that says nothing is a dash. */
static void text_clean(const char *name, struct buf *out)
{
	struct buf line = {0};
	size_t n = strnlen(name, 4 * PARAM_TEXT_MAX), len;
	uint32_t cp;

	for (size_t i = 0; i < n && (len = utf8_next(name + i, n - i, &cp)) > 0; i += len)
		if (cp < ' ' || cp == 0x7f)
			buf_char(&line, ' ');
		else if (cp <= 0xffff)
			utf8_put(&line, cp);
	if (utf8_for_phone(line.len ? buf_text(&line) : "-", line.len ? line.len : 1, out) != KZ_OK)
		buf_str(out, "-");
	buf_fini(&line);
}

static void text_cut(const char *name, unsigned max, char ret[VALUE_ROOM])
{
	struct buf clean = {0};
	size_t at = 0;
	uint32_t cp;

	text_clean(name, &clean);
	for (unsigned count = 0; at < clean.len && count < max; count++)
		at += utf8_next(clean.data + at, clean.len - at, &cp);
	while (at > 1 && clean.data[at - 1] == ' ')
		at--;
	snprintf(ret, VALUE_ROOM, "%.*s", (int)at, clean.data);
	buf_fini(&clean);
}

static void text_time(int64_t us, int64_t offset_min, const char *format, char ret[VALUE_ROOM])
{
	time_t local = (time_t)(us / 1000000 + offset_min * 60);
	struct tm tm;

	strftime(ret, VALUE_ROOM, format, gmtime_r(&local, &tm));
}

static void text_value(
    const struct template *t, enum fact f, const struct notice_facts *from, char ret[VALUE_ROOM])
{
	switch (f) {
	case FACT_APP:
		snprintf(ret, VALUE_ROOM, "%llu", (unsigned long long)from->application);
		break;
	case FACT_POS:
		snprintf(ret, VALUE_ROOM, "%llu", (unsigned long long)from->position);
		break;
	case FACT_REF:
		snprintf(ret, VALUE_ROOM, "%llu", (unsigned long long)from->referral);
		break;
	case FACT_KG:
		text_cut(from->kindergarten ? from->kindergarten : "", text_max(t, "kg"), ret);
		break;
	case FACT_PLACE:
		text_cut(from->place ? from->place : "", text_max(t, "place"), ret);
		break;
	case FACT_UNTIL:
		text_time(from->until_us, from->offset_min, "%d.%m %H:%M", ret);
		break;
	default:
		text_time(from->until_us, from->offset_min, "%d.%m", ret);
	}
}

static void text_fill(
    const struct template *t, enum language l, const struct notice_facts *f, struct buf *out)
{
	struct template_param params[FACTS];
	char values[FACTS][VALUE_ROOM];

	for (enum fact i = 0; i < FACTS; i++) {
		text_value(t, i, f, values[i]);
		params[i] = (struct template_param){facts[i].name, values[i]};
	}
	template_fill_trusted(t, l, params, FACTS, out);
}

void notice_text(const struct templates *t, enum notice_kind k, enum language l, const struct notice_facts *f,
    struct buf *out)
{
	text_fill(template_find(t, notice_template(k, f->position != 0)), l, f, out);
}

bool notice_has_email(enum notice_kind k)
{
	return k != NOTICE_PHONE;
}

void notice_email(const struct emails *e, enum notice_kind k, enum language l, const struct notice_facts *f,
    struct buf *subject, struct buf *text)
{
	const char *name = notice_template(k, f->position != 0);

	text_fill(email_subject(e, name), l, f, subject);
	text_fill(email_text(e, name), l, f, text);
}

static enum fact fact_find(const char *name)
{
	enum fact f = 0;

	while (f < FACTS && strcmp(facts[f].name, name) != 0)
		f++;
	return f;
}

static const char *fact_type(enum fact f)
{
	switch (facts[f].kind) {
	case PARAM_NUMBER:
		return "a number";
	case PARAM_TEXT:
		return "a text";
	case PARAM_MOMENT:
		return "a moment";
	default:
		return "a day";
	}
}

/* what: "template" or "email"; t: NULL for none of the row's name. */
static void row_check(const struct text_row *row, const char *what, const struct template *t,
    const char *path, struct faults *faults)
{
	struct param_type type;
	const char *name;

	if (!t)
		faults_add(
		    faults, "%s: %s \"%s\" is missing: notices are made of it", path, what, row->template);
	for (size_t i = 0; t && (name = template_param(t, i, &type)) != NULL; i++) {
		enum fact f = fact_find(name);

		if (f == FACTS || !(row->brings & 1u << f))
			faults_add(faults, "%s: %s \"%s\": a notice has no \"%s\" for it", path, what,
			    row->template, name);
		else if (type.kind != facts[f].kind || type.max < facts[f].least)
			faults_add(faults, "%s: %s \"%s\": parameter \"%s\" is not %s of its length", path,
			    what, row->template, name, fact_type(f));
	}
}

void notice_texts_check(const struct templates *t, const char *path, struct faults *faults)
{
	for (enum notice_kind k = 0; k < NOTICE_KINDS; k++)
		row_check(&rows[k], "template", template_find(t, rows[k].template), path, faults);
	row_check(&number_alone, "template", template_find(t, number_alone.template), path, faults);
}

void notice_emails_check(const struct emails *e, const char *path, struct faults *faults)
{
	for (enum notice_kind k = 0; k < NOTICE_KINDS; k++)
		if (notice_has_email(k))
			row_check(&rows[k], "email", email_text(e, rows[k].template), path, faults);
	row_check(&number_alone, "email", email_text(e, number_alone.template), path, faults);
}
