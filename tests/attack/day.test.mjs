// A day of ordinary parents, pressed into one hour's windows of every limit as they are by default (only the waits between two
// codes are shorter than a person's patience): not one of them may be refused. test_limits replays days by a clock.
import assert from 'node:assert/strict';
import { journey } from '../lib/stage.mjs';
import { sentAgain, wrongFor } from '../lib/codes.mjs';
import { Servers } from '../lib/servers.mjs';
import { Chance } from '../crash/chance.mjs';
import { fort, quick, seed } from './fort.mjs';

const servers = new Servers();
const PARENTS = quick ? 240 : 3000, CLIENTS = 12, PREFIXES = quick ? 12 : 120;
const config = { guard: {}, codes: { wait_first: '1s', wait_second: '1s', wait_later: '1s' } };
const operators = ['700', '701', '702', '705', '707', '708', '747', '771', '775', '776', '777', '778'];
const of = { login: {}, phone: { binding: 'required' }, password: {}, referral: {} };

// Each is a person: most read and type it; some mistype, ask again, come a second time, never come back.
async function parent(codes, i, chance) {
  const [here, there] = chance.yes(0.5) ? codes : [...codes].reverse();
  const p = i % PREFIXES;
  const to = `+7${operators[p % operators.length]}${String(100 + p)}${String(i * 13 % 10000).padStart(4, '0')}`;
  const purpose = chance.one(Object.keys(of));
  const wish = { to, purpose, language: chance.one(['kk', 'ru', 'en']), client_address: `10.${i % 200}.${Math.floor(i / 200)}.1`,
    ...(purpose === 'phone' ? { binding: `application-${i}` } : {}) };
  const first = await here.opened(wish);
  let { code } = first;
  if (chance.yes(0.04)) return 'left';
  if (chance.yes(0.06)) {
    const before = here.textsTo(to).length;
    await sentAgain(() => there.resend(first.id));
    code = await here.read(to, before + 1);
  }
  for (let n = chance.yes(0.12) ? 1 + chance.below(2) : 0; n > 0; n--)
    assert.equal((await here.result(first.id, wrongFor(code), wish)).result, 'wrong');
  assert.equal((await there.result(first.id, code, wish)).result, 'approved');
  return 'approved';
}

journey('parents__a_day_of_them__none_is_refused', async (stage) => {
  const { a, b, codes } = await fort(stage, servers, { config, of });
  const chance = new Chance(seed);
  console.log(`seed ${seed}`);
  const ends = {};
  let next = 0;
  const client = async () => {
    while (next < PARENTS) {
      const end = await parent(codes, next++, chance);
      ends[end] = (ends[end] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  console.log(JSON.stringify(ends));
  for (const k of [a, b])
    for (const why of ['phone_hour', 'phone_day', 'resends_day', 'prefix_hour', 'key_minute', 'address_hour', 'day', 'held', 'locked'])
      assert.equal(await k.metric(`kezek_codes_refused_total{why="${why}"}`), 0, why);
  assert.deepEqual((await a.ctl('guard')).held, []);
}, { withinMs: 300000 });
