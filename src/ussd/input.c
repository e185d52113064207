#include "ussd/input.h"

#include <assert.h>

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
