// What is attacked: two daemons on one database and one operator, with limits that are as wide as configuration lets them
// be, so that what holds is what no configuration can take away.
import { operator } from '../lib/operators.mjs';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { Codes, purposes, wide } from '../lib/codes.mjs';

export const quick = process.env.KEZEK_ATTACK === 'quick';
export const seed = Number(process.env.KEZEK_SEED ?? Math.floor(Math.random() * 2 ** 31));

// Answers {a, b, smsc, database, codes: [by a's door, by b's door]}. config: over the wide limits.
export async function fort(stage, servers, { config = {}, of = { login: {} } } = {}) {
  const database = await servers.database();
  const smsc = await Simulator.start(stage, ['--receipt-delay', '10ms']);
  const all = { ...wide, database: { connect_timeout: '2s', job_timeout: '5s' }, log: { level: 'warn' },
    purposes: purposes(stage, of), ...config };
  const daemon = (name) => Kezek.prepare(stage, database, { config: all, name, operators: { one: operator(stage, { port: smsc.port }) } });
  const [a, b] = [await daemon('a'), await daemon('b')];
  await a.migrate();
  for (const k of [a, b]) {
    k.run();
    await k.ready();
    await k.openDoor({ key: k === b ? a.door.key : null });
    await k.bound();
  }
  return { a, b, smsc, database, codes: [a, b].map((k) => new Codes(k.door, smsc)) };
}
