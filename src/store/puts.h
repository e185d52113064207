/* puts: records that come one by one are put together with their neighbours: those that come while others are
 * being put go as the next ones, in one transaction. A record that the database refuses among others is put
 * alone. */
#ifndef STORE_PUTS_H
#define STORE_PUTS_H

#include "store/records.h"

#define PUTS_MOST 256 /* waiting and being put: each holds persons in clear */

struct puts;

/* base as in records_new; files as in records_plan, with arg. */
struct puts *puts_new(
    const struct records_base *base, const struct records_files *(*files)(void *arg), void *arg);

/* KZ_OK: r is as it stands or, by its verdict, as it was wanted; lives during the call. Others as in
 * records_done_fn, without r. */
typedef void puts_done_fn(
    void *arg, enum kz result, const struct record *r, enum record_verdict verdict, int64_t seq);
/* r is copied; done once, later. KZ_BUSY at once, without done: PUTS_MOST are under way. */
enum kz puts_add(
    struct puts *p, const struct record *r, int32_t api_key, puts_done_fn *done, void *arg) KZ_CHECK;
/* What is under way is answered KZ_LOST from inside. NULL is fine. */
void puts_free(struct puts *p);

#endif
