#include "ussd/input.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "text/digits.h"
#include "text/iin.h"
#include "text/msisdn.h"

#define TYPED_MOST 98 /* digits that are counted; 99: more, or what is typed is no digits */

const char *input_error_name(enum input_error e)
{
	static const char *const names[INPUT_ERRORS] = {
	    [INPUT_LENGTH] = "length", [INPUT_CHECKSUM] = "checksum"};

	assert((unsigned)e < INPUT_ERRORS);
	return names[e];
}

bool input_may(const struct contract_type *t, enum input_error e)
{
	bool typed = t->kind == VALUE_DIGITS || t->kind == VALUE_IIN || t->kind == VALUE_PHONE;

	return typed && (e == INPUT_LENGTH || (e == INPUT_CHECKSUM && t->kind == VALUE_IIN));
}

static enum input_error input_read_iin(const char *digits, size_t n, char ret[SESSION_VALUE])
{
	struct iin_refusal why;
	struct iin i;

	if (n != IIN_DIGITS)
		return INPUT_LENGTH;
	if (iin_parse(digits, n, &i, &why) != KZ_OK)
		return INPUT_CHECKSUM;
	memcpy(ret, i.digits, sizeof i.digits);
	secret_wipe(&i, sizeof i);
	return INPUT_OK;
}

static enum input_error input_read_phone(const char *digits, char ret[SESSION_VALUE])
{
	struct msisdn_refusal why;
	struct msisdn m;

	if (msisdn_parse(digits, &m, &why) != KZ_OK)
		return INPUT_LENGTH;
	snprintf(ret, SESSION_VALUE, "%llu", (unsigned long long)m.digits);
	return INPUT_OK;
}

enum input_error input_read(
    const struct contract_type *t, const char *typed, size_t n, char ret[SESSION_VALUE], unsigned *ret_digits)
{
	char digits[TYPED_MOST + 1];
	enum input_error e = INPUT_LENGTH;
	size_t len;

	if (digits_parse(typed, n, TYPED_MOST, digits) != KZ_OK) {
		*ret_digits = n == 0 ? 0 : TYPED_MOST + 1;
		return INPUT_LENGTH;
	}
	len = strlen(digits);
	*ret_digits = (unsigned)len;
	if (t->kind == VALUE_IIN)
		e = input_read_iin(digits, len, ret);
	else if (t->kind == VALUE_PHONE)
		e = input_read_phone(digits, ret);
	else if (len >= t->min && len <= t->max && len < SESSION_VALUE) {
		memcpy(ret, digits, len + 1);
		e = INPUT_OK;
	}
	secret_wipe(digits, sizeof digits);
	return e;
}
