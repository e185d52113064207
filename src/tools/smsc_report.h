/* smsc_report: what the message centre shows: blocks for people or JSON lines on stdout, JSON lines in a log,
 * and the counts at the end. Each line is flushed. Octets from peers are made printable here. */
#ifndef TOOLS_SMSC_REPORT_H
#define TOOLS_SMSC_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "smsc_options.h"
#include "smsc_page.h"

struct smsc_report;

/* One SMS as the phone has it. */
struct smsc_sms {
	const char *from, *to, *system_id, *service_type, *validity;
	const char *text;     /* UTF-8; NULL: binary, then bytes */
	const uint8_t *bytes; /* the user data when text is NULL */
	size_t bytes_len;
	const char *alphabet; /* "gsm7", "ucs2", "latin1", "ascii", "binary" */
	const char *concat;   /* "none", "udh8", "udh16", "sar", "payload" */
	unsigned parts;
	const char *const *ids; /* of the parts in order */
	uint8_t data_coding, registered, from_ton, from_npi;
};

struct smsc_submission {
	const char *system_id, *command, *id, *to; /* id: "" when refused */
	uint32_t sequence, status;
	unsigned part, total;
	bool answered; /* false: by a fault the response never comes */
};

/* o must outlive it. NULL when the log cannot be opened; why was written to stderr. */
struct smsc_report *smsc_report_new(const struct smsc_options *o, const struct clock *clock);
/* Writes the counts and closes the log. */
void smsc_report_free(struct smsc_report *r);
/* Whether anybody sees an SMS, so that it is worth decoding. */
bool smsc_report_wants_sms(const struct smsc_report *r);

void smsc_report_listen(struct smsc_report *r, const char *address, unsigned port);
void smsc_report_bind(
    struct smsc_report *r, const char *system_id, const char *mode, const char *peer, uint32_t status);
/* why: who ended it. */
void smsc_report_unbind(struct smsc_report *r, const char *system_id, const char *peer, const char *why);
void smsc_report_submit(struct smsc_report *r, const struct smsc_submission *s);
void smsc_report_sms(struct smsc_report *r, const struct smsc_sms *sms);
/* The same when nobody sees it: counted only. */
void smsc_report_sms_quiet(struct smsc_report *r);
/* A phone of ours said that: "dial", "type", ...; text: the code or what was typed. */
void smsc_report_said(struct smsc_report *r, const char *phone, const char *verb, const char *text);
/* A page came for a phone. Its faults are told by smsc_report_odd. */
void smsc_report_page(struct smsc_report *r, const struct smsc_page *page);
void smsc_report_receipt_sent(struct smsc_report *r);
/* Answered by the peer. */
void smsc_report_receipt(
    struct smsc_report *r, const char *system_id, const char *id, const char *state, uint32_t acked_status);
/* A peer did what none should, or a bound of ours was met. */
void smsc_report_odd(struct smsc_report *r, const char *who, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
