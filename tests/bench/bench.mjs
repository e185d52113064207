// Drives tests/bench/run: the phases in their order, kezek and Kannel in turn, then the tables.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Simulator } from '../lib/kezek.mjs';
import { Servers } from '../lib/servers.mjs';
import { Stage, freePort } from '../lib/stage.mjs';
import { checks, codes } from './codes.mjs';
import { imported } from './import.mjs';
import { Kannel, kannelVersion } from './kannel.mjs';
import { KezekUnderLoad } from './kezek.mjs';
import { rssKib } from './measure.mjs';
import { acceptAlone, crowded, endToEnd, heldSnapshot, latency, longRun } from './phases.mjs';
import { registrations, troubles } from './notices.mjs';
import { positions } from './queue.mjs';
import { storm, turns } from './ussd.mjs';

const { values: given } = parseArgs({ options: { seconds: { type: 'string', default: '8' },
  connections: { type: 'string', default: '256' }, messages: { type: 'string', default: '1000000' },
  applications: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '2' }, json: { type: 'string' },
  only: { type: 'string' } } });
const wholes = ['seconds', 'connections', 'messages', 'rounds', 'applications'];
const [seconds, connections, messages, rounds, applications] = wholes.map((name) => {
  const n = Number(given[name]);
  assert.ok(Number.isInteger(n) && n > 0, `--${name} wants a whole number above 0`);
  return n;
});

const servers = new Servers({ hooks: false });
// Linux's file system in memory: where a disk's flushes would hide what is looked for.
const inMemory = new Servers({ hooks: false, under: '/dev/shm' });
// perSecond: messages that Kannel gets for each second that kezek is under load; it works off about so many.
const gateways = {
  kezek: { start: (...args) => KezekUnderLoad.start(...args), perSecond: 0, what: 'kezek' },
  kannel_durable: { start: (stage, ...args) => Kannel.start(stage, 'durable', ...args), perSecond: 500, what: 'Kannel durable' },
  kannel_ram: { start: (stage, ...args) => Kannel.start(stage, 'ram', ...args), perSecond: 4000, what: 'Kannel in RAM' },
};

async function phase(name, kind, play, { away = false, on = servers, log = false } = {}) {
  process.stderr.write(`${gateways[kind].what}: ${name} ...\n`);
  const stage = new Stage(`bench-${kind}`);
  try {
    const smsc = away ? { port: await freePort() } : await Simulator.start(stage,
      ['--receipt-delay', '0ms', '--receipt-window', '1000'], 'kezek-smsc', { log });
    const gateway = await gateways[kind].start(stage, smsc.port, await on.database());
    await play(gateway, stage, smsc);
    await gateway.kill();
  } catch (e) {
    console.error(stage.tails());
    throw e;
  } finally {
    await stage.close();
  }
  stage.remove();
}

const figures = [];
const figure = (name, value, unit, what, aim = '') => figures.push({ name, value, unit, what, aim });
const valueOf = (name) => figures.find((f) => f.name === name)?.value;
const round = (value, digits = 0) => Number(value.toFixed(digits));

async function measureEndToEnd() {
  const runs = { kezek: [], kannel_durable: [], kannel_ram: [] };
  for (let i = 0; i < rounds; i++)
    for (const [kind, list] of Object.entries(runs))
      await phase('HTTP to recorded receipt', kind, async (gateway) => {
        if (kind === 'kezek' && i === 0)
          figure('kezek.rss_idle_kib', rssKib(gateway.pids[0]), 'KiB', 'memory at rest', '<= 65536');
        const count = gateways[kind].perSecond * seconds;
        list.push(await endToEnd(gateway, servers, { connections, seconds, count, withinMs: 120000 }));
      });
  for (const [kind, list] of Object.entries(runs)) {
    const sum = (key) => list.reduce((s, r) => s + r[key], 0);
    figure(`${kind}.e2e`, round(sum('n') / sum('seconds')), '/s', 'HTTP to recorded receipt, all of them');
    figure(`${kind}.e2e_accept`, round(sum('accepted') / list.length), '/s', 'accepted meanwhile');
    figure(`${kind}.cpu_us_per_msg`, round(sum('cpu') * 1e6 / sum('n')), 'us', 'processor time of the gateway a message',
      kind === 'kezek' ? '<= 80' : '');
    figure(`${kind}.postgres_us_per_msg`, round(sum('postgres') * 1e6 / sum('n')), 'us', 'processor time of PostgreSQL a message');
    figure(`${kind}.rss_peak_kib`, Math.max(...list.map((r) => r.peak)), 'KiB', 'memory of the gateway at most');
  }
  figure('kezek.times_kannel_durable', round(valueOf('kezek.e2e') / valueOf('kannel_durable.e2e'), 1), 'times',
    'HTTP to recorded receipt against Kannel durable', '>= 10');
  figure('kezek.times_kannel_ram', round(valueOf('kezek.e2e') / valueOf('kannel_ram.e2e'), 1), 'times',
    'the same against Kannel in RAM', '>= 4');
}

