// Several carriers, and operators that slow down, refuse, or are away.
import assert from 'node:assert/strict';
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
  for (const { id } of kept) await k.settled(id, 'delivered', 60000);
  const seen = own.events().filter((e) => e.event === 'sms').map((e) => e.text);
  assert.equal(new Set(seen).size, 150);
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
