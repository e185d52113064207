/* smsc_fault: which submission meets which fault: the options' counters and the throttle. Pure: time comes
 * in. */
#ifndef TOOLS_SMSC_FAULT_H
#define TOOLS_SMSC_FAULT_H

#include "smsc_options.h"

/* A value; zero-initialise. Counts over all sessions. */
struct smsc_fault {
	uint64_t asked, accepted, binds, garbage, lengths;
	int64_t refilled_ms; /* 0: not yet */
	int64_t tokens;      /* thousandths of a submission */
};

struct smsc_verdict {
	uint32_t status; /* of the response; 0: accepted */
	bool answer;     /* false: the response never comes */
	bool nack;       /* status comes in a generic_nack */
	bool garbage;    /* something senseless follows */
	bool receipt;    /* false: nor does the receipt */
};

/* destination: as it came; unanswered: submissions of this session that wait for their response. */
struct smsc_verdict smsc_fault_judge(struct smsc_fault *f, const struct smsc_options *o, int64_t now_ms,
    const char *destination, size_t unanswered);

/* Whether the bind that came is answered. */
bool smsc_fault_answers_bind(struct smsc_fault *f, const struct smsc_options *o);

#endif
