// The records as the portal puts them: districts, kindergartens, groups, vacancies, applications.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { journey, until } from '../lib/stage.mjs';
import { Door } from '../lib/http.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();
const [child, mother, father] = ['000101100006', '000101100016', '000101100026'];
const names = { kk: 'Алмалы', ru: 'Алмалинский', en: 'Almaly' };
const released_at = '2026-09-21T09:00:00+05:00';

const application = (more = {}) => ({
  child: { iin: child, first_name: 'Айгерім', last_name: 'Серікқызы' },
  parents: [{ iin: mother }, { iin: father }],
  phones: [{ number: '8 701 123 45 67', verified: true }, { number: '+77027654321', verified: false }],
  email: 'aigerim@example.kz', district: 1, category: 'general', registered_at: '2026-09-01T09:00:00+05:00', language: 'kk',
  groups: ['kk', 'ru'], ...more,
});

async function stand(stage) {
  const database = await servers.database();
  const k = await Kezek.start(stage, database);
  const { key } = await k.ctl('key', 'add', 'portal', '--scope', 'records');
  const door = k.door.withKey(key);
  const put = async (path, body, status) => {
    const r = await door.call('PUT', `/v1/${path}`, { body });
    if (status) assert.equal(r.status, status, `${path}: ${r.body}`);
    return r;
  };
  return { database, k, door, put };
}

async function city(put) {
  await put('districts/1', { region: 'sample', names }, 201);
  await put('kindergartens/2', { district: 1, names: { kk: 'Айгөлек', ru: 'Айголек', en: 'Aigolek' } }, 201);
  await put('groups/3', { kindergarten: 2, age_from: 3, age_to: 5, language: 'kk' }, 201);
}

journey('records__put_and_got__as_they_were_said', async (stage) => {
  const { door, put } = await stand(stage);
  await city(put);
  const vacancy = (await put('vacancies/3', { free: 2, released_at }, 201)).json;
  assert.deepEqual(vacancy, { group: 3, free: 2, released_at: '2026-09-21T04:00:00.000Z', priority_until: '2026-09-24T04:00:00.000Z', seq: 1 });

  assert.deepEqual((await put('districts/1', { region: 'sample', names }, 200)).json, { id: 1, region: 'sample', names });
  assert.equal((await put('districts/1', { region: 'sample', names: { ...names, en: 'Almaly district' } }, 200)).json.names.en, 'Almaly district');
  assert.equal((await door.get('/v1/districts/1')).json.names.en, 'Almaly district');
  assert.deepEqual((await door.get('/v1/groups/3')).json, { id: 3, kindergarten: 2, age_from: 3, age_to: 5, language: 'kk' });
  assert.deepEqual((await door.get('/v1/kindergartens/2')).json, { id: 2, district: 1, names: { kk: 'Айгөлек', ru: 'Айголек', en: 'Aigolek' } });
  assert.deepEqual((await door.get('/v1/vacancies/3')).json, vacancy);
  for (const path of ['districts/9', 'groups/9', 'vacancies/9', 'applications/9', 'kindergartens/1000000000', 'districts/x', 'districts/01'])
    assert.equal((await door.get(`/v1/${path}`)).status, 404, path);
});

journey('records__times_of_microseconds__put_as_got_changes_nothing', async (stage) => {
  const { door, put } = await stand(stage);
  await city(put);
  await put('vacancies/3', { free: 2, released_at: '2026-09-21T09:00:00.123456+05:00', priority_until: '2026-09-24T09:00:00.999999+05:00' }, 201);
  await put('applications/7', application({ registered_at: '2026-09-01T09:00:00.000001+05:00' }), 201);
  const { group, ...vacancy } = (await door.get('/v1/vacancies/3')).json;
  assert.deepEqual([group, vacancy.released_at, vacancy.priority_until], [3, '2026-09-21T04:00:00.123Z', '2026-09-24T04:00:00.999Z']);
  assert.equal((await put('vacancies/3', vacancy, 200)).json.seq, 1);
  const { registered_at: shown } = (await door.get('/v1/applications/7')).json;
  assert.equal((await put('applications/7', application({ registered_at: shown }), 200)).json.seq, 1);
});

