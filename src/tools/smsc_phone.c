#include "smsc_phone.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "smsc_receipt.h"
#include "text/segment.h"

/* An unfinished SMS keeps its parts' octets, headers included, and is decoded whole, as a phone does: so a
 * letter that a sender cut in two is whole again. Only packed septets are decoded part by part, for each
 * begins anew at an octet. */

#define DCS_UCS2 8

/* What ties parts together. Compared as octets: zeroed before it is filled. */
struct joint {
	char from[21], to[21];
	char concat[8];
	uint16_t reference;
	uint8_t total;
};

struct piece {
	uint8_t *bytes; /* NULL: not here yet */
	size_t len, udh_len;
	char id[SMSC_ID];
};

/* Owned by the phone's map and list. */
struct joining {
	struct map_node node;
	struct list_node age;
	struct joint joint;
	int64_t until_ms;
	unsigned got;
	char system_id[33];
	struct piece pieces[];
};

struct smsc_phone {
	struct loop *loop;
	const struct smsc_options *options;
	struct smsc_report *report;
	struct map joinings;
	struct list ages; /* oldest first */
	size_t bytes;
	struct timer *timer;
	struct buf octets, text;
};

static bool joining_is(const struct map_node *n, const void *key)
{
	return !memcmp(&map_entry(n, struct joining, node)->joint, key, sizeof(struct joint));
}

static size_t joining_size(const struct joint *joint)
{
	return sizeof(struct joining) + joint->total * sizeof(struct piece);
}

static void joining_free(struct smsc_phone *p, struct joining *j)
{
	map_remove(&p->joinings, &j->node);
	list_remove(&p->ages, &j->age);
	p->bytes -= joining_size(&j->joint);
	for (unsigned i = 0; i < j->joint.total; i++) {
		p->bytes -= j->pieces[i].len;
		free(j->pieces[i].bytes);
	}
	free(j);
}

static void joining_give_up(struct smsc_phone *p, struct joining *j)
{
	smsc_report_odd(p->report, j->system_id, "%u of %u parts came for %s (%s, reference %u): given up",
	    j->got, (unsigned)j->joint.total, j->joint.to, j->joint.concat, (unsigned)j->joint.reference);
	joining_free(p, j);
}

static struct joining *oldest(const struct smsc_phone *p)
{
	struct list_node *n = list_first(&p->ages);

	return n ? list_entry(n, struct joining, age) : NULL;
}

static void phone_follow(struct smsc_phone *p)
{
	struct joining *j = oldest(p);

	if (!j || timer_is_armed(p->timer))
		return;
	int64_t wait_ms = j->until_ms - loop_now_ms(p->loop);
	timer_start(p->timer, wait_ms > 0 ? wait_ms : 0);
}

static void phone_on_time(void *arg)
{
	struct smsc_phone *p = arg;
	int64_t now_ms = loop_now_ms(p->loop);

	for (struct joining *j; (j = oldest(p)) && j->until_ms <= now_ms;)
		joining_give_up(p, j);
	phone_follow(p);
}

struct smsc_phone *smsc_phone_new(struct loop *l, const struct smsc_options *o, struct smsc_report *r)
{
	struct smsc_phone *p = mem_new(sizeof *p);

	p->loop = l;
	p->options = o;
	p->report = r;
	map_init(&p->joinings, joining_is);
	list_init(&p->ages);
	p->timer = timer_new(l, phone_on_time, p);
	return p;
}

void smsc_phone_free(struct smsc_phone *p)
{
	struct joining *j;

	if (!p)
		return;
	while ((j = oldest(p)))
		joining_give_up(p, j);
	map_fini(&p->joinings);
	timer_free(p->timer);
	buf_fini(&p->octets);
	buf_fini(&p->text);
	free(p);
}

static const char *alphabet_of(uint8_t data_coding, enum gsm_wire gsm)
{
	bool general = data_coding >= 0x10 && data_coding < 0x80;

	if (data_coding == 1 || data_coding == 3)
		return data_coding == 1 ? "ascii" : "latin1";
	if (data_coding == DCS_UCS2 || (general && (data_coding & 0x0C) == 0x08) || data_coding >> 4 == 0xE)
		return "ucs2";
	return gsm == GSM_WIRE_LATIN1 ? "latin1" : gsm == GSM_WIRE_ASCII ? "ascii" : "gsm7";
}

/* Text of the pieces into p->text, their bare octets into p->octets. */
static enum kz decode(struct smsc_phone *p, const struct piece *pieces, unsigned n, uint8_t data_coding)
{
	enum gsm_wire gsm = (enum gsm_wire)p->options->gsm;
	bool apart = gsm == GSM_WIRE_PACKED && data_coding != DCS_UCS2;
	enum kz r = KZ_OK;

