#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smsc_options_body.h"

/* In the order of enum smsc_odd, from its second on. */
static const char *const odd_forms[] = {"spelling", "ucs2", "bare", "cut", "unknown", "garbled", NULL};

/* A command_status in decimal or hex, then a colon or the end. */
static bool status_read(const char *text, char until, uint32_t *ret, const char **ret_rest)
{
	char *end;

	errno = 0;
	unsigned long long v = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)*text) || errno || v > UINT32_MAX || *end != until)
		return false;
	*ret = (uint32_t)v;
	*ret_rest = end + 1;
	return true;
}

bool smsc_options_refuse(struct smsc_options *o, const char *text, char why[160])
{
	struct smsc_refusal r = {0};
	const char *prefix;

	if (o->refusals_n == SMSC_REFUSALS) {
		snprintf(why, 160, "given over %d times", SMSC_REFUSALS);
		return false;
	}
	if (!status_read(text, ':', &r.status, &prefix) || !r.status || strlen(prefix) >= sizeof r.prefix) {
		snprintf(why, 160, "\"%.40s\" is not STATUS:PREFIX, as in 0x0B:7705", text);
		return false;
	}
	memcpy(r.prefix, prefix, strlen(prefix));
	o->refusals[o->refusals_n++] = r;
	return true;
}

bool smsc_options_odd(struct smsc_options *o, const char *text, char why[160])
{
	for (size_t i = 0; odd_forms[i]; i++)
		if (!strcmp(odd_forms[i], text) && o->odds_n < SMSC_ODDS) {
			o->odds[o->odds_n++] = (enum smsc_odd)(i + 1);
			return true;
		}
	if (o->odds_n == SMSC_ODDS)
		snprintf(why, 160, "given over %d times", SMSC_ODDS);
	else
		snprintf(why, 160, "\"%.40s\" is not a form: see --help", text);
	return false;
}

bool smsc_options_every(int64_t *ret_every, uint32_t *ret_status, const char *text, char why[160])
{
	char *end;
	const char *rest;
	unsigned long long n = strtoull(text, &end, 10);

	if (!isdigit((unsigned char)*text) || *end != ':' || !n || n > SMSC_COUNT_MAX ||
	    !status_read(end + 1, '\0', ret_status, &rest) || !*ret_status) {
		snprintf(why, 160, "\"%.40s\" is not N:STATUS, as in 10:0x0000055f", text);
		return false;
	}
	*ret_every = (int64_t)n;
	return true;
}
