// A portal under way: many messages by several clients through the doors of one daemon or more.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from './stage.mjs';

// Sends n texts; a request without an answer, or told to come again, is repeated at the next door with its
// Idempotency-Key, as the API asks of its clients. kept: the 202s by text; told: how often which status.
export class Load {
  constructor(daemons, n, { clients = 16, to = '+77011234567', name = 'message' } = {}) {
    Object.assign(this, { daemons, n, to, name, kept: new Map(), told: {}, next: 0, over: false, retryAfters: 0 });
    this.done = Promise.all(Array.from({ length: clients }, (_, i) => this.client(i)));
    this.done.catch(() => {});
  }

  async client(door) {
    while (this.next < this.n && !this.over) {
      const text = `${this.name} ${this.next++}`;
      const key = randomUUID();
      while (!this.kept.has(text) && !this.over) {
        await this.post(this.daemons[door++ % this.daemons.length], text, key);
        if (!this.kept.has(text)) await pause(30); // a client's own back-off
      }
    }
  }

  async post(k, text, key) {
    try {
      const r = await k.door.post('/v1/messages', { to: this.to, text }, { 'idempotency-key': key });
      this.told[r.status] = (this.told[r.status] ?? 0) + 1;
      if (r.status === 202) this.kept.set(text, r.json.id);
      else this.judge(r);
    } catch (e) {
      if (!e.code || e.code === 'ERR_ASSERTION') throw e;
    }
  }

  judge(r) {
    assert.ok([409, 429, 503].includes(r.status), r.body);
    if (r.status !== 409) assert.ok(Number(r.headers['retry-after']) > 0, `${r.status} without Retry-After`);
  }

  reached(share, withinMs = 60000) { return this.more(this.n * share - this.kept.size, withinMs); }

  // So many more are kept.
  more(n, withinMs = 60000) {
    const wanted = Math.min(this.kept.size + n, this.n);
    return until(() => `${wanted} of ${this.n} kept, now ${this.kept.size}`, () => this.kept.size >= wanted, withinMs);
  }
}

// Every message of the load is kept and delivered, as k says; answers how often one of its texts came to a phone
// again.
export async function allArrived(k, load, centres, withinMs = 60000) {
  await load.done;
  assert.equal(load.kept.size, load.n);
  for (const id of load.kept.values()) await k.settled(id, 'delivered', withinMs);
  const arrived = new Map();
  for (const t of [centres].flat().flatMap((centre) => centre.texts))
    if (load.kept.has(t.text)) arrived.set(t.text, (arrived.get(t.text) ?? 0) + 1);
  const lost = [...load.kept.keys()].filter((text) => !arrived.has(text));
  assert.deepEqual(lost, [], 'lost');
  return [...arrived.values()].reduce((n, times) => n + times - 1, 0);
}
