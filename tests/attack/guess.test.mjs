// At most 10 guesses of a phone's codes are judged in an hour, however they are asked and whatever fails meanwhile.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { journey } from '../lib/stage.mjs';
import { digitsIn } from '../lib/codes.mjs';
import { Servers } from '../lib/servers.mjs';
import { Chance } from '../crash/chance.mjs';
import { Guesser } from './guesser.mjs';
import { fort, quick, seed } from './fort.mjs';

const servers = new Servers();
const PHONES = quick ? 16 : 60;
const MOST = 10;
const of = { login: {}, phone: { binding: 'required' }, password: {}, referral: { binding: 'optional', resend: 'new' } };
const ways = [{ purpose: 'login' }, { purpose: 'phone', binding: 'application-1' }, { purpose: 'password' },
  { purpose: 'referral' }, { purpose: 'referral', binding: 'r-17' }];

async function restart(k) {
  await k.kill();
  k.run();
  await k.ready();
}

// [share of the time, what happens then]
const outages = ({ a, b }) => [
  [0.15, 'Redis comes back empty', () => servers.restartRedis()],
  [0.25, 'Redis is away', () => servers.killRedis()],
  [0.45, 'Redis is back, empty', () => servers.restartRedis()],
  [0.55, 'daemon a is killed', () => restart(a)],
  [0.65, 'Redis flaps', async () => {
    for (let i = 0; i < 4; i++) await servers.restartRedis();
  }],
  [0.75, 'PostgreSQL restarts', () => servers.restart()],
  [0.85, 'Redis goes and both daemons are killed', async () => {
    await servers.killRedis();
    await Promise.all([restart(a), restart(b)]);
  }],
  [0.93, 'Redis is back, empty', () => servers.restartRedis()],
];

journey('phone__guessed_at_by_every_way_through_every_outage__10_guesses_an_hour', async (stage) => {
  const f = await fort(stage, servers, { of });
  const chance = new Chance(seed);
  console.log(`seed ${seed}`);
  const guessers = Array.from({ length: PHONES }, (_, i) => new Guesser(f.codes, `+7701${3000000 + i * 10007}`, ways, chance));
  stage.defer(() => guessers.forEach((g) => { g.over = true; }));
  const all = (quick ? 12 : 60) * 1000;
  const from = Date.now();
  const at = (share) => pause(Math.max(0, from + share * all - Date.now())); // the attack is paced, nothing is waited for
  const attacks = guessers.map((g, i) => at(i / PHONES * 0.95).then(() => g.attack()));
  for (const [share, what, play] of outages(f)) {
    await at(share);
    await play();
    console.log(`${what}: ${guessers.reduce((n, g) => n + g.guesses, 0)} guesses so far`);
  }
  await at(1);
  guessers.forEach((g) => { g.over = true; });
  await Promise.all(attacks);

  const most = guessers.map((g) => g.guesses).sort((x, y) => y - x);
  const told = guessers.flatMap((g) => Object.entries(g.told)).reduce((t, [w, n]) => ({ ...t, [w]: (t[w] ?? 0) + n }), {});
  console.log(`guesses by phone: ${most.join(' ')}; told: ${JSON.stringify(told)}`);
  for (const g of guessers) assert.ok(g.guesses <= MOST, `${g.guesses} guesses of one phone: ${JSON.stringify(g.judged)}`);
  assert.equal(most[0], MOST, 'who meets no outage has all the guesses there are, over more than one code');
  assert.ok(told.phone_locked > PHONES, 'and then the phone is locked');
  const rows = await f.database.ask('select phone, count(*) from code_wrong group by 1 having count(*) > 10');
  assert.deepEqual(rows, [], 'no phone has more wrong tries on record');
  await ownersAreLockedToo(f, guessers.filter((g) => g.guesses === MOST).slice(0, 5));
}, { withinMs: 240000 });

// The right digits are no guess; they are refused all the same while the phone is locked.
async function ownersAreLockedToo({ smsc, codes }, guessers) {
  for (const g of guessers) {
    const texts = smsc.texts.filter((t) => t.to === g.to.slice(1)).map((t) => digitsIn(t.text));
    for (const { id, binding } of g.open.slice(-2)) {
      const r = await codes[0].check(id, texts.at(-1), { binding });
      assert.notEqual(r.json.result, 'approved', 'a locked phone is not approved');
    }
  }
}

// Who comes with the right code does not bring back the guesses of who does not.
journey('phone__approved_between_guesses__guesses_are_not_renewed', async (stage) => {
  const { codes: [a, b] } = await fort(stage, servers, { of });
  const to = '+77013900001';
  let guesses = 0;
  for (let round = 0; round < 12; round++) {
    const opened = await a.ask({ to });
    if (opened.json.code === 'too_soon') await pause(Number(opened.headers['retry-after']) * 1000); // the door's own word
    if (opened.status !== 202) {
      if (opened.json.code === 'phone_locked') break;
      continue;
    }
    const code = await a.read(to, a.textsTo(to).length || 1);
    const last = a.textsTo(to).length;
    for (const at of [a, b, a]) {
      const r = await at.check(opened.json.id, code === '000000' ? '000001' : '000000');
      if (r.json.result === 'wrong') guesses += 1;
    }
    const right = await b.check(opened.json.id, await a.read(to, last));
    if (right.status === 429) break;
  }
  assert.ok(guesses > 5 && guesses <= MOST, `${guesses} guesses`);
}, { withinMs: 120000 });
