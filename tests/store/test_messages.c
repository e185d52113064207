/* messages kept in a real PostgreSQL: rows, groups, idempotency, refusals. */
#include "messages_rig.h"

#include "text/segment.h"

static void keep__one_request__stands_as_asked(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;
	char row[512];
	struct buf room = {0};

	wishes_start(&w, g, 1);
	w.rows[0].language = 2;
	w.rows[0].client_ref = "ref-1";
	w.rows[0].sender = "Balabaqsha";
	w.rows[0].alphabet = ALPHABET_UCS2;
	w.rows[0].text = "Сәлем, «балабақша»\n";
	wishes_keep(&w, 0);
	wishes_await(&w, 1);
	assert_int_equal(w.all[0].r, KZ_OK);
	snprintf(row, sizeof row, "%llu|5|1|1|1|4660|2|1800000000|ref-1|%lld",
	    (unsigned long long)w.rows[0].id, (long long)store_phone(g, 77011234567));
	assert_string_equal(
	    store_sql(g, "select concat_ws('|', id, api_key, class, parts, alphabet, reference, language,"
	                 " extract(epoch from expires_at)::bigint, client_ref, phone)"
	                 " from message join message_person using (id)"),
	    row);
	const struct person p = store_person(g, w.rows[0].id, &room);
	assert_true(p.to.digits == 77011234567);
	assert_string_equal(p.sender, "Balabaqsha");
	assert_string_equal(p.text, w.rows[0].text);
	buf_fini(&room);
	wishes_end(&w);
}

static void keep__absent_fields__are_null(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	wishes_start(&w, g, 1);
	wishes_keep(&w, 0);
	wishes_await(&w, 1);
	assert_int_equal(store_int(g, "select count(*) from message join message_person using (id)"
	                              " where num_nulls(language, client_ref, code) = 3"),
	    1);
	wishes_end(&w);
}

static void keep__256_requests_of_one_round__one_commit(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	wishes_start(&w, g, 256);
	for (int i = 0; i < 256; i++)
		wishes_keep(&w, i);
	assert_int_equal(w.done, 0);
	wishes_await(&w, 256);
	for (int i = 0; i < 256; i++) {
		assert_int_equal(w.all[i].count, 1);
		assert_int_equal(w.all[i].r, KZ_OK);
	}
	assert_int_equal(store_int(g, "select count(*) from message"), 256);
	assert_int_equal(store_int(g, "select count(distinct xmin::text) from (select xmin from message union"
	                              " all select xmin from message_person union all"
	                              " select xmin from idempotency) rows"),
	    1);
	wishes_end(&w);
}

static void keep__request_of_256_messages__all_kept_under_one_key(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	wishes_start(&w, g, 256);
	w.all[0].wish.rows_n = 256;
	wishes_keep(&w, 0);
	wishes_await(&w, 1);
	assert_int_equal(w.all[0].r, KZ_OK);
	assert_int_equal(store_int(g, "select count(*) from message"), 256);
	assert_int_equal(store_int(g, "select count(*) from idempotency"), 1);
	wishes_end(&w);
}

static void key__used_again__conflict_and_nothing_kept(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	wishes_start(&w, g, 3);
	wishes_keep(&w, 0);
	wishes_await(&w, 1);
	wishes_share_key(&w, 1, 0);
	wishes_keep(&w, 1); /* in one batch with a fresh one */
	wishes_keep(&w, 2);
	wishes_await(&w, 3);
	assert_int_equal(w.all[1].r, KZ_CONFLICT);
	assert_int_equal(w.all[2].r, KZ_OK);
	assert_int_equal(store_int(g, "select count(*) from message"), 2);
	assert_int_equal(store_int(g, "select count(*) from message_person"), 2);
	wishes_end(&w);
}

static void key__of_another_api_key__is_free(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	wishes_start(&w, g, 2);
	wishes_share_key(&w, 1, 0);
	w.all[1].wish.api_key = 6;
	wishes_keep(&w, 0);
	wishes_keep(&w, 1);
	wishes_await(&w, 2);
	assert_int_equal(w.all[0].r, KZ_OK);
	assert_int_equal(w.all[1].r, KZ_OK);
	assert_int_equal(
	    store_int(g, "select api_key from message where id = %llu", (unsigned long long)w.rows[1].id), 6);
	wishes_end(&w);
}

static void key__a_day_later__conflict_two_days_later__free(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	wishes_start(&w, g, 3);
	for (int day = 0; day < 3; day++) {
		wishes_share_key(&w, day, 0);
		w.all[day].wish.day_us += day * STORE_DAY_US;
		wishes_keep(&w, day);
		wishes_await(&w, day + 1);
	}
	assert_int_equal(w.all[0].r, KZ_OK);
	assert_int_equal(w.all[1].r, KZ_CONFLICT);
	assert_int_equal(w.all[2].r, KZ_OK);
	assert_int_equal(store_int(g, "select count(*) from message"), 2);
	wishes_end(&w);
}

