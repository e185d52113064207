// Positions asked of the door, in a queue of 2,000,000 applications in one district and birth year and in one of 2,000.
import { writeFileSync } from 'node:fs';
import { Keyring } from '../lib/keyring.mjs';
import { until } from '../lib/stage.mjs';
import { Meter, median } from './measure.mjs';

const warm = { seconds: 3 };
const known = 4000; // applications with a person of whom the door can be asked
const childOf = (n) => {
  const stem = [2, 1, 0, 9, 1, 5, 5, ...String(n % 10000).padStart(4, '0')].map(Number);
  const check = (weight) => stem.reduce((sum, d, i) => sum + d * weight(i), 0) % 11;
  const first = check((i) => i + 1);
  return `${stem.join('')}${first < 10 ? first : check((i) => (i + 2) % 11 + 1)}`;
};
const phoneOf = (n) => 77010000000n + BigInt(n);
const isIssued = (n) => childOf(n).length === 12;

// A city's worth of rows, as whoever feeds them leaves them; the same for the same seed. Indexes and counts are made when
// all are there: how they grow is not what is measured.
async function fill(database, keys, { many, few }) {
  const ask = (sql) => database.ask(sql);
  const indexes = await ask("select indexname, indexdef from pg_indexes where tablename = 'application' and indexname <> 'application_pkey'");
  const people = Array.from({ length: known }, (_, i) => i + 1).filter(isIssued);
  await ask(`insert into district values (1, 'sample', 'Үлкен', 'Большой', 'Large'), (2, 'sample', 'Кіші', 'Малый', 'Small');
    ${indexes.map(([name]) => `drop index ${name};`).join('')}
    alter table application disable trigger user; select setseed(0.2);
    insert into application select i, case when i <= ${many} then 1 else 2 end,
      (array['extraordinary', 'privileged', 'general', 'general', 'general'])[1 + floor(random() * 5)], 2021,
      '2022-01-01Z'::timestamptz + random() * interval '1500 days', 0, 0, 0, 0, 3, '0000', -i, -i, null, -i, null, decode(repeat('00', 300), 'hex'), null, 1, 1
      from generate_series(1, ${many + few}) i`);
  for (let i = 0; i < people.length; i += 1000)
    await ask(`update application set child_iin = v.child, phone1 = v.phone from (values ${people.slice(i, i + 1000).map((n) =>
      `(${n}, ${keys.iin(childOf(n))}, ${keys.phone(phoneOf(n))})`)}) v(number, child, phone) where application.number = v.number`);
  await ask(`insert into queue_count select district, birth_year, s.span, category, s.at, count(*) from application,
      lateral (values (0, 0), (1, queue_quarter(registered_at) >> 7), (2, queue_quarter(registered_at))) s(span, at) group by 1, 2, 3, 4, 5;
    alter table application enable trigger user; ${indexes.map(([, made]) => `${made};`).join('')}`);
  await ask('vacuum analyze application, queue_count');
  await database.ask('checkpoint', database.admin); // what the filling left to be written is no part of it
  return people;
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

// Changes beside the asking, at a steady rate: an application goes or comes back. Answers what ends them, which says how
// many a second there were.
async function change(stage, database, { rate, many }) {
  const script = stage.path('change.sql');
  writeFileSync(script, `\\set n random(1, ${many})\nupdate application set status = 4 - status, seq = seq + 1 where number = :n;\n`);
  const changes = stage.start('pgbench', '/bin/sh', ['-c', `exec "$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)/pgbench" -n -c 4 -P 1`
    + ` -R ${rate} -T 3600 -f ${script} "$0"`, database.conninfo]);
  const rates = () => [...changes.err().matchAll(/^progress: .* ([0-9.]+) tps/gm)].map((m) => Number(m[1]));
  await until('changes', () => rates().length > 0);
  return async () => {
    await changes.stop('SIGKILL');
    return median(rates());
  };
}

export async function positions(gateway, stage, servers, { seconds, rate, changes, many, few }) {
  const { daemon, database } = gateway;
  const { key } = await daemon.ctl('key', 'add', 'cabinet', '--scope', 'queue');
  const people = await fill(database, new Keyring(daemon.config.keyring), { many, few });
  const lines = stage.path('queue.lines');
  const play = async (forSeconds, asked) => {
    writeAsks(lines, forSeconds * rate, asked);
    return gateway.load(['--key', key, '--connections', 32, '--rate', rate, '--seconds', forSeconds, '--ok', 200, '--lines', lines]);
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
  const end = await change(stage, database, { rate: changes, many });
  result.changed = await measure(long);
  result.changes = await end();
  return result;
}
