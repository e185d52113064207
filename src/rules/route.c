#include "rules/route.h"

#include <string.h>

struct route_score {
	int prefix; /* length of the longest prefix that fits, 0: serves any, -1: does not serve */
	long preference;
	bool up;
};

static struct route_score route_judge(const struct route_way *w, const char *digits)
{
	struct route_score s = {w->prefixes_n ? -1 : 0, w->preference, w->up};

	for (size_t i = 0; i < w->prefixes_n; i++) {
		size_t len = strlen(w->prefixes[i]);

		if (!strncmp(digits, w->prefixes[i], len) && (int)len > s.prefix)
			s.prefix = (int)len;
	}
	return s;
}

static bool route_better(const struct route_score *a, const struct route_score *b)
{
	if (a->up != b->up)
		return a->up;
	if (a->prefix != b->prefix)
		return a->prefix > b->prefix;
	return a->preference < b->preference;
}

size_t route_order(const struct route_way *ways, size_t n, struct msisdn m, size_t ret[ROUTE_MAX])
{
	struct route_score scores[ROUTE_MAX];
	char text[MSISDN_TEXT];
	size_t count = 0;

	msisdn_text(m, text);
	for (size_t i = 0; i < n; i++) {
		struct route_score s = route_judge(&ways[i], text + 1);

		if (s.prefix < 0 || (count == ROUTE_MAX && !route_better(&s, &scores[count - 1])))
			continue;
		size_t at =
		    count < ROUTE_MAX ? count++ : ROUTE_MAX - 1; /* full: the worst gives its place up */
		for (; at > 0 && route_better(&s, &scores[at - 1]); at--) {
			scores[at] = scores[at - 1];
			ret[at] = ret[at - 1];
		}
		scores[at] = s;
		ret[at] = i;
	}
	return count;
}

bool route_meets(const struct route_way *a, const struct route_way *b)
{
	if (!a->prefixes_n || !b->prefixes_n)
		return true;
	for (size_t i = 0; i < a->prefixes_n; i++)
		for (size_t k = 0; k < b->prefixes_n; k++) {
			size_t n = strlen(a->prefixes[i]), m = strlen(b->prefixes[k]);

			if (!strncmp(a->prefixes[i], b->prefixes[k], n < m ? n : m))
				return true;
		}
	return false;
}