	buf_clear(&p->octets);
	buf_clear(&p->text);
	for (unsigned i = 0; i < n && r == KZ_OK; i++) {
		const struct piece *e = &pieces[i];

		buf_add(&p->octets, e->bytes + e->udh_len, e->len - e->udh_len);
		if (apart)
			r = segment_decode(e->bytes, e->len, e->udh_len, data_coding, gsm, &p->text);
	}
	if (!apart)
		r = segment_decode(
		    (const uint8_t *)buf_text(&p->octets), p->octets.len, 0, data_coding, gsm, &p->text);
	return r;
}

static void show(struct smsc_phone *p, const struct pdu_sm *m, const struct smsc_part *part,
    const char *system_id, const struct piece *pieces)
{
	const char *ids[UINT8_MAX];

	if (!smsc_report_wants_sms(p->report)) {
		smsc_report_sms_quiet(p->report);
		return;
	}
	bool readable = decode(p, pieces, part->total, m->data_coding) == KZ_OK;
	for (unsigned i = 0; i < part->total; i++)
		ids[i] = pieces[i].id;
	smsc_report_sms(p->report,
	    &(struct smsc_sms){
	        .from = m->source.text,
	        .to = m->destination.text,
	        .system_id = system_id,
	        .service_type = m->service_type,
	        .validity = m->validity,
	        .text = readable ? buf_text(&p->text) : NULL,
	        .bytes = (const uint8_t *)buf_text(&p->octets),
	        .bytes_len = p->octets.len,
	        .alphabet = readable ? alphabet_of(m->data_coding, (enum gsm_wire)p->options->gsm) : "binary",
	        .concat = part->concat,
	        .parts = part->total,
	        .ids = ids,
	        .data_coding = m->data_coding,
	        .registered = m->registered_delivery,
	        .from_ton = m->source.ton,
	        .from_npi = m->source.npi,
	    });
}

static struct piece piece_of(const struct pdu_sm *m, const struct smsc_part *part, const char *id)
{
	struct piece e = {.bytes = mem_new(m->text_len + 1), .len = m->text_len, .udh_len = part->udh_len};

	if (m->text_len)
		memcpy(e.bytes, m->text, m->text_len);
	memcpy(e.id, id, strnlen(id, sizeof e.id - 1));
	return e;
}

static struct joint joint_of(const struct pdu_sm *m, const struct smsc_part *part)
{
	struct joint t;

	memset(&t, 0, sizeof t);
	memcpy(t.from, m->source.text, strlen(m->source.text));
	memcpy(t.to, m->destination.text, strlen(m->destination.text));
	memcpy(t.concat, part->concat, strlen(part->concat));
	t.reference = part->reference;
	t.total = part->total;
	return t;
}

static struct joining *joining_find(struct smsc_phone *p, const struct joint *joint, const char *system_id)
{
	uint64_t hash = map_hash_bytes(joint, sizeof *joint);
	struct map_node *n = map_get(&p->joinings, hash, joint);

	if (n)
		return map_entry(n, struct joining, node);
	struct joining *j = mem_new(joining_size(joint));
	p->bytes += joining_size(joint);
	j->joint = *joint;
	j->until_ms = loop_now_ms(p->loop) + p->options->join_ms;
	memcpy(j->system_id, system_id, strnlen(system_id, sizeof j->system_id - 1));
	map_put(&p->joinings, &j->node, hash);
	list_append(&p->ages, &j->age);
	phone_follow(p);
	return j;
}

static void join(struct smsc_phone *p, const struct pdu_sm *m, const struct smsc_part *part,
    const char *system_id, const char *id)
{
	struct joint joint = joint_of(m, part);

	while (p->bytes + m->text_len > SMSC_PHONE_MAX_BYTES)
		joining_give_up(p, oldest(p));
	struct joining *j = joining_find(p, &joint, system_id);
	struct piece *e = &j->pieces[part->number - 1];

	if (e->bytes) {
		smsc_report_odd(p->report, system_id, "part %u of %u came twice for %s (%s, reference %u)",
		    (unsigned)part->number, (unsigned)part->total, m->destination.text, part->concat,
		    (unsigned)part->reference);
		return;
	}
	*e = piece_of(m, part, id);
	p->bytes += e->len;
	if (++j->got < part->total)
		return;
	show(p, m, part, system_id, j->pieces);
	joining_free(p, j);
}

void smsc_phone_take(struct smsc_phone *p, const struct pdu_sm *m, const struct smsc_part *part,
    const char *system_id, const char *id)
{
	if (part->total > 1) {
		join(p, m, part, system_id, id);
		return;
	}
	struct piece e = piece_of(m, part, id);
	show(p, m, part, system_id, &e);
	free(e.bytes);
}