async function measureDoor() {
  for (const kind of Object.keys(gateways)) {
    const ours = kind === 'kezek';
    await phase('accept alone', kind, async (gateway) => {
      const r = await acceptAlone(gateway, { connections, seconds });
      figure(`${kind}.accept`, round(r.rate), '/s', `accepted with the operator away, ${connections} connections`,
        ours ? '>= 15000' : '');
      figure(`${kind}.bytes_per_waiting`, round(r.bytesPerWaiting), 'octets', 'memory for a message that waits',
        ours ? '<= 512' : '');
    }, { away: true });
    await phase('accept at 1,000/s', kind, async (gateway) => {
      const r = await latency(gateway, { seconds });
      figure(`${kind}.accept_p50_ms`, r.p50, 'ms', 'accept at 1,000/s with operator and receipts, median');
      figure(`${kind}.accept_p99_ms`, r.p99, 'ms', 'the same, 99th percentile', ours ? '<= 10' : '');
    });
  }
}

async function measureCodes() {
  await phase('1,000 codes a second', 'kezek', async (gateway, stage, smsc) => {
    const r = await codes(gateway, stage, smsc, { seconds, rate: 1000 });
    figure('kezek.codes_p50_ms', r.p50, 'ms', 'code: request to submit_sm at the operator, 1,000/s, median');
    figure('kezek.codes_p99_ms', r.p99, 'ms', 'the same, 99th percentile', '<= 15');
    figure('kezek.codes_accept_p99_ms', r.accept, 'ms', 'of it to the 202, 99th percentile');
  }, { log: true });
  await phase('5,000 checks a second', 'kezek', async (gateway, stage, smsc) => {
    const r = await checks(gateway, stage, smsc, inMemory, { seconds, rate: 5000 });
    figure('kezek.checks', r.rate, '/s', 'checks of codes, as many wrong as right');
    figure('kezek.checks_p50_ms', r.p50, 'ms', 'their answer, median');
    figure('kezek.checks_p99_ms', r.p99, 'ms', 'the same, 99th percentile', '<= 5');
    figure('kezek.cpu_us_per_check', round(r.cpuUs), 'us', 'processor time of the gateway a check');
    figure('kezek.postgres_us_per_check', round(r.postgresUs), 'us', 'processor time of PostgreSQL a check');
  }, { log: true, on: inMemory });
}

async function measureQueue() {
  const [rate, changes, many, few] = [1000, 200, 2000000, 2000];
  await phase(`positions among ${many} applications`, 'kezek', async (gateway, stage) => {
    const r = await positions(gateway, stage, servers, { seconds, rate, changes, many, few });
    const told = (name, which, what, aim) => {
      figure(`kezek.${name}_p50_ms`, r[which].p50, 'ms', `${what}, ${rate}/s, median`);
      figure(`kezek.${name}_p99_ms`, r[which].p99, 'ms', 'the same, 99th percentile', aim);
    };
    told('position_of_2000', 'short', 'position in a queue of 2,000, by number');
    told('position_of_2m', 'long', 'position in a queue of 2,000,000, by number', '<= 5');
    told('position_by_person', 'mixed', 'the same, by number, IIN and phone', '<= 5');
    told('position_changed', 'changed', 'the same while that queue changes', '<= 5');
    figure('kezek.position_changes', round(r.changes), '/s', 'changes meanwhile: applications that are put', `${changes}`);
    figure('kezek.position_change_p99_ms', r.change, 'ms', 'their answer, 99th percentile');
    figure('kezek.cpu_us_per_position', round(r.mixed.cpuUs), 'us', 'processor time of the gateway a position');
    figure('kezek.postgres_us_per_position', round(r.mixed.postgresUs), 'us', 'processor time of PostgreSQL a position');
  }, { away: true });
}

