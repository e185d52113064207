/* engine_way: the way back. 0 shows a page as it was left: what was written over since is kept beside the way
 * and put back, since an answer about another child may not stand under this one's name, and a key may not
 * take another place than its page says. All values beside each page of the way would be a session of five
 * times the length; when there is no room the way begins later. */
#include <string.h>

#include "ussd/engine_body.h"

/* The first n pages of the way, and what was written over on them. */
static void engine_shorten(struct session *s, size_t n)
{
	size_t kept = 0;

	s->back_n -= n;
	memmove(s->back, s->back + n, s->back_n);
	for (size_t i = 0; i < s->undo_n; i++)
		if (s->undo[i].depth > n) {
			s->undo[kept] = s->undo[i];
			s->undo[kept++].depth -= (uint8_t)n;
		}
	s->undo_n = kept;
}

void engine_remember(struct session *s)
{
	if (s->back_n == SESSION_BACK)
		engine_shorten(s, 1);
	s->back[s->back_n++] = (uint8_t)s->screen;
}

int engine_return(struct session *s)
{
	int screen = s->back[--s->back_n];

	while (s->undo_n > 0 && s->undo[s->undo_n - 1].depth > s->back_n) {
		const struct session_undo *u = &s->undo[--s->undo_n];

		memcpy(s->values[u->value], u->text, SESSION_VALUE);
	}
	return screen;
}

/* The first that was written over behind a page is what the page had. */
static bool engine_is_kept(const struct session *s, int v)
{
	for (size_t i = 0; i < s->undo_n; i++)
		if (s->undo[i].depth == s->back_n && s->undo[i].value == v)
			return true;
	return false;
}

void engine_set_value(const struct dialog *d, struct session *s, int v, const char *text)
{
	size_t n = strnlen(text, SESSION_VALUE - 1);
	char fresh[SESSION_VALUE] = "";

	memcpy(fresh, text, n);
	if (strcmp(fresh, s->values[v]) == 0)
		return;
	if (*s->values[v] && !d->contracts->values[v].type->secret && !engine_is_kept(s, v)) {
		if (s->undo_n == SESSION_UNDO)
			engine_shorten(s, s->undo[0].depth);
		if (s->back_n > 0) {
			struct session_undo *u = &s->undo[s->undo_n++];

			u->depth = (uint8_t)s->back_n;
			u->value = (uint8_t)v;
			memcpy(u->text, s->values[v], SESSION_VALUE);
		}
	}
	memcpy(s->values[v], fresh, SESSION_VALUE);
}
