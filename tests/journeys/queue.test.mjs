// Where an application stands in the queue, asked as the portal's cabinet does.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { journey, top, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Keyring } from '../lib/keyring.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();
const [child, mother, father, stranger] = ['000101100006', '000101100016', '000101100026', '000101100708'];

// Rows as whoever feeds the records leaves them; more: values of columns, as SQL has them.
async function put(k, number, more = {}) {
  const row = { number, district: 1, category: "'general'", birth_year: 2021, registered_at: `'2025-03-01 08:00Z'::timestamptz + ${number} * interval '1 minute'`,
    status: 0, channel: 0, language: 0, groups: 0, verified: 3, child_last4: "'0000'", child_iin: number, parent1_iin: number, phone1: number,
    sealed: "''", api_key: 1, seq: 1, ...more };
  await k.database.ask(`insert into application (${Object.keys(row)}) values (${Object.values(row)})`);
}

async function stand(stage, options = {}) {
  const database = await servers.database();
  const k = await Kezek.start(stage, database, options);
  const { key } = await k.ctl('key', 'add', 'cabinet', '--scope', 'queue');
  const door = k.door.withKey(key);
  const keys = new Keyring(k.config.keyring);
  await database.ask("insert into district values (1, 'sample', 'Медеу', 'Медеуский', 'Medeu'), (2, 'elsewhere', 'Алатау', 'Алатауский', 'Alatau')");
  await put(k, 1);
  await put(k, 2, { category: "'privileged'" });
  await put(k, 3, { category: "'extraordinary'" });
  await put(k, 4, { child_iin: keys.iin(child), parent1_iin: keys.iin(mother), parent2_iin: keys.iin(father),
    phone1: keys.phone(77011234567n), phone2: keys.phone(77027654321n) });
  return { k, door, keys, ask: (wish) => door.post('/v1/queue', wish, { 'idempotency-key': null }) };
}

journey('queue__by_each_number_of_an_application__the_position_and_what_is_known', async (stage) => {
  const { door, ask } = await stand(stage);
  const by = [{ application: 4 }, { child_iin: child }, { parent_iin: mother }, { parent_iin: father }, { phone: '8 701 123 45 67' }, { phone: '+77027654321' }];
  for (const wish of by) {
    const { json, status, body } = await ask(wish);
    assert.equal(status, 200, body);
    assert.deepEqual(json.applications, [{ application: 4, status: 'waiting', position: 4, waiting: 4, category: 'general', birth_year: 2021,
      district: { id: 1, names: { kk: 'Медеу', ru: 'Медеуский', en: 'Medeu' } }, registered_at: '2025-03-01T08:04:00.000Z' }]);
    assert.ok(Math.abs(Date.parse(json.as_of) - Date.now()) < 20000, json.as_of);
  }
  for (const query of ['application=4', `child_iin=${child}`, `parent_iin=${father}`])
    assert.equal((await door.get(`/v1/queue?${query}`)).json.applications[0].position, 4, query);
  for (const [number, position] of [[1, 3], [2, 2], [3, 1]])
    assert.equal((await ask({ application: number })).json.applications[0].position, position);
});

journey('queue__referral_and_one_that_is_over__told_and_without_a_position', async (stage) => {
  const { k, keys, ask } = await stand(stage);
  await k.database.ask(`insert into kindergarten values (1, 1, 'Айгөлек', 'Айголек', 'Aigolek'); insert into play_group values (1, 1, 1, 7, 0);
    update application set status = 1, phone1 = ${keys.phone(77011234567n)} where number = 3;
    update application set status = 4, phone1 = ${keys.phone(77011234567n)} where number = 2;
    insert into referral values (48871, 3, 1, 0, false, '2026-09-12 12:02Z', '2026-09-19 12:02Z', null, 1)`);
  const { json } = await ask({ phone: '+77011234567' });
  assert.deepEqual(json.applications.map((a) => [a.application, a.status, a.position, a.referral?.number]),
    [[4, 'waiting', 2, undefined], [3, 'referred', undefined, 48871], [2, 'withdrawn', undefined, undefined]]);
  assert.deepEqual(json.applications[1].referral, { number: 48871, status: 'offered', until: '2026-09-19T12:02:00.000Z' });
});

journey('queue__a_region_or_category_that_is_not_configured__no_position', async (stage) => {
  const { k, ask } = await stand(stage);
  await put(k, 5, { district: 2 });
  await put(k, 6, { category: "'vouchers'" });
  for (const number of [5, 6]) {
    const [found] = (await ask({ application: number })).json.applications;
    assert.deepEqual([found.status, found.position], ['waiting', undefined]);
  }
});

