#include "spot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* xorshift64*: the same faults for the same seed, everywhere. */
size_t random_below(struct bench *b, size_t n)
{
	b->random ^= b->random >> 12;
	b->random ^= b->random << 25;
	b->random ^= b->random >> 27;
	return (size_t)((b->random * 0x2545f4914f6cdd1dull) >> 33) % n;
}

struct spot spot_any(struct bench *b, const struct spots *s)
{
	return s->all[random_below(b, s->n)];
}

void spots_behind(const char *text, const char *before, struct spots *s)
{
	for (const char *at = text; (at = strstr(at, before)) != NULL && s->n < SPOTS;) {
		at += strlen(before);
		size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_.");

		if (n)
			s->all[s->n++] = (struct spot){(size_t)(at - text), n};
	}
}

void spots_texts(const char *text, struct spots *s)
{
	static const char *const before[] = {"kk: \"", "ru: \"", "en: \""};

	for (size_t i = 0; i < sizeof before / sizeof *before; i++)
		for (const char *at = text; (at = strstr(at, before[i])) != NULL && s->n < SPOTS;) {
			at += strlen(before[i]);
			s->all[s->n++] = (struct spot){(size_t)(at - text), strcspn(at, "\"")};
		}
}

void spots_branches(const char *text, struct spots *s)
{
	for (const char *at = text; (at = strstr(at, "results: {")) != NULL;) {
		at += strlen("results: {");
		for (const char *end = at + strcspn(at, "}"); at < end && s->n < SPOTS;) {
			size_t n = strcspn(at, ",}");
			size_t gap = at[n] == ',' ? 1 + strspn(at + n + 1, " \n") : 0;

			s->all[s->n++] = (struct spot){(size_t)(at - text), n + gap};
			at += n + gap;
		}
	}
}

void fault_put(const struct bench *b, struct fault *f, int file, struct spot s, const char *to)
{
	f->file = file;
	buf_clear(&f->text);
	buf_add(&f->text, b->file[file], s.at);
	buf_str(&f->text, to);
	buf_add(&f->text, b->file[file] + s.at + s.n, b->len[file] - s.at - s.n);
	snprintf(
	    f->what, sizeof f->what, "%.*s -> %.60s", (int)(s.n < 60 ? s.n : 60), b->file[file] + s.at, to);
}

char *spot_text(const struct bench *b, int file, struct spot s)
{
	return mem_strn(b->file[file] + s.at, s.n);
}

/* Latin letters that look like Cyrillic ones, and the other way. */
static const char *const twins[][2] = {{"а", "a"}, {"е", "e"}, {"о", "o"}, {"р", "p"}, {"с", "c"}, {"у", "y"},
    {"х", "x"}, {"і", "i"}, {"А", "A"}, {"В", "B"}, {"Е", "E"}, {"К", "K"}, {"М", "M"}, {"Н", "H"},
    {"О", "O"}, {"Р", "P"}, {"С", "C"}, {"Т", "T"}, {"Х", "X"}, {"І", "I"}};

/* The letter that looks like the one at `at`; NULL: none does. */
const char *twin_of(const char *at, size_t *ret_n)
{
	for (size_t i = 0; i < sizeof twins / sizeof *twins; i++)
		for (size_t way = 0; way < 2; way++) {
			*ret_n = strlen(twins[i][way]);
			if (!strncmp(at, twins[i][way], *ret_n))
				return twins[i][!way];
		}
	*ret_n = 1;
	return NULL;
}

/* Each letter that has a twin; names in braces and \n are no letters of a text. */
void spots_twins(const char *text, const struct spots *texts, struct spots *s)
{
	for (size_t i = 0; i < texts->n; i++) {
		const char *at = text + texts->all[i].at, *end = at + texts->all[i].n;
		bool name = false;

		for (size_t n; at < end && s->n < SPOTS; at += n) {
			const char *twin = twin_of(at, &n);

			name = *at == '{' || (name && *at != '}');
			if (*at == '\\')
				n = 2;
			else if (twin && !name)
				s->all[s->n++] = (struct spot){(size_t)(at - text), n};
		}
	}
}
