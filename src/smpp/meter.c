#include "smpp/meter.h"

#include <stdio.h>

#define ODD_NAME "kezek_smpp_odd_pdus_total"
#define ODD_HELP "PDUs that do not belong where they came: broken, unknown or not waited for."

static struct metric *meter_refused_of(const struct meter *m, enum status_class c)
{
	char labels[128];

	snprintf(labels, sizeof labels, "%s,class=\"%s\"", m->labels, status_class_name(c));
	return metric_counter("kezek_smpp_refused_total",
	    "submit_sm answered with another status than ESME_ROK, by class.", labels);
}

void meter_init(struct meter *m, const char *carrier, const char *name)
{
	*m = (struct meter){0};
	snprintf(m->labels, sizeof m->labels, "carrier=\"%s\",link=\"%s\"", carrier, name);
	m->submitted = metric_counter(
	    "kezek_smpp_submitted_total", "submit_sm answered ESME_ROK, one per segment.", m->labels);
	m->receipts = metric_counter(
	    "kezek_smpp_receipts_total", "deliver_sm and data_sm read as receipts.", m->labels);
	m->put_off = metric_counter("kezek_smpp_receipts_put_off_total",
	    "deliver_sm and data_sm answered busy because too many are being recorded.", m->labels);
	m->bound = metric_gauge("kezek_smpp_link_bound", "1 while the link is bound.", m->labels);
	m->window = metric_gauge("kezek_smpp_window_used", "submit_sm sent and not answered.", m->labels);
	m->rate = metric_gauge(
	    "kezek_smpp_rate", "Segments per second that the link allows itself now.", m->labels);
	m->rtt = metric_seconds(
	    "kezek_smpp_rtt_seconds", "From submit_sm to its response, ESME_ROK or not.", m->labels);
	m->mute = metric_counter("kezek_smpp_mute_total",
	    "Times that a link was given up since no submit_sm was answered any more.", m->labels);
	for (enum status_class c = STATUS_SLOW; c < STATUS_CLASSES; c++)
		m->refused[c] = meter_refused_of(m, c);
}

void meter_odd(const struct meter *m, const char *what)
{
	char labels[128];

	snprintf(labels, sizeof labels, "%s,what=\"%s\"", m->labels, what);
	metric_add(metric_counter(ODD_NAME, ODD_HELP, labels), 1);
}

double meter_refused(const struct meter *m)
{
	double sum = 0;

	for (enum status_class c = STATUS_SLOW; c < STATUS_CLASSES; c++)
		sum += metric_value(m->refused[c]);
	return sum;
}
