/* ussd: a message centre with many phones that dial, for the bench. Waits for its binds on 127.0.0.1, then
 * does what lines of standard input say, each answered by a line of JSON:
 *   busy PHONES SECONDS    so many phones at once, each presses the next key as soon as it has its page
 *   rate TURNS SECONDS     so many turns begin each second
 *   open PHONES TURNS      so many phones dial, TURNS a second, and leave their page open
 *   storm FILE             its phones dial in one moment, each presses its keys as soon as it has its page
 * A phone dials and presses 00 seven times, so that each turn asks who calls; then it dials again. A line of
 * a storm's FILE is a number and its keys, by rising numbers. Turns that have no page after 10 s are lost. */
#include <stdbool.h>

#include "centre.h"

#define PHONES_MAX 200000
#define TIMES_MAX  4000000
#define FIRST      77010000000ULL
#define LOST_US    10000000

static struct phone {
	uint64_t number;
	int64_t asked_us;        /* 0: none is asked */
	const char *keys, *next; /* next: of keys, NULL: it dials */
	uint32_t dialogue;
	uint32_t last; /* how many had pressed their last key before it */
	bool ended;    /* its page was the last one */
} phones[PHONES_MAX];

static uint32_t dialogues;
static unsigned phones_n; /* of the phase */
static bool again, keeps_open,
    dials_once;         /* a page is answered at once; or never; or until the keys are over */
static uint32_t *times; /* us of each turn */
static size_t times_n, lost, ended, unasked, lasts;

static void press(unsigned i)
{
	struct phone *p = &phones[i];

	if (!p->next || !*p->next || p->ended) {
		p->dialogue = ++dialogues;
		p->next = p->keys;
		p->ended = false;
		centre_deliver(p->number, p->dialogue, OP_DIALLED, "*123#", 5);
	} else {
		size_t n = strcspn(p->next, " ");

		centre_deliver(p->number, p->dialogue, OP_TYPED, p->next, n);
		p->next += n + (p->next[n] == ' ');
		if (!*p->next)
			p->last = (uint32_t)lasts++;
	}
	p->asked_us = centre_now_us();
}

static int by_number(const void *number, const void *phone)
{
	uint64_t x = *(const uint64_t *)number, y = ((const struct phone *)phone)->number;

	return (x > y) - (x < y);
}

static void centre_on_page(uint64_t number, uint8_t op)
{
	struct phone *p = bsearch(&number, phones, PHONES_MAX, sizeof *phones, by_number);

	if (!p || !p->asked_us) {
		unasked++;
		return;
	}
	if (times_n < TIMES_MAX)
		times[times_n++] = (uint32_t)(centre_now_us() - p->asked_us);
	p->asked_us = 0;
	if (op == OP_LAST) {
		p->ended = true;
		ended++;
	}
	if (again && p < phones + phones_n && !(dials_once && (p->ended || !*p->next)))
		press((unsigned)(p - phones));
}

