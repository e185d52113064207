// Back-pressure: one operator is away, slow or throttles, and the others do not notice.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const DEAD = '+77021234567', SOUND = '+77011234567';

async function stand(stage, queue) {
  const centre = await startCentre(stage);
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { queue }, operators: {
    dead: operator(stage, { port: 1, prefixes: ['7702'] }),
    sound: operator(stage, { port: centre.port, prefixes: ['7701'] }),
  } });
  await k.bound('sound');
  return { k, database, door: k.door };
}

const kept = async (door, wish) => (await door.post('/v1/messages', wish)).status === 202;

// Until the door says 429; answers it and how many went before.
async function fill(door, wish) {
  for (let n = 0; ; n++) {
    const r = await door.post('/v1/messages', { ...wish, text: `n ${n}` });
    if (r.status !== 202) return { r, n };
  }
}

journey('queue__of_a_dead_operator_is_full__429_for_it_alone', async (stage) => {
  const { k, database, door } = await stand(stage, { max_messages: 100 });
  const { r, n } = await fill(door, { to: DEAD });
  assert.deepEqual([r.status, r.json.code, r.json.retryable, r.headers['retry-after']], [429, 'too_many_messages', true, '30']);
  assert.equal(n, 38, 'half of what is not for codes');
  assert.equal(await database.count('message'), 38, 'a refused one is not kept');
  for (let i = 0; i < 150; i++) await k.settled((await door.send({ to: SOUND, text: `s ${i}` })).id);
  assert.ok(await kept(door, { to: DEAD, text: 'a code', class: 'code' }));
  assert.ok(await kept(door, { to: DEAD, text: 'another class', class: 'bulk' }));
  assert.equal((await fill(door, { to: DEAD })).n, 0);
  assert.equal(await k.metric('kezek_messages_not_admitted_total{class="notice",why="full"}'), 2);
  assert.equal(await k.metric('kezek_queue_messages{carrier="dead",class="notice"}'), 38);
  assert.equal(await k.metric('kezek_queue_messages{carrier="sound",class="notice"}'), 0);
});

journey('queue__of_a_dead_operator_is_full__lines_of_a_batch_for_others_are_kept', async (stage) => {
  const { k, door } = await stand(stage, { max_messages: 100 });
  await fill(door, { to: DEAD });
  const mixed = await door.batch([{ to: DEAD, text: 'x' }, { to: SOUND, text: 'y' }, { to: DEAD, text: 'z' }]);
  assert.deepEqual([mixed.status, ...mixed.lines.map((l) => l.status)], [202, 429, 202, 429]);
  assert.equal(mixed.lines[0].code, 'too_many_messages');
  await k.settled(mixed.lines[1].id);
  const none = await door.batch([{ to: DEAD, text: 'x' }, { to: SOUND, text: '' }]);
  assert.deepEqual([none.status, none.json.code, none.headers['retry-after']], [429, 'too_many_messages', '30']);
});

journey('queue__of_a_dead_operator_is_too_old__429_for_that_class_of_it', async (stage) => {
  const { k, door } = await stand(stage, { max_age: '1s' });
  assert.ok(await kept(door, { to: DEAD, text: 'first' }));
  const r = await until('429', async () => {
    const now = await door.post('/v1/messages', { to: DEAD, text: 'later' });
    return now.status !== 202 && now;
  });
  assert.deepEqual([r.status, r.json.code], [429, 'too_many_messages']);
  assert.ok(await kept(door, { to: DEAD, text: 'a code', class: 'code' }));
  assert.ok(await kept(door, { to: DEAD, text: 'bulk', class: 'bulk' }));
  await k.settled((await door.send({ to: SOUND, text: 'sound' })).id);
  assert.ok(await k.metric('kezek_queue_oldest_seconds{carrier="dead",class="notice"}') > 1);
  assert.equal(await k.metric('kezek_messages_not_admitted_total{class="notice",why="old"}'), 1);
});
