/* Who answers what is asked: a row for each service of ussd/service.h. */
#include "flow/dial_body.h"

/* Its answer stays "down". */
static void dial_nobody(struct dial_call *c)
{
	dial_answer(c);
}

dial_service_fn *const dial_services[SERVICES] = {
    [0 ... SERVICES - 1] = dial_nobody,
};