static void key__claimed_by_another_daemon_meanwhile__conflict_after_its_commit(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;
	char hash[2 * SECRET_HASH + 1];

	wishes_start(&w, g, 1);
	secret_hex(w.all[0].wish.key_hash, SECRET_HASH, hash);
	store_sql(g,
	    "begin; insert into idempotency values ((to_timestamp(%lld) at time zone 'UTC')::date, 5, "
	    "'\\x%s', "
	    "'', 202, '{}', 1)",
	    (long long)(w.all[0].wish.day_us / 1000000), hash);
	wishes_keep(&w, 0);
	store_await_sql(g, STORE_WAITS_FOR_LOCK, 1);
	assert_int_equal(w.done, 0);
	store_sql(g, "commit");
	wishes_await(&w, 1);
	assert_int_equal(w.all[0].r, KZ_CONFLICT);
	assert_int_equal(store_int(g, "select count(*) from message"), 0);
	wishes_end(&w);
}

struct replayed {
	int count, status;
	enum kz r;
	uint8_t body_hash[SECRET_HASH];
	char answer[64];
};

static void replay_on_answer(
    void *arg, enum kz r, const uint8_t body_hash[SECRET_HASH], int status, const char *answer)
{
	struct replayed *p = arg;

	p->count++;
	p->r = r;
	if (r != KZ_OK)
		return;
	p->status = status;
	memcpy(p->body_hash, body_hash, SECRET_HASH);
	snprintf(p->answer, sizeof p->answer, "%s", answer);
}

static enum kz replay_ask(
    struct store_rig *g, struct replayed *p, const struct messages_wish *w, int32_t api_key, int64_t day)
{
	*p = (struct replayed){0};
	assert_int_equal(
	    messages_replay(g->pg, api_key, w->key_hash, w->day_us + day * STORE_DAY_US, replay_on_answer, p),
	    KZ_OK);
	assert_int_equal(p->count, 0);
	servers_await(g->loop, &p->count, 1);
	return p->r;
}

static void replay__within_its_time__the_first_answer_and_body(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;
	struct replayed p;

	wishes_start(&w, g, 2);
	w.all[0].wish.status = 207;
	w.all[0].wish.answer = "{\"id\": \"первый\"}";
	wishes_keep(&w, 0);
	wishes_await(&w, 1);
	wishes_share_key(&w, 1, 0);
	wishes_keep(&w, 1); /* another answer to the used key is not remembered */
	wishes_await(&w, 2);
	for (int64_t day = 0; day <= 1; day++) {
		assert_int_equal(replay_ask(g, &p, &w.all[0].wish, 5, day), KZ_OK);
		assert_int_equal(p.status, 207);
		assert_string_equal(p.answer, "{\"id\": \"первый\"}");
		assert_memory_equal(p.body_hash, w.all[0].wish.body_hash, SECRET_HASH);
	}
	assert_int_equal(replay_ask(g, &p, &w.all[0].wish, 5, 2), KZ_NOT_FOUND);
	assert_int_equal(replay_ask(g, &p, &w.all[0].wish, 6, 0), KZ_NOT_FOUND);
	wishes_end(&w);
}

static void keep__one_poisoned_among_many__fails_alone(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	wishes_start(&w, g, 21);
	w.rows[13].id = ids_floor(1704153600000) | 3 << 14; /* 2024-01-02: no partition */
	for (int i = 0; i < 21; i++)
		wishes_keep(&w, i);
	wishes_await(&w, 21);
	for (int i = 0; i < 21; i++) {
		assert_int_equal(w.all[i].count, 1);
		assert_int_equal(w.all[i].r, i == 13 ? KZ_REFUSED : KZ_OK);
		assert_false(w.all[i].maybe);
	}
	assert_int_equal(store_int(g, "select count(*) from message"), 20);
	assert_int_equal(store_int(g, "select count(*) from message_person"), 20);
	assert_int_equal(store_int(g, "select count(*) from idempotency"), 20);
	wishes_end(&w);
}

static void keep__one_poisoned_message_of_a_request__none_of_it_kept(void **state)
{
	struct store_rig *g = *state;
	struct wishes w;

	wishes_start(&w, g, 4);
	w.rows[2].client_ref = "\xff is no UTF-8";
	w.all[0].wish.rows_n = 3;
	wishes_keep(&w, 0);
	wishes_keep(&w, 3);
	wishes_await(&w, 2);
	assert_int_equal(w.all[0].r, KZ_REFUSED);
	assert_int_equal(w.all[3].r, KZ_OK);
	assert_int_equal(store_int(g, "select id from message"), (long long)w.rows[3].id);
	assert_int_equal(store_int(g, "select count(*) from idempotency"), 1);
	wishes_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    STORE_CASE(keep__one_request__stands_as_asked),
	    STORE_CASE(keep__absent_fields__are_null),
	    STORE_CASE(keep__256_requests_of_one_round__one_commit),
	    STORE_CASE(keep__request_of_256_messages__all_kept_under_one_key),
	    STORE_CASE(key__used_again__conflict_and_nothing_kept),
	    STORE_CASE(key__of_another_api_key__is_free),
	    STORE_CASE(key__a_day_later__conflict_two_days_later__free),
	    STORE_CASE(key__claimed_by_another_daemon_meanwhile__conflict_after_its_commit),
	    STORE_CASE(replay__within_its_time__the_first_answer_and_body),
	    STORE_CASE(keep__one_poisoned_among_many__fails_alone),
	    STORE_CASE(keep__one_poisoned_message_of_a_request__none_of_it_kept),
	};

	return store_main("messages", tests, sizeof tests / sizeof *tests);
}
