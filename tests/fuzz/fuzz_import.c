/* A piece of an import from a client with a key: any octets, as lines. All of them are read, each once, and
 * is a record that may be put or a fault that can be said. The first octet chooses how many records go
 * together. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/import_body.h"
#include "base/mem.h"
#include "text/utf8.h"

#define FUZZ_MAX 50000
#define NOW_US   INT64_C(1796000000000000) /* November 2026 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t max)
{
	enum kz r = utf8_check(s, strlen(s));

	assert(r == KZ_OK && strlen(s) <= max);
}

static void check_chunk(const struct import_chunk *k, const char *at, uint64_t from, size_t most)
{
	uint64_t last = 0;

	assert(k->from == from && k->to > from && k->next > at);
	assert(records_count(k->records) + k->referrals_n <= most && k->bad_n <= CHUNK_FAULTS);
	assert(!records_count(k->records) || !k->referrals_n);
	for (size_t i = 0; i < k->bad_n; i++) {
		assert(k->bad[i].line > last && k->bad[i].line >= from && k->bad[i].line < k->to);
		last = k->bad[i].line;
		check_text(k->bad[i].why.field, sizeof k->bad[i].why.field - 1);
		check_text(k->bad[i].why.detail, sizeof k->bad[i].why.detail - 1);
		assert(*k->bad[i].why.code && *k->bad[i].why.detail);
	}
	for (size_t i = 0; i < k->referrals_n; i++)
		assert(k->referrals[i].referral >= 1 && k->referrals[i].to_us > k->referrals[i].from_us);
	for (size_t i = 0; i < records_count(k->records); i++) {
		const struct record *r = records_at(k->records, i);

		assert(r->kind < RECORD_KINDS && r->id >= 1 && r->id <= RECORD_ID_MAX);
		assert(k->lines[i] >= from && k->lines[i] < k->to);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct records_base base;
	struct import_chunk *k;

	if (size < 2 || size > FUZZ_MAX)
		return 0;
	const size_t most = data[0] % 8 ? data[0] % 8 : CHUNK_RECORDS, n = size - 1;
	char *text = mem_strn((const char *)data + 1, n); /* the sanitizer watches its end */
	const char *at = text, *end = text + n;
	uint64_t line = 1, ends = end[-1] != '\n';

	k = mem_new(sizeof *k);
	k->now_us = NOW_US;
	k->records = records_new(&base, CHUNK_RECORDS);
	while (at < end) {
		import_chunk_read(k, at, end, line, most);
		check_chunk(k, at, line, most);
		at = k->next;
		line = k->to;
	}
	for (size_t i = 0; i < n; i++)
		ends += text[i] == '\n';
	assert(at == end && line == ends + 1);
	records_free(k->records);
	free(k);
	free(text);
	return 0;
}
