// A check takes the same time whether its id is an open code's, another client's or nobody's: what is kept of it costs the
// same. Asked in turn, and judged by medians.
import assert from 'node:assert/strict';
import { journey } from '../lib/stage.mjs';
import { wrongFor } from '../lib/codes.mjs';
import { Servers } from '../lib/servers.mjs';
import { Chance } from '../crash/chance.mjs';
import { fort, quick, seed } from './fort.mjs';

const servers = new Servers();
const CODES = quick ? 40 : 300, TRIES = 4; // one is left to each
const SHARE = 0.2, NOISE_US = 150; // of the median; a daemon that asks or writes less for one of them is off by much more

const median = (values) => [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)];

async function timed(ask) {
  const from = process.hrtime.bigint();
  const r = await ask();
  return [Number(process.hrtime.bigint() - from) / 1000, r];
}

// Of the same moment as the known one, so that only its last bits differ.
const nobodys = (id) => id.slice(0, -2) + (id.endsWith('zz') ? 'yy' : 'zz');

journey('check__known_foreign_and_unknown_ids__the_same_time', async (stage) => {
  const { a, codes: [codes] } = await fort(stage, servers);
  const other = codes.at(a.door.withKey((await a.ctl('key', 'add', 'other', '--scope', 'codes')).key));
  const chance = new Chance(seed);
  const opened = [];
  for (let i = 0; i < CODES; i++) opened.push(await codes.opened({ to: `+77016${String(i * 3331 % 1000000).padStart(6, '0')}` }));
  const asks = {
    known: ({ id, code }) => codes.check(id, wrongFor(code)),
    foreign: ({ id, code }) => other.check(id, wrongFor(code)),
    unknown: ({ id, code }) => codes.check(nobodys(id), wrongFor(code)),
  };
  await other.check(opened[0].id, '000000');
  const took = Object.fromEntries(Object.keys(asks).map((kind) => [kind, []]));
  for (let n = 0; n < TRIES; n++)
    for (const one of opened)
      for (const kind of Object.keys(asks).sort(() => chance.next() - 0.5)) {
        const [us, r] = await timed(() => asks[kind](one));
        assert.equal(r.json.result ?? r.json.code, kind === 'known' ? 'wrong' : 'not_found', r.body);
        took[kind].push(us);
      }
  const [known, foreign, unknown] = ['known', 'foreign', 'unknown'].map((kind) => median(took[kind]));
  console.log(`medians of ${CODES * TRIES}: known ${known.toFixed()} us, foreign ${foreign.toFixed()} us, unknown ${unknown.toFixed()} us`);
  for (const us of [foreign, unknown])
    assert.ok(Math.abs(us - known) <= Math.max(known * SHARE, NOISE_US), `${us} us against ${known} us`);
}, { withinMs: 240000 });