journey('records__pages__all_of_them_once', async (stage) => {
  const { database, door, put } = await stand(stage);
  await put('districts/1', { region: 'sample', names }, 201);
  await database.ask(`insert into kindergarten select i * 3, 1, 'А', 'Б', 'C' from generate_series(1, 250) i`);
  const seen = [];
  for (let after = 0, pages = 0; ; pages++) {
    const { json } = await door.get(`/v1/kindergartens?limit=100${after ? `&after=${after}` : ''}`);
    seen.push(...json.kindergartens.map((x) => x.id));
    assert.ok(pages < 4);
    if (!json.next) break;
    after = json.next;
  }
  assert.deepEqual(seen, Array.from({ length: 250 }, (_, i) => (i + 1) * 3));
  assert.equal((await door.get('/v1/kindergartens')).json.kindergartens.length, 50);
  assert.deepEqual((await door.get('/v1/applications')).json, { applications: [] });
  for (const query of ['limit=0', 'limit=101', 'limit=x', 'after=-1', 'after=9999999999'])
    assert.equal((await door.get(`/v1/groups?${query}`)).json.code, 'invalid_value', query);
});

journey('records__application__persons_are_nobodys_business', async (stage) => {
  const { database, k, door, put } = await stand(stage);
  await city(put);
  const { json, body } = await put('applications/1048871', application(), 201);
  const shown = { number: 1048871, child: { iin_last4: '0006', birth_year: 1800, first_name: 'Айгерім' },
    parents: [{ iin_last4: '0016' }, { iin_last4: '0026' }],
    phones: [{ number: '+7701***4567', verified: true }, { number: '+7702***4321', verified: false }],
    district: 1, category: 'general', registered_at: '2026-09-01T04:00:00.000Z', channel: 'sms', language: 'kk', groups: ['kk', 'ru'],
    status: 'waiting', seq: 1 };
  assert.deepEqual(json, shown, body);
  assert.deepEqual((await door.get('/v1/applications/1048871')).json, shown);
  assert.deepEqual((await door.get('/v1/applications')).json, { applications: [shown] });
  const { key } = await k.ctl('key', 'add', 'clerk', '--scope', 'records', '--scope', 'names');
  const clerk = (await until('the key is known', async () => {
    const r = await k.door.withKey(key).get('/v1/applications/1048871');
    return r.status === 200 && r;
  })).json;
  assert.deepEqual([clerk.child.last_name, clerk.email, clerk.phones[0].number], ['Серікқызы', 'aigerim@example.kz', '+7701***4567']);

  const rest = (await database.ask('select application::text from application')).flat().join() + k.process.err();
  for (const secret of [child, mother, father, '7011234567', '7027654321', 'Айгерім', 'Серікқызы', 'aigerim@'])
    assert.ok(!rest.includes(secret), secret);
  const other = (await k.ctl('key', 'add', 'other', '--scope', 'queue')).key;
  assert.equal((await until('the key is known', async () => {
    const r = await k.door.withKey(other).get('/v1/applications/1048871');
    return r.status !== 401 && r;
  })).status, 403);
});

journey('records__new_application__its_number_is_due_once', async (stage) => {
  const { database, put } = await stand(stage);
  await city(put);
  await put('applications/7', application(), 201);
  await put('applications/7', application(), 200);
  await put('applications/7', application({ language: 'ru' }), 200);
  await put('applications/8', application({ status: 'archived' }), 201);
  assert.deepEqual(await database.ask(`select application, kind, sealed is null, alarm_at - at between '719 s' and '721 s' from notice`),
    [['7', '0', 't', 't']]);
  assert.equal(await database.count('news'), 0);
});

journey('records__the_database_goes__503_and_the_same_request_again_is_kept_once', async (stage) => {
  const { database, k, door, put } = await stand(stage);
  await city(put);
  await servers.kill();
  const refused = await door.call('PUT', '/v1/applications/7', { body: application() });
  assert.deepEqual([refused.status, refused.json.retryable], [503, true]);
  assert.equal((await door.get('/v1/applications/7')).status, 503);
  await servers.restart();
  await k.ready();
  await until('it is kept', async () => [200, 201].includes((await door.call('PUT', '/v1/applications/7', { body: application() })).status));
  await put('applications/7', application(), 200);
  assert.equal(await database.count('notice'), 1);
});

