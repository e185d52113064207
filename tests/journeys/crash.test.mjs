// Killed in mid-load and started again: what was answered 202 is delivered.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Load, allArrived } from '../lib/load.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const quick = { message: { in_doubt_wait: '300ms', retry_min: '50ms' }, database: { connect_timeout: '2s', job_timeout: '5s' } };

journey('kezekd__killed_twice_in_mid_load__everything_accepted_is_delivered', async (stage) => {
  const centre = await startCentre(stage, { keepsReceipts: true });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: quick,
    operators: { one: operator(stage, { port: centre.port, link: { rate: 300, window: 20 } }) } });
  await k.bound();
  const load = new Load([k], 900);
  stage.defer(() => { load.over = true; });
  for (const share of [0.3, 0.6]) {
    await load.reached(share);
    await k.kill();
    await k.run();
    await k.ready();
  }
  const duplicates = await allArrived(k, load, centre);
  assert.equal(await database.count('message'), 900, 'a repeated key is one message');
  console.log(`duplicates: ${duplicates}; at most the window at each kill: ${2 * 20}`);
  assert.ok(duplicates <= 2 * 20, `${duplicates} duplicates`);
  const times = (id) => centre.texts.filter((t) => load.kept.get(t.text) === id).length;
  for (const id of new Set(centre.texts.map((t) => load.kept.get(t.text))).values())
    if (times(id) > 1)
      assert.ok((await k.door.message(id)).timeline.filter((e) => e.event === 'resent').length >= times(id) - 1, `${id} is not marked`);
}, { withinMs: 180000 });

journey('postgresql__killed_in_mid_load__everything_accepted_is_delivered', async (stage) => {
  const centre = await startCentre(stage, { keepsReceipts: true });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: quick,
    operators: { one: operator(stage, { port: centre.port, link: { rate: 300, window: 20 } }) } });
  await k.bound();
  const load = new Load([k], 600);
  stage.defer(() => { load.over = true; });
  await load.reached(0.4);
  await servers.kill();
  await servers.restart();
  await k.ready();
  const duplicates = await allArrived(k, load, centre);
  console.log(`duplicates: ${duplicates}`);
  assert.ok(duplicates <= 20, `${duplicates} duplicates: the window at the loss`);
  assert.equal(await database.count('message'), 600);
}, { withinMs: 180000 });

journey('kezekd__sigterm_in_mid_load__drains_and_the_rest_waits_for_the_next_start', async (stage) => {
  const centre = await startCentre(stage, { keepsReceipts: true });
  const k = await Kezek.start(stage, await servers.database(), { config: quick,
    operators: { one: operator(stage, { port: centre.port, link: { rate: 200, window: 20 } }) } });
  await k.bound();
  const load = new Load([k], 600);
  stage.defer(() => { load.over = true; });
  await load.reached(0.5);
  await k.stop();
  await k.run();
  await k.ready();
  assert.equal(await allArrived(k, load, centre), 0, 'a clean stop makes no duplicate');
}, { withinMs: 180000 });

// The centre takes what comes and never answers; the rest waits behind the window.
async function killedWithBacklog(stage) {
  let mute = true;
  const centre = await startCentre(stage, { onSubmit: () => (mute ? { silent: true } : undefined) });
  const k = await Kezek.start(stage, await servers.database(), { config: { message: { in_doubt_wait: '1h' } },
    operators: { one: operator(stage, { port: centre.port, timers: { unbind: '500ms' }, link: { window: 5 } }) } });
  await k.bound();
  const ids = [];
  for (let i = 0; i < 400; i++) ids.push((await k.door.send({ to: '+77011234567', text: `notice ${i}` })).id);
  await until('the window is full', () => centre.submits.length === 5);
  return { centre, k, ids, answer: () => { mute = false; } };
}

const interrupted = async (k, ids) => {
  const found = [];
  for (const id of ids)
    if ((await k.door.message(id)).timeline.some((e) => e.event === 'interrupted')) found.push(id);
  return found;
};

