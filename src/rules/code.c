#include "rules/code.h"

static const char *const verdicts[] = {"open", "approved", "exhausted", "cancelled", "superseded", "expired"};

const char *code_verdict_name(enum code_verdict v)
{
	return (unsigned)v < sizeof verdicts / sizeof *verdicts ? verdicts[v] : "unknown";
}
