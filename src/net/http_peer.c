#include "net/http_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool peer_equal(const struct map_node *n, const void *key)
{
	return !strcmp(map_entry(n, const struct peer, node)->text, key);
}

void peers_init(struct map *peers)
{
	map_init(peers, peer_equal);
}

struct peer *peer_join(struct map *peers, const char *text)
{
	uint64_t hash = map_hash_bytes(text, strlen(text));
	struct map_node *n = map_get(peers, hash, text);
	struct peer *p = n ? map_entry(n, struct peer, node) : mem_new(sizeof *p);

	if (!n) {
		snprintf(p->text, sizeof p->text, "%s", text);
		map_put(peers, &p->node, hash);
	}
	p->connections++;
	return p;
}

void peer_leave(struct map *peers, struct peer *p)
{
	if (!p || --p->connections)
		return;
	map_remove(peers, &p->node);
	free(p);
}
