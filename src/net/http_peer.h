/* http_peer: how many connections each address has. */
#ifndef NET_HTTP_PEER_H
#define NET_HTTP_PEER_H

#include <stddef.h>

#include "base/map.h"
#include "net/address.h"

struct peer {
	struct map_node node;
	size_t connections;
	char text[ADDRESS_TEXT];
};

void peers_init(struct map *peers);
/* One more connection of the address text. */
struct peer *peer_join(struct map *peers, const char *text);
/* One less; the last one frees it. NULL is fine. */
void peer_leave(struct map *peers, struct peer *p);

#endif
