/* status: the default classes as ranges, first fit, and the names of SMPP 3.4, 5.1.3. A status that is in no
 * row is temporary: an operator's own number must neither lose a message nor repeat it for ever, and attempts
 * are limited. */
#include "smpp/status.h"

#include <stdio.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct status_rule defaults[] = {
    {0x00, 0x00, STATUS_OK},
    {0x14, 0x14, STATUS_SLOW},
    {0x58, 0x58, STATUS_SLOW},
    {0x05, 0x05, STATUS_TEMPORARY}, /* a bind after a drop: the old session has to time out */
    {0x08, 0x08, STATUS_TEMPORARY},
    {0x45, 0x45, STATUS_TEMPORARY},
    {0x64, 0x64, STATUS_TEMPORARY},
    {0x67, 0x67, STATUS_TEMPORARY},
    {0xFE, 0xFF, STATUS_TEMPORARY},
    {0x102, 0x102, STATUS_TEMPORARY},
    {0x400, 0x4FF, STATUS_TEMPORARY},
    {0x0B, 0x0B, STATUS_REROUTE},
    {0x02, 0x03, STATUS_BUG},
    {0x04, 0x04, STATUS_LINK},
    {0x0D, 0x0F, STATUS_LINK},
    {0x53, 0x53, STATUS_LINK},
    {0x01, 0x01, STATUS_FINAL},
    {0x06, 0x07, STATUS_FINAL},
    {0x0A, 0x0A, STATUS_FINAL},
    {0x0C, 0x0C, STATUS_FINAL},
    {0x15, 0x15, STATUS_FINAL},
    {0x33, 0x34, STATUS_FINAL},
    {0x40, 0x44, STATUS_FINAL},
    {0x48, 0x51, STATUS_FINAL},
    {0x54, 0x55, STATUS_FINAL},
    {0x61, 0x63, STATUS_FINAL},
    {0x65, 0x66, STATUS_FINAL},
    {0xC0, 0xC4, STATUS_FINAL},
};

static const char *const class_names[STATUS_CLASSES] = {
    [STATUS_OK] = "ok",
    [STATUS_SLOW] = "slow",
    [STATUS_TEMPORARY] = "temporary",
    [STATUS_REROUTE] = "reroute",
    [STATUS_FINAL] = "final",
    [STATUS_LINK] = "link",
    [STATUS_BUG] = "bug",
};

static const struct {
	uint32_t status;
	const char *name;
} names[] = {
    {0x00, "ESME_ROK"},
    {0x01, "ESME_RINVMSGLEN"},
    {0x02, "ESME_RINVCMDLEN"},
    {0x03, "ESME_RINVCMDID"},
    {0x04, "ESME_RINVBNDSTS"},
    {0x05, "ESME_RALYBND"},
    {0x06, "ESME_RINVPRTFLG"},
    {0x07, "ESME_RINVREGDLVFLG"},
    {0x08, "ESME_RSYSERR"},
    {0x0A, "ESME_RINVSRCADR"},
    {0x0B, "ESME_RINVDSTADR"},
    {0x0C, "ESME_RINVMSGID"},
    {0x0D, "ESME_RBINDFAIL"},
    {0x0E, "ESME_RINVPASWD"},
    {0x0F, "ESME_RINVSYSID"},
    {0x11, "ESME_RCANCELFAIL"},
    {0x13, "ESME_RREPLACEFAIL"},
    {0x14, "ESME_RMSGQFUL"},
    {0x15, "ESME_RINVSERTYP"},
    {0x33, "ESME_RINVNUMDESTS"},
    {0x34, "ESME_RINVDLNAME"},
    {0x40, "ESME_RINVDESTFLAG"},
    {0x42, "ESME_RINVSUBREP"},
    {0x43, "ESME_RINVESMCLASS"},
    {0x44, "ESME_RCNTSUBDL"},
    {0x45, "ESME_RSUBMITFAIL"},
    {0x48, "ESME_RINVSRCTON"},
    {0x49, "ESME_RINVSRCNPI"},
    {0x50, "ESME_RINVDSTTON"},
    {0x51, "ESME_RINVDSTNPI"},
    {0x53, "ESME_RINVSYSTYP"},
    {0x54, "ESME_RINVREPFLAG"},
    {0x55, "ESME_RINVNUMMSGS"},
    {0x58, "ESME_RTHROTTLED"},
    {0x61, "ESME_RINVSCHED"},
    {0x62, "ESME_RINVEXPIRY"},
    {0x63, "ESME_RINVDFTMSGID"},
    {0x64, "ESME_RX_T_APPN"},
    {0x65, "ESME_RX_P_APPN"},
    {0x66, "ESME_RX_R_APPN"},
    {0x67, "ESME_RQUERYFAIL"},
    {0xC0, "ESME_RINVOPTPARSTREAM"},
    {0xC1, "ESME_ROPTPARNOTALLWD"},
    {0xC2, "ESME_RINVPARLEN"},
    {0xC3, "ESME_RMISSINGOPTPARAM"},
    {0xC4, "ESME_RINVOPTPARAMVAL"},
    {0xFE, "ESME_RDELIVERYFAILURE"},
    {0xFF, "ESME_RUNKNOWNERR"},
};

/* NULL when no row fits. */
static const struct status_rule *status_rule_find(uint32_t status, const struct status_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (status >= rules[i].from && status <= rules[i].to)
			return &rules[i];
	return NULL;
}

enum status_class status_class(uint32_t status, const struct status_rule *rules, size_t n)
{
	const struct status_rule *r = status_rule_find(status, rules, n);

	if (!r)
		r = status_rule_find(status, defaults, COUNT(defaults));
	return r ? r->class : STATUS_TEMPORARY;
}

const char *status_class_name(enum status_class c)
{
	return (unsigned)c < STATUS_CLASSES ? class_names[c] : "?";
}

enum kz status_class_parse(const char *text, enum status_class *ret)
{
	for (unsigned i = 0; i < STATUS_CLASSES; i++)
		if (!strcasecmp(text, class_names[i])) {
			*ret = (enum status_class)i;
			return KZ_OK;
		}
	return KZ_INVALID;
}

const char *status_name(uint32_t status, char room[12])
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (names[i].status == status)
			return names[i].name;
	snprintf(room, 12, "0x%08x", status);
	return room;
}
