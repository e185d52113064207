/* profile: one operator as data: config/operators/<name>.yaml. A const snapshot, checked whole at load. */
#ifndef SMPP_PROFILE_H
#define SMPP_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/keys.h"
#include "base/yaml.h"
#include "smpp/profile_ussd.h"
#include "smpp/receipt.h"
#include "smpp/status.h"
#include "text/segment.h"

enum bind_mode { BIND_TRANSCEIVER, BIND_TRANSMITTER, BIND_RECEIVER };
enum receipt_parts { RECEIPT_PARTS_ALL, RECEIPT_PARTS_FIRST, RECEIPT_PARTS_LAST, RECEIPT_PARTS_ANY };

/* One bind of the list `links`. */
struct profile_link {
	char *name; /* "1", "2", ... unless given */
	char *host;
	int64_t port;
	int bind;     /* enum bind_mode */
	char *source; /* local address or "" */
	char *system_id;
	char *password_file;
	char *password; /* read from password_file at load; wiped when freed */
	char *system_type, *address_range;
	int64_t interface_version; /* 0x33, 0x34, 0x50 as 33, 34, 50 in the file */
	int64_t window;            /* outstanding submit_sm */
	int64_t rate;              /* segments/s */
	bool tls;
	char *tls_ca, *tls_cert, *tls_key, *tls_name;
};

struct profile {
	char *name; /* of the file, [a-z0-9-]{1,20} */
	char *path;
	bool enabled;
	struct key_list prefixes; /* "7701": digits of the MSISDN's beginning */
	int64_t preference;       /* carriers of equal prefix: lower first; the others are fail-over */
	/* session */
	int64_t open_ms, bind_ms, enquire_ms, response_ms, stall_ms, unbind_ms;
	int64_t enquire_at_least_ms; /* an enquire_link although other PDUs come; 0: none */
	int64_t reconnect_min_ms, reconnect_max_ms, already_bound_ms, refused_ms;
	/* sender */
	char *sender;
	int64_t sender_ton, sender_npi; /* -1: from the sender's shape */
	int64_t dest_ton, dest_npi;
	char *service_type;
	int64_t priority_code, priority_notice, priority_bulk, protocol_id;
	int validity; /* enum profile_validity */
	int64_t validity_max_ms;
	bool user_message_reference; /* the TLV goes with every submit_sm */
	/* text */
	int concat; /* enum concat */
	int gsm;    /* enum gsm_wire */
	int64_t dcs_gsm, dcs_ucs2;
	/* receipts */
	bool receipts_loose;
	int receipt_id;              /* enum receipt_id_form */
	int receipt_parts;           /* enum receipt_parts */
	int64_t receipt_busy_status; /* command_status when a receipt cannot be recorded now: 100 (0x64) or 88
	                                (0x58) */
	struct profile_ussd ussd;
	struct status_rule *statuses;
	size_t statuses_n;
	struct profile_link *links;
	size_t links_n;
};

enum profile_validity { VALIDITY_RELATIVE, VALIDITY_ABSOLUTE, VALIDITY_NONE };

/* Reads one file; NULL with lines in faults when anything is wrong. */
struct profile *profile_load(const char *path, struct faults *faults);
/* Every *.yaml of the directory in order of name; a fault in one makes the whole load fail: *ret_n is then 0
 * and the answer NULL. No file at all is fine: NULL and 0 without a fault. */
struct profile **profiles_load(const char *directory, size_t *ret_n, struct faults *faults);
void profiles_free(struct profile **p, size_t n);
void profile_free(struct profile *p);
bool profile_equal(const struct profile *a, const struct profile *b);
/* The tables for people: --help-config. */
void profile_help(struct buf *out);

#endif
