/* profile_keys: the tables of a profile's keys, one row a key: of the file, and of each entry of its list
 * `links`. */
#ifndef SMPP_PROFILE_KEYS_H
#define SMPP_PROFILE_KEYS_H

#include "smpp/profile.h"

extern const struct key profile_keys[];
extern const size_t profile_keys_n;
extern const struct key profile_link_keys[];
extern const size_t profile_link_keys_n;

#endif
