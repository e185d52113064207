#include "smpp/profile_ussd.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "smpp/pdu.h"
#include "smpp/profile_keys.h"
#include "smpp/ussd.h"

#define TLVS_MAX 8

/* "18" or "0x12", up to most. */
static bool ussd_number(const char *text, uint32_t most, uint32_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	unsigned long long v = strtoull(text, &end, strncasecmp(text, "0x", 2) ? 10 : 16);
	*ret = (uint32_t)v;
	return !errno && *end == '\0' && v <= most;
}

static void profile_ussd_read_ops(struct profile_ussd *u, const struct key_list *list, enum ussd_said said,
    const struct yaml_node *at, struct faults *faults)
{
	uint32_t op;

	for (size_t i = 0; i < list->count; i++) {
		if (!ussd_number(list->items[i], 255, &op))
			faults_at(faults, at, "ussd: \"%.10s\" is not a ussd_service_op; write 18 or 0x12",
			    list->items[i]);
		else if (u->means[op] != USSD_MEANS_NOTHING && u->means[op] != said)
			faults_at(
			    faults, at, "ussd: ussd_service_op %u (0x%02x) would mean two things", op, op);
		else
			u->means[op] = (uint8_t)said;
	}
}

/* "0x1380=05": a tag, and octets in hexadecimal. */
static bool profile_ussd_put_tlv(struct buf *out, const char *text)
{
	char tag[8] = "";
	uint8_t octets[16];
	const char *eq = strchr(text, '=');
	size_t n = eq ? strlen(eq + 1) : 0;
	uint32_t number, octet;

	if (!eq || (size_t)(eq - text) >= sizeof tag || n == 0 || n % 2 || n / 2 > sizeof octets)
		return false;
	memcpy(tag, text, (size_t)(eq - text));
	for (size_t i = 0; i < n / 2; i++) {
		const char pair[] = {'0', 'x', eq[1 + 2 * i], eq[2 + 2 * i], '\0'};

		if (!isxdigit((unsigned char)pair[3]) || !ussd_number(pair, 255, &octet))
			return false;
		octets[i] = (uint8_t)octet;
	}
	if (!ussd_number(tag, 0xffff, &number) || number == 0)
		return false;
	pdu_put_tlv(out, (uint16_t)number, octets, (uint16_t)(n / 2));
	return true;
}

static void profile_ussd_read_tlvs(
    struct profile_ussd *u, const struct yaml_node *root, struct faults *faults)
{
	const struct yaml_node *at = profile_at(root, "ussd", "tlvs");

	if (u->tlvs.count > TLVS_MAX)
		faults_at(faults, at, "ussd.tlvs: at most %d", TLVS_MAX);
	for (size_t i = 0; i < u->tlvs.count && i < TLVS_MAX; i++)
		if (!profile_ussd_put_tlv(&u->extra, u->tlvs.items[i]))
			faults_at(faults, at,
			    "ussd.tlvs: \"%.40s\" is not a TLV; write \"0x1380=05\", at most 16 octets",
			    u->tlvs.items[i]);
}

static void profile_ussd_read_codes(
    const struct profile_ussd *u, const struct yaml_node *root, struct faults *faults)
{
	const struct yaml_node *at = profile_at(root, "ussd", "codes");

	for (size_t i = 0; i < u->codes.count; i++) {
		const char *text = u->codes.items[i];

		if (!*text || text[strspn(text, "0123456789")])
			faults_at(faults, at,
			    "ussd.codes: \"%.20s\" is not the digits of a code; write 123 for *123#", text);
	}
	if (!u->codes.count && u->detect == USSD_BY_DESTINATION)
		faults_at(faults, profile_at(root, "ussd", "detect"),
		    "ussd.detect: by the destination, but ussd.codes has none");
	if (!u->codes.count && u->code_kept)
		faults_at(faults, profile_at(root, "ussd", "code_kept"),
		    "ussd.code_kept: ussd.codes has no code that pages could come from");
	if (!u->codes.count && u->push != USSD_PUSH_NEVER)
		faults_at(faults, profile_at(root, "ussd", "push"),
		    "ussd.push: ussd.codes has no code that pushes could come from");
}

static void profile_ussd_read_key(struct profile_ussd *u, const struct yaml_node *root, struct faults *faults)
{
	uint32_t tag;

	if (!ussd_number(u->key_tag_text, 0xffff, &tag) || tag == 0)
		faults_at(faults, profile_at(root, "ussd", "key_tlv"),
		    "ussd.key_tlv: \"%.10s\" is not a tag; write 0x1501", u->key_tag_text);
	else
		u->key_tag = (uint16_t)tag;
	u->key_mask = u->key == USSD_KEY_ITS ? 0xfffe : UINT32_MAX;
	if (*u->key_mask_text &&
	    (!ussd_number(u->key_mask_text, UINT32_MAX, &u->key_mask) || u->key_mask == 0))
		faults_at(faults, profile_at(root, "ussd", "key_mask"),
		    "ussd.key_mask: \"%.10s\" is no mask; write 0xfffe", u->key_mask_text);
}

void profile_ussd_read(struct profile *p, const struct yaml_node *root, struct faults *faults)
{
	struct profile_ussd *u = &p->ussd;

	memset(u->means, USSD_MEANS_NOTHING, sizeof u->means);
	profile_ussd_read_ops(u, &u->dialled, USSD_DIALLED, profile_at(root, "ussd", "dialled"), faults);
	profile_ussd_read_ops(u, &u->typed, USSD_TYPED, profile_at(root, "ussd", "typed"), faults);
	profile_ussd_read_ops(
	    u, &u->confirmed, USSD_CONFIRMED, profile_at(root, "ussd", "confirmed"), faults);
	profile_ussd_read_ops(
	    u, &u->cancelled, USSD_CANCELLED, profile_at(root, "ussd", "cancelled"), faults);
	profile_ussd_read_key(u, root, faults);
	profile_ussd_read_codes(u, root, faults);
	profile_ussd_read_tlvs(u, root, faults);
}

void profile_ussd_fini(struct profile_ussd *u)
{
	buf_fini(&u->extra);
}
