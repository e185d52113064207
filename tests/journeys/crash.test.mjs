// Killed in mid-load and started again: what was answered 202 is delivered.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { journey, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const quick = { message: { in_doubt_wait: '300ms', retry_min: '50ms' }, database: { connect_timeout: '2s', job_timeout: '5s' } };

// Sends n texts by several clients at once; a request without an answer, or told to come again, is repeated with its
// Idempotency-Key, as the API asks of its clients. Answers the 202s by text.
class Load {
  constructor(k, n, clients = 16) {
    Object.assign(this, { k, n, kept: new Map(), next: 0, over: false });
    this.done = Promise.all(Array.from({ length: clients }, () => this.client()));
    this.done.catch(() => {});
  }

  async client() {
    while (this.next < this.n && !this.over) {
      const text = `message ${this.next++}`;
      const key = randomUUID();
      while (!this.kept.has(text)) {
        if (this.over) return;
        try {
          const r = await this.k.door.post('/v1/messages', { to: '+77011234567', text }, { 'idempotency-key': key });
          if (r.status === 202) this.kept.set(text, r.json.id);
          else assert.ok([409, 429, 503].includes(r.status), r.body);
        } catch (e) {
          if (!e.code) throw e;
        }
        if (!this.kept.has(text)) await pause(30); // a client's own back-off
      }
    }
  }

  reached(share) { return until(`${share} of the load`, () => this.kept.size >= this.n * share, 60000); }
}

async function allArrived(k, load, centre) {
  await load.done;
  assert.equal(load.kept.size, load.n);
  for (const id of load.kept.values()) await k.settled(id, 'delivered', 60000);
  const arrived = new Map();
  for (const t of centre.texts) arrived.set(t.text, (arrived.get(t.text) ?? 0) + 1);
  const lost = [...load.kept.keys()].filter((text) => !arrived.has(text));
  assert.deepEqual(lost, [], 'lost');
  return [...arrived.values()].reduce((n, times) => n + times - 1, 0);
}

journey('kezekd__killed_twice_in_mid_load__everything_accepted_is_delivered', async (stage) => {
  const centre = await startCentre(stage, { keepsReceipts: true });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: quick,
    operators: { one: operator(stage, { port: centre.port, link: { rate: 300, window: 20 } }) } });
  await k.bound();
  const load = new Load(k, 900);
  stage.defer(() => { load.over = true; });
  for (const share of [0.3, 0.6]) {
    await load.reached(share);
    await k.kill();
    await k.run();
    await k.ready();
  }
  const duplicates = await allArrived(k, load, centre);
  assert.equal(await database.count('message'), 900, 'a repeated key is one message');
  const marked = Number((await database.ask('select count(*) from message_event where kind = 8'))[0][0]);
  console.log(`duplicates: ${duplicates}; at most the window at each kill: ${2 * 20}; resent: ${marked}`);
  assert.ok(duplicates <= 2 * 20, `${duplicates} duplicates`);
}, { withinMs: 180000 });

journey('postgresql__killed_in_mid_load__everything_accepted_is_delivered', async (stage) => {
  const centre = await startCentre(stage, { keepsReceipts: true });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: quick,
    operators: { one: operator(stage, { port: centre.port, link: { rate: 300, window: 20 } }) } });
  await k.bound();
  const load = new Load(k, 600);
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
  const load = new Load(k, 600);
  stage.defer(() => { load.over = true; });
  await load.reached(0.5);
  await k.stop();
  await k.run();
  await k.ready();
  assert.equal(await allArrived(k, load, centre), 0, 'a clean stop makes no duplicate');
}, { withinMs: 180000 });

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
