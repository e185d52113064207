// Drives tests/bench/unfinished: a daemon that finds very many messages unfinished, with the operator away, then back.
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { Stage, freePort, until } from '../lib/stage.mjs';
import { rssKib } from './measure.mjs';

const { values: given } = parseArgs({ options: { messages: { type: 'string', default: '1000000' } } });
const n = Number(given.messages);
assert.ok(Number.isInteger(n) && n > 0, '--messages wants a whole number above 0');

const servers = new Servers({ hooks: false });
const unfinished = (k) => k.metric('kezek_messages_unfinished');
const row = (what, value, unit) => console.log(`${what.padEnd(72)} ${String(value).padStart(10)} ${unit}`);

async function prepare(stage, room, port) {
  const database = await servers.database();
  const k = await Kezek.prepare(stage, database, { config: { queue: { max_messages: room, max_age: '24h' }, log: { level: 'warn' } },
    operators: { one: operator(stage, { port, modes: ['transceiver', 'transceiver'], link: { window: 1000, rate: 5000 } }) } });
  await k.migrate();
  k.run(); // makes today's partitions
  await k.ready();
  await k.openDoor();
  await k.stop();
  await database.putUnfinished(k.config.keyring, n);
  return { k, database };
}

async function play(name, room, body) {
  const stage = new Stage('unfinished');
  console.log(`-- ${name}`);
  try {
    await body(stage, room);
  } catch (e) {
    console.error(stage.tails());
    throw e;
  } finally {
    await stage.close();
  }
  stage.remove();
}

async function operatorAway(stage, room) {
  const { k } = await prepare(stage, room, await freePort());
  const from = Date.now();
  k.run();
  await k.ready();
  row('start to ready', Date.now() - from, 'ms');
  const idle = await rssKib(k.process.pid);
  const wanted = Math.min(n, room / 2);
  await until('as many as there is room for are in memory', async () => await unfinished(k) >= wanted, 600000, 50);
  const held = await unfinished(k);
  row(`start to ${held} in memory`, Date.now() - from, 'ms');
  const rss = await rssKib(k.process.pid);
  row('memory', rss, 'KiB');
  row('memory a waiting message, above 64 MiB', Math.max(0, Math.round((rss - 65536) * 1024 / held)), 'bytes');
  row('memory a waiting message, above what it was when ready', Math.round((rss - idle) * 1024 / held), 'bytes');
}

async function operatorPresent(stage, room) {
  const smsc = await Simulator.start(stage, ['--receipt-delay', '0ms', '--receipt-window', '1000', '--receipt-retry', '500ms'], 'kezek-smsc', { log: false });
  const { k, database } = await prepare(stage, room, smsc.port);
  const from = Date.now();
  let peak = 0;
  k.run();
  await k.ready();
  await k.bound();
  row('start to bound', Date.now() - from, 'ms');
  await until('all are sent', async () => {
    peak = Math.max(peak, await rssKib(k.process.pid));
    return await k.metric('kezek_messages_submitted_total') >= n;
  }, 1200000, 100);
  row('start to all submitted', Date.now() - from, 'ms');
  await until('all have their receipts', async () => {
    peak = Math.max(peak, await rssKib(k.process.pid));
    return await database.count('message_event', 'final') >= n;
  }, 1200000, 1000);
  row('start to all delivered', Date.now() - from, 'ms');
  row('memory at most', peak, 'KiB');
}

try {
  await play(`${n} unfinished, the operator away, room for all (queue.max_messages ${4 * n})`, 4 * n, operatorAway);
  await play(`${n} unfinished, the operator away, queue.max_messages 200000`, 200000, operatorAway);
  await play(`${n} unfinished, the operator there, queue.max_messages 200000`, 200000, operatorPresent);
} finally {
  await servers.stop();
}
process.exit(0);
