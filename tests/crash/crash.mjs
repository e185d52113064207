// Drives tests/crash/run: load and kills, then the end of both, then every message's history is judged.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { Stage, until } from '../lib/stage.mjs';
import { Chance } from './chance.mjs';
import { Ears } from './ears.mjs';
import { histories, readJournal } from './gather.mjs';
import { Verdict } from './history.mjs';
import { Killer, victims } from './kills.mjs';
import { Load } from './load.mjs';

const { values: options } = parseArgs({ options: {
  kills: { type: 'string', default: '30' }, rate: { type: 'string', default: '500' }, seed: { type: 'string' } } });
const kills = Number(options.kills);
const rate = Number(options.rate);
const seed = options.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(options.seed);
assert.ok([kills, rate, seed].every((n) => Number.isInteger(n) && n >= 0) && rate > 0, 'whole numbers are wanted');

const WINDOW = 10, LINKS = 2;
const config = {
  database: { connect_timeout: '2s', job_timeout: '5s' },
  message: { in_doubt_wait: '1s', retry_min: '50ms', retry_max: '1s' },
  webhook: { allow_private: true, retry_min: '50ms' },
  log: { level: 'warn' },
};
// Slow enough that there is always something on the wire, receipts included.
const habits = ['--response-delay', '10ms', '--receipt-delay', '20ms', '--receipt-retry', '500ms'];
const END_MS = 180000; // until everything has ended, once nobody is killed any more

async function start(stage, servers) {
  const journal = stage.path('journal');
  const smsc = await Simulator.start(stage, ['--journal', journal, ...habits], 'kezek-smsc', { log: false });
  const k = await Kezek.start(stage, await servers.database(), { config, operators: { one: operator(stage, {
    port: smsc.port, modes: Array(LINKS).fill('transceiver'), link: { window: WINDOW, rate: 10000 } }) } });
  await k.bound();
  return { k, smsc, journal };
}

// Waits until every message has its end; what has none by then the judge will say.
async function allEnded(k) {
  const open = 'not exists (select from message_event e where e.message_id = message.id and e.final)';
  let left;
  await until('every message has an end', async () => {
    const { queue } = await k.status();
    left = queue.waiting;
    if (left) return false;
    left = await k.database.count('message', open);
    return left === 0;
  }, END_MS, 500).catch((e) => console.log(`${e.message}: ${left} have none`));
}

// Waits until the portal was told of every end; what it was told of otherwise, or not at all, is a fault.
async function allTold(ears, load) {
  const ids = load.answers.filter(Boolean);
  const untold = () => ids.filter((id) => !ears.told.has(id));
  await until('the portal was told of every end', () => untold().length === 0, END_MS, 500).catch(() => {});
  return untold().length ? [`the portal was never told of ${untold().length} ends: ${untold().slice(0, 5)}`] : [];
}

// What must be back where it was.
async function leftInMemory(k) {
  const { queue, carriers } = await k.status();
  const faults = [];
  if (queue.waiting) faults.push(`${queue.waiting} messages are still in kezekd's memory`);
  const used = carriers.flatMap((c) => c.links).filter((l) => l.window_used);
  if (used.length) faults.push(`${used.length} links still wait for answers`);
  return faults;
}

const percentile = (sorted, share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
const sorted = (list) => list.slice().sort((a, b) => a - b);

function table({ load, killer, ears, verdict, most, seconds, endedS, rssKib }) {
  const waits = sorted(load.waits);
  const rows = [
    ['killed', `${killer.killed} (${killer.victims.map((v) => `${v.name} ${v.kills}`).join(', ')})`],
    ['well again, median / longest', killer.victims.map((v) =>
      `${v.name} ${percentile(sorted(v.recoveries), 0.5)} / ${percentile(sorted(v.recoveries), 1)} ms`).join(', ')],
    ['accepted (202)', `${verdict.accepted} in ${seconds.toFixed(0)} s, ${Math.round(verdict.accepted / seconds)} messages/s`],
    ['first try to 202, p50 / p99', `${percentile(waits, 0.5)} / ${percentile(waits, 0.99)} ms`],
    ['tries repeated', `${load.count.repeated} (${load.count.unanswered} unanswered${
      Object.entries(load.statuses).map(([s, n]) => `, ${n} x ${s}`).join('')})`],
    ['ended', Object.entries(verdict.ended).map(([state, n]) => `${state} ${n}`).join(', ')],
    ['last end after the last message', `${endedS.toFixed(1)} s`],
    ['parts / seen by the centre', `${verdict.parts} / ${verdict.took}`],
    ['duplicates', `${verdict.duplicates}, and ${most} may be`],
    ['marked as possible duplicates', `${verdict.resent}`],
    ['lost', `${verdict.lost}`],
    ['told by webhook / told again', `${ears.told.size} / ${ears.repeated}`],
    ['memory of kezekd at the end', `${rssKib} KiB`],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(32)} ${value}`);
}

async function play(stage, servers) {
  const { k, smsc, journal } = await start(stage, servers);
  const ears = await Ears.open(stage);
  await k.ctl('webhook', 'add', 'journeys', ears.url);
  const load = new Load({ port: k.port, key: k.door.key, seed, rate, chance: new Chance(seed + 1) });
  stage.defer(() => { load.over = true; });
  const killer = new Killer(victims(k, smsc, servers), new Chance(seed + 2));
  const began = performance.now();
  await killer.run(kills, (n, { who, calm }) => {
    const at = ((performance.now() - began) / 1000).toFixed(1);
    process.stderr.write(`${at} s: ${n} killed: ${who.join(', ')}${calm ? '' : ', while not all were well'}\n`);
  });
  await load.stop();
  const seconds = (performance.now() - began) / 1000;
  await allEnded(k);
  const endedS = (performance.now() - began) / 1000 - seconds;
  await load.lookAgain();
  const faults = [...load.faults, ...await allTold(ears, load), ...await leftInMemory(k)];
  const rssKib = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${k.process.pid}/status`, 'utf8'))[1]);
  await k.stop();
  await smsc.process.stop();
  const verdict = new Verdict();
  const noted = await readJournal(journal, seed, load.next);
  if (noted.strange.length) faults.push(`the centre saw ${noted.strange.length} parts that nobody asked for`);
  for await (const h of histories(stage, k.database, load, noted, ears)) verdict.add(h);
  const most = killer.victims.filter((v) => v.name !== 'postgresql').reduce((n, v) => n + v.kills, 0) * WINDOW * LINKS;
  table({ load, killer, ears, verdict, most, seconds, endedS, rssKib });
  faults.push(...verdict.faults(most));
  if (verdict.offenders.length) writeFileSync(stage.path('offenders.json'), JSON.stringify(verdict.offenders, null, 1));
  for (const { faults: words, history } of verdict.offenders)
    console.log(`message ${history.n}: ${words.join('; ')}\n  ${JSON.stringify(history)}`);
  return faults;
}

console.log(`seed ${seed}`);
const stage = new Stage('crash');
const servers = new Servers({ hooks: false });
let faults, broken = false;
const breaks = (e) => {
  broken = true;
  return e.stack;
};
try {
  faults = await play(stage, servers);
} catch (e) {
  faults = [breaks(e)];
}
await stage.close().catch((e) => faults.push(breaks(e)));
await servers.stop();
if (faults.length) {
  if (broken) console.log(stage.tails());
  console.log(`${faults.join('\n')}\nthe files are in ${stage.dir}`);
  process.exitCode = 1;
} else {
  stage.remove();
}
