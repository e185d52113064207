// Who is killed when, and that he is started again at once.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { Door } from '../lib/http.mjs';
import { until } from '../lib/stage.mjs';

const CALM_MS = [50, 1000]; // from everybody's recovery to the next kill
const ROUGH_MS = [0, 400];  // from the last start to a kill in the midst of it
const WELL_MS = 60000;      // who needs longer hangs

// [{calm, waitMs, who: [names]}], n kills in all. A name that stands twice in names is killed twice as often.
export function plan(chance, names, n) {
  const steps = [];
  for (let left = n; left > 0;) {
    const calm = steps.length === 0 || chance.yes(0.6);
    const who = [chance.one(names)];
    if (left > 1 && chance.yes(0.3)) who.push(chance.one(names.filter((name) => name !== who[0])));
    steps.push({ calm, waitMs: chance.between(...(calm ? CALM_MS : ROUGH_MS)), who });
    left -= who.length;
  }
  return steps;
}

// A process that is killed and started again. well: since its last start everybody is well again.
class Victim {
  constructor(name, weight, { kill, start }, allWell) {
    Object.assign(this, { name, weight, kills: 0, recoveries: [], doKill: kill, doStart: start, allWell, well: Promise.resolve() });
  }

  async kill() {
    this.kills += 1;
    await this.doKill();
  }

  async start() {
    const mine = this.kills;
    const began = performance.now();
    await this.doStart();
    const over = async () => this.kills !== mine || await this.allWell();
    this.well = until(() => `well again after ${this.name} was killed`, over, WELL_MS)
      .then(() => { if (this.kills === mine) this.recoveries.push(performance.now() - began); });
    this.well.catch(() => {});
  }
}

// A Kezek or a Simulator.
const program = (p) => ({
  kill: () => {
    assert.ok(!p.process.ended, `${p.process.name} ended by itself: ${JSON.stringify(p.process.ended)}`);
    return p.kill();
  },
  start: () => p.run(),
});

// pg_ctl waits for the recovery to end, and fails when its server is killed meanwhile.
function database(servers) {
  let starting = Promise.resolve();
  return {
    kill: async () => {
      await servers.kill();
      await starting;
    },
    start: async () => {
      starting = servers.restart().catch(() => {});
      await until('PostgreSQL begins', () => servers.begun());
    },
  };
}

// Ready, and every link bound.
async function systemIsWell(k) {
  const run = k.runs.at(-1);
  assert.ok(!run.process.ended || run.killed, `${run.process.name} ended by itself: ${JSON.stringify(run.process.ended)}`);
  const door = new Door({ socketPath: k.socket });
  try {
    const ready = await door.get('/readyz', { hold: false });
    return ready.status === 200 && Object.values(ready.json.operators).every((o) => o === 'up');
  } finally {
    door.close();
  }
}

// PostgreSQL less often: it takes seconds to recover, and nothing happens meanwhile.
export const victims = (k, smsc, servers) => [
  new Victim('kezekd', 2, program(k), () => systemIsWell(k)),
  new Victim('kezek-smsc', 2, program(smsc), () => systemIsWell(k)),
  new Victim('postgresql', 1, database(servers), () => systemIsWell(k)),
];

export class Killer {
  constructor(victims, chance) { Object.assign(this, { victims, chance, killed: 0 }); }

  named(name) { return this.victims.find((v) => v.name === name); }
  allWell() { return Promise.all(this.victims.map((v) => v.well)); }

  async step({ calm, waitMs, who }) {
    if (calm) await this.allWell();
    await pause(waitMs);
    const victims = who.map((name) => this.named(name));
    await Promise.all(victims.map((v) => v.kill()));
    this.killed += victims.length;
    await Promise.all(victims.map((v) => v.start()));
  }

  async run(n, onStep) {
    for (const step of plan(this.chance, this.victims.flatMap((v) => Array(v.weight).fill(v.name)), n)) {
      await this.step(step);
      onStep(this.killed, step);
    }
    await this.allWell();
  }
}
