// Several carriers, and operators that slow down, refuse, or are away.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { journey, freePort, until } from '../lib/stage.mjs';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { Centre, startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const quick = { message: { retry_min: '20ms', retry_max: '200ms', in_doubt_wait: '300ms' } };
const carriersOf = (m) => m.timeline.filter((e) => e.event === 'submitted').map((e) => e.carrier);
const refusals = (m) => m.timeline.filter((e) => e.event === 'refused').map((e) => e.status);

journey('route__prefixes_and_a_carrier_that_is_down__next_one_takes_over', async (stage) => {
  const [a, b, c] = [await startCentre(stage), await startCentre(stage), new Centre({})];
  const awayPort = await freePort();
  const k = await Kezek.start(stage, await servers.database(), { config: quick, operators: {
    alpha: operator(stage, { port: a.port, prefixes: ['7701', '7705'], preference: 2 }),
    beta: operator(stage, { port: b.port, prefixes: ['77'] }),
    away: operator(stage, { port: awayPort, prefixes: ['7705'], preference: 1 }),
  } });
  await k.bound('alpha', 'beta');
  const send = async (to) => k.settled((await k.door.send({ to, text: 'hello' })).id);
  assert.deepEqual(carriersOf(await send('+77011112233')), ['alpha']);
  assert.deepEqual(carriersOf(await send('+77771112233')), ['beta']);
  assert.deepEqual(carriersOf(await send('+77051112233')), ['alpha'], 'fail-over');
  const dry = await k.door.post('/v1/messages', { to: '+77051112233', text: 'hello', dry_run: true });
  assert.equal(dry.status, 200);
  assert.deepEqual(dry.json.route, ['alpha', 'beta', 'away'], 'one that is down comes last');
  await c.listen(awayPort);
  stage.defer(() => c.close());
  await k.bound('away');
  assert.deepEqual(carriersOf(await send('+77051112233')), ['away'], 'back to the preferred one');
  const ready = await k.door.get('/readyz');
  assert.deepEqual(ready.json.operators, { alpha: 'up', beta: 'up', away: 'up' });
  await c.close();
  await until('away is down', async () => (await k.door.get('/readyz')).json.operators.away === 'down');
  assert.equal((await k.door.get('/readyz')).status, 200, 'one operator down is not unready');
});

