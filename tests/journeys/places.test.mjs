// A place is taken, and what becomes of the referral, as the portal's cabinet asks for it.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Rows } from '../lib/rows.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();
const days = 86400000;

async function stand(stage, { free = 2, scopes = ['places', 'records'] } = {}) {
  const database = await servers.database();
  const k = await Kezek.start(stage, database);
  const { key } = await k.ctl('key', 'add', 'cabinet', ...scopes.flatMap((s) => ['--scope', s]));
  const door = k.door.withKey(key);
  await until('the key is known', async () => (await door.get('/v1/referrals/1', { hold: false })).status !== 401);
  const rows = new Rows(k);
  await rows.group(1, { free });
  await rows.applications([7, 8]);
  const count = async (what) => Number(await database.ask(`select count(*) from ${what}`));
  const free_ = async (group = 1) => Number(await database.ask(`select free from vacancy where play_group = ${group}`));
  return { k, database, door, rows, count, free: free_, take: (n, group, headers) => door.post(`/v1/applications/${n}/referral`, { group }, headers) };
}

const refused = (r, status, code, field) => assert.deepEqual([r.status, r.json.code, r.json.field], [status, code, field], r.body);

journey('take__a_free_place__a_referral_and_the_same_again_for_the_same_key', async (stage) => {
  const { door, take, free, count } = await stand(stage);
  const one = await take(7, 1, { 'idempotency-key': 'one' });
  assert.equal(one.status, 201, one.body);
  const { from, to, ...rest } = one.json;
  assert.deepEqual(rest, { number: 1, application: 7, group: 1, status: 'offered', extended: false });
  assert.equal(Date.parse(to) - Date.parse(from), 7 * days);
  const again = await take(7, 1, { 'idempotency-key': 'one' });
  assert.deepEqual([again.status, again.headers['idempotent-replayed'], again.json], [200, 'true', one.json]);
  refused(await take(7, 1, { 'idempotency-key': 'two' }), 409, 'already');
  refused(await take(8, 1, { 'idempotency-key': 'one' }), 422, 'idempotency_key_reused', 'Idempotency-Key');
  assert.equal(await free(), 1);
  assert.deepEqual((await door.get('/v1/referrals/1')).json, one.json);
  assert.equal(await count('notice where kind = 2 and application = 7 and subject = 1'), 1);
  assert.equal(await count('news where kind = 0 and application = 7'), 1);
});

journey('take__refused_by_the_law__its_word_and_until', async (stage) => {
  const { take, rows, free } = await stand(stage, { free: 0 });
  await rows.group(2, { district: 2 });
  await rows.group(3, { district: 1, ages: [6, 7] });
  await rows.group(4, { district: 1, priorityUntil: "'2099-03-02 04:05:06Z'" });
  await rows.applications([9], { status: 4 });
  refused(await take(7, 1), 409, 'gone');
  refused(await take(7, 2), 409, 'not_district');
  refused(await take(7, 3), 409, 'not_age');
  refused(await take(9, 4), 409, 'closed');
  const turn = await take(7, 4);
  refused(turn, 409, 'not_turn');
  assert.equal(turn.json.until, '2099-03-02T04:05:06.000Z');
  assert.equal(await free(4), 1);
});

journey('take__bad_input__field_and_reason', async (stage) => {
  const { door, take } = await stand(stage);
  refused(await take(77, 1), 404, 'not_found');
  refused(await take(7, 99), 422, 'unknown_reference', 'group');
  refused(await take('7x', 1), 404, 'not_found');
  refused(await take(7, '1'), 422, 'wrong_type', 'group');
  refused(await take(7, 0), 422, 'invalid_value', 'group');
  refused(await take(7, 1e18), 422, 'invalid_value', 'group');
  refused(await take(7, 1.5), 422, 'wrong_type', 'group');
  refused(await door.post('/v1/applications/7/referral', {}), 422, 'missing_field', 'group');
  refused(await door.post('/v1/applications/7/referral', { group: 1, iin: 'x' }), 422, 'unknown_field', 'iin');
  refused(await door.post('/v1/applications/7/referral', [1]), 422, 'wrong_type', undefined);
  refused(await door.post('/v1/applications/7/referral', '{'), 400, 'malformed_json');
  refused(await take(7, 1, { 'idempotency-key': null }), 400, 'missing_idempotency_key', 'Idempotency-Key');
  refused(await door.post('/v1/referrals/1/accept', { now: true }), 422, 'unknown_field', 'now');
  refused(await door.post('/v1/referrals/1000000/accept'), 404, 'not_found');
  refused(await door.post('/v1/referrals/5/decline'), 404, 'not_found');
});

