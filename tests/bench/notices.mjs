// From the portal's PUT of a new application to the SMS with its number on the phone.
import assert from 'node:assert/strict';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { until } from '../lib/stage.mjs';

const names = { kk: 'Алмалы', ru: 'Алмалинский', en: 'Almaly' };
const phoneOf = (i) => `7701${String(2000000 + i)}`;
const application = (i) => ({ child: { iin: '000101100006', first_name: 'Айгерім' }, parents: [{ iin: '000101100016' }],
  phones: [{ number: `+${phoneOf(i)}`, verified: true }], district: 1, category: 'general', registered_at: new Date().toISOString(), language: 'kk' });
const percentile = (values, share) => [...values].sort((x, y) => x - y)[Math.min(values.length - 1, Math.floor(values.length * share))];

// What goes wrong, and who brings the SMS then: by name the operators, each with its links' centres.
export const troubles = {
  none: { what: 'all is well', operators: ({ good }) => ({ one: [good] }) },
  link_dies: { what: 'the first link dies half way', operators: ({ good, other }) => ({ one: [other, good] }) },
  refuses: { what: 'the operator delivers none, another does', options: ['--receipt-state', 'UNDELIV'],
    operators: ({ good, other }) => ({ one: [other], two: [good] }) },
};

async function stand(stage, database, trouble) {
  const centres = { good: await Simulator.start(stage, ['--receipt-delay', '0ms'], 'good'),
    other: await Simulator.start(stage, ['--receipt-delay', '0ms', ...trouble.options ?? []], 'other') };
  const operators = Object.fromEntries(Object.entries(trouble.operators(centres)).map(([name, links], i) => {
    const profile = operator(stage, { port: links[0].port, systemId: name, modes: links.map(() => 'transceiver'), preference: i });
    profile.links.forEach((link, at) => { link.port = links[at].port; });
    return [name, profile];
  }));
  const k = await Kezek.start(stage, database, { config: { log: { level: 'warn' } }, operators });
  await k.bound();
  const { key } = await k.ctl('key', 'add', 'portal', '--scope', 'records');
  return { centres, k, door: k.door.withKey(key) };
}

export async function registrations(stage, database, { trouble, seconds, rate }) {
  const { centres, k, door } = await stand(stage, database, troubles[trouble]);
  const put = async (path, body) => assert.equal((await door.call('PUT', path, { body })).status, 201, path);
  const at = new Map();
  const puts = [];
  await put('/v1/districts/1', { region: 'sample', names });
  const began = Date.now();
  for (let i = 0; i < seconds * rate; i++) {
    const due = began + i * 1000 / rate;
    while (Date.now() < due) await new Promise((resolve) => { setTimeout(resolve, due - Date.now()); });
    if (trouble === 'link_dies' && i === seconds * rate / 2) await centres.other.kill();
    at.set(phoneOf(i), Date.now());
    puts.push(put(`/v1/applications/${i + 1}`, application(i)));
  }
  await Promise.all(puts);
  const from = trouble === 'refuses' ? [centres.good] : [centres.good, centres.other];
  let seen;
  await until(() => `${seen.size} of ${at.size} on the phone`, () => {
    seen = new Map(from.flatMap((c) => c.events()).filter((e) => e.event === 'sms').map((e) => [e.to, e.at]));
    return [...at.keys()].every((to) => seen.has(to));
  }, 120000, 100);
  const took = [...at].map(([to, ms]) => seen.get(to) - ms);
  if (trouble === 'none') assert.equal(await database.count('message'), at.size, 'one message each');
  await k.stop();
  return { p50: percentile(took, 0.5), p99: percentile(took, 0.99), most: Math.max(...took) };
}
