// What an operator says became of a message, in the spellings seen in the field, is recorded, and acknowledged only then.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';
import { Capture } from '../lib/tshark.mjs';

const servers = new Servers();

// How an account writes its receipts: options of the centre; profile: keys of the operator's profile.
const spellings = {
  text: {},
  tlv: { form: 'tlv' },
  both: { form: 'both' },
  'data-text': { via: 'data_sm' },
  'data-tlv': { via: 'data_sm', form: 'tlv' },
  payload: { form: 'payload' },
  loose: { esmClass: 0, profile: { receipts: { loose: true } } },
  'loose-tlv': { esmClass: 0, form: 'both', profile: { receipts: { loose: true } } },
  early: { before: true },
  hexdec: { spelling: 'hex-decimal' },
  upperhex: { spelling: 'HEX-decimal' },
  dechex: { spelling: 'decimal-hex' },
  padded: { spelling: 'padded' },
  cut: { spelling: 'padded-cut' },
  case: { spelling: 'case' },
  words: { spelling: 'text' },
  order: { wording: (f) => `stat:${f.stat} done date:20${f.done}30 id:${f.id}` },
  capitals: { wording: (f) => `ID:${f.id} SUB:1 DLVRD:1 SUBMIT DATE:${f.submit} DONE DATE:${f.done} STAT:DELIVERED ERR:0` },
  small: { wording: (f) => `id:${f.id} sub:001 dlvrd:001 submit date:${f.submit}00 done date:${f.done}00 stat:delivrd err: text:Some text: id:7` },
};

function accounts(stage, port, table) {
  const operators = {}, options = {};
  Object.entries(table).forEach(([name, { profile = {}, ...rest }], i) => {
    options[name] = rest;
    operators[name] = operator(stage, { port, systemId: name, prefixes: [`7702${String(i).padStart(2, '0')}`], ...profile });
  });
  return { operators, options };
}

const numberOf = (table, name) => `+7702${String(Object.keys(table).indexOf(name)).padStart(2, '0')}12345`;

journey('receipts__every_spelling__message_is_delivered', async (stage) => {
  const centre = await startCentre(stage);
  const capture = await Capture.start(stage, [centre.port]);
  const { operators, options } = accounts(stage, centre.port, spellings);
  centre.options.accounts = options;
  const k = await Kezek.start(stage, await servers.database(), { operators });
  await k.bound();
  for (const name of Object.keys(spellings)) {
    const { id } = await k.door.send({ to: numberOf(spellings, name), text: `${name}: 1` });
    const two = await k.door.send({ to: numberOf(spellings, name), text: 'Сәлем '.repeat(15) });
    const m = await k.settled(id);
    const receipt = m.timeline.find((e) => e.event === 'receipt');
    assert.equal(receipt.status, 'DELIVRD', name);
    assert.equal(receipt.carrier, name);
    await k.settled(two.id);
  }
  await until('every receipt is acknowledged', () => centre.acks.length === centre.receiptsSent.length);
  assert.ok(centre.acks.every((a) => a.status === 0));
  assert.deepEqual(centre.faults, []);
  await k.stop();
  const sent = await capture.judge();
  const by = (via) => Object.values(options).filter((o) => (o.via ?? 'deliver_sm') === via).length * 3;
  assert.deepEqual([sent.deliver_sm_resp, sent.data_sm_resp], [by('deliver_sm'), by('data_sm')]);
});