journey('referral__extended_accepted_and_what_comes_too_late__by_the_law', async (stage) => {
  const { door, take, free, count, database } = await stand(stage, { free: 1 });
  const { to } = (await take(7, 1)).json;
  const key = { 'idempotency-key': 'extend' };
  const extended = await door.post('/v1/referrals/1/extend', undefined, key);
  assert.equal(extended.status, 200, extended.body);
  assert.equal(Date.parse(extended.json.to) - Date.parse(to), 23 * days);
  assert.deepEqual((await door.post('/v1/referrals/1/extend', undefined, key)).json, extended.json);
  refused(await door.post('/v1/referrals/1/extend'), 409, 'already_extended');
  assert.equal((await door.post('/v1/referrals/1/accept', {})).json.status, 'accepted');
  refused(await door.post('/v1/referrals/1/decline'), 409, 'already_accepted');
  refused(await take(8, 1), 409, 'gone');
  await database.ask("update referral set from_at = from_at - interval '40 days', to_at = to_at - interval '40 days', remind_at = null");
  const { application, group, from, to: end } = (await door.get('/v1/referrals/1')).json;
  assert.equal((await door.call('PUT', '/v1/referrals/1', { body: { application, group, from, to: end, status: 'expired' } })).json.status, 'expired');
  refused(await door.post('/v1/referrals/1/accept'), 409, 'past_end');
  assert.equal(await free(), 1);
  refused(await take(8, 1), 409, 'not_turn');
  assert.equal(await count('application where number = 7 and status = 0'), 1);
});

journey('put__a_referral_of_the_portal__takes_a_place_and_goes_by_the_law', async (stage) => {
  const { door, take, free, count } = await stand(stage, { free: 1 });
  const wish = { application: 7, group: 1, from: '2026-11-01T12:02:00Z', to: new Date(Date.now() + 5 * days).toISOString(), status: 'offered' };
  const put = (number, more = {}) => door.call('PUT', `/v1/referrals/${number}`, { body: { ...wish, ...more } });
  const made = await put(48871);
  assert.equal(made.status, 201, made.body);
  assert.equal(await free(), 0);
  assert.equal((await put(48871)).status, 200);
  assert.equal(await count('notice where kind = 1 and subject = 48871'), 1);
  assert.equal(await count('news'), 0);
  refused(await put(48872, { application: 8 }), 409, 'gone');
  refused(await put(48872), 409, 'already');
  refused(await put(48872, { application: 8, held: true, to: '2026-11-02T12:02:00Z' }), 409, 'past_end', 'to');
  refused(await put(48872, { application: 8, held: true, to: '2026-11-02T12:02:00Z', status: 'accepted' }), 409, 'past_end', 'to');
  assert.equal(await count('referral'), 1);
  refused(await put(48871, { application: 8 }), 409, 'number_taken', 'application');
  refused(await put(48871, { to: '2026-11-02T12:02:00Z' }), 409, 'earlier_end', 'to');
  refused(await put(48871, { status: 'enrolled' }), 409, 'not_accepted');
  refused(await put(48873, { application: 9 }), 422, 'unknown_reference', 'application');
  const later = new Date(Date.now() + 9 * days).toISOString();
  assert.equal((await put(48871, { to: later })).json.to, later);
  assert.equal((await put(48871, { to: later, status: 'accepted' })).json.status, 'accepted');
  refused(await put(48871, { status: 'offered' }), 409, 'already_accepted');
  assert.equal((await put(48871, { status: 'cancelled' })).json.status, 'cancelled');
  assert.equal(await free(), 1);
  refused(await put(48871, { status: 'enrolled' }), 409, 'already_cancelled');
  assert.equal(await count('news where kind = 5'), 1);
});

journey('put__held_or_over__no_place_is_taken', async (stage) => {
  const { door, free, count } = await stand(stage, { free: 1 });
  const wish = { application: 7, group: 1, from: '2026-11-01T12:02:00Z', to: '2099-11-01T12:02:00Z', status: 'accepted', held: true };
  const put = (number, more = {}) => door.call('PUT', `/v1/referrals/${number}`, { body: { ...wish, ...more } });
  assert.equal((await put(5, { status: 'expired', held: false })).status, 201);
  assert.equal((await put(6)).status, 201);
  assert.equal(await free(), 1);
  assert.equal(await count('application where number = 7 and status = 2'), 1);
  assert.equal((await put(6, { status: 'cancelled' })).status, 200);
  assert.equal(await free(), 2);
  refused(await put(7, { to: '2026-10-01T12:02:00Z' }), 422, 'invalid_value', 'to');
  refused(await put(7, { held: 1 }), 422, 'wrong_type', 'held');
  refused(await put(7, { status: 'lost' }), 422, 'invalid_value', 'status');
  refused(await put(7, { from: 'now' }), 422, 'invalid_value', 'from');
  refused(await put(1000000), 422, 'invalid_value', 'number');
});

journey('scopes__of_another_key__forbidden', async (stage) => {
  const { door, take } = await stand(stage, { scopes: ['queue'] });
  refused(await take(7, 1), 403, 'forbidden');
  refused(await door.call('PUT', '/v1/referrals/1', { body: {} }), 403, 'forbidden');
  refused(await door.get('/v1/referrals/1'), 403, 'forbidden');
});
