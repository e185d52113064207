// An import of records: in pieces, each line judged by itself, gone on with wherever it was cut short.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binaries, journey, until } from '../lib/stage.mjs';
import { Door } from '../lib/http.mjs';
import { Kezek, sanitizers } from '../lib/kezek.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();

// A daemon, and a door with a key that may put records.
async function stand(stage, options = {}) {
  const database = await servers.database();
  const k = await Kezek.start(stage, database, options);
  return { database, k, door: await doorOf(stage, k, 'portal') };
}

async function doorOf(stage, k, client) {
  const { key } = await k.ctl('key', 'add', client, '--scope', 'records');
  const door = new Door({ port: k.port, key });
  stage.defer(() => door.close());
  return door;
}

// The sample city as lines.
async function sample(k, applications) {
  const text = await k.stage.must(join(binaries, 'kezekctl'), ['sample', '--applications', String(applications), '--day',
    new Date().toISOString().slice(0, 10)], { env: k.env() });
  return text.trimEnd().split('\n');
}

const piece = (door, id, line, lines, more = '') => door.call('POST', `/v1/records/import?import=${id}&line=${line}${more}`,
  { body: lines.join('\n'), headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': null } });

const person = { first_name: 'Айгерім', last_name: 'Омарова' };
const application = (number, over = {}) => ({ kind: 'application', number, child: { iin: '211102650006', ...person },
  parents: [{ iin: '750101450007' }], phones: [{ number: '+77010000001', verified: true }], district: 1, category: 'general',
  registered_at: '2026-01-09T08:14:51Z', channel: 'sms', language: 'kk', groups: ['kk'], status: 'waiting', ...over });
const head = [
  { kind: 'district', id: 1, region: 'sample', names: { kk: 'Арман ауданы', ru: 'район Арман', en: 'Arman District' } },
  { kind: 'kindergarten', id: 7, district: 1, names: { kk: 'Айгөлек', ru: 'Айголек', en: 'Aigolek' } },
  { kind: 'group', id: 71, kindergarten: 7, age_from: 4, age_to: 5, language: 'kk' },
  { kind: 'vacancy', group: 71, free: 2, released_at: '2026-01-09T08:00:00Z' },
];

const days = (n) => new Date(Date.now() + n * 86400000).toISOString().replace(/\.\d+/, '');
const referral = (number, of = 1, over = {}) => ({ kind: 'referral', number, application: of, group: 71, status: 'offered', held: true,
  from: days(-1), to: days(6), ...over });

// [what, the line, code, field]
const bad = [
  ['rubbish', 'rubbish', 'malformed_json'],
  ['half a line', '{"kind":"application","number":1', 'malformed_json'],
  ['a NUL', 'a\0b', 'malformed_json'],
  ['a list', '[]', 'wrong_type'],
  ['too long', `{"kind":"${'x'.repeat(20000)}"}`, 'invalid_value'],
  ['no kind', '{"number":1}', 'missing_field', 'kind'],
  ['another kind', '{"kind":"school","id":1}', 'invalid_value', 'kind'],
  ['no number', { ...application(9), number: undefined }, 'missing_field', 'number'],
  ['number 0', application(0), 'invalid_value', 'number'],
  ['a bad check digit', application(9, { child: { iin: '211102650007', ...person } }), 'invalid_iin', 'child.iin'],
  ['an impossible date', application(9, { child: { iin: '210231650006', ...person } }), 'invalid_iin', 'child.iin'],
  ['an unknown district', application(9, { district: 8 }), 'unknown_reference', 'district'],
  ['an unknown category', application(9, { category: 'royal' }), 'unknown_reference', 'category'],
  ['an unknown kindergarten', { ...head[2], id: 72, kindergarten: 8 }, 'unknown_reference', 'kindergarten'],
  ['a landline', application(9, { phones: [{ number: '+77172123456', verified: true }] }), 'invalid_number', 'phones[0].number'],
  ['kezek\'s own status', application(9, { status: 'referred' }), 'invalid_value', 'status'],
  ['a referral to nobody', { ...referral(5), application: 99 }, 'unknown_reference', 'application'],
  ['a referral that ends before', { ...referral(5), to: '2020-01-01T00:00:00Z' }, 'invalid_value', 'to'],
  ['a referral without a number', { ...referral(5), number: undefined }, 'missing_field', 'number'],
  ['an unknown member', application(9, { address: 'x' }), 'unknown_field', 'address'],
];
const text = (line) => (typeof line === 'string' ? line : JSON.stringify(line));

journey('bad lines: line, field and reason of each, the others are kept', async (stage) => {
  const { database, door } = await stand(stage);
  const good = [...head, application(1), application(2)].map(text);
  const lines = [...good.slice(0, 4), ...bad.map(([, line]) => text(line)), '', ...good.slice(4)];
  const r = await piece(door, 'first', 1, lines);
  assert.equal(r.status, 200, r.body);
  assert.deepEqual([r.json.import, r.json.next_line, r.json.good, r.json.bad], ['first', lines.length + 1, 6, bad.length]);
  assert.deepEqual(r.json.faults.map(({ line, code, field }) => [line, code, field]),
    bad.map(([, , code, field], i) => [5 + i, code, field]));
  for (const personal of ['211102650007', '210231650006', '77172123456', 'Айгерім'])
    assert.ok(!r.body.includes(personal), `${personal} in an answer`);
  assert.deepEqual((await database.ask('select number, status from application order by 1')), [['1', '0'], ['2', '0']]);
  assert.equal(await database.count('play_group'), 1);
  assert.equal(await database.count('notice'), 0, 'no notices unless they are asked for');
  assert.deepEqual((await piece(door, 'first', 1, lines)).json.faults, r.json.faults, 'the same piece, the same answer');
  const { json: shown } = await door.get('/v1/records/import/first');
  assert.deepEqual([shown.next_line, shown.good, shown.bad, shown.faults], [r.json.next_line, 6, bad.length, r.json.faults]);
  const { json: later } = await door.get('/v1/records/import/first?after=6');
  assert.deepEqual(later.faults, r.json.faults.slice(2));
});

journey('pieces: the next line alone goes on, what was taken is not taken again', async (stage) => {
  const { database, k, door } = await stand(stage);
  const lines = [...head, ...[1, 2, 3, 4].map((n) => application(n))].map(text);
  assert.equal((await piece(door, 'two', 1, lines.slice(0, 5))).json.next_line, 6);
  const early = await piece(door, 'two', 7, lines.slice(6));
  assert.deepEqual([early.status, early.json.code, early.json.field, early.json.next_line], [409, 'import_line', 'line', 6]);
  await database.ask("update application set category = 'privileged' where number = 1");
  const { json } = await piece(door, 'two', 3, lines.slice(2)); // it begins before and ends behind
  assert.deepEqual([json.next_line, json.good, json.bad], [9, 8, 0]);
  assert.deepEqual(await database.ask('select number, category from application order by 1'),
    [['1', 'privileged'], ['2', 'general'], ['3', 'general'], ['4', 'general']]);
  const other = await doorOf(stage, k, 'another');
  assert.equal((await other.get('/v1/records/import/two')).status, 404, "another client's");
  assert.equal((await piece(other, 'two', 1, lines.slice(0, 1))).json.next_line, 2);
  assert.equal((await piece(door, 'loud', 1, [text(application(5))], '&notices=yes')).json.good, 1);
  assert.equal(await database.count('notice', 'application = 5'), 1);
});

journey('referrals: applications get them, no place of those told is taken, nobody is told', async (stage) => {
  const { database, door } = await stand(stage);
  const lines = [...head, ...[1, 2, 3, 4, 5].map((n) => application(n, n === 5 ? { status: 'enrolled' } : {})), referral(11, 1),
    referral(12, 2, { status: 'accepted' }), referral(13, 3, { held: undefined }), referral(14, 3), referral(15, 5, { status: 'enrolled' }),
    application(4, { category: 'privileged' }), referral(16, 4, { from: days(-9), to: days(-1) })].map(text);
  const { json } = await piece(door, 'r', 1, lines);
  assert.deepEqual([json.good, json.faults.map(({ line, code }) => [line, code])], [lines.length - 2, [[13, 'already'], [lines.length, 'past_end']]]);
  assert.equal(json.faults[1].field, 'to');
  assert.deepEqual(await database.ask('select number, status, category from application order by 1'),
    [['1', '1', 'general'], ['2', '2', 'general'], ['3', '1', 'general'], ['4', '0', 'privileged'], ['5', '3', 'general']]);
  assert.deepEqual(await database.ask('select number, application, status from referral order by 1'),
    [['11', '1', '0'], ['12', '2', '1'], ['13', '3', '0'], ['15', '5', '5']]);
  assert.deepEqual(await database.ask('select free from vacancy'), [['1']], 'one was not held');
  assert.deepEqual([await database.count('notice'), await database.count('news')], [0, 0]);
  assert.deepEqual((await piece(door, 'again', 1, lines.slice(9, 12))).json.good, 3, 'known and the same');
  await piece(door, 'loud', 1, [text(referral(16, 4))], '&notices=yes');
  assert.equal(await database.count('notice', 'application = 4'), 1);
});

journey('what is no piece: refused and nothing begun', async (stage) => {
  const { database, k, door } = await stand(stage, { config: { http: { body_limit: '64k' } } });
  const line = text(head[0]);
  const refused = async (code, status, path, { body = line, type = 'application/x-ndjson', by = door } = {}) => {
    const r = await by.call('POST', `/v1/records/import${path}`, { body, headers: { 'content-type': type } });
    assert.deepEqual([r.status, r.json.code], [status, code], `${path}: ${r.body}`);
  };
  await refused('missing_field', 422, '?line=1');
  await refused('missing_field', 422, '?import=a');
  for (const id of ['', 'a%20b', 'a%2Fb', 'x'.repeat(65)]) await refused('invalid_value', 422, `?import=${id}&line=1`);
  for (const n of ['0', '-1', '1x', '1000000001', '99999999999999999999']) await refused('invalid_value', 422, `?import=a&line=${n}`);
  await refused('invalid_value', 422, '?import=a&line=1&notices=maybe');
  await refused('unsupported_media_type', 415, '?import=a&line=1', { type: 'application/json' });
  await refused('body_too_large', 413, '?import=a&line=1', { body: 'x\n'.repeat(40000) });
  await refused('forbidden', 403, '?import=a&line=1', { by: k.door });
  assert.equal((await door.get('/v1/records/import/a')).status, 404);
  assert.equal((await door.get('/v1/records/import/a?after=x')).status, 422);
  assert.equal(await database.count('import'), 0);
});

// A file with a bad line in each fifty; answers its path, how many lines, and which are bad.
async function spoiled(stage, k, applications) {
  const lines = await sample(k, applications), at = [];
  const all = lines.flatMap((line, i) => {
    if (i % 50 !== 49) return [line];
    at.push(i + at.length + 1);
    return [text(bad[at.length % 3][1].slice(0, 20)), line];
  });
  const file = stage.path('city.jsonl');
  writeFileSync(file, `${all.join('\n')}\n`);
  return { file, lines: all.length, at, good: lines.length };
}

async function judge(database, city, applications, out) {
  const [[next, good, wrong]] = await database.ask('select next_line, good, bad from import');
  assert.deepEqual([Number(next), Number(good), Number(wrong)], [city.lines + 1, city.good, city.at.length]);
  assert.deepEqual(out.trimEnd().split('\n').map((l) => Number(/^line (\d+): malformed_json/.exec(l)?.[1])), city.at);
  assert.equal(await database.count('application'), applications);
  assert.equal(await database.count('kindergarten'), 344);
  const [[waiting, counted]] = await database.ask(`select (select count(*) from application where status = 0),
    (select sum(n) from queue_count where span = 0)`);
  assert.equal(waiting, counted, 'the counts of the queues');
}

journey('the daemon and PostgreSQL killed in the middle: the tool goes on, each line once', async (stage) => {
  const { database, k } = await stand(stage);
  const city = await spoiled(stage, k, 6000);
  const tool = spawn(join(binaries, 'kezekctl'), ['--socket', k.socket, 'import', city.file], { env: k.env() });
  let out = '', err = '';
  tool.stdout.on('data', (d) => { out += d; });
  tool.stderr.on('data', (d) => { err += d; });
  const ended = once(tool, 'close');
  const reach = (n) => until(`line ${n}: ${err}`, async () => Number((await database.ask('select max(next_line) from import'))[0][0]) >= n);
  for (const line of [1, 1500, 4000]) {
    await reach(line);
    await k.kill();
    k.run();
  }
  await reach(5500);
  await servers.kill();
  await servers.restart();
  assert.deepEqual(await ended, [1, null], err);
  assert.ok(err.includes('waiting, and going on by itself'), err);
  await judge(database, city, 6000, out);
});

journey('the tool killed in the middle: the same command goes on and names every bad line', async (stage) => {
  const { database, k } = await stand(stage);
  const city = await spoiled(stage, k, 4000);
  const tool = spawn(join(binaries, 'kezekctl'), ['--socket', k.socket, 'import', city.file],
    { env: { ...process.env, ...sanitizers }, stdio: 'ignore' });
  const ended = once(tool, 'close');
  await until('it has begun', async () => await database.count('import', 'next_line > 2000') === 1);
  tool.kill('SIGKILL');
  await ended;
  const again = await k.ctlRun('import', city.file);
  assert.equal(again.code, 1, again.err);
  assert.match(again.err, /goes on at line \d+\n/);
  await judge(database, city, 4000, again.out);
  const done = await k.ctlRun('import', city.file);
  assert.equal(done.code, 1, done.err);
  await judge(database, city, 4000, done.out);
});