async function measureUssd() {
  const [rate, open] = [1000, 100000];
  await phase('turns of USSD', 'kezek', async (gateway, stage) => {
    const r = await turns(gateway, stage, servers, { seconds, rate, open });
    figure('kezek.ussd_turns', round(r.busy.per_second), '/s', 'turns of USSD, 256 phones at once, each asks for her place', '>= 5,000');
    figure('kezek.ussd_cpu_us', round(r.cpuUs), 'us', 'processor time of the gateway a turn');
    figure('kezek.ussd_postgres_us', round(r.postgresUs), 'us', 'processor time of PostgreSQL a turn');
    figure('kezek.ussd_p50_ms', r.paced.p50_us / 1000, 'ms', `the same at ${rate} turns/s, median`);
    figure('kezek.ussd_p99_ms', r.paced.p99_us / 1000, 'ms', 'the same, 99th percentile', '<= 10');
    figure('kezek.ussd_open', r.many.turns, '', 'sessions open at once');
    figure('kezek.ussd_open_adds_kib', r.full - r.rest, 'KiB', 'memory of the gateway that they add', 'flat');
  }, { away: true });
}

async function measureStorm() {
  const [parents, takers, places] = [20000, 200, 20];
  await phase(`${parents} parents dial in one moment`, 'kezek', async (gateway, stage) => {
    const r = await storm(gateway, stage, { applications: 108344, parents, takers, places });
    assert.ok(r.referrals <= places && r.free === places - r.referrals, JSON.stringify(r));
    const told = (name, value, what, aim) => figure(`kezek.storm_${name}`, value, '', what, aim);
    figure('kezek.storm', round(r.per_second), '/s', `turns: ${parents} dial in one moment, and press the next key as soon as they have a page`);
    for (const [name, what] of [['p50', 'their wait for a page, median'], ['p99', 'the same, 99th percentile'], ['max', 'the same, the longest']])
      figure(`kezek.storm_${name}_ms`, round(r[`${name}_us`] / 1000), 'ms', what, name === 'max' ? '< 8,000' : '');
    told('away', r.away, 'of them were turned away', '0');
    told('taken', r.taken, `of ${takers} who take one of ${places} places were told that it is theirs`, `${places}`);
    told('gone', r.gone, 'of them that it is gone', `${takers - places}`);
    told('referrals', r.referrals, 'referrals that stand by it', `${places}`);
    told('overtook', r.overtook, 'got one though another had typed the digits before', '0');
  }, { away: true });
}

async function measureNotices() {
  const rate = 50;
  for (const [trouble, { what }] of Object.entries(troubles)) {
    process.stderr.write(`kezek: ${rate} registrations a second, ${what} ...\n`);
    const stage = new Stage('bench-notices');
    try {
      const r = await registrations(stage, await servers.database(), { trouble, seconds, rate });
      figure(`kezek.registered_${trouble}_p50_ms`, r.p50, 'ms', `registration to SMS on the phone, ${rate}/s, ${what}, median`);
      figure(`kezek.registered_${trouble}_p99_ms`, r.p99, 'ms', 'the same, 99th percentile', '<= 10000');
      figure(`kezek.registered_${trouble}_most_ms`, r.most, 'ms', 'the same, the slowest');
    } catch (e) {
      console.error(stage.tails());
      throw e;
    } finally {
      await stage.close();
    }
    stage.remove();
  }
}

async function measureImport() {
  await phase(`import of ${applications} applications`, 'kezek', async (gateway, stage) => {
    const r = await imported(gateway, stage, inMemory, { applications, rate: 200 });
    figure('kezek.import_lines', r.lines, '', 'lines imported, the daemon killed in the middle');
    figure('kezek.import', round(r.rate), '/s', 'lines of the first half, nothing else going on');
    figure('kezek.import_peak_kib', r.peak, 'KiB', 'memory of the gateway at most');
    figure('kezek.cpu_us_per_line', round(r.cpuUs), 'us', 'processor time of the gateway a line');
    figure('kezek.postgres_us_per_line', round(r.postgresUs), 'us', 'processor time of PostgreSQL a line');
    figure('kezek.import_beside', round(r.besideRate), '/s', 'lines while messages are accepted at 200/s');
    figure('kezek.import_accept_p50_ms', r.p50, 'ms', 'accept meanwhile, median');
    figure('kezek.import_accept_p99_ms', r.p99, 'ms', 'the same, 99th percentile');
  }, { on: inMemory });
}

