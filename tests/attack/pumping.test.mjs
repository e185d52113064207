// Codes to 1,000 numbers of one prefix that nobody ever confirms: at most 50 of them are sent, and then a person may see
// and lift what is held.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Codes } from '../lib/codes.mjs';
import { Servers } from '../lib/servers.mjs';
import { fort } from './fort.mjs';

const servers = new Servers();
const NUMBERS = 1000, MOST = 50, LEAST = 40;
const config = { guard: { phone_hour: 8, prefix_hour: 10000, key_minute: 100000, conversion_sends: LEAST, conversion_percent: 10 } };
const number = (prefix, i) => `+${prefix}${String(i * 7 % 10000).padStart(4, '0')}`;

const submitted = (smsc, prefix) => smsc.events().filter((e) => e.event === 'submit' && e.to.startsWith(prefix)).length;

// By clients of both doors, with `between` after so many answers.
async function pump({ codes }, prefix, between = () => {}) {
  const answers = [];
  let next = 0;
  const client = async (door) => {
    while (next < NUMBERS) {
      answers.push(await codes[door++ % 2].ask({ to: number(prefix, next++) }));
      await between(answers.length);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, i) => client(i)));
  return answers;
}

function judge(answers, smsc, prefix) {
  const kept = answers.filter((r) => r.status === 202).length;
  const seen = submitted(smsc, prefix);
  console.log(`${kept} of ${NUMBERS} were kept, ${seen} submit_sm came to the operator`);
  assert.ok(seen <= MOST, `${seen} were sent`);
  assert.ok(kept >= LEAST && kept <= MOST, `${kept} were kept`);
  for (const r of answers.filter((r) => r.status !== 202)) Codes.refused(r, 429, 'held');
}

journey('prefix__pumped_over_two_daemons__held_within_50_and_lifted_by_a_person', async (stage) => {
  const f = await fort(stage, servers, { config });
  const prefix = '7701555';
  judge(await pump(f, prefix), f.smsc, prefix);
  const metric = async (k) => k.metric('kezek_codes_refused_total{why="held"}');
  assert.equal(await metric(f.a) + await metric(f.b), NUMBERS - await f.database.count('code'));
  assert.equal((await f.codes[0].ask({ to: '+77015560001' })).status, 202, 'the prefix beside it goes on');
  const held = (await f.a.ctl('guard')).held.filter((h) => h.shown.startsWith(`+${prefix}`));
  assert.equal(held.length, 1, JSON.stringify(held));
  const lifted = await f.a.ctlRun('guard', 'lift', held[0].shown, '--for', '2h');
  assert.equal(lifted.code, 0, lifted.err);
  for (const codes of f.codes)
    await until('both daemons let it pass', async () => (await codes.ask({ to: number(prefix, 5000 + f.codes.indexOf(codes)) })).status === 202);
  const [[by, free]] = await f.database.ask('select lifted_by, free_until > now() + interval \'1 hour\' from guard_hold');
  assert.ok(by.length > 0 && free === 't', `lifted by ${by}, ${free}`);
}, { withinMs: 180000 });

journey('prefix__pumped_while_redis_loses_all__held_within_50_all_the_same', async (stage) => {
  const f = await fort(stage, servers, { config });
  const prefix = '7702777';
  const answers = await pump(f, prefix, async (n) => {
    if (n === 25 || n === 60) await servers.restartRedis();
  });
  const kept = answers.filter((r) => r.status === 202).length;
  console.log(`${kept} of ${NUMBERS} were kept, ${submitted(f.smsc, prefix)} submit_sm`);
  assert.ok(submitted(f.smsc, prefix) <= MOST && kept <= MOST, `${kept} were kept`);
  assert.ok(answers.filter((r) => r.status !== 202).every((r) => [429, 503].includes(r.status)));
}, { withinMs: 180000 });
