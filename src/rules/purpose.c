#include "rules/purpose.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/utf8.h"

#define SECOND 1000LL
#define MINUTE (60 * SECOND)

static const char hole[] = {CODE_HOLE, '\0'};

struct purposes {
	struct purpose list[PURPOSE_MAX];
	size_t count;
};

static const char *const lanes[] = {[MESSAGE_CODE] = "code", [MESSAGE_NOTICE] = "notice", NULL};
static const char *const bindings[] = {[PURPOSE_BINDING_NONE] = "none",
    [PURPOSE_BINDING_OPTIONAL] = "optional",
    [PURPOSE_BINDING_REQUIRED] = "required",
    NULL};
static const char *const resends[] = {[CODE_AGAIN_SAME] = "same", [CODE_AGAIN_NEW] = "new", NULL};

#define AT(field) offsetof(struct purpose, field)

/* clang-format off */
static const struct key table[] = {
	{"template", KEY_TEXT, AT(template), NULL, 0, PURPOSE_NAME, NULL, true, "",
	    "Template of its text; its parameters are code and, if it likes, minutes."},
	{"length", KEY_INT, AT(length), "6", 6, CODE_MAX, NULL, true, "digits", "Length of a code that kezek makes."},
	{"life", KEY_MS, AT(life_ms), "5m", MINUTE, CODE_LIFE_MAX_MS, NULL, true, "",
	    "How long digits are good; with resends ten minutes after the asking nothing is any more."},
	{"tries", KEY_INT, AT(tries), "5", 1, 5, NULL, true, "",
	    "Tries of one code, which no resend renews; the last wrong one ends it."},
	{"lane", KEY_CHOICE, AT(lane), "code", 0, 0, lanes, true, "",
	    "Lane in which its messages wait for an operator: before all others, or with the notices."},
	{"binding", KEY_CHOICE, AT(binding), "optional", 0, 0, bindings, true, "",
	    "Whether a request must, may or may not say what the code is bound to, which must come again at the check."},
	{"resend", KEY_CHOICE, AT(resend), "same", 0, 0, resends, true, "",
	    "Digits of a resend: the same while half of their life is left, or new ones each time."},
	{"fallback", KEY_LIST, AT(fallback), "link", 0, 8, NULL, true, "",
	    "What is tried once when a code gets no good receipt: link, another link or operator; phone, the second phone of the "
	    "request. Empty: nothing."},
	{"receipt_wait", KEY_MS, AT(receipt_wait_ms), "20s", SECOND, 5 * MINUTE, NULL, true, "",
	    "A code without a receipt after this has none; a bad receipt counts at once."},
	{"host", KEY_TEXT, AT(host), "", 0, 60, NULL, true, "",
	    "Host of the page on which browsers may fill the code in: the text ends with a line \"@host #code\"."},
};
/* clang-format on */
#define KEYS (sizeof table / sizeof *table)

static void host_line(const struct purpose *p, const char *digits, struct buf *out)
{
	if (*p->host)
		buf_printf(out, "\n@%s #%s", p->host, digits);
}

void purpose_text(const struct purpose *p, enum language l, int64_t left_ms, struct buf *out)
{
	int64_t minutes = (left_ms + MINUTE / 2) / MINUTE;
	char text[24];
	const struct template_param params[] = {{"code", hole}, {"minutes", text}};

	snprintf(text, sizeof text, "%lld", minutes < 1 ? 1LL : (long long)minutes);
	template_fill_trusted(p->text, l, params, 2, out);
	host_line(p, hole, out);
}

/* The place of a key, of the purpose itself when it is not said. */
static const struct yaml_node *key_place(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *at = node->kind == YAML_MAP ? yaml_get(node, key) : NULL;

	return at ? at : node;
}

