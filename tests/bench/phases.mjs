// What is measured: of both gateways first, of kezek alone below. A gateway is a KezekUnderLoad or a Kannel, fresh for
// each phase.
import assert from 'node:assert/strict';
import { Crowd } from '../lib/crowd.mjs';
import { until } from '../lib/stage.mjs';
import { Meter, descriptors, median, peakKib, rssKib } from './measure.mjs';

const warm = { seconds: 2, count: 1000 }; // caches and plans, whichever comes first

// From the first request to the last recorded receipt. count: most messages, 0 for as many as the seconds allow.
export async function endToEnd(gateway, servers, { connections, seconds: forSeconds, count, withinMs }) {
  await gateway.bound();
  const first = await gateway.load(['--connections', connections, '--seconds', warm.seconds,
    '--count', count ? warm.count : 0]);
  await gateway.settled(first.ok, withinMs);
  const meter = new Meter(servers, gateway.pids);
  const r = await gateway.load(['--connections', connections, '--seconds', forSeconds, '--count', count]);
  const seconds = (await gateway.settled(first.ok + r.ok, withinMs) - r.began_ms) / 1000;
  return { n: r.ok, seconds, ...meter.read(), accepted: r.per_second, peak: peakKib(gateway.pids) };
}

// With the operator away: nothing but keeping.
export async function acceptAlone(gateway, { connections, seconds }) {
  await gateway.load(['--connections', connections, '--seconds', warm.seconds]);
  const before = gateway.pids.reduce((sum, pid) => sum + rssKib(pid), 0);
  const r = await gateway.load(['--connections', connections, '--seconds', seconds]);
  const after = gateway.pids.reduce((sum, pid) => sum + rssKib(pid), 0);
  return { rate: r.per_second, bytesPerWaiting: (after - before) * 1024 / r.ok };
}

// Accepts at a steady rate, with operator and receipts.
export async function latency(gateway, { seconds }) {
  await gateway.bound();
  await gateway.load(['--connections', 64, '--seconds', warm.seconds, '--rate', 1000]);
  const r = await gateway.load(['--connections', 64, '--seconds', seconds, '--rate', 1000]);
  return { p50: r.p50_us / 1000, p99: r.p99_us / 1000 };
}

// A transaction that looks at the database as it is now, until the callback is called.
async function holdSnapshot(stage, database) {
  const name = `snapshot-${Date.now()}`;
  stage.start(name, 'psql', ['-X', '-c', 'begin isolation level repeatable read', '-c', 'select count(*) from message',
    '-c', 'select pg_sleep(3600)', `${database.conninfo} application_name=${name}`]);
  const where = `pg_stat_activity where application_name = '${name}'`;
  await until('a snapshot is held', async () => (await database.ask(`select 1 from ${where} and backend_xmin is not null
    and query like '%pg_sleep%'`)).length > 0);
  return () => database.ask(`select pg_terminate_backend(pid) from ${where}`);
}

// p99 of loads at 1,000/s in turn, each with what one of enters brings (and answers how to be rid of): by the names of
// enters, and each turn in the other order. median: of the single seconds, as what the machine does now and then falls on few of them; all: of all
// requests of a load, median of the loads.
async function inTurn(gateway, { seconds, turns: n }, enters) {
  const names = Object.keys(enters);
  const turns = Object.fromEntries(names.map((name) => [name, []]));
  const look = async (which) => {
    const leave = await enters[which]();
    turns[which].push(await gateway.load(['--connections', 64, '--seconds', seconds, '--rate', 1000]));
    await leave();
  };
  await gateway.bound();
  await gateway.load(['--connections', 64, '--seconds', warm.seconds, '--rate', 1000]);
  for (let i = 0; i < n; i++)
    for (const which of i % 2 ? [...names].reverse() : names) await look(which);
  const sum = (loads) => ({ median: median(loads.flatMap((r) => r.p99_us_of_seconds)) / 1000,
    all: median(loads.map((r) => r.p99_us)) / 1000 });
  return { ...Object.fromEntries(names.map((name) => [name, sum(turns[name])])), seconds: seconds * n };
}

const nothing = async () => async () => {};

// With a snapshot that is held for the length of a load.
export async function heldSnapshot(stage, gateway, turns) {
  const { database } = gateway;
  const p99 = await inTurn(gateway, turns, { without: nothing, with: () => holdSnapshot(stage, database) });
  const rows = await database.count('message');
  // Sessions report what they did when they come to rest.
  const dead = await until('statistics', async () => {
    const [[inserted, dead]] = await database.ask(`select sum(n_tup_ins), sum(n_dead_tup) from pg_stat_user_tables
      where relname ~ '^(message|idempotency)'`);
    return Number(inserted) >= rows * 3 && { rows: Number(dead) };
  }, 30000, 200);
  return { ...p99, dead: dead.rows };
}

// With a crowd at the door that stands there longer than any of it may dribble at one request: so the measure has those
// who are sent away with a 408 and come again. They are not all of one moment: a half of the time that they have. The
// crowd takes of the same processors as everything here, whosever door it stands at: so the like of it stands at the door
// of another daemon, which has nothing else to do, when it is to be told what the door makes of it.
export async function crowded(stage, gateway, other, turns, { idle, dribble, withinMs }) {
  let sentAway = 0;
  const crowdAt = (daemon) => async () => {
    const crowd = await Crowd.gather(stage, daemon.port, { idle, dribble, dial: 2 });
    const before = await daemon.sentAway();
    await until('the first of the crowd are sent away', async () => await daemon.sentAway() - before > dribble / 10, withinMs, 50);
    return async () => {
      const gone = (await crowd.leave()).sent_away;
      if (daemon === gateway) sentAway += gone;
      await daemon.empty();
    };
  };
  const p99 = await inTurn(gateway, turns, { without: nothing, elsewhere: crowdAt(other), with: crowdAt(gateway) });
  return { ...p99, sentAway };
}

// Memory and descriptors over many messages, five looks.
export async function longRun(gateway, { connections, messages }) {
  await gateway.bound();
  await gateway.settled(0, 10000); // its own connection for looking stays open
  const [pid] = gateway.pids;
  const opened = descriptors(pid);
  const looks = [];
  let n = 0;
  for (let i = 1; i <= 5; i++) {
    const r = await gateway.load(['--connections', connections, '--seconds', 3600, '--count', Math.round(messages / 5)]);
    n += r.ok;
    await gateway.settled(n, 600000);
    looks.push({ messages: n, rss: rssKib(pid) });
  }
  await until(() => `descriptors: ${descriptors(pid)}, ${opened} before`, () => descriptors(pid) <= opened, 30000);
  assert.equal(n, Math.round(messages / 5) * 5);
  return { looks, descriptors: descriptors(pid) - opened };
}