journey('kezekd__killed_with_a_backlog__only_what_may_have_been_on_the_wire_is_in_doubt', async (stage) => {
  const { centre, k, ids, answer } = await killedWithBacklog(stage);
  const near = 128 + 2 * 5;
  await k.kill();
  answer();
  k.run();
  await k.ready();
  await until('what waited goes at once', () => centre.submits.length >= 5 + 400 - 5 - near, 30000);
  const doubted = await interrupted(k, ids);
  assert.deepEqual(doubted.slice(0, 5), ids.slice(0, 5), 'what was on the wire');
  assert.ok(doubted.length <= 5 + near, `${doubted.length} are in doubt`);
  const again = new Set(centre.submits.slice(5).map((s) => s.text));
  for (const s of centre.submits.slice(0, 5)) assert.ok(!again.has(s.text), 'it waits for its receipt');
  await k.stop();
  k.writeConfig({ message: { in_doubt_wait: '100ms' } });
  k.run();
  await k.ready();
  for (const id of ids) await k.settled(id, 'delivered', 60000);
  for (const id of ids.slice(0, 5))
    assert.deepEqual((await k.door.message(id)).timeline.map((e) => e.event), ['accepted', 'interrupted', 'resent', 'submitted', 'receipt']);
  for (const id of ids.filter((i) => !doubted.includes(i)))
    assert.deepEqual((await k.door.message(id)).timeline.map((e) => e.event), ['accepted', 'submitted', 'receipt']);
}, { withinMs: 120000 });

journey('kezekd__stopped_with_a_backlog__what_was_not_written_is_not_in_doubt', async (stage) => {
  const { centre, k, ids, answer } = await killedWithBacklog(stage);
  await k.stop();
  answer();
  k.writeConfig({ message: { in_doubt_wait: '100ms' } });
  k.run();
  await k.ready();
  for (const id of ids) await k.settled(id, 'delivered', 60000);
  assert.deepEqual(await interrupted(k, ids), []);
}, { withinMs: 120000 });

// Messages of slot 0 as if accepted so long ago and never sent.
const putOpen = (k, database, { count, agoMs, cls, text }) => {
  const from = BigInt(Date.now() - agoMs) - 1704067200000n;
  return database.putOpen(k.config.keyring, Array.from({ length: count }, (_, i) => [from + BigInt(i) << 22n, { to: 77011234567, text }]),
    { cls, alphabet: 0, life: '1 hour' });
};

journey('kezekd__starts_behind_a_mailing__the_newest_is_read_back_first', async (stage) => {
  const centre = await startCentre(stage);
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: quick,
    operators: { one: operator(stage, { port: centre.port, link: { rate: 10 } }) } });
  await k.kill();
  await putOpen(k, database, { count: 40000, agoMs: 600000, cls: 2, text: 'mailing' });
  await putOpen(k, database, { count: 1, agoMs: 1000, cls: 0, text: 'code' });
  k.run();
  await k.ready();
  await until('the first is sent', () => centre.submits.length > 0);
  assert.equal(centre.submits[0].text, 'code');
  await until('the others are read back, too', async () => await k.metric('kezek_messages_unfinished') > 39000);
});

journey('operator__away_at_the_crash__messages_go_when_it_is_back', async (stage) => {
  const centre = await startCentre(stage);
  const { port } = centre;
  const k = await Kezek.start(stage, await servers.database(), { config: quick,
    operators: { one: operator(stage, { port }) } });
  await k.bound();
  await centre.close();
  const kept = await Promise.all(Array.from({ length: 50 }, (_, i) => k.door.send({ to: '+77011234567', text: `Сәлем ${i} `.repeat(12) })));
  await k.kill();
  await k.run();
  await k.ready();
  const back = await startCentre(stage, { port });
  for (const { id } of kept) await k.settled(id, 'delivered', 40000);
  assert.equal(back.texts.length, 50);
  assert.ok(back.texts.every((t) => t.parts === 3 || t.parts === 2));
});
