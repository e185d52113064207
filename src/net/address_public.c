/* Which addresses belong to the public Internet: the special-purpose registries of IANA (RFC 6890 and its
 * successors) say which do not. IPv6 that carries an IPv4 address (mapped, 6to4, NAT64) is what it carries.
 */
#include <arpa/inet.h>
#include <string.h>

#include "net/address.h"

struct range4 {
	uint32_t first;
	unsigned bits;
};

static const struct range4 special4[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* shared, behind carrier-grade NAT */
    {0x7f000000, 8},  /* loopback */
    {0xa9fe0000, 16}, /* link-local; the metadata of clouds */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* protocol assignments */
    {0xc0000200, 24}, /* documentation */
    {0xc0586300, 24}, /* 6to4 relays */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* benchmarking */
    {0xc6336400, 24}, /* documentation */
    {0xcb007100, 24}, /* documentation */
    {0xe0000000, 4},  /* multicast */
    {0xf0000000, 4},  /* reserved, and broadcast */
};

static bool public4(uint32_t a)
{
	for (size_t i = 0; i < sizeof special4 / sizeof *special4; i++)
		if ((a ^ special4[i].first) >> (32 - special4[i].bits) == 0)
			return false;
	return true;
}

static uint32_t octets4(const uint8_t *a)
{
	return (uint32_t)a[0] << 24 | (uint32_t)a[1] << 16 | (uint32_t)a[2] << 8 | a[3];
}

static bool public6(const uint8_t a[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, nat64[12] = {0, 0x64, 0xff, 0x9b};
	const uint32_t first = octets4(a);

	if (!memcmp(a, mapped, sizeof mapped) || !memcmp(a, nat64, sizeof nat64))
		return public4(octets4(a + 12));
	if (first >> 16 == 0x2002)
		return public4(octets4(a + 2));
	return first >> 29 == 1 &&              /* 2000::/3, all that is given out; but of it not */
	       first >> 9 != 0x20010000 >> 9 && /* 2001::/23: Teredo, ORCHID and other assignments */
	       first != 0x20010db8 &&           /* documentation */
	       first >> 12 != 0x3fff0;          /* documentation */
}

bool address_is_public(const struct sockaddr *sa)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&in, sa, sizeof in);
		return public4(ntohl(in.sin_addr.s_addr));
	}
	if (sa->sa_family != AF_INET6)
		return false;
	memcpy(&in6, sa, sizeof in6);
	return public6(in6.sin6_addr.s6_addr);
}