// 256 wait behind one who holds all writers up; nobody is kept waiting without a bound.
journey('records__too_many_at_once__503_for_the_rest_and_all_are_kept_in_the_end', async (stage) => {
  const { database, k, door, put } = await stand(stage);
  await city(put);
  const holder = spawn('psql', ['-XqAt', database.conninfo], { stdio: ['pipe', 'ignore', 'ignore'] });
  stage.defer(() => holder.kill());
  holder.stdin.write('begin; select places_lock();\n');
  await until('the lock is held', async () => (await database.ask(
    `select count(*) from pg_locks l join pg_stat_activity a using (pid) where l.locktype = 'advisory' and l.granted
      and a.application_name = 'psql' and a.state = 'idle in transaction'`))[0][0] === '1');
  const doors = Array.from({ length: 5 }, () => new Door({ port: k.port, key: door.key }));
  stage.defer(() => doors.forEach((d) => d.close()));
  let refused = 0;
  const puts = Array.from({ length: 300 }, async (_, i) => {
    const r = await doors[i % 5].call('PUT', `/v1/applications/${i + 1}`, { body: application() });
    if (r.status === 503) refused++;
    return r;
  });
  await until('those over the bound are refused', () => refused === 300 - 256);
  holder.stdin.end('commit;\n');
  const answers = await Promise.all(puts);
  assert.equal(answers.filter((r) => r.status === 201).length, 256);
  assert.ok(answers.filter((r) => r.status === 503).every((r) => r.json.retryable && r.headers['retry-after']));
  assert.equal(await database.count('notice'), 256);
});

// The same parents, another phone.
journey('records__phone_changed__both_numbers_and_the_portal_are_told', async (stage) => {
  const { database, put } = await stand(stage);
  await city(put);
  await put('applications/7', application(), 201);
  const phones = [{ number: '+77027654321', verified: true }, { number: '+77471112233', verified: true }];
  assert.equal((await put('applications/7', application({ phones }), 200)).json.seq, 2);
  assert.deepEqual(await database.ask('select count(*), count(distinct subject), count(sealed) from notice where kind = 11'),
    [['2', '2', '2']], 'the new one, and the one that is left');
  assert.deepEqual(await database.ask('select application, seq, kind from news'), [['7', '2', '6']]);
});

journey('records__application_with_a_referral__only_what_leaves_it_is_taken', async (stage) => {
  const { database, put } = await stand(stage);
  await city(put);
  await put('applications/7', application(), 201);
  await database.ask(`insert into referral (number, application, play_group, status, extended, from_at, to_at, seq)
    values (48871, 7, 3, 0, false, now(), now() + interval '7 days', 1); update application set status = 1, seq = 2`);
  for (const status of ['withdrawn', 'archived', 'enrolled']) {
    const r = await put('applications/7', application({ status }), 409);
    assert.deepEqual([r.json.code, r.json.field], ['referral_open', 'status']);
  }
  assert.equal((await put('applications/7', application(), 200)).json.status, 'referred');
  await database.ask('update referral set status = 4');
  assert.equal((await put('applications/7', application({ status: 'withdrawn' }), 200)).json.status, 'withdrawn');
  assert.equal((await put('applications/7', application(), 200)).json.status, 'withdrawn');
  assert.equal((await put('applications/7', application({ status: 'waiting' }), 200)).json.status, 'waiting');
});

journey('records__vacancy_with_a_seq__only_as_it_stands', async (stage) => {
  const { put } = await stand(stage);
  await city(put);
  assert.equal((await put('vacancies/3', { free: 1, released_at, seq: 1 }, 412)).json.code, 'changed_meanwhile');
  await put('vacancies/3', { free: 1, released_at, priority_until: null }, 201);
  assert.equal((await put('vacancies/3', { free: 4, released_at, priority_until: null, seq: 1 }, 200)).json.seq, 2);
  assert.equal((await put('vacancies/3', { free: 5, released_at, priority_until: null, seq: 1 }, 412)).json.field, 'seq');
  assert.equal((await put('vacancies/3', { free: 4, released_at, priority_until: null }, 200)).json.free, 4);
});

journey('records__documents__asked_for_once', async (stage) => {
  const { database, door, put } = await stand(stage);
  await city(put);
  await put('applications/7', application(), 201);
  const until_at = new Date(Date.now() + 5 * 86400000).toISOString();
  const ask = (body, key, number = 7) => door.post(`/v1/applications/${number}/documents`, body, { 'idempotency-key': key });
  for (let i = 0; i < 2; i++)
    assert.deepEqual((await ask({ place: 'ЦОН 3', until: until_at }, 'one')).json, { application: 7, until: until_at });
  assert.equal((await ask({ place: 'ЦОН 4', until: until_at }, 'one')).json.code, 'idempotency_key_reused');
  assert.equal((await ask({ place: 'ЦОН 4', until: until_at }, 'two')).status, 202);
  assert.equal((await ask({ place: 'ЦОН 4', until: until_at }, 'three', 8)).status, 404);
  assert.equal((await ask({ place: 'ЦОН 4', until: '2020-01-01T00:00:00Z' }, 'four')).json.field, 'until');
  assert.equal((await ask({ until: until_at }, 'five')).json.code, 'missing_field');
  assert.equal((await ask({ place: 'ЦОН', until: until_at }, null)).json.code, 'missing_idempotency_key');
  await put('applications/7', application({ status: 'archived' }), 200);
  assert.equal((await ask({ place: 'ЦОН 3', until: until_at }, 'six')).json.code, 'closed');
  assert.equal((await ask({ place: 'ЦОН 3', until: until_at }, 'one')).status, 202, 'what was asked stays asked');
  assert.deepEqual(await database.ask(`select detail, until_at is not null from notice where kind = 10 order by detail`),
    [['ЦОН 3', 't'], ['ЦОН 4', 't']]);
});

