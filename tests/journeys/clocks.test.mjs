// What is due by the clock, in whole daemons: referrals that end, and a watched kindergarten's free place.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { journey, top, until } from '../lib/stage.mjs';
import { Door } from '../lib/http.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Rows, iin } from '../lib/rows.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();
const REFERRALS = 120;

async function metrics(stage, k) {
  const door = new Door({ socketPath: k.socket });
  stage.defer(() => door.close());
  return (await door.get('/metrics', { hold: false })).body;
}

// Referrals with numbers of their applications, in group 1, that are past their end.
const overdue = (numbers) => `insert into referral (number, application, play_group, status, extended, from_at, to_at, remind_at, seq)
  select n, n, 1, 0, false, now() - interval '7 days', now() - n * interval '1 ms', null, 1
  from unnest(array[${numbers}]) n`;

journey('end__two_daemons_one_killed_and_the_database_too__each_ends_once', async (stage) => {
  const database = await servers.database();
  const config = { database: { connect_timeout: '2s', job_timeout: '5s' } };
  const [a, b] = [await Kezek.prepare(stage, database, { config, name: 'a' }), await Kezek.prepare(stage, database, { config, name: 'b' })];
  await a.migrate();
  const rows = new Rows(a);
  const numbers = Array.from({ length: REFERRALS }, (_, i) => i + 1);
  await rows.group(1, { free: 0 });
  await rows.applications(numbers, { status: 1 });
  await database.ask(overdue(numbers.slice(0, REFERRALS / 2)));
  for (const k of [a, b]) {
    k.run();
    await k.ready();
  }
  await until('some have ended', () => database.count('referral', 'status = 3'));
  await database.ask(overdue(numbers.slice(REFERRALS / 2)));
  await until('more have ended', async () => (await database.count('referral', 'status = 3')) > REFERRALS / 2);
  await a.kill();
  await servers.kill();
  await servers.restart();
  await until('all have ended', async () => (await database.count('referral', 'status = 3')) === REFERRALS, 60000);
  assert.equal(await database.count('referral', 'seq = 2'), REFERRALS);
  assert.equal(await database.count('notice', 'kind = 7'), REFERRALS);
  assert.equal(await database.count('news', 'kind = 4 and via = 2'), REFERRALS);
  assert.equal(await database.count('application', 'status = 0 and stop_list_until > now()'), REFERRALS);
  assert.deepEqual(await database.ask('select free from vacancy'), [[`${REFERRALS}`]]);
  await until('nothing is late', async () => /kezek_clocks_lag_seconds\{clock="end"\} 0\n/.test(await metrics(stage, b)));
});

// The region's file comes and goes by reloads; no daemon holds on to what was.
journey('end__region_put_back_by_a_reload__ends_then', async (stage) => {
  const database = await servers.database();
  const regions = stage.path('regions');
  mkdirSync(regions);
  const k = await Kezek.prepare(stage, database, { config: { regions } });
  await k.migrate();
  await new Rows(k).group(1, { free: 0 });
  await new Rows(k).applications([7, 8], { status: 1 });
  await database.ask(overdue([7]));
  k.run();
  await k.ready();
  await until('it is seen and cannot be done',
    async () => /kezek_clocks_faults_total\{clock="end"\} [1-9]/.test(await metrics(stage, k)));
  assert.equal(await database.count('referral', 'status = 0'), 1);
  cpSync(`${top}/config/regions/sample.yaml`, `${regions}/sample.yaml`);
  process.kill(k.process.pid, 'SIGHUP');
  await until('it ends', () => database.count('referral', 'status = 3'), 30000);
  process.kill(k.process.pid, 'SIGHUP');
  await database.ask(overdue([8]));
  await until('so does the next', async () => (await database.count('referral', 'status = 3')) === 2, 30000);
});

journey('watch__portal_says_that_a_place_is_free__the_parent_is_told_once', async (stage) => {
  const database = await servers.database();
  const k = await Kezek.start(stage, database);
  const { key } = await k.ctl('key', 'add', 'portal', '--scope', 'records', '--scope', 'places');
  const door = k.door.withKey(key);
  const put = async (path, body) => {
    const r = await door.call('PUT', `/v1/${path}`, { body });
    assert.ok([200, 201].includes(r.status), `${path}: ${r.body}`);
  };
  const names = { kk: 'Айгөлек', ru: 'Айголек', en: 'Aigolek' };
  const application = (n) => put(`applications/${n}`, {
    child: { iin: iin('2109155', n), first_name: 'Айгерім', last_name: 'Серікқызы' }, parents: [{ iin: iin('8501014', n) }],
    phones: [{ number: '+77011234567', verified: true }], district: 1, category: n === 8 ? 'extraordinary' : 'general',
    registered_at: '2026-09-01T09:00:00+05:00', language: 'kk', groups: ['kk'] });
  await put('districts/1', { region: 'sample', names });
  await put('kindergartens/2', { district: 1, names });
  await put('groups/3', { kindergarten: 2, age_from: 1, age_to: 7, language: 'kk' });
  await application(7);
  await application(8);
  for (const n of [7, 8]) await put(`applications/${n}/watches/2`);
  const released_at = new Date(Date.now() - 60000).toISOString();
  await put('vacancies/3', { free: 1, released_at, priority_until: new Date(Date.now() + 3600000).toISOString() });
  await until('the privileged one is told', () => database.count('notice', 'kind = 9 and application = 8 and subject = 3'));
  // No operator is here that could take the notice: until it is sent both watch.
  for (const n of [7, 8]) assert.equal((await door.get(`/v1/applications/${n}/watches`)).json.watches.length, 1);
  await put('vacancies/3', { free: 1, released_at, priority_until: null });
  await until('so is the other, when priority is over', () => database.count('notice', 'kind = 9 and application = 7 and subject = 3'));
  assert.equal(await database.count('notice', 'kind = 9'), 2);
  assert.equal(await database.count('news', 'kind = 8'), 2);
});
