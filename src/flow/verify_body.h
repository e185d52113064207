/* verify_body: what the files of the verifying journey share: src/flow/verify*.c only. */
#ifndef FLOW_VERIFY_BODY_H
#define FLOW_VERIFY_BODY_H

#include "base/list.h"
#include "base/map.h"
#include "base/metrics.h"
#include "flow/rescue.h"
#include "flow/verify.h"
#include "store/person.h"

#define VERIFY_SAVINGS 1000 /* codes that are being rescued at once */

enum verify_how { VERIFY_BY_LINK, VERIFY_BY_CARRIER, VERIFY_BY_PHONE, VERIFY_HOWS };

struct verify {
	struct verify_base base;
	struct verify_files files;
	struct list open; /* struct verify_op, oldest first */
	struct timer *late_timer, *sweep_timer;
	struct rescue *rescue;
	struct map savings; /* struct saving, by code */
	struct metric *rescued[VERIFY_HOWS];
	struct metric *sent, *resent, *out_of_range, *checks[VERIFY_LOST + 1], *open_gauge;
};

/* One question on its way. Begins its struct; freed by verify_op_end, or by verify_free. */
struct verify_op {
	struct list_node node;
	struct verify *verify;
	int64_t until_ms;
	bool answered;                       /* it was too late: what still comes back only frees it */
	void (*late)(struct verify_op *op);  /* says VERIFY_LOST */
	void (*clear)(struct verify_op *op); /* frees and wipes what it holds */
};

/* false, and nothing happened: VERIFY_OPEN are open. */
bool verify_op_begin(struct verify *v, struct verify_op *op, void (*late)(struct verify_op *op),
    void (*clear)(struct verify_op *op));
void verify_op_end(struct verify_op *op);

/* verify.c */
/* A keyed value of the binding as it goes into the MAC; "" for 0. */
#define VERIFY_BINDING 17
const char *verify_binding(int64_t binding, char text[VERIFY_BINDING]);
/* What a repetition of the request is known by. */
int64_t verify_token(
    const struct verify *v, const struct verify_request *r, const char *domain, uint64_t about);
bool verify_in_range(const struct verify *v, struct msisdn m);

/* verify_letter.c */
/* One sending on its way into the database. Texts live during the calls. */
struct verify_mail {
	uint64_t code_id, message_id;
	const struct purpose *purpose;
	int64_t phone; /* keyed, of the code */
	struct msisdn to;
	enum language language;
	const char *digits, *client_ref;
	const char *avoid; /* the link that lost it; NULL: none */
	int64_t binding;
	bool given;
	unsigned n, resends, issue, length, key; /* resends: up to this one; key: of the keyring */
	enum code_why why;
	int64_t expires_wall_ms;
	int32_t api_key;
};
/* The letter; NULL with what it came to in *ret. */
struct letter *verify_letter(struct verify *v, const struct verify_mail *m, struct verify_begun *ret);
/* What the sending is at rest, but for what only the first one says. KZ_NOT_FOUND: the key is gone;
 * code_row_fini in every case. */
enum kz verify_row(struct verify *v, const struct verify_mail *m, struct code_row *ret) KZ_CHECK;
/* Frees what was not taken. */
void verify_begun_fini(struct verify *v, struct verify_begun *b);

/* verify_rescue.c */
void savings_init(struct verify *v);
void savings_free(struct verify *v);
/* The purposes are others: what they say is looked at. */
void savings_set_ages(struct verify *v);

#endif
