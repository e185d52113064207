/* input: what a person types where digits are asked for: read as what it means, or why not. */
#ifndef USSD_INPUT_H
#define USSD_INPUT_H

#include "ussd/contract.h"
#include "ussd/session.h"

/* Errors that a screen has a text for. */
enum input_error {
	INPUT_LENGTH,   /* "length": not so many digits, or none at all */
	INPUT_CHECKSUM, /* "checksum": 12 digits and no IIN */
	INPUT_ERRORS,
	INPUT_OK
};

/* "length", "checksum". */
const char *input_error_name(enum input_error e);
/* Whether a value of that type can be wrong in that way: its screens need a text for it, and no other. */
bool input_may(const struct contract_type *t, enum input_error e);
/* ret: the value as it is handed on: digits alone, a phone as MSISDN digits 7XXXXXXXXXX. *ret_digits: how
 * many there were, for the error's text; 99: more. */
enum input_error input_read(const struct contract_type *t, const char *typed, size_t n,
    char ret[SESSION_VALUE], unsigned *ret_digits);

#endif