// [what, path, body, status, code, field]
const bad = [
  ['no JSON', 'districts/1', '{"region"', 400, 'malformed_json'],
  ['nothing', 'districts/1', '', 400, 'malformed_json'],
  ['a list', 'applications/7', [], 422, 'wrong_type'],
  ['a doubled member', 'groups/4', '{"age_to":1,"age_to":2}', 400, 'malformed_json'],
  ['an unknown region', 'districts/5', { region: 'nowhere', names }, 422, 'unknown_reference', 'region'],
  ['an unknown district', 'kindergartens/5', { district: 5, names }, 422, 'unknown_reference', 'district'],
  ['an unknown kindergarten', 'groups/5', { kindergarten: 9, age_from: 1, age_to: 2, language: 'kk' }, 422, 'unknown_reference', 'kindergarten'],
  ['an unknown group', 'vacancies/5', { free: 1, released_at }, 422, 'unknown_reference', 'group'],
  ['an application of an unknown district', 'applications/7', application({ district: 5 }), 422, 'unknown_reference', 'district'],
  ['an unknown category', 'applications/7', application({ category: 'royal' }), 422, 'unknown_reference', 'category'],
  ['a bad check digit', 'applications/7', application({ child: { iin: '000101100007', first_name: 'А' } }), 422, 'invalid_iin', 'child.iin'],
  ['an impossible date', 'applications/7', application({ child: { iin: '180231500004', first_name: 'А' } }), 422, 'invalid_iin', 'child.iin'],
  ['a parent of rubbish', 'applications/7', application({ parents: [{ iin: 'mama' }] }), 422, 'invalid_iin', 'parents[0].iin'],
  ['no parent', 'applications/7', application({ parents: [] }), 422, 'invalid_value', 'parents'],
  ['a landline', 'applications/7', application({ phones: [{ number: '+77172123456', verified: true }] }), 422, 'invalid_number', 'phones[0].number'],
  ['a link for a name', 'applications/7', application({ child: { iin: child, first_name: 'www.example.kz' } }), 422, 'invalid_value', 'child.first_name'],
  ['registered tomorrow', 'applications/7', application({ registered_at: '2099-01-01T00:00:00Z' }), 422, 'invalid_value', 'registered_at'],
  ["a status that is kezek's own", 'applications/7', application({ status: 'annulled' }), 422, 'invalid_value', 'status'],
  ['priority before the release', 'vacancies/3', { free: 1, released_at, priority_until: '2026-09-01T00:00:00Z' }, 422, 'invalid_value', 'priority_until'],
  ['an unknown member', 'groups/3', { kindergarten: 2, age_from: 1, age_to: 2, language: 'kk', color: 'red' }, 422, 'unknown_field', 'color'],
];

journey('records__bad_ones__named_refusals_and_nothing_written', async (stage) => {
  const { database, door, put } = await stand(stage);
  await city(put);
  const counts = async () => Promise.all(['district', 'kindergarten', 'play_group', 'vacancy', 'application', 'notice', 'news']
    .map((t) => database.count(t)));
  const before = await counts();
  for (const [what, path, body, status, code, field] of bad) {
    const r = await put(path, body);
    assert.deepEqual([r.status, r.json.code], [status, code], `${what}: ${r.body}`);
    if (field) assert.equal(r.json.field, field, `${what}: ${r.body}`);
    assert.equal(r.json.retryable, false, what);
    assert.ok(!/00010110|7011234567|180231|Айгерім|mama/.test(r.body), `${what}: echoes what it got`);
  }
  for (const path of ['districts/0', 'groups/1000000000', 'applications/abc'])
    assert.equal((await put(path, {})).status, 404, path);
  const type = await door.call('PUT', '/v1/districts/1', { body: { region: 'sample', names }, headers: { 'content-type': 'text/plain' } });
  assert.deepEqual([type.status, type.json.code], [415, 'unsupported_media_type']);
  assert.equal((await door.call('DELETE', '/v1/districts/1')).status, 405);
  assert.deepEqual(await counts(), before);
});