/* Lower-case letters, digits and hyphens between dots: what a browser compares its page's name with. */
static bool host_is_good(const char *host)
{
	size_t n = strlen(host);

	if (strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") != n || strstr(host, ".."))
		return false;
	return n == 0 || (!strchr(".-", host[0]) && !strchr(".-", host[n - 1]));
}

static void fallback_read(struct purpose *p, const struct yaml_node *node, struct faults *faults)
{
	for (size_t i = 0; i < p->fallback.count; i++)
		if (!strcmp(p->fallback.items[i], "link"))
			p->other_link = true;
		else if (!strcmp(p->fallback.items[i], "phone"))
			p->second_phone = true;
		else
			faults_at(faults, key_place(node, "fallback"),
			    "fallback: \"%s\" is neither link nor phone", p->fallback.items[i]);
}

/* The text with the widest values fits the SMS that its template declares. */
static void text_fit(const struct purpose *p, enum language l, const char *digits,
    const struct yaml_node *node, struct faults *faults)
{
	struct buf holed = {0}, text = {0}, for_phone = {0};
	struct text_cost cost = {0};

	purpose_text(p, l, p->life_ms, &holed);
	code_fill(buf_text(&holed), digits, &text);
	if (utf8_for_phone(buf_text(&text), text.len, &for_phone) != KZ_OK ||
	    strcmp(buf_text(&text), buf_text(&for_phone)) != 0)
		faults_at(faults, key_place(node, "template"),
		    "the text of template \"%s\" in %s is another on a phone", p->template, language_name(l));
	else if (template_cost(buf_text(&text), text.len, &cost) != KZ_OK ||
	         cost.parts > template_segments(p->text, l))
		faults_at(faults, key_place(node, "host"),
		    "host: with its line template \"%s\" in %s takes %u SMS, %u declared", p->template,
		    language_name(l), cost.parts, template_segments(p->text, l));
	buf_fini(&holed);
	buf_fini(&text);
	buf_fini(&for_phone);
}

/* Whether the template takes what a purpose has for it and wants nothing else; a fault when not. */
static bool template_takes(const struct purpose *p, const struct templates *t, const char *digits,
    const struct yaml_node *node, struct faults *faults)
{
	const struct template_param params[] = {{"code", digits}, {"minutes", "10"}};
	char why[TEMPLATE_WHY] = "";
	struct buf text = {0};
	size_t n = p->text && template_has(p->text, "minutes") ? 2 : 1;
	enum kz r = template_fill(t, p->template, LANGUAGE_KK, params, n, &text, why);

	if (r != KZ_OK)
		faults_at(faults, key_place(node, "template"), "template: %s", why);
	buf_fini(&text);
	return r == KZ_OK;
}

static void text_prove(const struct purpose *p, const struct templates *t, size_t length,
    const struct yaml_node *node, struct faults *faults)
{
	char digits[CODE_MAX + 1] = "";

	memset(digits, '0', length);
	if (!template_takes(p, t, digits, node, faults))
		return;
	for (enum language l = 0; l < LANGUAGES; l++)
		text_fit(p, l, digits, node, faults);
}

/* The most digits of which none of its texts takes more SMS than was declared. */
static size_t longest_code(const struct purpose *p, const struct templates *t, const struct yaml_node *node)
{
	for (size_t n = CODE_MAX; n > (size_t)p->length; n--) {
		struct faults faults = {0};

		text_prove(p, t, n, node, &faults);
		bool fits = !faults.count;
		faults_fini(&faults);
		if (fits)
			return n;
	}
	return (size_t)p->length;
}

static bool name_is_good(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n >= 1 && n <= PURPOSE_NAME && !name[n];
}

static void purpose_load(
    struct purpose *p, const struct templates *t, const struct yaml_node *node, struct faults *faults)
{
	int before = faults->count;

	p->name = mem_str(node->key);
	if (!name_is_good(p->name))
		faults_at(faults, node, "a purpose's name is at most 32 of a-z, 0-9 and _");
	keys_read(table, KEYS, NULL, node, p, faults);
	fallback_read(p, node, faults);
	if (!host_is_good(p->host))
		faults_at(faults, key_place(node, "host"), "host: a name like queue.example.kz is expected");
	if (p->receipt_wait_ms >= p->life_ms)
		faults_at(faults, key_place(node, "receipt_wait"), "receipt_wait: not less than life");
	if (faults->count != before)
		return;
	p->text = template_find(t, p->template);
	text_prove(p, t, (size_t)p->length, node, faults);
	if (faults->count == before)
		p->longest = longest_code(p, t, node);
}

struct purposes *purposes_load(const char *path, const struct templates *t, struct faults *faults)
{
	struct purposes *p = mem_new(sizeof *p);
	struct yaml *y = yaml_load(path, faults);
	const struct yaml_node *root = y ? yaml_root(y) : NULL;

	if (root && root->kind != YAML_MAP)
		faults_at(faults, root, "a map of names to purposes is expected");
	else if (root && root->count > PURPOSE_MAX)
		faults_at(faults, &root->children[PURPOSE_MAX], "more than %d purposes", PURPOSE_MAX);
	else
		for (size_t i = 0; root && i < root->count; i++)
			purpose_load(&p->list[p->count++], t, &root->children[i], faults);
	yaml_tree_free(y);
	return p;
}

void purposes_free(struct purposes *p)
{
	if (!p)
		return;
	while (p->count > 0) {
		struct purpose *last = &p->list[--p->count];

		keys_fini(table, KEYS, last);
		free(last->name);
	}
	free(p);
}

size_t purposes_count(const struct purposes *p)
{
	return p->count;
}

const struct purpose *purposes_at(const struct purposes *p, size_t i)
{
	assert(i < p->count);
	return &p->list[i];
}

const struct purpose *purpose_find(const struct purposes *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->list[i].name, name))
			return &p->list[i];
	return NULL;
}

void purpose_help(struct buf *out)
{
	keys_help(table, KEYS, out);
}