journey('queue__unknown__not_found_or_none', async (stage) => {
  const { ask } = await stand(stage);
  const r = await ask({ application: 999999999 });
  assert.deepEqual([r.status, r.json.code, r.json.field], [404, 'not_found', 'application']);
  assert.deepEqual((await ask({ child_iin: stranger })).json.applications, []);
  assert.deepEqual((await ask({ phone: '+77470000000' })).json.applications, []);
});

journey('queue__bad_input__field_and_reason_without_the_value', async (stage) => {
  const { k, door, ask } = await stand(stage);
  const bad = [
    [{}, 'missing_field', undefined], [[], 'wrong_type', undefined], [{ iin: child }, 'unknown_field', 'iin'],
    [{ application: 1, phone: '+77011234567' }, 'invalid_value', 'application'],
    [{ application: '1' }, 'wrong_type', 'application'], [{ application: 0 }, 'invalid_value', 'application'],
    [{ application: -1 }, 'invalid_value', 'application'], [{ application: 1000000000 }, 'invalid_value', 'application'],
    [{ child_iin: 101 }, 'wrong_type', 'child_iin'], [{ child_iin: '000101100007' }, 'invalid_iin', 'child_iin'],
    [{ parent_iin: '001331100006' }, 'invalid_iin', 'parent_iin'], [{ parent_iin: '' }, 'invalid_iin', 'parent_iin'],
    [{ phone: '+77272000000' }, 'invalid_number', 'phone'],
  ];
  for (const [wish, code, field] of bad) {
    const r = await ask(wish);
    assert.deepEqual([r.status, r.json.code, r.json.field], [422, code, field], JSON.stringify(wish));
    for (const value of ['000101100007', '001331100006', '77272000000']) assert.ok(!r.body.includes(value), r.body);
  }
  for (const [query, code] of [['', 'missing_field'], ['application=x', 'invalid_value'], ['application=00000000000000000000012345678901', 'invalid_value'],
    [`child_iin=${child}&application=1`, 'invalid_value'], ['child_iin=00010110000%0a', 'invalid_iin']]) {
    const r = await door.get(`/v1/queue?${query}`);
    assert.deepEqual([r.status, r.json.code], [422, code], query);
  }
  assert.equal((await door.get('/v1/queue?phone=%2B77011234567')).json.code, 'unknown_parameter');
  assert.equal((await ask('{"application": 1')).json.code, 'malformed_json');
  const text = await door.post('/v1/queue', { application: 1 }, { 'content-type': 'text/plain' });
  assert.deepEqual([text.status, text.json.code], [415, 'unsupported_media_type']);
  assert.equal((await k.door.get('/v1/queue?application=1')).status, 403);
  assert.equal((await k.door.withKey(null).get('/v1/queue?application=1')).status, 401);
});

journey('queue__whoever_was_asked_for__not_in_the_log', async (stage) => {
  const { k, door, ask } = await stand(stage, { config: { log: { level: 'debug' } } });
  await door.get(`/v1/queue?child_iin=${child}`);
  await door.get('/v1/queue?child_iin=000101100007');
  await ask({ parent_iin: mother });
  await ask({ phone: '+77272000000' });
  await k.stop();
  const log = readFileSync(join(stage.dir, 'kezekd-1.err'), 'utf8') + readFileSync(join(stage.dir, 'kezekd-1.out'), 'utf8');
  for (const value of [child, '000101100007', mother, '77272000000']) assert.ok(!log.includes(value), value);
});

journey('queue__database_away__unavailable_then_answered', async (stage) => {
  const { k, ask } = await stand(stage, { config: { database: { job_timeout: '2s' } } });
  await servers.kill();
  const r = await ask({ application: 4 });
  assert.deepEqual([r.status, r.json.code, r.json.retryable], [503, 'unavailable', true]);
  await servers.restart();
  await k.ready();
  assert.equal((await ask({ application: 4 })).json.applications[0].position, 4);
});

journey('queue__region_changed_by_a_reload__the_new_law_counts', async (stage) => {
  const regions = stage.path('regions');
  cpSync(join(top, 'config/regions'), regions, { recursive: true });
  const { k, ask } = await stand(stage, { config: { regions } });
  assert.equal((await ask({ application: 1 })).json.applications[0].position, 3);
  const file = join(regions, 'sample.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('tier: 2\n    share: 3', 'tier: 1\n    share: 3'));
  k.process.child.kill('SIGHUP');
  await until('the new order', async () => (await ask({ application: 1 })).json.applications[0].position === 2);
});
