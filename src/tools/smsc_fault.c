#include "smsc_fault.h"

#include <string.h>

#define STATUS_THROTTLED  0x58
#define STATUS_QUEUE_FULL 0x14

/* A bucket of one second's submissions: a steady sender at the limit is never refused for jitter. */
static bool throttled(struct smsc_fault *f, int64_t limit, int64_t now_ms)
{
	if (!limit)
		return false;
	if (!f->refilled_ms || now_ms - f->refilled_ms >= 1000)
		f->tokens = limit * 1000;
	else
		f->tokens += (now_ms - f->refilled_ms) * limit;
	f->refilled_ms = now_ms;
	if (f->tokens > limit * 1000)
		f->tokens = limit * 1000;
	if (f->tokens < 1000)
		return true;
	f->tokens -= 1000;
	return false;
}

static uint32_t refused(const struct smsc_options *o, const char *destination)
{
	for (size_t i = 0; i < o->refusals_n; i++)
		if (!strncmp(destination, o->refusals[i].prefix, strlen(o->refusals[i].prefix)))
			return o->refusals[i].status;
	return 0;
}

static bool every(uint64_t count, int64_t n)
{
	return n && count % (uint64_t)n == 0;
}

static uint32_t status_of(struct smsc_fault *f, const struct smsc_options *o, int64_t now_ms,
    const char *destination, size_t unanswered)
{
	uint32_t status;

	if (o->window && unanswered >= (size_t)o->window)
		return STATUS_THROTTLED;
	if (throttled(f, o->throttle, now_ms))
		return STATUS_THROTTLED;
	if ((status = refused(o, destination)))
		return status;
	f->asked++;
	if (every(f->asked, o->queue_full_every))
		return STATUS_QUEUE_FULL;
	return every(f->asked, o->status_every) ? o->status_every_is : 0;
}

struct smsc_verdict smsc_fault_judge(struct smsc_fault *f, const struct smsc_options *o, int64_t now_ms,
    const char *destination, size_t unanswered)
{
	struct smsc_verdict v = {.status = status_of(f, o, now_ms, destination, unanswered), .answer = true};

	v.garbage = every(f->asked, o->garbage_every);
	if (!v.status && every(f->asked, o->nack_every)) {
		v.status = o->nack_every_is;
		v.nack = true;
	}
	if (v.status)
		return v;
	f->accepted++;
	v.answer = !every(f->accepted, o->no_answer_every);
	v.receipt = !every(f->accepted, o->no_receipt_every);
	return v;
}

bool smsc_fault_answers_bind(struct smsc_fault *f, const struct smsc_options *o)
{
	return ++f->binds > (uint64_t)o->mute_binds;
}
