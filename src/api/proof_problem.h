/* proof_problem: why a code is not sent or not checked, as clients are told. */
#ifndef API_PROOF_PROBLEM_H
#define API_PROOF_PROBLEM_H

#include "api/problem.h"
#include "flow/verify.h"

/* Every word but those that are answers: VERIFY_OK, VERIFY_REPEATED, VERIFY_WRONG. */
struct problem proof_problem(enum verify_word word, const struct verify_why *why);

#endif
