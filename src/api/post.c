/* A POST from its key to its answer. A repeated one is judged again, and its claim of the Idempotency-Key
 * finds the first answer; when it can no longer be judged good (its expires_at has passed, the queue is full)
 * the first answer is looked for before the refusal is given. When it is refused for now only, that is done
 * for a few at once: a crowd that must come again anyway gets its first answers then, and must not be work
 * for the database that keeps it waiting. */
#include "api/post.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define KEY_MAX   128
#define LOOKS_MAX 16 /* for first answers of those that come at a bad time, at once */

void post_free(struct post *p)
{
	p->door->looks -= p->looks;
	for (size_t i = 0; i < p->letters_n; i++)
		letter_drop(p->door->send, p->letters[i]);
	for (size_t i = 0; p->codes && i < p->letters_n; i++)
		code_row_fini(&p->codes[i]);
	free(p->codes);
	free(p->letters);
	free(p);
}

void post_finish(struct post *p, const struct problem *problem)
{
	problem_reply(p->call, problem);
	post_free(p);
}

struct problem post_unavailable(unsigned after_s)
{
	struct problem p = problem_make(PROBLEM_UNAVAILABLE, NULL,
	    "nothing was kept as far as is known; send the same request with the same Idempotency-Key again");

	p.after_s = after_s;
	return p;
}

static struct problem post_bad_json(const json_error_t *e)
{
	return problem_make(PROBLEM_MALFORMED_JSON, NULL, "line %d, column %d: %s", e->line, e->column,
	    json_error_code(e) == json_error_duplicate_key            ? "a member stands twice"
	    : json_error_code(e) == json_error_invalid_utf8           ? "not UTF-8"
	    : json_error_code(e) == json_error_null_character         ? "a NUL character"
	    : json_error_code(e) == json_error_premature_end_of_input ? "the text ends too early"
	                                                              : "not JSON");
}

json_t *post_json(const char *text, size_t len, struct problem *ret_problem)
{
	json_error_t error;
	json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);

	if (!o)
		*ret_problem = post_bad_json(&error);
	return o;
}

static void post_on_replay(
    void *arg, enum kz r, const uint8_t body_hash[SECRET_HASH], int status, const char *answer)
{
	struct post *p = arg;

	if (r == KZ_OK && secret_equal(body_hash, p->body_hash, SECRET_HASH)) {
		call_header_add(p->call, "Idempotent-Replayed", "true");
		call_reply(p->call, status, p->type, answer, strlen(answer));
		post_free(p);
		return;
	}
	if (r == KZ_OK)
		p->refusal = problem_make(PROBLEM_KEY_REUSED, "Idempotency-Key",
		    "it came with another body within 24 hours; use a new key");
	else if (r == KZ_LOST)
		p->refusal = post_unavailable(2);
	post_finish(p, &p->refusal);
}

void post_refuse(struct post *p, struct problem refusal)
{
	struct pg *pg = p->door->pg;

	p->refusal = refusal;
	/* Without the database nobody knows whether it has one; the client need not wait to hear that. */
	if (!pg_is_up(pg))
		p->refusal = post_unavailable(2);
	else if (messages_replay(pg, p->key, p->key_hash, loop_clock(p->door->loop)->wall_us(),
	             post_on_replay, p) == KZ_OK)
		return;
	post_finish(p, &p->refusal);
}

void post_put_off(struct post *p, struct problem refusal)
{
	if (p->door->looks >= LOOKS_MAX) {
		post_finish(p, &refusal);
		return;
	}
	p->looks = true;
	p->door->looks++;
	post_refuse(p, refusal);
}

static void post_on_kept(void *arg, enum kz r, const char *answer)
{
	struct post *p = arg;
	struct problem problem;

	switch (r) {
	case KZ_OK:
		call_reply(p->call, p->status, p->type, answer, strlen(answer));
		post_free(p);
		return;
	case KZ_CONFLICT:
		post_refuse(p, post_unavailable(1));
		return;
	case KZ_LOST:
		problem = post_unavailable(2);
		break;
	default:
		problem = p->races ? post_unavailable(1)
		                   : problem_make(PROBLEM_INTERNAL_ERROR, NULL,
		                         "the database refuses this request; nothing was kept");
		break;
	}
	post_finish(p, &problem);
}

void post_keep(struct post *p, char *answer)
{
	struct send_request r = {.api_key = p->key,
	    .status = p->status,
	    .answer = answer,
	    .letters = p->letters,
	    .letters_n = p->letters_n,
	    .codes = p->codes,
	    .codes_n = p->codes ? p->letters_n : 0};
	struct problem problem;

	memcpy(r.key_hash, p->key_hash, SECRET_HASH);
	memcpy(r.body_hash, p->body_hash, SECRET_HASH);
	p->letters = NULL; /* send's from now on, whatever comes */
	p->codes = NULL;
	p->letters_n = 0;
	switch (send_keep(p->door->send, &r, post_on_kept, p)) {
	case KZ_OK:
		return;
	case KZ_CONFLICT:
		problem = problem_make(
		    PROBLEM_IN_PROGRESS, "Idempotency-Key", "wait for the first answer, then ask again");
		problem.after_s = 1;
		break;
	default:
		problem = post_unavailable(2);
		break;
	}
	post_finish(p, &problem);
}

static bool post_key_is_good(const char *key)
{
	size_t n = strlen(key);

	for (const char *k = key; *k; k++)
		if (*k < '!' || *k > '~')
			return false;
	return n >= 1 && n <= KEY_MAX;
}

static void post_hash(struct post *p, const char *key)
{
	size_t len;
	const char *body = call_body(p->call, &len);
	uint8_t both[2 * SECRET_HASH];

	secret_sha256(key, strlen(key), p->key_hash);
	secret_sha256(call_path(p->call), strlen(call_path(p->call)), both);
	secret_sha256(body, len, both + SECRET_HASH);
	/* keyed: a number or a code could be found by trying what hashes to it */
	keyring_mark(p->door->keyring, "request", both, sizeof both, p->body_hash);
}

bool post_is_type(const struct call *c, const char *type)
{
	const char *given = call_header(c, "Content-Type");
	size_t n = strlen(type);

	return given && !strncasecmp(given, type, n) && (!given[n] || given[n] == ';' || given[n] == ' ');
}

struct post *post_new(struct door *d, struct call *c, const struct door_caller *who, const char *type)
{
	const char *key = call_header(c, "Idempotency-Key");
	struct problem problem;
	size_t len;

	call_body(c, &len);
	if (len && !post_is_type(c, type))
		problem = problem_make(PROBLEM_UNSUPPORTED_MEDIA_TYPE, "Content-Type", "send %s", type);
	else if (!key)
		problem = problem_make(PROBLEM_MISSING_IDEMPOTENCY_KEY, "Idempotency-Key",
		    "send one, new for each new request (a UUID is fine), so that a repetition sends nothing "
		    "twice");
	else if (!post_key_is_good(key))
		problem = problem_make(PROBLEM_INVALID_IDEMPOTENCY_KEY, "Idempotency-Key",
		    "1 to %d visible ASCII characters", KEY_MAX);
	else {
		struct post *p = mem_new(sizeof *p);

		*p = (struct post){.door = d, .call = c, .key = who->key, .type = type, .status = 202};
		post_hash(p, key);
		return p;
	}
	problem_reply(c, &problem);
	return NULL;
}

void post_own_letters(struct post *p, size_t n)
{
	p->letters = mem_array(n, sizeof *p->letters);
}
