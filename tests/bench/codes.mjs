// Verification codes under load: from the request to the submit_sm at the operator, and what is held against them.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { digitsIn, wrongFor } from '../lib/codes.mjs';
import { until } from '../lib/stage.mjs';
import { Meter } from './measure.mjs';

const warm = { seconds: 2 };
const SPREAD = 7654321; // of load.c's {s}
const numberOf = (n) => `7701${String(n * SPREAD % 10000000).padStart(7, '0')}`;

// {n, atUs, id} of each answer.
const readJournal = (file) => readFileSync(file, 'utf8').split('\n').filter(Boolean).map((l) => {
  const [n, atUs, , id] = l.split(' ');
  return { n: Number(n), atUs: Number(atUs), id };
});
const percentile = (values, share) => [...values].sort((x, y) => x - y)[Math.min(values.length - 1, Math.floor(values.length * share))];

// Waits until each of so many numbers has had its SMS; answers the events by number.
async function arrived(smsc, kind, numbers) {
  let found;
  await until(() => `${found.size} of ${numbers.length} at the operator`, () => {
    found = new Map(smsc.events().filter((e) => e.event === kind).map((e) => [e.to, e]));
    return numbers.every((to) => found.has(to));
  }, 30000, 100);
  return found;
}

export async function codes(gateway, stage, smsc, { seconds, rate }) {
  const journal = stage.path('codes.journal');
  const load = (more) => gateway.loadCodes(['--connections', 64, '--rate', rate, '--journal', journal, ...more]);
  await gateway.bound();
  await load(['--seconds', warm.seconds]);
  const r = await load(['--seconds', seconds, '--first', warm.seconds * rate]);
  const asked = readJournal(journal);
  assert.equal(asked.length, seconds * rate);
  const events = await arrived(smsc, 'submit', asked.map(({ n }) => numberOf(n)));
  // The operator's clock shows whole milliseconds: the end of one is taken.
  const took = asked.map(({ n, atUs }) => events.get(numberOf(n)).at + 1 - atUs / 1000);
  return { p50: percentile(took, 0.5), p99: percentile(took, 0.99), accept: r.p99_us / 1000 };
}

// Each code is held against a wrong guess and, a little later, against itself.
function writeChecks(file, made, lag = 1000) {
  const line = ({ id, code }) => `/v1/codes/${id}/check\t{"code": "${code}"}\n`;
  const lines = [];
  for (let i = 0; i < made.length + lag; i++) {
    if (i < made.length) lines.push(line({ id: made[i].id, code: wrongFor(made[i].code) }));
    if (i >= lag) lines.push(line(made[i - lag]));
  }
  writeFileSync(file, lines.join(''));
}

export async function checks(gateway, stage, smsc, servers, { seconds, rate }) {
  const [journal, lines] = ['checks.journal', 'checks.lines'].map((name) => stage.path(name));
  const [count, make] = [(seconds + warm.seconds) * rate / 2, 2500];
  await gateway.bound();
  await gateway.loadCodes(['--connections', 64, '--rate', make, '--seconds', count / make, '--journal', journal]);
  const asked = readJournal(journal);
  const texts = await arrived(smsc, 'sms', asked.map(({ n }) => numberOf(n)));
  await gateway.settled(asked.length, 60000);
  const made = asked.map(({ n, id }) => ({ id, code: digitsIn(texts.get(numberOf(n)).text) }));
  const play = (some, forSeconds) => {
    writeChecks(lines, some);
    return gateway.loadCodes(['--connections', 64, '--rate', rate, '--seconds', forSeconds, '--ok', 200, '--lines', lines]);
  };
  await play(made.slice(0, warm.seconds * rate / 2), warm.seconds);
  const meter = new Meter(servers, gateway.pids);
  const r = await play(made.slice(warm.seconds * rate / 2), seconds);
  const { cpu, postgres } = meter.read();
  const { database } = gateway;
  assert.deepEqual([await database.count('code_wrong'), await database.count('code_verdict', 'verdict = 1')], [count, count]);
  return { rate: Math.round(r.per_second), p50: r.p50_us / 1000, p99: r.p99_us / 1000, cpuUs: cpu * 1e6 / r.ok,
    postgresUs: postgres * 1e6 / r.ok };
}
