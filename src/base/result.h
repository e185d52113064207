/* result: what a call came to. Every function that can fail returns one of these. */
#ifndef BASE_RESULT_H
#define BASE_RESULT_H

enum kz {
	KZ_OK = 0,
	KZ_BUSY,      /* full or slowed now; the same call may work later */
	KZ_LOST,      /* the environment is down (link, database): the owner retries */
	KZ_REFUSED,   /* a peer or a rule said no; again would be no */
	KZ_NOT_FOUND, /* no such thing, or no longer */
	KZ_CONFLICT,  /* already there with other content, or still running */
	KZ_EXPIRED,   /* its time is over */
	KZ_INVALID,   /* malformed input */
	KZ_TOO_LONG,  /* over a bound */
};

#define KZ_CHECK __attribute__((warn_unused_result))

/* "ok", "busy", ... for logs and answers. */
const char *kz_name(enum kz r);

#endif
