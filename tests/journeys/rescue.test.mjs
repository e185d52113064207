// Codes that do not arrive: sent once more, by another way, as soon as that is known.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Codes, purposes, wide, wrongFor } from '../lib/codes.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const of = {
  login: { receipt_wait: '2s' },
  slow: { receipt_wait: '2m' },
  phone: { receipt_wait: '2s', fallback: ['phone'] },
  either: { receipt_wait: '2s', fallback: ['link', 'phone'] },
  alone: { receipt_wait: '1s', fallback: [] },
};

// operators: {name: keys}; the binds of each at the centre are named as it is.
async function stand(stage, { centre: options = {}, operators = { one: {} }, config = {}, database = null } = {}) {
  const centre = await startCentre(stage, options);
  database ??= await servers.database();
  const k = await Kezek.start(stage, database, { config: { ...wide, purposes: purposes(stage, of), ...config },
    operators: Object.fromEntries(Object.entries(operators).map(([name, keys]) =>
      [name, operator(stage, { port: centre.port, systemId: name, ...keys })])) });
  await k.bound();
  return { centre, database, k, codes: new Codes(k.door, centre) };
}

// The state of the submissions to a number: [undelivered, delivered, ...]; what comes after them is delivered.
const judged = (...states) => {
  const seen = new Map();
  return (s) => {
    const n = seen.get(s.to) ?? 0;
    seen.set(s.to, n + 1);
    return { state: states[n] ?? 'DELIVRD', noReceipt: states[n] === 'silent' };
  };
};
const rescued = (k, how) => k.metric(`kezek_codes_rescued_total{how="${how}"}`);

journey('rescue__bad_receipt__at_once_by_the_other_link_with_the_same_digits_and_once', async (stage) => {
  const { centre, database, k, codes } = await stand(stage,
    { centre: { onSubmit: judged('UNDELIV', 'UNDELIV') }, operators: { one: { modes: ['transceiver', 'transceiver'] } } });
  const sent = await codes.sent({ to: '+77013110001', purpose: 'slow' });
  const first = await codes.read('+77013110001');
  assert.equal(await codes.read('+77013110001', 2), first);
  const [a, b] = centre.submits;
  assert.notEqual(a.session, b.session);
  assert.equal(a.text, b.text);
  await until('it is known how the second ended', async () => (await codes.state(sent.id)).sends[1]?.state === 'undeliverable');
  const state = await codes.state(sent.id);
  assert.deepEqual(state.sends.map((s) => s.why), ['asked', 'rescue']);
  assert.equal(state.expires_at, sent.expires_at);
  assert.equal(state.resends_left, 10, 'not one of the parent\'s');
  await codes.opened({ to: '+77013110002', purpose: 'slow' });
  await until('the next one is rescued too', async () => await rescued(k, 'link') === 2); // and the first not again
  assert.equal(await database.count('code_send', `code_id = (select min(id) from code)`), 2);
  assert.equal(centre.submits.filter((s) => s.to === '77013110001').length, 2);
  assert.deepEqual(await codes.result(sent.id, first), { id: sent.id, result: 'approved' });
});

journey('rescue__silent_operator__by_another_carrier_when_the_wait_is_over', async (stage) => {
  const { centre, k, codes } = await stand(stage, { centre: { onSubmit: (s) => ({ noReceipt: s.systemId === 'one' }) },
    operators: { one: {}, two: {} } });
  const sent = await codes.sent({ to: '+77013120001' });
  const first = await codes.read('+77013120001');
  assert.equal(await codes.read('+77013120001', 2), first);
  const [a, b] = centre.submits;
  assert.deepEqual([a.systemId, b.systemId], ['one', 'two']);
  assert.ok(b.at - a.at >= 1900, `${b.at - a.at} ms after`);
  assert.equal(await rescued(k, 'carrier'), 1);
  assert.equal((await codes.result(sent.id, wrongFor(first))).tries_left, 4);
  assert.equal((await codes.result(sent.id, first)).result, 'approved');
});

journey('rescue__purpose_with_a_second_phone__goes_there_and_its_digits_are_good', async (stage) => {
  const { centre, database, k, codes } = await stand(stage, { centre: { onSubmit: judged('UNDELIV') } });
  const sent = await codes.sent({ to: '+77013130001', second: '+77023130001', purpose: 'phone' });
  const code = await codes.read('+77023130001');
  assert.equal(code, await codes.read('+77013130001'));
  assert.equal(await rescued(k, 'phone'), 1);
  assert.equal((await codes.result(sent.id, code)).result, 'approved');
  assert.equal(await database.count('code_send', 'why = 2 and phone <> (select phone from code where id = code_id)'), 1);
  // The other way first, when there is one: here the only link is the one that lost it.
  const either = await codes.sent({ to: '+77013130002', second: '+77023130002', purpose: 'either' });
  assert.equal((await codes.result(either.id, await codes.read('+77023130002'))).result, 'approved');
  assert.equal(centre.submits.length, 4);
});

