// The ends of messages told to the portal: signed, each at least once, none lost, nobody asked who should not be.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { journey, until } from '../lib/stage.mjs';
import { Codes, purposes, wide, wrongFor } from '../lib/codes.mjs';
import { Door } from '../lib/http.mjs';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Receiver, startReceiver } from '../lib/receiver.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const to = '+77011234567';
const text = 'Құпия сөз 284106';
const webhook = { allow_private: true, retry_min: '10ms', timeout: '5s' };

async function start(stage, receiver, { centre = {}, config = {}, database = null, ...rest } = {}) {
  const smsc = await startCentre(stage, centre);
  const k = await Kezek.start(stage, database ?? await servers.database(), {
    config: { webhook, ...config }, operators: { one: operator(stage, { port: smsc.port }) }, ...rest });
  await k.bound();
  if (receiver) receiver.secret = (await k.ctl('webhook', 'add', 'journeys', receiver.url)).secret;
  return k;
}

const hooks = async (k) => (await k.ctl('webhook', 'list')).webhooks;

async function send(k, n, wish = {}) {
  const ids = [];
  for (let i = 0; i < n; i++) ids.push((await k.door.send({ to, text, ...wish })).id);
  return ids;
}

// What the daemon has printed and the database keeps of it stays free of it.
function logHasNo(k, ...words) {
  for (const { process: p } of k.runs)
    for (const word of words) assert.ok(!readFileSync(p.errPath, 'utf8').includes(word), `the log has ${word}`);
}

journey('webhook__each_end_state__told_once_signed_and_as_the_api_says', async (stage) => {
  const receiver = await startReceiver(stage);
  const states = { 1: 'DELIVRD', 2: 'UNDELIV', 3: 'EXPIRED', 4: 'REJECTD' };
  const k = await start(stage, receiver, {
    centre: { onSubmit: (s) => {
      const kind = s.to.at(-1);
      if (kind === '5') return { status: 0x0b };            // no such subscriber here: nobody else serves it
      if (kind === '6') return { status: 0x33 };            // refused for good
      if (kind === '7') return { status: 0x08 };            // no attempt is left
      return { state: states[kind] };
    } },
    config: { message: { attempts: 1 } } });
  const wanted = { 1: 'delivered', 2: 'undeliverable', 3: 'expired', 4: 'rejected', 5: 'failed', 6: 'rejected', 7: 'failed' };
  const ids = {};
  for (const kind of Object.keys(wanted))
    ids[kind] = (await k.door.send({ to: `+7701123456${kind}`, text, client_ref: `ref "${kind}"\n`.trim(), class: 'code' })).id;
  const long = (await k.door.send({ to: '+77011234562', text: 'ұзақ '.repeat(40) })).id;
  await receiver.toldOf([...Object.values(ids), long]);
  for (const [kind, state] of Object.entries(wanted)) {
    const [hook, again] = receiver.of(ids[kind]);
    const m = await k.door.message(ids[kind]);
    assert.equal(again, undefined, `${kind} is told once`);
    assert.equal(hook.body.type, `message.${state}`, kind);
    assert.equal(m.state, state, kind);
    assert.equal(hook.path, '/hooks/sms?k=v');
    assert.equal(hook.headers['webhook-id'], `end_${ids[kind]}`);
    assert.deepEqual([hook.body.data.client_ref, hook.body.data.class, hook.body.data.segments, hook.body.data.possible_duplicate],
      [`ref "${kind}"`, 'code', 1, false]);
    assert.equal(hook.body.timestamp, m.timeline.at(-1).at);
  }
  assert.deepEqual([receiver.of(ids[2])[0].body.data.status, receiver.of(ids[2])[0].body.data.detail], ['UNDELIV', 'err 001']);
  assert.equal(receiver.of(long)[0].body.data.status, 'UNDELIV', 'of its parts');
  assert.equal(receiver.of(long)[0].body.data.segments, (await k.door.message(long)).segments);
  const seqs = receiver.hooks.map((h) => h.body.seq);
  assert.equal(new Set(seqs).size, seqs.length);
  for (const h of receiver.hooks) {
    const all = JSON.stringify([h.text, h.headers]);
    for (const word of ['284106', '7011234', 'Құпия']) assert.ok(!all.includes(word), `a webhook has ${word}`);
  }
  assert.equal(await k.metric('kezek_webhooks_told_total'), 8);
  assert.equal(await k.metric('kezek_webhooks_failed_total'), 0);
  logHasNo(k, receiver.secret, receiver.secret.slice(6), '/hooks/sms');
  assert.ok(!JSON.stringify(await hooks(k)).includes(receiver.secret.slice(6)));
});

