/* ctl_trace: one message's way, from the request to the receipt. */
#ifndef TOOLS_CTL_TRACE_H
#define TOOLS_CTL_TRACE_H

#include <jansson.h>
#include <stdbool.h>

#include "ctl_command.h"

/* Asks for the message by its id; CTL_DONE and the message, the caller's, or the exit code, all said. */
int ctl_trace_get(const struct ctl *c, const char *id, json_t **ret);
/* Prints the message and its timeline, for people or as JSON. */
void ctl_trace_print(const struct ctl *c, const json_t *message);
/* Whether nothing more will happen to it; its state is then told by ctl_trace_arrived. */
bool ctl_trace_ended(const json_t *message);
bool ctl_trace_arrived(const json_t *message);

#endif