static int by_time(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static size_t waiting(void)
{
	size_t n = 0;

	for (unsigned i = 0; i < PHONES_MAX; i++)
		n += phones[i].asked_us != 0;
	return n;
}

static void begin(void)
{
	times_n = lost = ended = unasked = lasts = 0;
}

/* Whether somebody with as many keys, whose last page was not an end, pressed the last key before i. */
static bool is_before_another(unsigned i)
{
	for (unsigned k = 0; k < phones_n; k++)
		if (!phones[k].ended && phones[k].last < phones[i].last &&
		    strlen(phones[k].keys) == strlen(phones[i].keys))
			return true;
	return false;
}

static size_t overtook(void)
{
	size_t n = 0;

	for (unsigned i = 0; dials_once && i < phones_n; i++)
		n += phones[i].ended && is_before_another(i);
	return n;
}

static void tell(double seconds)
{
	for (int64_t end = centre_now_us() + LOST_US; waiting() && centre_now_us() < end;)
		centre_wait(centre_now_us() + 100000);
	lost = waiting();
	for (unsigned i = 0; i < PHONES_MAX; i++)
		phones[i].asked_us = 0;
	qsort(times, times_n, sizeof *times, by_time);
	printf("{\"turns\":%zu,\"per_second\":%.1f,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,\"lost\":%zu,"
	       "\"ended\":%zu,\"overtook\":%zu,\"unasked\":%zu}\n",
	    times_n, (double)times_n / seconds, times_n ? times[times_n / 2] : 0,
	    times_n ? times[times_n * 99 / 100] : 0, times_n ? times[times_n - 1] : 0, lost, ended,
	    overtook(), unasked);
	fflush(stdout);
}

static void busy(unsigned n, double seconds)
{
	int64_t from = centre_now_us(), end = from + (int64_t)(seconds * 1e6);

	begin();
	phones_n = n;
	again = true;
	for (unsigned i = 0; i < n; i++)
		press(i);
	while (centre_now_us() < end)
		centre_wait(end);
	seconds = (double)(centre_now_us() - from) / 1e6;
	again = false;
	tell(seconds);
}

/* Phones take turns; one that still waits is passed over. */
static void paced(unsigned most, double rate, double seconds)
{
	int64_t from = centre_now_us(), end = from + (int64_t)(seconds * 1e6);
	size_t begun = 0;

	begin();
	for (unsigned i = 0; centre_now_us() < end && (!keeps_open || i < most);) {
		size_t due = (size_t)((double)(centre_now_us() - from) * rate / 1e6);

		for (; begun < due && (!keeps_open || i < most); begun++, i++)
			if (!phones[i % most].asked_us)
				press(i % most);
		centre_wait(from + (int64_t)((double)(begun + 1) * 1e6 / rate));
	}
	tell((double)(centre_now_us() - from) / 1e6);
}

static void storm_read(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[128], *keys;

	if (!f)
		centre_fail(path);
	for (phones_n = 0; phones_n < PHONES_MAX && fgets(line, sizeof line, f); phones_n++) {
		line[strcspn(line, "\n")] = '\0';
		phones[phones_n] = (struct phone){.number = strtoull(line, &keys, 10)};
		phones[phones_n].keys = strdup(keys + strspn(keys, " "));
	}
	fclose(f);
	for (unsigned i = phones_n; i < PHONES_MAX; i++)
		phones[i].number = UINT64_MAX;
}

static void storm(const char *path)
{
	storm_read(path);
	begin();
	int64_t from = centre_now_us();
	again = dials_once = true;
	for (unsigned i = 0; i < phones_n; i++)
		press(i);
	for (int64_t heard = from; waiting() && centre_now_us() < heard + LOST_US;) {
		size_t before = times_n;

		centre_wait(centre_now_us() + 100000);
		if (times_n != before)
			heard = centre_now_us();
	}
	again = false;
	tell((double)(centre_now_us() - from) / 1e6);
	dials_once = false;
}

static void obey(const char *line)
{
	char path[100];
	unsigned a;
	double b;

	keeps_open = strncmp(line, "open", 4) == 0;
	if (sscanf(line, "busy %u %lf", &a, &b) == 2 && a <= PHONES_MAX)
		busy(a, b);
	else if (sscanf(line, "rate %u %lf", &a, &b) == 2)
		paced(4000, a, b);
	else if (sscanf(line, "open %u %lf", &a, &b) == 2 && a <= PHONES_MAX)
		paced(a, b, 1e6);
	else if (sscanf(line, "storm %99s", path) == 1)
		storm(path);
}

int main(int argc, char **argv)
{
	char line[128];

	if (argc != 3 || atoi(argv[2]) > CENTRE_LINKS || !(times = calloc(TIMES_MAX, sizeof *times)))
		return 2;
	for (unsigned i = 0; i < PHONES_MAX; i++)
		phones[i] = (struct phone){.number = FIRST + i, .keys = "00 00 00 00 00 00 00"};
	centre_listen((unsigned)atoi(argv[1]), (unsigned)atoi(argv[2]));
	fcntl(0, F_SETFL, O_NONBLOCK);
	for (;;) {
		ssize_t n = read(0, line, sizeof line - 1);

		if (n == 0)
			return 0;
		line[n > 0 ? n : 0] = '\0';
		if (n > 0)
			obey(line);
		else
			centre_wait(centre_now_us() + 50000);
	}
}