journey('receipts__every_state__message_ends_in_it', async (stage) => {
  const ends = { DELIVRD: 'delivered', UNDELIV: 'undeliverable', REJECTD: 'rejected', EXPIRED: 'expired', DELETED: 'undeliverable' };
  const centre = await startCentre(stage, { onSubmit: (s) => ({ state: s.text }) });
  const k = await Kezek.start(stage, await servers.database(), { operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  for (const [stat, state] of Object.entries(ends)) {
    const { id } = await k.door.send({ to: '+77011234567', text: stat });
    const m = await k.settled(id, state);
    assert.equal(m.timeline.find((e) => e.event === 'receipt').status, stat);
  }
});

// 0x20: a try failed and the operator goes on trying. It may speak of any state.
journey('receipts__intermediate_notifications_of_parts__end_nothing', async (stage) => {
  const centre = await startCentre(stage, { receipts: false });
  const k = await Kezek.start(stage, await servers.database(), { operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const { id } = await k.door.send({ to: '+77011234567', text: 'ә'.repeat(100) });
  await k.settled(id, 'submitted');
  const [first, second] = centre.submits;
  for (const [submit, o] of [[first, { state: 'UNDELIV', esmClass: 0x20 }], [second, { state: 'DELIVRD' }]])
    await until('acknowledged', () => (submit.receipt ??= centre.receipt(submit, o)).ackedAt);
  assert.equal((await k.door.message(id)).state, 'submitted');
  centre.receipt(first, { state: 'UNDELIV' }); // the same word, and the last
  await k.settled(id, 'undeliverable');
});

journey('receipts__late_enroute_and_repetition__final_state_stays', async (stage) => {
  const centre = await startCentre(stage, { receipts: false });
  const k = await Kezek.start(stage, await servers.database(), { operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const { id } = await k.door.send({ to: '+77011234567', text: 'one' });
  await k.settled(id, 'submitted');
  for (const state of ['ENROUTE', 'DELIVRD', 'DELIVRD', 'ENROUTE', 'UNKNOWN']) {
    const r = centre.receipt(centre.submits[0], { state });
    await until(`${state} acknowledged`, () => r.ackedAt);
    assert.equal(r.status, 0, state);
  }
  assert.equal((await k.door.message(id)).state, 'delivered');
});

journey('receipts__repeated_a_thousand_times__each_acknowledged_and_recorded_once', async (stage) => {
  const centre = await startCentre(stage, { receipts: false });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const { id } = await k.door.send({ to: '+77011234567', text: 'one' });
  await k.settled(id, 'submitted');
  const unknown = { wording: () => 'id:nobody-knows-it stat:DELIVRD err:000' };
  const repeat = async (n, o) => {
    const sent = Array.from({ length: n }, () => centre.receipt(centre.submits[0], o));
    await until('all are answered', () => sent.every((r) => r.ackedAt));
    assert.ok(sent.every((r) => r.status === 0));
  };
  for (const o of [{ state: 'ENROUTE' }, { state: 'UNDELIV' }, { state: 'DELIVRD' }, unknown]) {
    await repeat(1, o);
    await repeat(999, o);
  }
  const m = await k.door.message(id);
  assert.equal(m.state, 'undeliverable', 'the first final word');
  assert.deepEqual(m.timeline.map((e) => e.status).filter(Boolean), ['ENROUTE', 'UNDELIV', 'DELIVRD']);
  assert.equal(await database.count('message_event', 'final'), 1, 'one end');
  assert.equal(await database.count('receipt_waiting'), 1);
  assert.equal(await k.metric('kezek_receipts_total{found="repeated"}'), 3 * 999);
  await k.kill();
  k.run();
  await k.ready();
  await k.bound();
  for (let i = 0; i < 3; i++) await repeat(1, { state: 'DELIVRD' });
  assert.equal(await database.count('message_event', "status = 'DELIVRD'"), 2, 'once more by the next run');
});

// One carrier, two daemons with a session each: an operator sends receipts over whichever it likes.
journey('receipts__out_of_order_to_two_daemons_at_once__one_end_and_the_worst_word', async (stage) => {
  const centre = await startCentre(stage, { receipts: false });
  const database = await servers.database();
  const daemon = (name) => Kezek.start(stage, database, { name,
    operators: { one: operator(stage, { port: centre.port, systemId: name }) } });
  const first = await daemon('first');
  const second = await daemon('second');
  for (const k of [first, second]) await k.bound();
  const ids = [];
  for (let i = 0; i < 10; i++) ids.push((await first.door.send({ to: '+77011234567', text: `${i} ${'ә'.repeat(150)}` })).id);
  for (const id of ids) await first.settled(id, 'submitted');
  await until('all parts', () => centre.submits.length === 30);
  const to = (submit, systemId, state) => centre.receipt({ ...submit, systemId }, { state });
  const sent = [];
  for (const s of [...centre.submits].reverse()) {
    sent.push(to(s, s.number % 2 ? 'second' : 'first', s.number === 2 ? 'UNDELIV' : 'DELIVRD'));
    sent.push(to(s, s.number % 2 ? 'first' : 'second', s.number === 2 ? 'UNDELIV' : 'DELIVRD')); // twice
    sent.push(to(s, 'second', 'ENROUTE'));
  }
  await until('all are acknowledged', () => sent.every((r) => r.ackedAt));
  assert.ok(sent.every((r) => r.status === 0));
  for (const id of ids) await second.settled(id, 'undeliverable');
  for (const s of centre.submits) sent.push(to(s, 'first', 'DELIVRD'));
  await until('all are acknowledged', () => sent.every((r) => r.ackedAt));
  for (const id of ids) assert.equal((await first.door.message(id)).state, 'undeliverable');
  assert.equal(await database.count('message_event', 'final'), 10);
  assert.equal(await database.count('receipt_waiting'), 0);
});

journey('receipts__unknown_or_unreadable__acknowledged_and_kept_aside', async (stage) => {
  const centre = await startCentre(stage, { receipts: false });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const { id } = await k.door.send({ to: '+77011234567', text: 'one' });
  await k.settled(id, 'submitted');
  const [submit] = centre.submits;
  for (const o of [{ wording: () => 'id:nobody-knows-it stat:DELIVRD err:000' }, { wording: () => '\u0001\u0002 not a receipt at all' }]) {
    const r = centre.receipt(submit, o);
    await until('acknowledged', () => r.ackedAt);
    assert.equal(r.status, 0);
  }
  assert.equal(await database.count('receipt_waiting'), 1, 'kept until its submission is known');
  assert.equal(await database.count('receipt_aside'), 1, 'kept before it was acknowledged');
  assert.equal(await database.count('receipt_aside r', "r::text ~ encode('not a receipt', 'hex')"), 0, 'and nobody reads it there');
  assert.match((await k.ctlRun('aside')).out, /^\d{4}-.*  one  unreadable receipt\n  .*not a receipt at all\n$/);
  assert.equal((await k.door.message(id)).state, 'submitted');
});

journey('receipts__database_stands_still_or_is_away__asked_to_come_again_and_nothing_lost', async (stage) => {
  const centre = await startCentre(stage, { receipts: false });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { database: { job_timeout: '13s' } },
    operators: { one: operator(stage, { port: centre.port, receipts: { busy_status: 88 } }) } });
  await k.bound();
  const { id } = await k.door.send({ to: '+77011234567', text: 'one' });
  await k.settled(id, 'submitted');
  const wordings = { known: undefined, unknown: () => 'id:nobody-knows-it stat:DELIVRD err:000', unreadable: () => 'what a day' };
  const askedAgain = async (why) => {
    const sent = Object.entries(wordings).map(([name, wording]) => [name, centre.receipt(centre.submits[0], wording ? { wording } : {})]);
    for (const [name, r] of sent) {
      await until(`${name} is answered`, () => r.ackedAt, 30000);
      assert.equal(r.status, 88, `${name}, ${why}`);
    }
  };
  const goOn = await database.freeze();
  try {
    await askedAgain('the database stands still');
  } finally {
    goOn();
  }
  await k.ready();
  await servers.kill();
  await until('it is known', async () => (await k.door.get('/readyz')).status !== 200);
  await askedAgain('the database is away');
  await servers.restart();
  await k.ready();
  for (const [name, wording] of Object.entries(wordings))
    await until(`${name} is taken`, async () => {
      const r = centre.receipt(centre.submits[0], wording ? { wording } : {});
      await until('answered', () => r.ackedAt, 30000);
      return r.status === 0;
    });
  await k.settled(id);
  assert.ok(await database.count('receipt_waiting') >= 1);
  assert.ok(await database.count('receipt_aside', "what = 'unreadable receipt'") >= 1);
  assert.equal(await k.metric('kezek_smpp_link_bound'), 1);
});

journey('receipt__database_stands_still__not_acknowledged_until_recorded', async (stage) => {
  const centre = await startCentre(stage, { receipts: false });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const { id } = await k.door.send({ to: '+77011234567', text: 'one' });
  await k.settled(id, 'submitted');
  const goOn = await database.freeze();
  let receipt;
  try {
    receipt = centre.receipt(centre.submits[0]);
    // Answers come in order of handling: the answer to this later request shows that the receipt was read before.
    const session = centre.receiver('kezek');
    for (let i = 0; i < 5; i++) await new Promise((resolve) => session.enquire_link(resolve));
    assert.equal(receipt.ackedAt, null, 'acknowledged before the commit');
  } finally {
    goOn();
  }
  let rowsAtAck;
  await until('acknowledged', async () => {
    if (receipt.ackedAt) rowsAtAck ??= await database.count('message_event', "status = 'DELIVRD'");
    return receipt.ackedAt;
  });
  assert.equal(receipt.status, 0);
  assert.equal(rowsAtAck, 1, 'the event is there when the acknowledgement is');
  await k.settled(id);
});

journey('receipt__of_a_message_that_nobody_knows__waits_as_long_as_it_may_be_joined_then_is_forgotten', async (stage) => {
  const centre = await startCentre(stage, { receipts: false });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const { id } = await k.door.send({ to: '+77011234567', text: 'one' });
  await k.settled(id, 'submitted');
  for (const stray of ['a1', 'b2']) {
    const r = centre.receipt(centre.submits[0], { wording: () => `id:${stray} stat:DELIVRD` });
    await until('acknowledged', () => r.ackedAt);
  }
  await database.ask(`update receipt_waiting set at = at - interval '15 days' where 'a1' = any(operator_ids);
    update receipt_waiting set at = at - interval '14 days' where 'b2' = any(operator_ids);
    insert into receipt_waiting (at, carrier, operator_ids, final, state, parts_mode, look_at)
    select now(), 'flood', array[n::text], true, 6, 0, now() + interval '1 day' from generate_series(1, 100002) n`);
  await k.stop();
  k.run();
  await k.ready();
  await until('one is forgotten', async () => await k.metric('kezek_receipts_forgotten_total{why="old"}') === 1);
  assert.equal(await k.metric('kezek_receipts_forgotten_total{why="many"}'), 2);
  assert.equal(await k.metric('kezek_receipts_waiting'), 100001);
  assert.equal(await database.count('receipt_waiting', `'b2' = any(operator_ids)`), 1);
  assert.equal(await database.count('receipt_waiting', "carrier = 'flood' and operator_ids[1]::int > 2"), 100000);
  assert.equal(await database.count('receipt_waiting'), 100001);
});

journey('operator__never_sends_a_receipt__message_ends_unconfirmed_and_a_late_one_changes_nothing', async (stage) => {
  const centre = await startCentre(stage, { onSubmit: () => ({ noReceipt: true }) });
  const k = await Kezek.start(stage, await servers.database(), { config: { message: { receipt_wait: '10s' } },
    operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const { id } = await k.door.send({ to: '+77011234567', text: 'hello' });
  await k.settled(id, 'submitted');
  const m = await k.settled(id, 'unconfirmed', 30000);
  assert.deepEqual(m.timeline.map((e) => e.event), ['accepted', 'submitted', 'ended']);
  centre.receipt(centre.submits[0], {});
  await until('the receipt is acknowledged', () => centre.acks.length === 1);
  const after = await k.door.message(id);
  assert.equal(after.state, 'unconfirmed');
  assert.equal(after.timeline.at(-1).event, 'receipt');
});
