/* Series are found by a linear walk when they are made, which is at start and on reload; afterwards their
 * owner holds the pointer. The table lives as long as the process. */
#include "base/metrics.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_SECONDS };

static const int64_t bounds_us[] = {500, 1000, 2000, 3000, 5000, 10000, 20000, 50000, 100000, 200000, 500000,
    1000000, 2000000, 5000000, 10000000, 30000000, 60000000};
#define BOUNDS (sizeof bounds_us / sizeof *bounds_us)

struct metric {
	struct metric *next;
	const char *name, *help;
	char *labels;
	enum metric_kind kind;
	double value;
	uint64_t count;
	int64_t sum_us;
	uint64_t buckets[BOUNDS];
};

static struct metric *metrics, **metrics_end = &metrics;

static struct metric *metric_make(
    enum metric_kind kind, const char *name, const char *help, const char *labels)
{
	struct metric *m;

	for (m = metrics; m; m = m->next)
		if (!strcmp(m->name, name) && !strcmp(m->labels, labels))
			return m;
	m = mem_new(sizeof *m);
	*m = (struct metric){.name = name, .help = help, .labels = mem_str(labels), .kind = kind};
	*metrics_end = m;
	metrics_end = &m->next;
	return m;
}

struct metric *metric_counter(const char *name, const char *help, const char *labels)
{
	return metric_make(METRIC_COUNTER, name, help, labels);
}

struct metric *metric_gauge(const char *name, const char *help, const char *labels)
{
	return metric_make(METRIC_GAUGE, name, help, labels);
}

struct metric *metric_seconds(const char *name, const char *help, const char *labels)
{
	return metric_make(METRIC_SECONDS, name, help, labels);
}

void metric_add(struct metric *m, uint64_t n)
{
	m->count += n;
}

void metric_set(struct metric *m, double v)
{
	m->value = v;
}

void metric_observe_us(struct metric *m, int64_t us)
{
	m->count++;
	m->sum_us += us;
	for (size_t i = 0; i < BOUNDS; i++)
		if (us <= bounds_us[i]) {
			m->buckets[i]++;
			return;
		}
}

double metric_value(const struct metric *m)
{
	return m->kind == METRIC_GAUGE ? m->value : (double)m->count;
}

double metrics_total(const char *name)
{
	double total = 0;

	for (const struct metric *m = metrics; m; m = m->next)
		if (!strcmp(m->name, name))
			total += metric_value(m);
	return total;
}

static void metric_write_seconds(const struct metric *m, struct buf *out)
{
	const char *comma = m->labels[0] ? "," : "";
	uint64_t below = 0;

	for (size_t i = 0; i < BOUNDS; i++) {
		below += m->buckets[i];
		buf_printf(out, "%s_bucket{%s%sle=\"%g\"} %llu\n", m->name, m->labels, comma,
		    (double)bounds_us[i] / 1e6, (unsigned long long)below);
	}
	buf_printf(out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", m->name, m->labels, comma,
	    (unsigned long long)m->count);
	buf_printf(out, "%s_sum{%s} %.6f\n", m->name, m->labels, (double)m->sum_us / 1e6);
	buf_printf(out, "%s_count{%s} %llu\n", m->name, m->labels, (unsigned long long)m->count);
}

static void metric_write(const struct metric *m, struct buf *out)
{
	const char *open = m->labels[0] ? "{" : "", *close = m->labels[0] ? "}" : "";

	if (m->kind == METRIC_SECONDS)
		metric_write_seconds(m, out);
	else if (m->kind == METRIC_COUNTER)
		buf_printf(
		    out, "%s%s%s%s %llu\n", m->name, open, m->labels, close, (unsigned long long)m->count);
	else
		buf_printf(out, "%s%s%s%s %.9g\n", m->name, open, m->labels, close, m->value);
}

static int metric_is_first(const struct metric *m)
{
	for (const struct metric *o = metrics; o != m; o = o->next)
		if (!strcmp(o->name, m->name))
			return 0;
	return 1;
}

void metrics_write(struct buf *out)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};

	for (const struct metric *m = metrics; m; m = m->next) {
		if (!metric_is_first(m))
			continue;
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, kinds[m->kind]);
		for (const struct metric *o = m; o; o = o->next)
			if (!strcmp(o->name, m->name))
				metric_write(o, out);
	}
}