journey('operator__throttles_and_its_queue_is_full__slower_and_nothing_lost', async (stage) => {
  const answers = [0x58, 0x58, 0x14, 0x58, 0x14];
  const centre = await startCentre(stage, { onSubmit: () => ({ status: answers.shift() }) });
  const k = await Kezek.start(stage, await servers.database(), { config: quick,
    operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const kept = await Promise.all(Array.from({ length: 20 }, (_, i) => k.door.send({ to: '+77011234567', text: `n ${i}` })));
  for (const { id } of kept) await k.settled(id, 'delivered', 40000);
  assert.equal(centre.submits.length, 25);
  assert.equal(centre.texts.length, 20, 'no duplicate');
  assert.equal((await k.link('one.1')).refused, 5);
});

journey('simulator__throttles_refuses_and_drops__everything_accepted_ends', async (stage) => {
  const own = await Simulator.start(stage, ['--throttle', '200', '--queue-full-every', '7', '--status-every', '11:0x55f',
    '--drop-after', '60', '--receipt-delay', '5ms', '--receipt-retry', '200ms', '--receipt-twice']);
  const k = await Kezek.start(stage, await servers.database(), { config: quick,
    operators: { one: operator(stage, { port: own.port }) } });
  await k.bound();
  const kept = await Promise.all(Array.from({ length: 150 }, (_, i) => k.door.send({ to: '+77011234567', text: `n ${i}` })));
  const delivered = new Set();
  for (const { id } of kept) {
    const m = await until(`${id} ends`, async () => {
      const now = await k.door.message(id);
      return ['delivered', 'failed'].includes(now.state) && now;
    }, 60000);
    if (m.state === 'delivered') delivered.add(id);
    else assert.equal(m.timeline.filter((e) => e.event === 'in_doubt').length, 2, JSON.stringify(m)); // it may have arrived
  }
  const shown = new Set(own.events().filter((e) => e.event === 'sms').map((e) => e.text));
  kept.forEach(({ id }, i) => assert.ok(shown.has(`n ${i}`) || !delivered.has(id), `n ${i} is delivered and was never shown`));
  assert.ok(delivered.size > 0);
});

journey('operator__vendor_status__retried_rerouted_or_final_by_its_class', async (stage) => {
  const verdicts = { vendor: [0x55f, 0x404], ours: [0x0b], sender: [0x0a] };
  const first = await startCentre(stage, { onSubmit: (s) => ({ status: verdicts[s.text].shift() }) });
  const second = await startCentre(stage);
  const k = await Kezek.start(stage, await servers.database(), { config: quick, operators: {
    first: operator(stage, { port: first.port, preference: 1 }),
    second: operator(stage, { port: second.port, preference: 2 }),
  } });
  await k.bound();
  const send = async (text) => (await k.door.send({ to: '+77011234567', text })).id;
  const vendor = await k.settled(await send('vendor'));
  assert.deepEqual(refusals(vendor), ['0x0000055f', '0x00000404']);
  const ours = await k.settled(await send('ours'));
  assert.deepEqual([refusals(ours), carriersOf(ours)], [['ESME_RINVDSTADR'], ['second']]);
  const sender = await k.settled(await send('sender'), 'rejected');
  assert.deepEqual([refusals(sender), carriersOf(sender)], [['ESME_RINVSRCADR'], []]);
});

journey('message__expires_while_no_operator_is_up__never_sent', async (stage) => {
  const port = await freePort();
  const k = await Kezek.start(stage, await servers.database(), { config: quick,
    operators: { one: operator(stage, { port }) } });
  const { id } = await k.door.send({ to: '+77011234567', text: 'late', expires_at: new Date(Date.now() + 2000).toISOString() });
  const longer = await k.door.send({ to: '+77011234567', text: 'in time' });
  const m = await k.settled(id, 'expired');
  assert.equal(m.timeline.at(-1).event, 'expired');
  const centre = await startCentre(stage, { port });
  await k.settled(longer.id);
  assert.deepEqual(centre.submits.map((s) => s.text), ['in time']);
});

journey('lanes__narrow_window__code_before_notice_before_bulk', async (stage) => {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  const centre = await startCentre(stage, { onSubmit: (s) => (s.text === 'first' ? { after: held } : undefined) });
  const k = await Kezek.start(stage, await servers.database(), {
    operators: { one: operator(stage, { port: centre.port, link: { window: 1 } }) } });
  await k.bound();
  const ids = [(await k.door.send({ to: '+77011234567', text: 'first' })).id];
  await until('the first is at the operator', () => centre.submits.length === 1);
  for (const [cls, n] of [['bulk', 4], ['notice', 3], ['code', 2]])
    for (let i = 0; i < n; i++) ids.push((await k.door.send({ to: '+77011234567', text: `${cls} ${i}`, class: cls })).id);
  const status = await k.status();
  assert.equal(status.queue.lanes.code.waiting, 2);
  assert.equal(status.queue.lanes.bulk.waiting, 4);
  release();
  for (const id of ids) await k.settled(id);
  assert.deepEqual(centre.submits.map((s) => s.text), ['first', 'code 0', 'code 1', 'notice 0', 'notice 1', 'notice 2',
    'bulk 0', 'bulk 1', 'bulk 2', 'bulk 3']);
});

journey('link__lost_with_a_part_unanswered__in_doubt_then_sent_once_more', async (stage) => {
  const lost = new Set();
  const centre = await startCentre(stage, { onSubmit: (s) => {
    if (!lost.has(s.text)) {
      lost.add(s.text);
      s.session.destroy();
      return { silent: true };
    }
  } });
  const k = await Kezek.start(stage, await servers.database(), { config: quick,
    operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  for (const cls of ['code', 'notice']) {
    const { id } = await k.door.send({ to: '+77011234567', text: cls, class: cls });
    const m = await k.settled(id);
    assert.deepEqual(m.timeline.map((e) => e.event), ['accepted', 'in_doubt', 'resent', 'submitted', 'receipt'], cls);
    assert.equal(centre.submits.filter((s) => s.text === cls).length, 2);
  }
});

// An operator that allows an account one session, and whose first answer waits for release().
async function oneSession(stage, onSubmit) {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  const centre = await startCentre(stage, { receipts: false,
    onBind: (pdu) => ([...centre.sessions].some((s) => s.kind && s.systemId === pdu.system_id) ? RALYBND : 0),
    onSubmit: (s) => onSubmit(s, held) });
  return { centre, release };
}
const RALYBND = 0x05;
const long = 'ә'.repeat(150); // 3 parts
const patient = { reconnect: { already_bound: '10m' } }; // a refused bind would not be tried again here
const narrow = (stage, port, rate) => operator(stage, { port, ...patient, link: { window: 1, rate } });
const unfinished = (k) => k.metric('kezek_messages_unfinished');
const numbers = (centre) => centre.submits.map((s) => s.number);

async function reloadHalfSent(stage, verdict) {
  let first = true;
  const { centre, release } = await oneSession(stage, (s, held) => {
    if (!first) return undefined;
    first = false;
    return { ...verdict, after: held };
  });
  const k = await Kezek.start(stage, await servers.database(), { config: quick,
    operators: { one: narrow(stage, centre.port, 1000) } });
  await k.bound();
  const { id } = await k.door.send({ to: '+77011234567', text: long });
  await until('its first part is at the operator', () => centre.submits.length === 1);
  k.writeOperator('one', narrow(stage, centre.port, 999));
  process.kill(k.process.pid, 'SIGHUP');
  const link = await until('the new profile', async () => {
    const l = await k.link('one.1');
    return l.rate === 999 && l;
  });
  assert.equal(link.state, 'waiting');
  assert.equal((await k.door.get('/readyz')).json.operators.one, 'down');
  const during = await k.door.send({ to: '+77011234567', text: 'during' });
  release();
  await until('everything is sent and recorded', async () => centre.texts.length === 2 && await unfinished(k) === 0);
  await k.settled(during.id, 'submitted');
  const m = await k.settled(id, 'submitted');
  assert.deepEqual(centre.texts.map((t) => t.text).sort(), ['during', long]);
  assert.deepEqual(centre.binds.map((b) => b.status), [0, 0]);
  return { centre, events: m.timeline.map((e) => e.event) };
}

journey('reload__long_message_half_sent__the_rest_goes_when_the_old_session_is_closed', async (stage) => {
  const { centre, events } = await reloadHalfSent(stage, {});
  assert.deepEqual(numbers(centre).sort(), [1, 1, 2, 3], 'three parts and the other message');
  assert.deepEqual(events, ['accepted', 'submitted', 'submitted', 'submitted']);
});

journey('reload__half_sent_and_slowed__refused_for_now_and_sent_by_the_new_session', async (stage) => {
  const { centre, events } = await reloadHalfSent(stage, { status: 0x58 });
  assert.deepEqual(numbers(centre).sort(), [1, 1, 1, 2, 3]);
  assert.deepEqual(events, ['accepted', 'refused', 'submitted', 'submitted', 'submitted']);
});

journey('sigterm__long_message_half_sent__ends_cleanly_and_the_next_run_sends_the_rest', async (stage) => {
  const { centre, release } = await oneSession(stage, (s, held) => (s.number === 1 ? { after: held } : undefined));
  const k = await Kezek.start(stage, await servers.database(), { config: quick,
    operators: { one: narrow(stage, centre.port, 1000) } });
  await k.bound();
  const { id } = await k.door.send({ to: '+77011234567', text: long });
  await until('its first part is at the operator', () => centre.submits.length === 1);
  process.kill(k.process.pid, 'SIGTERM');
  await until('it stops', async () => (await k.door.get('/livez').catch(() => ({ status: 0 }))).status !== 200);
  release();
  assert.equal((await k.process.exit).code, 0);
  assert.deepEqual(numbers(centre), [1]);
  k.run();
  await k.ready();
  await k.settled(id, 'submitted');
  await until('all of it', () => centre.texts.length === 1);
  assert.deepEqual(numbers(centre), [1, 2, 3], 'no part twice');
  assert.equal(centre.texts[0].text, long);
});

journey('reload__again_and_again_while_messages_flow__one_session_and_each_message_once', async (stage) => {
  const { centre } = await oneSession(stage, () => ({ after: pause(5) }));
  const wide = (rate) => operator(stage, { port: centre.port, ...patient, link: { window: 10, rate } });
  const k = await Kezek.start(stage, await servers.database(), { config: quick, operators: { one: wide(500) } });
  await k.bound();
  const sent = [];
  let flowing = true;
  const flow = Promise.all(Array.from({ length: 8 }, async (_, lane) => {
    for (let i = 0; flowing; i++) {
      const text = `${lane}/${i} ${i % 3 ? '' : long}`;
      sent.push({ text, ...await k.door.send({ to: '+77011234567', text }) });
    }
  }));
  for (let n = 1; n <= 6; n++) {
    const mark = centre.submits.length + 50;
    await until('messages flow', () => centre.submits.length >= mark);
    k.writeOperator('one', wide(500 + n));
    process.kill(k.process.pid, 'SIGHUP');
    await until(() => `bind ${n + 1}: ${JSON.stringify(centre.binds)}`, () => centre.binds.length === n + 1);
  }
  flowing = false;
  await flow;
  await until(() => `${centre.texts.length} of ${sent.length}`, () => centre.texts.length === sent.length, 60000);
  assert.deepEqual(centre.texts.map((t) => t.text).sort(), sent.map((s) => s.text).sort());
  assert.equal(centre.submits.length, sent.reduce((n, s) => n + s.segments, 0), 'no part twice');
  assert.deepEqual(centre.binds.map((b) => b.status), Array(7).fill(0));
  assert.deepEqual(centre.faults, []);
  await until('everything is recorded', async () => await unfinished(k) === 0);
  for (const { id } of sent.slice(-20)) await k.settled(id, 'submitted');
});