async function measureEndurance() {
  // The disk is left out to see what little they add: its flushes move p99 by more.
  const p99 = (name, r, what) => {
    figure(`kezek.${name}_p99_ms`, r.median, 'ms', what);
    figure(`kezek.${name}_all_p99_ms`, r.all, 'ms', 'the same of all requests of a load, median of the loads');
  };
  const adds = (name, after, before, share) => figure(`kezek.${name}_adds_percent`, round((after.median / before.median - 1) * 100, 1), '%',
    'what that adds', `<= ${share}`);
  await phase('a held snapshot', 'kezek', async (gateway, stage) => {
    const r = await heldSnapshot(stage, gateway, { seconds: Math.ceil(seconds / 2), turns: 9 });
    figure('kezek.snapshot_dead_rows', r.dead, 'rows', 'dead in the hot tables after loads under a held snapshot', '0');
    p99('no_snapshot', r.without, `p99 of accept at 1,000/s, database in memory, median of ${r.seconds} seconds`);
    p99('snapshot', r.with, 'the same under a held snapshot, in turn');
    adds('snapshot', r.with, r.without, 20);
  }, { on: inMemory });
  await phase('a crowd at the door', 'kezek', async (gateway, stage) => {
    const beside = new Stage('bench-beside');
    try {
      const other = await KezekUnderLoad.start(beside, await freePort(), await inMemory.database());
      const r = await crowded(stage, gateway, other, { seconds: Math.ceil(seconds * 1.5), turns: 4 },
        { idle: 5000, dribble: 5000, withinMs: 60000 });
      p99('no_crowd', r.without, `p99 of accept at 1,000/s, database in memory, median of ${r.seconds} seconds`);
      p99('crowd_elsewhere', r.elsewhere, 'the same with 10,000 idle or dribbling clients at another daemon of the machine, in turn');
      p99('crowd', r.with, 'the same with those 10,000 at this door, in turn');
      adds('crowd', r.with, r.elsewhere, 10);
      figure('kezek.crowd_sent_away', r.sentAway, '', 'of that crowd were told 408 meanwhile and came again');
      await other.kill();
    } finally {
      await beside.close();
    }
    beside.remove();
  }, { on: inMemory });
  await phase(`${messages} messages`, 'kezek', async (gateway) => {
    const r = await longRun(gateway, { connections, messages });
    for (const [i, look] of r.looks.entries())
      figure(`kezek.rss_${i + 1}_of_5_kib`, look.rss, 'KiB', `memory after ${look.messages} messages, HTTP to receipt`);
    figure('kezek.descriptors_left', r.descriptors, '', 'descriptors more than before them', '0');
  });
}

function printBoth() {
  const rows = ['e2e', 'accept', 'cpu_us_per_msg', 'postgres_us_per_msg', 'accept_p50_ms', 'accept_p99_ms', 'rss_peak_kib',
    'bytes_per_waiting'];
  const kinds = Object.keys(gateways);
  console.log(`\n${'in one run, in turn'.padEnd(74)}${kinds.map((k) => gateways[k].what.padStart(16)).join('')}`);
  for (const row of rows) {
    const { what, unit } = figures.find((f) => f.name === `kezek.${row}`) ?? { what: row, unit: 'not measured' };
    const cells = kinds.map((k) => (valueOf(`${k}.${row}`)?.toLocaleString('en') ?? '').padStart(16));
    console.log(`${`${what}, ${unit}`.padEnd(74)}${cells.join('')}`);
  }
  console.log(`Kannel ${kannelVersion()}, tests/bench/kannel.conf\n`);
}

function print() {
  if (figures.some((f) => f.name.startsWith('kannel'))) printBoth();
  for (const f of figures.filter((f) => f.name.startsWith('kezek.')))
    console.log(`${f.name.padEnd(28)}${f.value.toLocaleString('en').padStart(12)} ${f.unit.padEnd(7)} ${f.aim.padEnd(12)} ${f.what}`);
}

const parts = { messages: measureEndToEnd, door: measureDoor, codes: measureCodes, queue: measureQueue, ussd: measureUssd, storm: measureStorm, notices: measureNotices,
  import: measureImport, endurance: measureEndurance };
assert.ok(!given.only || parts[given.only], `--only wants one of ${Object.keys(parts).join(', ')}`);
// What was measured before something failed is told all the same.
try {
  for (const [name, measure] of Object.entries(parts)) if (!given.only || given.only === name) await measure();
} catch (e) {
  console.error(e);
  process.exitCode = 1;
} finally {
  await servers.stop();
  await inMemory.stop();
}
if (given.json)
  writeFileSync(given.json, `${JSON.stringify(figures.map(({ name, value, unit }) => ({ name, value, unit })), null, 1)}\n`);
print();
