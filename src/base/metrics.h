/* metrics: the process's table of counters, gauges and histograms, written in Prometheus' text format.
 * Names carry base units (_seconds, _bytes, _total). Never a number, IIN or id as a label. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdint.h>

struct buf;
struct metric;

/* Each finds or makes the series (name, labels). name and help: static text; help must agree between the
 * series of a name. labels: "" or 'carrier="kcell",link="1"', copied. The series lives until the process
 * ends. */
struct metric *metric_counter(const char *name, const char *help, const char *labels);
struct metric *metric_gauge(const char *name, const char *help, const char *labels);
/* Seconds, buckets from 0.5 ms to 60 s. */
struct metric *metric_seconds(const char *name, const char *help, const char *labels);

void metric_add(struct metric *m, uint64_t n);
void metric_set(struct metric *m, double v);
void metric_observe_us(struct metric *m, int64_t us);
/* A counter's or a gauge's value, a histogram's count: for tests and status pages. */
double metric_value(const struct metric *m);

/* The sum over all series of a name; 0 when there is none. */
double metrics_total(const char *name);

/* All series, HELP and TYPE once per name. */
void metrics_write(struct buf *out);

#endif
