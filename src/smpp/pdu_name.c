/* pdu_name: names of commands for logs and people, the whole of SMPP 3.4, 5.1.2.1: also those that we refuse.
 */
#include <stdio.h>

#include "smpp/pdu.h"

static const struct {
	uint32_t command;
	const char *request, *response;
} names[] = {
    {0x00000001, "bind_receiver", "bind_receiver_resp"},
    {0x00000002, "bind_transmitter", "bind_transmitter_resp"},
    {0x00000003, "query_sm", "query_sm_resp"},
    {0x00000004, "submit_sm", "submit_sm_resp"},
    {0x00000005, "deliver_sm", "deliver_sm_resp"},
    {0x00000006, "unbind", "unbind_resp"},
    {0x00000007, "replace_sm", "replace_sm_resp"},
    {0x00000008, "cancel_sm", "cancel_sm_resp"},
    {0x00000009, "bind_transceiver", "bind_transceiver_resp"},
    {0x0000000B, "outbind", NULL},
    {0x00000015, "enquire_link", "enquire_link_resp"},
    {0x00000021, "submit_multi", "submit_multi_resp"},
    {0x00000102, "alert_notification", NULL},
    {0x00000103, "data_sm", "data_sm_resp"},
};

const char *pdu_command_name(uint32_t command, char room[16])
{
	if (command == PDU_GENERIC_NACK)
		return "generic_nack";
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].command == (command & ~PDU_RESP)) {
			const char *name = command & PDU_RESP ? names[i].response : names[i].request;

			if (name)
				return name;
		}
	snprintf(room, 16, "0x%08x", command);
	return room;
}