journey('rescue__second_phone_that_may_have_no_more__is_left_alone', async (stage) => {
  const { centre, k, codes } = await stand(stage, { centre: { onSubmit: judged('UNDELIV') },
    config: { codes: { ...wide.codes, wait_first: '1m', wait_second: '2m', wait_later: '5m' } } });
  await codes.sent({ to: '+77013170001', second: '+77023170009', purpose: 'phone' });
  await codes.read('+77023170009');
  await codes.sent({ to: '+77013170002', second: '+77023170009', purpose: 'phone' });
  await until('the limits refuse it', async () => await k.metric('kezek_codes_refused_total{why="wait"}') === 1);
  // What else the purpose allows is done.
  const either = await codes.opened({ to: '+77013170003', second: '+77023170009', purpose: 'either' });
  assert.equal(await codes.read('+77013170003', 2), either.code);
  assert.equal(centre.submits.filter((s) => s.to === '77023170009').length, 1);
  assert.equal(await rescued(k, 'phone'), 1);
});

journey('rescue__not_allowed_delivered_approved_or_no_second_phone__nothing_is_sent', async (stage) => {
  const { centre, k, codes } = await stand(stage, { centre: { onSubmit: (s) => ({ state: s.to.endsWith('3') ? 'DELIVRD' : 'UNDELIV',
    noReceipt: /[46]$/.test(s.to) }) },
    operators: { one: { modes: ['transceiver', 'transceiver'] } } });
  await codes.opened({ to: '+77013140001', purpose: 'alone' });
  await codes.opened({ to: '+77013140002', purpose: 'phone' });
  await codes.opened({ to: '+77013140003' });
  const typed = await codes.opened({ to: '+77013140004' });
  assert.equal((await codes.result(typed.id, typed.code)).result, 'approved');
  await codes.opened({ to: '+77013140006' }); // whose wait is over after all of theirs
  await codes.read('+77013140006', 2);
  assert.deepEqual(centre.submits.map((s) => s.to.at(-1)), ['1', '2', '3', '4', '6', '6']);
  await until('it is counted', async () => await rescued(k, 'link') === 1);
});

journey('rescue__of_a_code_that_the_portal_made__the_same_digits', async (stage) => {
  const { codes } = await stand(stage, { centre: { onSubmit: judged('REJECTD') } });
  await codes.sent({ to: '+77013150001', code: '918273' });
  assert.equal(await codes.read('+77013150001', 2), '918273');
});

journey('rescue__daemon_killed_while_it_waits__done_by_who_takes_its_slot', async (stage) => {
  const { centre, database, k, codes } = await stand(stage, { centre: { onSubmit: judged('silent') } });
  const second = await Kezek.prepare(stage, database, { config: { ...wide, purposes: purposes(stage, of) }, name: 'second',
    operators: { one: operator(stage, { port: centre.port, systemId: 'second', modes: ['transceiver', 'transceiver'] }) } });
  second.run();
  await second.ready();
  await second.bound();
  const sent = await codes.sent({ to: '+77013160001' });
  const code = await codes.read('+77013160001');
  await k.kill();
  assert.equal(await codes.read('+77013160001', 2, 40000), code);
  await second.openDoor({ key: k.door.key });
  assert.equal((await codes.at(second.door).result(sent.id, code)).result, 'approved');
  assert.deepEqual(centre.submits.map((s) => s.systemId), ['one', 'second']);
});

journey('rescue__bad_receipt_comes_to_another_daemon__done_there_and_once', async (stage) => {
  const { centre, database, k, codes } = await stand(stage, { centre: { onSubmit: () => ({ noReceipt: true }) },
    operators: { one: { modes: ['transmitter', 'transmitter'], systemId: 'kezek' } } });
  const second = await Kezek.prepare(stage, database, { config: { ...wide, purposes: purposes(stage, of) }, name: 'second',
    operators: { one: operator(stage, { port: centre.port }) } });
  second.run();
  await second.ready();
  await second.bound();
  const sent = await codes.sent({ to: '+77013180001', purpose: 'slow' });
  await until('it is submitted', async () => (await codes.state(sent.id)).sends[0].state === 'submitted');
  centre.receipt(centre.submits[0], { state: 'UNDELIV' });
  const code = await codes.read('+77013180001', 2);
  assert.deepEqual(centre.submits.map((s) => s.kind), ['bind_transmitter', 'bind_transceiver']);
  assert.equal(await rescued(k, 'link'), 0);
  await codes.opened({ to: '+77013180002' });
  await codes.read('+77013180002', 2); // by the first daemon, which has looked at what was sent before too
  assert.deepEqual(centre.submits.map((s) => s.to.at(-1)), ['1', '1', '2', '2']);
  assert.equal((await codes.result(sent.id, code)).result, 'approved');
});
