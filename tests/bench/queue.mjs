// Positions asked of the door, in a queue of 2,000,000 applications in one district and birth year and in one of 2,000.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { Meter } from './measure.mjs';

const warm = { seconds: 3 };
const known = 4000; // applications with a person of whom the door can be asked
const childOf = (n) => {
  const stem = [2, 1, 0, 9, 1, 5, 5, ...String(n % 10000).padStart(4, '0')].map(Number);
  const check = (weight) => stem.reduce((sum, d, i) => sum + d * weight(i), 0) % 11;
  const first = check((i) => i + 1);
  return `${stem.join('')}${first < 10 ? first : check((i) => (i + 2) % 11 + 1)}`;
};
const phoneOf = (n) => 77010000000n + BigInt(n);
export const isIssued = (n) => childOf(n).length === 12;

// The n-th of those whom the door can be asked for, in the long queue.
const application = (n, status) => ({ child: { iin: childOf(n), first_name: 'Айгерім', last_name: 'Омарова' }, parents: [{ iin: '000101100006' }],
  phones: [{ number: `+${phoneOf(n)}`, verified: true }], district: 1, category: n % 4 ? 'general' : 'privileged',
  registered_at: new Date(Date.UTC(2022, 0, 1) + n * 31e6).toISOString(), channel: 'sms', language: 'kk', groups: ['kk'], status });

// Rows as whoever feeds them leaves them, the same for the same seed. Indexes and counts are made when all are there: how
// they grow is not what is measured.
async function fill(database, { many, few }) {
  const ask = (sql) => database.ask(sql);
  const indexes = await ask("select indexname, indexdef from pg_indexes where tablename = 'application' and indexname <> 'application_pkey'");
  await ask(`insert into district values (1, 'sample', 'Үлкен', 'Большой', 'Large'), (2, 'sample', 'Кіші', 'Малый', 'Small');
    ${indexes.map(([name]) => `drop index ${name};`).join('')}
    alter table application disable trigger user; select setseed(0.2);
    insert into application select i, case when i <= ${many} then 1 else 2 end,
      (array['extraordinary', 'privileged', 'general', 'general', 'general'])[1 + floor(random() * 5)], 2021,
      '2022-01-01Z'::timestamptz + random() * interval '1500 days', 0, 0, 0, 0, 3, '0000', -i, -i, null, -i, null, decode(repeat('00', 300), 'hex'), null, 1, 1
      from generate_series(1, ${many + few}) i`);
  await ask(`insert into queue_count select district, birth_year, s.span, category, s.at, count(*) from application,
      lateral (values (0, 0), (1, queue_stretch(registered_at) >> 7), (2, queue_stretch(registered_at))) s(span, at) group by 1, 2, 3, 4, 5;
    alter table application enable trigger user; ${indexes.map(([, made]) => `${made};`).join('')}`);
  await ask('vacuum analyze application, queue_count');
  await database.ask('checkpoint', database.admin); // what the filling left to be written is no part of it
}

// People come by an import, which tells nobody their number.
export async function bring(door, people, first) {
  const lines = people.map((n) => JSON.stringify({ kind: 'application', number: first + n, ...application(n, 'waiting') }));
  for (let at = 0; at < lines.length; at += 1000) {
    const r = await door.call('POST', `/v1/records/import?import=people&line=${at + 1}`, { body: lines.slice(at, at + 1000).join('\n'),
      headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': null } });
    assert.deepEqual([r.status, r.json.bad], [200, 0], r.body.slice(0, 500));
  }
}

// Half by the application's number, the others by a child's IIN and a phone.
function writeAsks(file, count, { from, to, people }) {
  const any = () => from + Math.floor(Math.random() * (to - from + 1));
  const one = () => people[Math.floor(Math.random() * people.length)];
  const wishes = [() => ({ application: any() }), () => ({ child_iin: childOf(one()) }), () => ({ application: any() }),
    () => ({ phone: `+${phoneOf(one())}` })];
  const which = people.length ? wishes : wishes.slice(0, 1);
  writeFileSync(file, Array.from({ length: count }, (_, i) => `/v1/queue\t${JSON.stringify(which[i % which.length]())}\n`).join(''));
}

// One after the other goes, and comes back a round later.
function writeChanges(file, count, people, first) {
  writeFileSync(file, Array.from({ length: count }, (_, i) => {
    const n = people[i % 500];
    return `/v1/applications/${first + n}\t${JSON.stringify(application(n, Math.floor(i / 500) % 2 ? 'waiting' : 'withdrawn'))}\n`;
  }).join(''));
}

export async function positions(gateway, stage, servers, { seconds, rate, changes, many, few }) {
  const { daemon, database } = gateway;
  const { key } = await daemon.ctl('key', 'add', 'cabinet', '--scope', 'queue', '--scope', 'records');
  const people = Array.from({ length: known }, (_, i) => i + 1).filter(isIssued);
  const first = many + few;
  await fill(database, { many, few });
  await bring(daemon.door.withKey(key), people, first);
  const [asks, puts] = ['asks', 'puts'].map((name) => stage.path(`queue.${name}`));
  const play = async (forSeconds, asked) => {
    writeAsks(asks, forSeconds * rate, asked);
    return gateway.load(['--key', key, '--connections', 32, '--rate', rate, '--seconds', forSeconds, '--ok', 200, '--lines', asks]);
  };
  const measure = async (asked) => {
    await play(warm.seconds, asked);
    const meter = new Meter(servers, gateway.pids);
    const r = await play(seconds, asked);
    const { cpu, postgres } = meter.read();
    return { p50: r.p50_us / 1000, p99: r.p99_us / 1000, cpuUs: cpu * 1e6 / r.ok, postgresUs: postgres * 1e6 / r.ok };
  };
  const long = { from: 1, to: many, people };
  const short = { from: many + 1, to: many + few, people: [] };
  const result = { short: await measure(short), long: await measure({ ...long, people: [] }), mixed: await measure(long) };
  const changing = (seconds + warm.seconds + 2) * changes;
  writeChanges(puts, changing, people, first);
  const put = gateway.load(['--method', 'PUT', '--key', key, '--connections', 16, '--rate', changes, '--seconds', changing / changes, '--ok', 200,
    '--lines', puts]);
  result.changed = await measure(long);
  const { per_second, p99_us } = await put;
  return { ...result, changes: per_second, change: p99_us / 1000 };
}
