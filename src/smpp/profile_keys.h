/* profile_keys: the tables of a profile's keys, one row a key: of the file, and of each entry of its list
 * `links`. */
#ifndef SMPP_PROFILE_KEYS_H
#define SMPP_PROFILE_KEYS_H

#include "smpp/profile.h"

extern const struct key profile_keys[];
extern const size_t profile_keys_n;
extern const struct key profile_link_keys[];
extern const size_t profile_link_keys_n;

#define PROFILE_NAME 20 /* longest name of a profile or of a link */

/* 1 to max of a-z, 0-9 and "-". */
bool profile_is_word(const char *text, size_t max);
/* The node of a key (group NULL: at the top of map), for messages; map itself when the file does not name it.
 */
const struct yaml_node *profile_at(const struct yaml_node *map, const char *group, const char *key);

#endif
