// Records that are put at the same time go together, and none of them feels it.
import assert from 'node:assert/strict';
import { journey } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();
const names = { kk: 'Алмалы', ru: 'Алмалинский', en: 'Almaly' };
const application = (more = {}) => ({ child: { iin: '211102650006', first_name: 'Айгерім' }, parents: [{ iin: '750101450007' }],
  phones: [{ number: '+77010000001', verified: true }], district: 1, category: 'general', registered_at: '2026-01-09T08:14:51Z', language: 'kk', ...more });

async function stand(stage) {
  const database = await servers.database();
  const k = await Kezek.start(stage, database);
  const doors = await Promise.all(['portal', 'clerk'].map(async (client) =>
    k.door.withKey((await k.ctl('key', 'add', client, '--scope', 'records')).key)));
  assert.equal((await doors[0].call('PUT', '/v1/districts/1', { body: { region: 'sample', names } })).status, 201);
  const put = (i, body) => doors[i % 100 > 50 ? 1 : 0].call('PUT', `/v1/applications/${i}`, { body });
  return { database, k, put };
}

const all = (n, fn) => Promise.all(Array.from({ length: n }, (_, i) => fn(i + 1)));

journey('records__many_at_once__together_and_each_its_own_answer', async (stage) => {
  const { database, put } = await stand(stage);
  const made = await all(100, (i) => put(i, application()));
  assert.deepEqual(made.map((r) => [r.status, r.json.number, r.json.seq]), Array.from({ length: 100 }, (_, i) => [201, i + 1, 1]));
  const changed = await all(100, (i) => put(i, i % 10 ? application({ category: 'privileged' }) : application({ category: 'royal' })));
  assert.deepEqual(changed.map((r) => [r.status, r.json.seq ?? r.json.code]),
    Array.from({ length: 100 }, (_, i) => ((i + 1) % 10 ? [200, 2] : [422, 'unknown_reference'])));
  const [[transactions]] = await database.ask('select count(distinct xmin::text) from application where seq = 2');
  assert.ok(Number(transactions) < 45, `${transactions} for 90`);
  assert.deepEqual(await database.ask('select category, seq, count(*), count(distinct api_key) from application group by 1, 2 order by 1, 2'),
    [['general', '1', '10', '2'], ['privileged', '2', '90', '2']]);
});

journey('records__one_of_many_that_the_database_refuses__alone_is_refused', async (stage) => {
  const { database, put } = await stand(stage);
  await database.ask(`create function refuse() returns trigger language plpgsql as $$ begin
    if exists (select from come where number = 13) then raise 'not thirteen'; end if; return null; end $$;
    create trigger refuse after insert on application referencing new table as come for each statement execute function refuse()`);
  const answers = await all(60, (i) => put(i, application()));
  answers.forEach((r, i) => assert.deepEqual([r.status, r.json.code], i + 1 === 13 ? [500, 'internal_error'] : [201, undefined], r.body));
  assert.equal(await database.count('application'), 59);
  assert.equal(await database.count('notice'), 59);
});

journey('records__the_same_one_many_times_at_once__one_after_the_other', async (stage) => {
  const { database, put } = await stand(stage);
  const answers = await all(40, (i) => put(7, application({ child: { iin: '211102650006', first_name: i % 2 ? 'Айгерім' : 'Мадина' } })));
  assert.equal(answers.filter((r) => r.status === 201).length, 1);
  assert.ok(answers.every((r) => r.status === 200 || r.status === 201));
  assert.deepEqual(answers.map((r) => r.json.seq).sort((a, b) => b - a)[0], Number((await database.ask('select seq from application'))[0][0]));
});

journey('records__the_daemon_goes_while_many_are_put__those_answered_are_kept', async (stage) => {
  const { database, k, put } = await stand(stage);
  const asked = all(100, (i) => put(i, application()).catch(() => null));
  await put(200, application());
  await k.kill();
  const kept = new Set((await database.ask('select number from application')).map(([n]) => Number(n)));
  for (const r of await asked) if (r) assert.ok(kept.has(r.json.number), r.body);
});
