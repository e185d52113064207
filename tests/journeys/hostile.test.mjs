// An operator that does everything wrong, and a daemon that lives through all of it: every message ends, what is said to
// be delivered was shown on a phone, and a sound operator beside it does not notice.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();
const quick = { message: { retry_min: '20ms', retry_max: '200ms', in_doubt_wait: '300ms', attempts: 100 } };
const timers = { bind: '500ms', response: '1s', enquire: '500ms', stall: '500ms', unbind: '500ms' };
const HOSTILE = '+77021234567', SOUND = '+77011234567';
const ends = ['delivered', 'undeliverable', 'rejected', 'expired', 'failed'];

// n messages through a simulator with those faults; answers their last states in order and the stand.
async function live(stage, faults, { n = 60, profile = {}, parts = 1, retry = '200ms' } = {}) {
  const receipts = ['--receipt-delay', '5ms', '--receipt-retry', retry];
  const bad = await Simulator.start(stage, [...receipts, ...faults], 'hostile');
  const good = await Simulator.start(stage, receipts, 'sound');
  const k = await Kezek.start(stage, await servers.database(), { config: quick, operators: {
    hostile: operator(stage, { port: bad.port, prefixes: ['7702'], timers, modes: ['transceiver', 'transceiver'], ...profile }),
    sound: operator(stage, { port: good.port, prefixes: ['7701'], ...profile }),
  } });
  await k.bound('sound');
  const text = (i) => `n ${i} ${'.'.repeat(parts > 1 ? 160 * (parts - 1) : 0)}`;
  const kept = await Promise.all(Array.from({ length: n }, (_, i) => k.door.send({ to: HOSTILE, text: text(i) })));
  await k.settled((await k.door.send({ to: SOUND, text: 'beside it' })).id);
  const messages = [];
  for (const { id } of kept) {
    messages.push(await until(`${id} ends`, async () => {
      const m = await k.door.message(id);
      return ends.includes(m.state) && m;
    }, 60000));
  }
  assert.ok(!k.process.ended);
  const shown = [...bad.events(), ...good.events()].filter((e) => e.event === 'sms').map((e) => e.text);
  messages.forEach((m, i) => assert.ok(m.state !== 'delivered' || shown.includes(text(i)), `${text(i)} was never shown`));
  await k.settled((await k.door.send({ to: SOUND, text: 'after it' })).id);
  return { k, bad, messages, shown, states: new Set(messages.map((m) => m.state)) };
}

const doubts = (m) => m.timeline.filter((e) => e.event === 'in_doubt').length;

journey('hostile__connections_dropped_and_frozen__in_doubt_at_most_and_marked', async (stage) => {
  const { messages, states } = await live(stage, ['--drop-after', '23', '--freeze-after', '17']);
  for (const m of messages) {
    if (m.state === 'failed') assert.equal(doubts(m), 2, JSON.stringify(m)); // it may have arrived, and the trace says so
    else assert.equal(m.state, 'delivered', JSON.stringify(m));
    if (doubts(m) && m.timeline.filter((e) => e.event === 'submitted').length)
      assert.ok(m.timeline.some((e) => e.event === 'resent'), JSON.stringify(m));
  }
  assert.ok(states.has('delivered'));
});

journey('hostile__binds_never_answered__others_are_tried_and_all_arrives', async (stage) => {
  const { states, k } = await live(stage, ['--mute-binds', '3'], { n: 10 });
  assert.deepEqual([...states], ['delivered']);
  assert.match(k.process.err(), /no answer to the bind/);
});

journey('hostile__garbage_between_the_answers__nothing_lost_or_said_twice', async (stage) => {
  const { states, shown, k } = await live(stage, ['--garbage-every', '1']);
  assert.deepEqual([...states], ['delivered']);
  assert.equal(new Set(shown).size, shown.length, 'no duplicate');
  assert.ok(await k.metric('kezek_smpp_odd_pdus_total') > 20);
});

journey('hostile__lengths_that_cannot_be__link_made_anew', async (stage) => {
  const { messages } = await live(stage, ['--bad-length-after', '13']);
  for (const m of messages) assert.ok(m.state === 'delivered' || doubts(m) === 2, JSON.stringify(m));
});

journey('hostile__every_kind_of_odd_receipt__each_message_has_its_own', async (stage) => {
  const forms = ['spelling', 'ucs2', 'bare', 'cut', 'unknown', 'garbled'];
  const { states, k } = await live(stage, ['--receipt-twice', ...forms.flatMap((f) => ['--odd-receipt', f])],
    { profile: { receipts: { loose: true } }, retry: '30s' }); // one sent again would be kept aside again
  assert.deepEqual([...states], ['delivered']);
  assert.equal(await k.metric('kezek_receipts_aside_total'), 20);
});

journey('hostile__early_receipts_by_two_links__all_join', async (stage) => {
  const { states } = await live(stage, ['--early-receipt', '--receipt-twice', '--response-delay', '50ms']);
  assert.deepEqual([...states], ['delivered']);
});

journey('hostile__generic_nacks__slowed_or_rejected_by_their_status', async (stage) => {
  const slowed = await live(stage, ['--nack-every', '4:0x58']);
  assert.deepEqual([...slowed.states], ['delivered']);
  assert.equal(new Set(slowed.shown).size, slowed.shown.length, 'no duplicate');
});

journey('hostile__nacks_of_our_octets__rejected_and_never_sent_again', async (stage) => {
  const { messages } = await live(stage, ['--nack-every', '5:3']);
  const rejected = messages.filter((m) => m.state === 'rejected');
  assert.equal(rejected.length, 12);
  for (const m of rejected) assert.equal(m.timeline.filter((e) => e.event === 'refused').length, 1, JSON.stringify(m));
  assert.ok(messages.every((m) => ['rejected', 'delivered'].includes(m.state)));
});

journey('hostile__reads_slowly__answers_late_and_nothing_lost', async (stage) => {
  const { messages } = await live(stage, ['--read-rate', '4000'], { n: 40, parts: 2, profile: { timers: { response: '10s' } } });
  for (const m of messages) assert.equal(m.state, 'delivered', JSON.stringify(m));
});

journey('hostile__all_of_it_at_once__every_message_ends', async (stage) => {
  const { messages, states } = await live(stage, ['--drop-after', '40', '--garbage-every', '3', '--no-answer-every', '19',
    '--queue-full-every', '7', '--status-every', '11:0x55f', '--throttle', '300', '--receipt-twice', '--mute-binds', '1',
    '--odd-receipt', 'garbled', '--odd-receipt', 'spelling', '--odd-receipt', 'unknown', '--early-receipt'], { n: 150 });
  for (const m of messages) assert.ok(m.state === 'delivered' || doubts(m) === 2, JSON.stringify(m));
  assert.ok(states.has('delivered'));
});
