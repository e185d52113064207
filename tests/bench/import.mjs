// An import of a city's records by the tool, and what the door does meanwhile; the daemon is killed in its middle.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { binaries, until } from '../lib/stage.mjs';
import { Meter, peakKib } from './measure.mjs';

export const days = (n) => new Date(Date.now() + n * 86400000).toISOString().slice(0, 10);

// How far it is, by the database.
const lineOf = async (database) => Number((await database.ask('select coalesce(max(next_line), 1) from import'))[0][0]);

// kezekctl import to its end. Answers when it is over, and what it said.
export function begin(daemon, file) {
  const tool = spawn(join(binaries, 'kezekctl'), ['--socket', daemon.socket, 'import', file]);
  let said = '';
  tool.stdout.resume();
  tool.stderr.setEncoding('utf8');
  tool.stderr.on('data', (d) => { said += d; });
  const ended = once(tool, 'close').then(([code]) => {
    if (code !== 0) throw new Error(`kezekctl import: exit ${code}: ${said}`);
  });
  ended.catch(() => {});
  return { ended, tool };
}

// The first half alone, then the daemon is killed, then accepts at a steady rate beside the second half.
export async function imported(gateway, stage, servers, { applications, rate }) {
  const { daemon, database } = gateway;
  const file = stage.path('city.jsonl');
  await stage.must('/bin/sh', ['-c', `"$0" sample --applications ${applications} --day ${days(0)} > "$1"`,
    join(binaries, 'kezekctl'), file], { within: 300000 });
  const lines = Number((await stage.must('wc', ['-l', file])).split(' ')[0]);
  await gateway.bound();
  const meter = new Meter(servers, gateway.pids);
  let from = Date.now();
  const { ended, tool } = begin(daemon, file);
  await until('the first half', async () => await lineOf(database) > lines / 2, 600000, 200);
  const alone = { n: await lineOf(database) - 1, seconds: (Date.now() - from) / 1000, ...meter.read(), peak: peakKib(gateway.pids) };
  await daemon.kill();
  daemon.run();
  await daemon.ready();
  await gateway.bound();
  from = Date.now();
  const at = await lineOf(database);
  const r = await gateway.load(['--connections', 16, '--rate', rate, '--seconds', 15]);
  const beside = { n: await lineOf(database) - at, seconds: (Date.now() - from) / 1000 };
  await ended;
  const peak = Math.max(alone.peak, peakKib(gateway.pids));
  const [[good, bad]] = await database.ask('select good, bad from import');
  if (Number(good) !== lines || Number(bad) !== 0 || tool.exitCode !== 0) throw new Error(`${good} of ${lines} lines are good`);
  return { lines, rate: alone.n / alone.seconds, cpuUs: alone.cpu * 1e6 / alone.n, postgresUs: alone.postgres * 1e6 / alone.n,
    peak, besideRate: beside.n / beside.seconds, p50: r.p50_us / 1000, p99: r.p99_us / 1000 };
}
