/* profile_link: one entry of a profile's list `links`: read, checked, compared, freed. */
#ifndef SMPP_PROFILE_LINK_H
#define SMPP_PROFILE_LINK_H

#include "smpp/profile.h"

/* l: the entry of p->links to fill, zeroed; those before it are read. Fields are set whatever the faults. */
void profile_link_read(
    const struct profile *p, struct profile_link *l, const struct yaml_node *map, struct faults *faults);
bool profile_link_equal(const struct profile_link *a, const struct profile_link *b);
/* Wipes the password and frees what l holds. */
void profile_link_fini(struct profile_link *l);

#endif
