// Drives tests/bench/run. Each figure has its own phase with a daemon and a database of its own.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { Stage, binaries, freePort, until } from '../lib/stage.mjs';

const { values: options } = parseArgs({ options: {
  seconds: { type: 'string', default: '15' }, connections: { type: 'string', default: '256' }, json: { type: 'string' } } });
const seconds = Number(options.seconds);
const connections = Number(options.connections);
assert.ok(Number.isInteger(seconds) && seconds > 0 && Number.isInteger(connections) && connections > 0, 'whole numbers are wanted');

// One UCS-2 SMS, as most are.
const body = JSON.stringify({ to: '+7701{n}', text: 'Құрметті ата-ана! Кезек №{n}. Тексеру: *1234#' });
const config = {
  queue: { max_messages: 5000000, max_age: '1h' }, log: { level: 'warn' },
};
const figures = [];
const figure = (name, value, unit, what) => figures.push({ name, value, unit, what });

const ticks = 100; // USER_HZ, fixed by Linux's interface
function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}
const rssKib = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

async function load(stage, k, args) {
  const out = await stage.must(join(binaries, 'kezek-load'), ['--port', String(k.port), '--key', k.door.key, '--body', body, ...args],
    { within: 3600000 });
  const r = JSON.parse(out);
  assert.equal(r.failed, 0, out);
  assert.equal(r.ok, r.answered, `answers other than 202: ${out}`);
  return r;
}

async function phase(name, play) {
  process.stderr.write(`${name} ...\n`);
  const stage = new Stage(`bench-${name}`);
  try {
    await play(stage);
  } catch (e) {
    console.error(stage.tails());
    throw e;
  } finally {
    await stage.close();
  }
  stage.remove();
}

async function whole(stage, servers) {
  const smsc = await Simulator.start(stage, ['--receipt-delay', '0ms', '--receipt-window', '1000'], 'kezek-smsc', { log: false });
  const k = await Kezek.start(stage, await servers.database(), { config, operators: {
    one: operator(stage, { port: smsc.port, modes: ['transceiver', 'transceiver'], link: { window: 1000, rate: 100000 } }) } });
  await k.bound();
  return k;
}

async function receipts(k) {
  const { carriers } = await k.status();
  return carriers.flatMap((c) => c.links).reduce((n, l) => n + l.receipts, 0);
}

// From the first request to the last recorded receipt.
async function endToEnd(stage, servers) {
  const k = await whole(stage, servers);
  const { database } = k;
  figure('kezek.rss_idle_kib', rssKib(k.process.pid), 'KiB', 'memory at rest');
  await load(stage, k, ['--connections', String(connections), '--seconds', '2']); // caches and plans are warm then
  await settled(k, database);
  const [began, cpu] = [Date.now(), cpuSeconds(k.process.pid)];
  const before = await database.count('message');
  const r = await load(stage, k, ['--connections', String(connections), '--seconds', String(seconds)]);
  const ended = await settled(k, database);
  const spent = cpuSeconds(k.process.pid) - cpu;
  const n = await database.count('message') - before;
  assert.equal(n, r.ok);
  figure('kezek.e2e', Math.round(n / ((ended - began) / 1000)), 'messages/s', 'HTTP to recorded receipt, all of them');
  figure('kezek.e2e_accept', Math.round(r.per_second), 'messages/s', 'accepted meanwhile');
  figure('kezek.cpu_us_per_msg', Math.round(spent * 1e6 / n), 'us', 'processor time of kezekd a message, HTTP to receipt');
  figure('kezek.rss_loaded_kib', rssKib(k.process.pid), 'KiB', 'memory after that');
}

// Waits until every message has its receipt recorded; answers when that was seen. Links count receipts as they come, so
// the database is asked only at the end.
async function settled(k, database) {
  const n = await database.count('message');
  await until(async () => `receipts: ${await receipts(k)} of ${n}`, async () => await receipts(k) >= n, 600000, 50);
  await until('the last commits', async () => await database.count('message_event', 'final') === n, 60000, 50);
  return Date.now();
}

async function acceptOnly(stage, servers) {
  const port = await freePort();
  const k = await Kezek.start(stage, await servers.database(), { config, operators: {
    away: operator(stage, { port, reconnect: { min: '1h', max: '1h' } }) } });
  await load(stage, k, ['--connections', '256', '--seconds', '2']);
  const r = await load(stage, k, ['--connections', '256', '--seconds', String(seconds)]);
  figure('kezek.accept', Math.round(r.per_second), 'messages/s', 'durable accept alone, 256 connections');
}

async function latency(stage, servers) {
  const k = await whole(stage, servers);
  await load(stage, k, ['--connections', '64', '--seconds', '2', '--rate', '1000']);
  const r = await load(stage, k, ['--connections', '64', '--seconds', String(seconds), '--rate', '1000']);
  figure('kezek.accept_p50_ms', r.p50_us / 1000, 'ms', 'accept at 1,000/s, with operator and receipts');
  figure('kezek.accept_p99_ms', r.p99_us / 1000, 'ms', 'the same, 99th percentile');
}

const servers = new Servers({ hooks: false });
try {
  await phase('end-to-end', (stage) => endToEnd(stage, servers));
  await phase('accept', (stage) => acceptOnly(stage, servers));
  await phase('latency', (stage) => latency(stage, servers));
} finally {
  await servers.stop();
}
if (options.json)
  writeFileSync(options.json, `${JSON.stringify(figures.map(({ name, value, unit }) => ({ name, value, unit })), null, 1)}\n`);
const wide = (key) => Math.max(...figures.map((f) => String(f[key]).length));
for (const f of figures)
  console.log(`${f.name.padEnd(wide('name'))}  ${String(f.value).padStart(wide('value'))} ${f.unit.padEnd(wide('unit'))}  ${f.what}`);