journey('webhook__each_end_of_a_code__told_once_signed_and_as_the_api_says', async (stage) => {
  const receiver = await startReceiver(stage);
  const centre = await startCentre(stage);
  const k = await Kezek.start(stage, await servers.database(), { config: { ...wide, webhook,
    purposes: purposes(stage, { login: {}, brief: { life: '1m' } }) }, operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  receiver.secret = (await k.ctl('webhook', 'add', 'journeys', receiver.url)).secret;
  const codes = new Codes(k.door, centre);
  const open = (n, wish) => codes.opened({ to: `+770131700${n}`, client_ref: `r-${n}`, ...wish });
  const ended = {
    expired: await open('01', { purpose: 'brief' }),
    approved: await open('02'),
    exhausted: await open('03'),
    cancelled: await open('04'),
    superseded: await open('05'),
  };
  await codes.result(ended.approved.id, ended.approved.code);
  for (let i = 0; i < 5; i++) await codes.result(ended.exhausted.id, wrongFor(ended.exhausted.code));
  await codes.cancel(ended.cancelled.id);
  await until('another may be sent', async () => (await codes.ask({ to: '+77013170005' })).status === 202);
  const ends = (id) => receiver.of(id).filter((h) => h.headers['webhook-id'] === `code_${id}`);
  await until('all are told', () => Object.values(ended).every(({ id }) => ends(id).length > 0), 90000);
  assert.deepEqual(receiver.faults, []);
  for (const [verdict, { id, code }] of Object.entries(ended)) {
    const [hook, again] = ends(id);
    assert.equal(again, undefined, `${verdict} is told once`);
    assert.equal(hook.body.type, `code.${verdict}`);
    const { state, client_ref: ref, purpose } = hook.body.data;
    assert.deepEqual([state, ref, purpose], [verdict, `r-0${Object.keys(ended).indexOf(verdict) + 1}`,
      verdict === 'expired' ? 'brief' : 'login']);
    assert.equal(hook.body.data.ended_at, (await codes.state(id)).ended_at);
    const [message] = receiver.of(id).filter((h) => h.headers['webhook-id'] === `end_${id}`);
    assert.deepEqual([message.body.type, message.body.data.code, message.body.data.purpose], ['message.delivered', id, purpose]);
    for (const h of [hook, message])
      for (const word of [code, '7013170']) assert.ok(!JSON.stringify([h.text, h.headers]).includes(word), `a webhook has ${word}`);
  }
}, { withinMs: 180000 });

journey('webhook__of_another_client_or_before_its_making__not_told', async (stage) => {
  const receiver = await startReceiver(stage);
  const k = await start(stage, null);
  const [before] = await send(k, 1);
  await k.settled(before);
  receiver.secret = (await k.ctl('webhook', 'add', 'journeys', receiver.url)).secret;
  const other = k.door.withKey((await k.ctl('key', 'add', 'other', '--scope', 'messages:write', '--scope', 'messages:read')).key);
  const { id: theirs } = await other.send({ to, text });
  await until('theirs is delivered', async () => (await other.message(theirs)).state === 'delivered');
  const ours = await send(k, 3);
  await receiver.toldOf(ours);
  assert.equal(receiver.hooks.length, 3);
  assert.equal((await k.ctlRun('webhook', 'add', 'nobody', receiver.url)).code, 1);
});

journey('webhook__operator_that_never_sends_a_receipt__unconfirmed_is_told', async (stage) => {
  const receiver = await startReceiver(stage);
  const smsc = await Simulator.start(stage, ['--no-receipt-every', '1']);
  const k = await Kezek.start(stage, await servers.database(), { config: { webhook, message: { receipt_wait: '10s' } },
    operators: { one: operator(stage, { port: smsc.port }) } });
  await k.bound();
  receiver.secret = (await k.ctl('webhook', 'add', 'journeys', receiver.url)).secret;
  const [one] = await send(k, 1, { client_ref: 'never heard of' });
  const [long] = await send(k, 1, { text: 'ұзақ '.repeat(40) });
  await k.settled(one, 'submitted');
  assert.equal(receiver.hooks.length, 0);
  await receiver.toldOf([one, long], 40000);
  for (const [id, segments] of [[one, 1], [long, 3]]) {
    const [hook, again] = receiver.of(id);
    const m = await k.door.message(id);
    assert.equal(again, undefined);
    assert.equal(hook.body.type, 'message.unconfirmed');
    assert.equal(m.state, 'unconfirmed');
    assert.equal(hook.body.timestamp, m.timeline.at(-1).at);
    assert.equal(hook.body.data.segments, segments);
    assert.equal(hook.body.data.detail, 'no final receipt came');
    assert.equal(hook.body.data.possible_duplicate, false);
  }
  assert.equal(receiver.of(one)[0].body.data.client_ref, 'never heard of');
});

journey('webhook__many_endpoints_with_nothing_to_tell__read_together_with_those_that_have', async (stage) => {
  const receiver = await startReceiver(stage);
  const idle = await startReceiver(stage);
  const k = await start(stage, receiver);
  const control = new Door({ socketPath: k.socket });
  stage.defer(() => control.close());
  for (const client of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    await k.ctl('key', 'add', client, '--scope', 'messages:read');
    for (let i = 0; i < 8; i++)
      assert.equal((await control.call('POST', '/control/webhooks', { body: { client, url: idle.url }, hold: false })).status, 201);
  }
  await receiver.toldOf(await send(k, 1)); // all have read by now
  const before = await k.metric('kezek_pg_jobs_total');
  for (let i = 0; i < 20; i++) await receiver.toldOf(await send(k, 1));
  const asked = await k.metric('kezek_pg_jobs_total') - before;
  assert.ok(asked < 20 * 20, `${asked} transactions for 20 messages, with 56 endpoints that have nothing to tell`);
  assert.equal(idle.hooks.length, 0);
});

journey('webhook__endpoint_away_then_back__one_probe_at_a_time_and_nothing_lost', async (stage) => {
  const receiver = new Receiver();
  stage.defer(() => receiver.close());
  await receiver.listen();
  await receiver.close();
  const k = await start(stage, receiver);
  const ids = await send(k, 40);
  await until('it is down', async () => (await hooks(k))[0].state === 'down');
  for (const id of ids) await k.settled(id);
  const [h] = await hooks(k);
  assert.ok(h.retries < 5, `${h.retries} single events are kept`);
  assert.ok(h.oldest_ms > 0);
  await until('a metric says so', async () => await k.metric('kezek_webhooks_endpoints{state="down"}') === 1);
  await receiver.listen();
  await receiver.toldOf(ids);
  await until('it is up and owes nothing', async () => {
    const [now] = await hooks(k);
    return now.state === 'up' && now.retries === 0 && now.oldest_ms === 0;
  });
  assert.equal(await k.metric('kezek_webhooks_given_up_total'), 0);
});

journey('webhook__single_ones_fail__told_again_under_the_same_id_then_given_up_and_replayed', async (stage) => {
  let failures = 2;
  const receiver = await startReceiver(stage, { answer: (h) => {
    if (h.body.data.client_ref !== 'fails' || failures === 0) return 204;
    failures -= 1;
    return 500;
  } });
  const database = await servers.database();
  const k = await start(stage, receiver, { database });
  const [first] = await send(k, 1, { client_ref: 'fails' });
  const rest = await send(k, 5);
  await receiver.toldOf([first, ...rest]);
  assert.equal(receiver.of(first).length, 3);
  assert.equal(new Set(receiver.of(first).map((h) => h.headers['webhook-id'])).size, 1);
  await until('nothing is kept of it', async () => (await database.count('webhook_retry')) === 0);

  failures = Infinity;
  const [second] = await send(k, 1, { client_ref: 'fails' });
  // By then the next attempt is 7 s away, and it takes more than one message to bring the endpoint down.
  await until('five attempts have failed', async () => (await database.count('webhook_retry', 'attempts = 5')) === 1);
  assert.equal((await hooks(k))[0].state, 'up');
  await database.ask('update webhook_retry set attempts = 10, due = now()'); // as if three days had passed
  await until('it is given up', async () => (await hooks(k))[0].given_up === 1);
  assert.equal(await k.metric('kezek_webhooks_given_up_total'), 1);
  failures = 0;
  await k.ctl('webhook', 'replay', second);
  await receiver.toldOf([second]);
  await until('nothing is kept of it', async () => (await database.count('webhook_retry')) === 0);
  assert.equal((await k.ctlRun('webhook', 'replay', '0000000000000')).code, 1);
});

journey('webhook__down_for_all_then_for_one_alone__the_others_are_told', async (stage) => {
  let poison;
  const receiver = await startReceiver(stage, { answer: (h) => (!poison || h.body.data.id === poison ? 500 : 204) });
  const k = await start(stage, receiver, { config: { webhook: { ...webhook, in_flight: 1 } } });
  const ids = await send(k, 12);
  await until('it is down', async () => (await hooks(k))[0].state === 'down');
  const asked = receiver.hooks.length;
  await until('it was probed', () => receiver.hooks.length > asked);
  poison = receiver.hooks.at(-1).body.data.id;
  await receiver.toldOf(ids.filter((id) => id !== poison));
  assert.equal((await hooks(k))[0].state, 'up');
});

journey('webhook__failed_while_the_database_keeps_nothing__asked_again_after_a_pause_and_told', async (stage) => {
  let locked = true;
  const receiver = await startReceiver(stage, { answer: () => (locked ? 500 : 204) });
  const database = await servers.database();
  const k = await start(stage, receiver, { database, config: { webhook: { ...webhook, retry_min: '300ms' }, database: { job_timeout: '1s' } } });
  const lock = spawn('psql', ['-XqAt', database.conninfo], { stdio: ['pipe', 'pipe', 'inherit'] });
  stage.defer(() => lock.stdin.end());
  lock.stdin.write("begin; lock table webhook_retry in share mode; select 'locked';\n");
  await once(lock.stdout, 'data');
  const ids = await send(k, 2);
  await until('both were asked again', () => ids.every((id) => receiver.of(id).length >= 3));
  const [h] = await hooks(k);
  assert.equal(h.state, 'up', 'what could not be kept is one failure');
  const [, second, third] = receiver.of(ids[0]);
  assert.ok(third.at - second.at >= 300, `it was asked again after ${third.at - second.at} ms`);
  locked = false;
  lock.stdin.write('commit;\n');
  await receiver.toldOf(ids);
});

journey('webhook__more_that_is_never_taken_than_memory_holds__what_comes_behind_is_told', async (stage) => {
  const receiver = await startReceiver(stage, { answer: (h) => (h.body.data.client_ref === 'bad' ? 500 : 204) });
  const k = await start(stage, null);
  const ids = await send(k, 205, { client_ref: 'bad' });
  const good = await send(k, 1);
  for (const id of [...ids, ...good]) await k.settled(id);
  receiver.secret = (await k.ctl('webhook', 'add', 'journeys', receiver.url)).secret;
  const [{ id }] = await hooks(k);
  await k.ctl('webhook', 'replay', String(id), '--since', '2024-06-01T00:00:00Z');
  await until('the good one is told', async () => {
    await k.ctl('webhook', 'enable', String(id)); // asked at once
    return receiver.told().length >= 1;
  }, 60000);
  assert.deepEqual(receiver.told().map((h) => h.body.data.id), good);
});

journey('webhook__410__disabled_with_the_reason_until_enabled', async (stage) => {
  let status = 410;
  const receiver = await startReceiver(stage, { answer: () => status });
  const k = await start(stage, receiver);
  const ids = await send(k, 1);
  await until('it is disabled', async () => (await hooks(k))[0].state === 'disabled');
  const [h] = await hooks(k);
  assert.match(h.why, /410/);
  const asked = receiver.hooks.length;
  ids.push(...await send(k, 3));
  for (const id of ids) await k.settled(id);
  await k.ctl('status');
  assert.equal(receiver.hooks.length, asked, 'nobody is asked any more');
  status = 200;
  await k.ctl('webhook', 'enable', String(h.id));
  await receiver.toldOf(ids);
  assert.equal((await hooks(k))[0].why, undefined);
});

journey('webhook__redirected_or_told_to_wait__nobody_follows_and_it_waits', async (stage) => {
  const other = await startReceiver(stage);
  const answers = [{ status: 302, headers: { location: other.url } }, { status: 429, headers: { 'retry-after': '1' } }];
  const receiver = await startReceiver(stage, { answer: () => answers.shift() ?? 200 });
  const k = await start(stage, receiver);
  const ids = await send(k, 1);
  await receiver.toldOf(ids);
  assert.equal(other.connections, 0);
  const [, second, third] = receiver.hooks;
  assert.ok(third.at - second.at >= 900, `it came again after ${third.at - second.at} ms`);
  assert.equal(await k.metric('kezek_webhooks_failed_total{reason="status"}'), 2);
});

journey('webhook__to_a_private_address__refused_unless_allowed', async (stage) => {
  const receiver = await startReceiver(stage);
  const k = await start(stage, null, { config: { webhook: { retry_min: '10ms' } } });
  for (const url of [receiver.url, `https://127.0.0.1:${receiver.port}/`, `https://[::ffff:10.0.0.1]/`, 'https://u:p@portal.kz/',
    'ftp://portal.kz/']) {
    const r = await k.ctlRun('webhook', 'add', 'journeys', url);
    assert.equal(r.code, 1, url);
    assert.match(r.err, /url/, url);
  }
  // What only its name's resolution shows, or an odd spelling hides, is refused when it is to be asked.
  for (const url of [`https://localhost:${receiver.port}/`, `https://2130706433:${receiver.port}/`])
    await k.ctl('webhook', 'add', 'journeys', url);
  const [id] = await send(k, 1);
  await k.settled(id);
  await until('both failed', async () => await k.metric('kezek_webhooks_failed_total{reason="forbidden"}') >= 2);
  assert.equal(receiver.connections, 0);
  for (const reason of ['status', 'unreachable', 'timeout', 'tls', 'broken'])
    assert.equal(await k.metric(`kezek_webhooks_failed_total{reason="${reason}"}`), 0, reason);
});

journey('webhook__kezekd_killed_between_commit_and_telling__told_by_the_next_run', async (stage) => {
  let answer = 'silent';
  const receiver = await startReceiver(stage, { answer: () => answer });
  const k = await start(stage, receiver);
  const ids = await send(k, 30);
  await until('some are on their way', () => receiver.hooks.length >= 8);
  for (const id of ids) await k.settled(id);
  await k.kill();
  answer = 204;
  k.run();
  await k.ready();
  await receiver.toldOf(ids);
  assert.equal(new Set(receiver.hooks.map((h) => h.headers['webhook-id'])).size, 30);
});

journey('webhook__stopped_and_started__nothing_told_twice', async (stage) => {
  const receiver = await startReceiver(stage);
  const k = await start(stage, receiver);
  const ids = await send(k, 20);
  await receiver.toldOf(ids);
  await k.stop();
  k.run();
  await k.ready();
  await k.bound();
  await receiver.toldOf(await send(k, 1)); // it has read on from where it was
  assert.equal(receiver.hooks.length, 21);
});

journey('webhook__daemon_dies_while_its_endpoint_is_away__another_tells_what_it_had_recorded', async (stage) => {
  let answer = 503;
  const receiver = await startReceiver(stage, { answer: () => answer });
  const database = await servers.database();
  const k = await start(stage, receiver, { database });
  const ids = await send(k, 12);
  for (const id of ids) await k.settled(id);
  const second = await Kezek.prepare(stage, database, { config: { webhook }, name: 'second' });
  second.run();
  await second.ready();
  await k.kill();
  answer = 204;
  await receiver.toldOf(ids, 40000);
});

journey('webhook__database_killed_while_telling__each_end_is_told', async (stage) => {
  const receiver = await startReceiver(stage);
  const k = await start(stage, receiver, { centre: { keepsReceipts: true }, config: { message: { in_doubt_wait: '100ms' } } });
  const ids = await send(k, 60);
  await until('some are told', () => receiver.told().length >= 5);
  await servers.kill();
  await until('the database is missed', async () => (await k.door.get('/readyz')).status === 503);
  await servers.restart();
  await k.ready();
  ids.push(...await send(k, 20));
  for (const id of ids) await k.settled(id);
  await receiver.toldOf(ids);
});

journey('webhook__of_a_message_that_may_have_come_twice__says_so', async (stage) => {
  const receiver = await startReceiver(stage);
  const centre = { onSubmit: (s) => {
    if (seen++ > 0) return undefined;
    s.session.destroy();
    return { silent: true };
  } };
  let seen = 0;
  const k = await start(stage, receiver, { centre, config: { message: { in_doubt_wait: '50ms' } } });
  const [first] = await send(k, 1, { class: 'code' });
  await receiver.toldOf([first]);
  const [second] = await send(k, 1, { class: 'code' });
  await receiver.toldOf([first, second]);
  assert.deepEqual([first, second].map((id) => receiver.of(id)[0].body.data.possible_duplicate), [true, false]);
});

journey('webhook__endpoint_down_and_enabled__asked_at_once', async (stage) => {
  let status = 500;
  const receiver = await startReceiver(stage, { answer: () => status });
  const k = await start(stage, receiver, { config: { webhook: { ...webhook, retry_min: '1h' } } });
  const ids = await send(k, 8);
  await until('it is down', async () => (await hooks(k))[0].state === 'down');
  assert.match((await k.ctlRun('status')).out, /webhooks +0 up, 1 DOWN; the oldest end not told/);
  await until('what was asked is answered', async () => await k.metric('kezek_webhooks_open') === 0);
  status = 204;
  await k.ctl('webhook', 'enable', '1');
  const kept = (await hooks(k))[0].retries; // the first, an hour away
  await until('the others are told', () => receiver.told().length === ids.length - kept);
  assert.equal((await hooks(k))[0].state, 'up');
});

journey('webhook__two_daemons_at_once__each_tells_its_own_and_none_twice', async (stage) => {
  const receiver = await startReceiver(stage);
  const database = await servers.database();
  const k = await start(stage, receiver, { database });
  const smsc = await startCentre(stage);
  const second = await Kezek.prepare(stage, database, { config: { webhook }, name: 'second',
    operators: { two: operator(stage, { port: smsc.port, systemId: 'second' }) } });
  second.run();
  await second.ready();
  await second.bound();
  second.door = new Door({ port: second.port, key: k.door.key });
  stage.defer(() => second.door.close());
  const ids = (await Promise.all([send(k, 40), send(second, 40)])).flat();
  await receiver.toldOf(ids);
  assert.equal(receiver.hooks.length, 80);
  const told = await Promise.all([k, second].map((d) => d.metric.call({ door: d.door }, 'kezek_webhooks_told_total')));
  assert.deepEqual(told, [40, 40]);
});

journey('webhook__control_socket_fed_nonsense__refused_with_a_reason', async (stage) => {
  const k = await start(stage, null);
  const control = new Door({ socketPath: k.socket });
  stage.defer(() => control.close());
  const ask = async (method, path, body) => {
    const r = await control.call(method, path, { body, hold: false });
    return [r.status, r.json?.field ?? null];
  };
  const url = 'https://portal.example.kz/';
  assert.deepEqual(await ask('POST', '/control/webhooks', 'x'), [400, null]);
  assert.deepEqual(await ask('POST', '/control/webhooks', '[]'), [400, null]);
  assert.deepEqual(await ask('POST', '/control/webhooks', {}), [422, 'client']);
  assert.deepEqual(await ask('POST', '/control/webhooks', { client: 'x'.repeat(65), url }), [422, 'client']);
  assert.deepEqual(await ask('POST', '/control/webhooks', { client: 'journeys' }), [422, 'url']);
  assert.deepEqual(await ask('POST', '/control/webhooks', { client: 'journeys', url: 7 }), [422, 'url']);
  assert.deepEqual(await ask('POST', '/control/webhooks', { client: 'nobody', url }), [404, null]);
  for (const id of ['0', '-1', 'x', '99', '99999999999']) {
    assert.deepEqual(await ask('DELETE', `/control/webhooks/${id}`), [404, null], id);
    assert.deepEqual(await ask('POST', `/control/webhooks/enable/${id}`, {}), [404, null], id);
  }
  assert.deepEqual(await ask('POST', '/control/webhooks/replay', 'x'), [400, null]);
  assert.deepEqual(await ask('POST', '/control/webhooks/replay', {}), [422, 'since']);
  assert.deepEqual(await ask('POST', '/control/webhooks/replay', { webhook: 1, since: 'yesterday' }), [422, 'since']);
  assert.deepEqual(await ask('POST', '/control/webhooks/replay', { webhook: 1, since: '2120-11-22T18:23:06Z' }), [422, 'since']);
  assert.deepEqual(await ask('POST', '/control/webhooks/replay', { webhook: 'x', since: '2026-11-22T18:23:06Z' }), [404, null]);
  assert.deepEqual(await ask('POST', '/control/webhooks/replay', { message: 7 }), [404, null]);
  assert.equal((await k.door.call('GET', '/control/webhooks', { hold: false })).status, 404, 'the portal does not see it');
  for (let i = 0; i < 8; i++) assert.equal((await ask('POST', '/control/webhooks', { client: 'journeys', url }))[0], 201);
  assert.deepEqual(await ask('POST', '/control/webhooks', { client: 'journeys', url }), [422, 'client']);
});

journey('webhook__replayed_since_a_time__all_since_then_again', async (stage) => {
  const receiver = await startReceiver(stage);
  const database = await servers.database();
  const k = await start(stage, receiver, { database });
  const early = await send(k, 3);
  await receiver.toldOf(early);
  // What is not noted yet counts as not told: it would be told again too.
  await until('it is noted that they are told', async () => await database.count('webhook_cursor',
    'feed >= (select max(feed) from message_event where final)') === 1);
  const since = new Date().toISOString();
  const late = await send(k, 4);
  await receiver.toldOf(late);
  const [{ id }] = await hooks(k);
  await k.ctl('webhook', 'replay', String(id), '--since', since);
  await until('they are told again', () => late.every((m) => receiver.of(m).length === 2));
  assert.ok(early.every((m) => receiver.of(m).length === 1));
  await k.ctl('webhook', 'remove', String(id));
  assert.deepEqual(await hooks(k), []);
  assert.equal((await k.ctlRun('webhook', 'replay', String(id), '--since', since)).code, 1);
  assert.equal((await k.ctlRun('webhook', 'enable', String(id))).code, 1);
});

async function certificate(stage, name) {
  const [key, cert] = [stage.path(`${name}.key`), stage.path(`${name}.crt`)];
  await stage.must('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', key, '-out', cert]);
  return { cert, pem: { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') } };
}

journey('webhook__over_tls__told_to_a_known_certificate_alone', async (stage) => {
  const [good, other] = [await certificate(stage, 'localhost'), await certificate(stage, 'elsewhere')];
  const receiver = await startReceiver(stage, { tls: good.pem });
  const wrong = await startReceiver(stage, { tls: other.pem });
  const k = await start(stage, receiver, { config: { webhook: { ...webhook, tls_ca: good.cert } } });
  await k.ctl('webhook', 'add', 'journeys', wrong.url);
  const ids = await send(k, 5);
  await receiver.toldOf(ids);
  await until('the other failed', async () => await k.metric('kezek_webhooks_failed_total{reason="tls"}') >= 1);
  assert.equal(wrong.hooks.length, 0);
  k.writeConfig({ webhook: { ...webhook, tls_ca: k.file } });
  const t = await k.once('-t');
  assert.equal(t.code, 1);
  assert.match(t.err, /webhook\.tls_ca: .*kezek\.yaml/);
});
