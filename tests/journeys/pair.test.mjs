// Several daemons on one database and one operator, each with an account of its own: what one of them leaves behind when
// it dies, hangs or is cut off goes by another, and it says nothing more to the operator until it holds a slot again.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { journey, until } from '../lib/stage.mjs';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { Load, allArrived } from '../lib/load.mjs';
import { operator } from '../lib/operators.mjs';
import { startReceiver } from '../lib/receiver.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const quick = { message: { in_doubt_wait: '300ms', retry_min: '50ms' }, database: { connect_timeout: '2s', job_timeout: '5s' },
  webhook: { allow_private: true, retry_min: '10ms', timeout: '5s' } };
const WINDOW = 10;
const wishes = (n, name) => Array.from({ length: n }, (_, i) => ({ to: '+77011234567', text: `${name}-${i}` }));

// Daemon a is slow with its operator, so that much waits in its memory; b is not.
async function pair(stage, { rates = { a: 40, b: 1000 }, centreOptions = {}, profile = {}, webhook = {} } = {}) {
  const centre = await startCentre(stage, { keepsReceipts: true, ...centreOptions });
  const database = await servers.database();
  const config = { ...quick, webhook: { ...quick.webhook, ...webhook } };
  const daemon = (name) => Kezek.prepare(stage, database, { config, name, operators: { one: operator(stage, {
    port: centre.port, systemId: name, link: { window: WINDOW, rate: rates[name] }, ...profile }) } });
  const [a, b] = [await daemon('a'), await daemon('b')];
  await a.migrate();
  for (const k of [a, b]) {
    k.run();
    await k.ready();
    await k.openDoor({ key: k === b ? a.door.key : null });
    await k.bound();
  }
  const slots = [(await a.status()).slot, (await b.status()).slot];
  assert.deepEqual(slots, [0, 1]);
  return { a, b, centre, database, submits: (name) => centre.submits.filter((s) => s.systemId === name) };
}

// Answers the ids by text.
async function backlog(k, n, name) {
  const { lines } = await k.door.batch(wishes(n, name));
  assert.ok(lines.every((l) => l.id), JSON.stringify(lines.find((l) => !l.id)));
  return new Map(lines.map((l, i) => [`${name}-${i}`, l.id]));
}

const firstAt = (centre) => centre.texts.reduce((m, t) => (m.has(t.text) ? m : m.set(t.text, t.at)), new Map());
// What came to a phone twice was announced as a possible duplicate.
async function allMarked(k, centre, ids) {
  const seen = new Set();
  for (const { text } of centre.texts) {
    if (seen.has(text)) assert.ok((await k.door.message(ids.get(text))).timeline.some((e) => e.event === 'resent'), `${text} came again unmarked`);
    seen.add(text);
  }
}
const again = (centre) => centre.texts.length - firstAt(centre).size;

journey('kezekd__one_of_two_killed_under_load__what_it_had_goes_by_the_other_within_5_s', async (stage) => {
  const { a, b, centre, submits } = await pair(stage);
  const load = new Load([a, b], 1500);
  stage.defer(() => { load.over = true; });
  const left = await backlog(a, 300, 'left');
  await load.reached(0.3);
  await until('a has begun', () => submits('a').length > 20);
  await a.kill();
  const killed = Date.now();
  const waiting = [...left.keys()].filter((text) => !firstAt(centre).has(text));
  assert.ok(waiting.length > 100, `${waiting.length} wait`);
  await until(() => `${waiting.filter((text) => !firstAt(centre).has(text)).length} of ${waiting.length} are missing`,
    () => waiting.every((text) => firstAt(centre).has(text)), 20000, 50);
  const took = Math.max(...waiting.map((text) => firstAt(centre).get(text))) - killed;
  console.log(`${waiting.length} messages of the dead one went by the other within ${took} ms`);
  assert.ok(took <= 5000, `${took} ms`);
  a.run(); // the operator has receipts for its account
  await a.ready();
  await allArrived(b, load, centre);
  for (const id of left.values()) await b.settled(id);
  console.log(`duplicates: ${again(centre)}; what was on the wire at the kill, or answered and not recorded yet`);
  await allMarked(b, centre, new Map([...left, ...load.kept]));
}, { withinMs: 180000 });

journey('kezekd__restarted_ten_times_beside_a_living_one__finds_its_slot_again_and_nothing_is_lost', async (stage) => {
  const { a, b, centre, database } = await pair(stage, { rates: { a: 1000, b: 1000 } });
  const left = new Map();
  for (let i = 0; i < 10; i++) {
    for (const [text, id] of await backlog(a, 20, `round-${i}`)) left.set(text, id);
    if (i % 2) await a.kill();
    else await a.stop();
    a.run();
    await a.ready();
  }
  await a.bound();
  for (const id of left.values()) await b.settled(id);
  assert.deepEqual([...left.keys()].filter((text) => !firstAt(centre).has(text)), [], 'lost');
  const slots = await database.count('slot');
  assert.ok(slots <= 5, `${slots} slots`); // 12 if none was found again; a busy machine may be late for some
}, { withinMs: 180000 });

const epoch = async (database, slot) => Number((await database.ask(`select epoch from slot where id = ${slot}`))[0][0]);

journey('kezekd__away_for_seconds_ten_times_beside_a_living_one__has_a_slot_back_and_all_is_sent_and_told', async (stage) => {
  const { a, b, centre, database } = await pair(stage, { rates: { a: 1000, b: 1000 } });
  const receiver = await startReceiver(stage);
  receiver.secret = (await b.ctl('webhook', 'add', 'journeys', receiver.url)).secret;
  const load = new Load([a, b], 1500, { clients: 4 });
  stage.defer(() => { load.over = true; });
  for (let i = 0; i < 10; i++) {
    await load.more(100);
    const { slot } = await a.status();
    const held = await epoch(database, slot);
    if (i % 2) await a.kill();
    else await a.stop();
    await until('b has its slot', async () => await epoch(database, slot) > held);
    a.run();
    await a.ready();
  }
  await a.bound();
  await allArrived(b, load, centre);
  await allMarked(b, centre, load.kept);
  await receiver.toldOf([...load.kept.values()], 40000);
  const slots = await database.count('slot');
  console.log(`${slots} slots, duplicates: ${again(centre)}, ${receiver.hooks.length - load.n} ends told again`);
  assert.ok(slots <= 5, `${slots} slots`); // 12 if none came back; a busy machine may be late for some
}, { withinMs: 240000 });

// b took over more than it can send and tell for a long while: a has it back as it stands.
journey('slot__given_back_with_much_unfinished__what_is_left_goes_by_its_new_holder_once', async (stage) => {
  const { a, b, centre, database, submits } = await pair(stage, { rates: { a: 100, b: 20 } });
  const receiver = await startReceiver(stage);
  receiver.secret = (await b.ctl('webhook', 'add', 'journeys', receiver.url)).secret;
  const left = await backlog(a, 600, 'left');
  await until('a has begun', () => submits('a').length > 20);
  await a.kill();
  await until('b has begun', () => submits('b').length > 5, 20000);
  a.run();
  await a.ready();
  assert.equal((await a.status()).slot, 0);
  await a.bound();
  for (const id of left.values()) await a.settled(id);
  assert.ok(submits('b').length < 300, `${submits('b').length} by b`);
  await allMarked(b, centre, left);
  assert.ok(again(centre) <= WINDOW + 1, `${again(centre)} again: more than was on the wire at the kill`);
  await receiver.toldOf([...left.values()], 40000);
  assert.equal(await database.count('slot'), 2);
}, { withinMs: 120000 });

// Nothing was told before a is killed; b has told a part, and eight are on their way, when it gives the slot back.
journey('slot__given_back_while_its_ends_are_told__each_is_told_once', async (stage) => {
  const { a, b, database } = await pair(stage, { rates: { a: 1000, b: 1000 } });
  let over = false;
  const receiver = await startReceiver(stage, { answer: async () => {
    if (!over) return 'silent';
    await pause(700);
    return 204;
  } });
  receiver.secret = (await b.ctl('webhook', 'add', 'journeys', receiver.url)).secret;
  const ids = [...(await backlog(a, 80, 'left')).values()];
  for (const id of ids) await a.settled(id);
  await a.kill();
  over = true;
  const answered = () => receiver.told().map((h) => h.body.data.id);
  await until('b tells', () => answered().length >= 8, 20000);
  a.run();
  await a.ready();
  assert.equal((await a.status()).slot, 0);
  assert.ok(answered().length < 80, 'b has told all');
  await a.openDoor({ key: a.door.key });
  await receiver.toldOf(ids, 40000);
  assert.equal(new Set(answered()).size, 80);
  assert.equal(answered().length, 80, 'one was told again');
  assert.ok(await a.metric('kezek_webhooks_told_total') > 0, 'a told none');
  assert.equal(await database.count('slot'), 2);
}, { withinMs: 120000 });

const longestGap = (times) => Math.max(...times.slice(1).map((at, i) => at - times[i]));

// b took over from a what it sends for a while; one submission of b is written and not answered for 8 s.
async function hanging(stage) {
  const hangs = { armed: false, submit: null };
  const onSubmit = (s) => {
    if (s.systemId !== 'b' || !hangs.armed || hangs.submit) return undefined;
    hangs.submit = s;
    return { silent: true };
  };
  const p = await pair(stage, { rates: { a: 100, b: 40 }, centreOptions: { onSubmit }, profile: { timers: { response: '8s' } } });
  const left = await backlog(p.a, 700, 'left');
  await until('a has begun', () => p.submits('a').length > 20);
  await p.a.kill();
  await until('b has begun', () => p.submits('b').length > 5, 20000);
  hangs.armed = true;
  await until('one hangs', () => hangs.submit);
  return { ...p, left, hung: hangs.submit.text };
}

async function sentOnByB({ a, b, centre, left, hung, submits }) {
  for (const id of left.values()) await b.settled(id, 'delivered', 40000);
  const gap = longestGap(submits('b').map((s) => s.at));
  console.log(`b stood still for ${gap} ms at most, ${again(centre)} again`);
  assert.ok(gap <= 6000, `${gap} ms`);
  assert.ok(submits('b').length > 500, `${submits('b').length} by b`);
  assert.equal(submits('a').filter((s) => s.text === hung).length + submits('b').filter((s) => s.text === hung).length, 2);
  assert.ok((await a.door.message(left.get(hung))).timeline.some((e) => e.event === 'resent'), 'what hung came again unmarked');
  await allMarked(b, centre, left);
  assert.ok(again(centre) <= WINDOW + 1, `${again(centre)} again: more than was on the wire at the kill`);
}

journey('slot__wanted_back_while_the_operator_answers_one_submission_not__kept_after_seconds_and_sent_on', async (stage) => {
  const all = await hanging(stage), { a, b, database } = all;
  a.run();
  await a.ready();
  assert.equal((await a.status()).slot, 2);
  assert.match(b.process.err(), /slot=0 kept: what is under way takes too long/);
  await sentOnByB(all);
  assert.equal(await database.count('slot'), 3);
}, { withinMs: 120000 });

journey('slot__wanted_back_by_one_that_is_killed_meanwhile__kept_at_once_and_sent_on', async (stage) => {
  const all = await hanging(stage), { a, b, submits } = all;
  a.run();
  await until('it is left', () => /slot=0 is wanted: left/.test(b.process.err()));
  await a.kill();
  await until('it is kept', () => /slot=0 kept: nobody wants one any more/.test(b.process.err()));
  await until('b has sent the rest', () => submits('b').length > 500, 40000);
  a.run(); // the operator has receipts for its account
  await a.ready();
  await sentOnByB(all);
}, { withinMs: 120000 });

// The ends are told by b, eight at once; one is not answered for 15 s.
journey('slot__wanted_back_while_an_endpoint_answers_one_end_not__kept_after_seconds_and_told_on', async (stage) => {
  const { a, b } = await pair(stage, { rates: { a: 1000, b: 1000 }, webhook: { timeout: '15s' } });
  let over = false, hung = null;
  const receiver = await startReceiver(stage, { answer: async (hook) => {
    if (!over) return 'silent';
    if (!hung) {
      hung = hook.body.data.id;
      return 'silent';
    }
    await pause(700);
    return 204;
  } });
  receiver.secret = (await b.ctl('webhook', 'add', 'journeys', receiver.url)).secret;
  const ids = [...(await backlog(a, 120, 'left')).values()];
  for (const id of ids) await a.settled(id);
  await a.kill();
  over = true;
  await until('b tells', () => receiver.told().length >= 8, 20000);
  a.run();
  await a.ready();
  assert.equal((await a.status()).slot, 2);
  assert.match(b.process.err(), /slot=0 kept: what is under way takes too long/);
  assert.ok(receiver.told().length < 120, 'b has told all');
  await receiver.toldOf(ids, 40000);
  const gap = longestGap(receiver.told().map((h) => h.at).filter((at, i) => i < 119));
  console.log(`b stood still for ${gap} ms at most`);
  assert.ok(gap <= 6000, `${gap} ms`);
  assert.equal(receiver.told().length, 120, 'one was told again');
  assert.equal(new Set(receiver.of(hung).map((h) => h.headers['webhook-id'])).size, 1);
}, { withinMs: 120000 });

journey('kezekd__stopped_past_its_lease_and_continued__submits_nothing_before_it_holds_a_slot_again', async (stage) => {
  const { a, b, centre, database, submits } = await pair(stage, { rates: { a: 300, b: 1000 } });
  const left = await backlog(a, 1000, 'left');
  await until('a has begun', () => submits('a').length > 50);
  const { pid } = a.process;
  const pressing = wishes(20, 'pressing').map((wish) => a.door.post('/v1/messages', wish, { 'idempotency-key': wish.text }));
  process.kill(pid, 'SIGSTOP');
  stage.defer(() => process.kill(pid, 'SIGCONT'));
  await until('b has the slot', async () => (await database.ask('select epoch from slot where id = 0'))[0][0] === '2', 20000);
  const lost = Date.now();
  await until('b has sent the rest', () => [...left.keys()].every((text) => firstAt(centre).has(text)), 30000);
  process.kill(pid, 'SIGCONT');
  await until('a hears of it', () => /slots: lost with the database session/.test(a.process.err()));
  await until('a holds a slot', async () => (await a.status()).slot >= 0);
  assert.deepEqual(submits('a').filter((s) => s.at > lost).map((s) => s.text), [], 'submitted after the loss');
  for (const id of left.values()) await b.settled(id);
  for (const wish of wishes(20, 'pressing')) {
    const first = await pressing.shift().catch(() => null);
    assert.ok(first === null || [202, 503].includes(first.status), first?.body);
    const { json } = await until(`${wish.text} is kept`, async () => {
      const r = await a.door.post('/v1/messages', wish, { 'idempotency-key': wish.text });
      return r.status === 202 && r;
    });
    await a.settled(json.id);
    left.set(wish.text, json.id);
  }
  const { id } = await a.door.send({ to: '+77011234567', text: 'back again' });
  await a.settled(id);
  assert.equal(submits('a').at(-1).text, 'back again');
  console.log(`duplicates: ${again(centre)}; what was on the wire at the stop, or answered and not recorded yet`);
  await allMarked(b, centre, left);
  assert.equal(await database.count('message m', 'not exists (select from message_event e where e.message_id = m.id and final)'), 0);
}, { withinMs: 120000 });

journey('kezekd__killed_while_its_commits_wait_for_a_standby__the_other_keeps_its_slot_and_nothing_is_lost', async (stage) => {
  const { a, b, centre, database } = await pair(stage);
  const left = await backlog(a, 100, 'left');
  const wish = { to: '+77011234567', text: 'pressing' }, key = { 'idempotency-key': 'pressing' };
  const session = await database.slotSession(1);
  const resume = await database.stallCommits(stage);
  const told = a.door.post('/v1/messages', wish, key).catch(() => null);
  await until('its commit waits', () => database.count('pg_stat_activity join pg_locks using (pid)',
    "wait_event = 'SyncRep' and locktype = 'advisory' and classid = x'6b7a66'::int::oid and objid = 0"));
  await a.kill();
  assert.ok([null, 503].includes((await told)?.status ?? null), 'told before it was kept');
  await resume();
  const again = await until('it is known to be kept', async () => {
    const r = await b.door.post('/v1/messages', wish, key);
    return r.status === 202 && r;
  });
  assert.equal(again.headers['idempotent-replayed'], 'true');
  left.set('pressing', again.json.id);
  a.run(); // the operator has receipts for its account
  await a.ready();
  for (const id of left.values()) await b.settled(id);
  assert.equal(await database.slotSession(1), session, 'its session went on');
  assert.deepEqual([...left.keys()].filter((text) => !firstAt(centre).has(text)), [], 'lost');
  await allMarked(b, centre, left);
}, { withinMs: 120000 });

journey('kezekd__several_started_at_once_on_a_fresh_database__a_slot_for_each', async (stage) => {
  const centre = await startCentre(stage);
  const database = await servers.database();
  const all = await Promise.all(['a', 'b', 'c', 'd'].map((name) => Kezek.prepare(stage, database, { name, config: quick,
    operators: { one: operator(stage, { port: centre.port, systemId: name }) } })));
  await Promise.all(all.map((k) => k.migrate()));
  all.forEach((k) => k.run());
  await Promise.all(all.map((k) => k.ready()));
  const slots = [];
  for (const k of all) {
    await k.openDoor({ key: all[0].door?.key ?? null });
    await k.bound();
    slots.push((await k.status()).slot);
    const { id } = await k.door.send({ to: '+77011234567', text: `by ${k.name}` });
    await k.settled(id);
  }
  assert.equal(new Set(slots).size, all.length, slots.join());
  assert.deepEqual(centre.submits.map((s) => [s.systemId, s.text]), all.map((k) => [k.name, `by ${k.name}`]));
});

journey('slot_session__cut_under_load__everything_goes_once_and_a_slot_is_held_again', async (stage) => {
  const { a, b, centre, database } = await pair(stage, { rates: { a: 200, b: 200 } });
  const load = new Load([a, b], 800);
  stage.defer(() => { load.over = true; });
  for (const share of [0.2, 0.4, 0.6]) {
    await load.reached(share);
    const { slot } = await a.status();
    await database.ask(`select pg_terminate_backend(${await database.slotSession(slot)})`, database.admin);
    await until('it is heard of', async () => (await a.status()).slot !== slot || await database.slotSession(slot));
    await a.ready();
  }
  await allArrived(b, load, centre);
  assert.equal(await database.count('message'), 800);
  console.log(`duplicates: ${again(centre)}; what was on the wire at a cut, or answered and not recorded yet`);
  await allMarked(b, centre, load.kept);
}, { withinMs: 120000 });

journey('kezekd__started_with_far_more_unfinished_than_it_may_hold__bound_at_once_and_sends_page_by_page', async (stage) => {
  const n = 40000, most = 16000, page = 10000;
  const smsc = await Simulator.start(stage, ['--receipt-delay', '0ms', '--receipt-window', '1000'], 'kezek-smsc', { log: false });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { ...quick, queue: { max_messages: most } }, operators: {
    one: operator(stage, { port: smsc.port, link: { window: 1000, rate: 100000 } }) } });
  await k.stop(); // its partitions stand
  await database.putUnfinished(k.config.keyring, n);
  const from = Date.now();
  k.run();
  await k.ready();
  await k.bound();
  const took = Date.now() - from;
  let held = 0;
  await until('all are submitted', async () => {
    held = Math.max(held, await k.metric('kezek_messages_unfinished'));
    return await k.metric('kezek_messages_submitted_total') === n;
  }, 90000, 50);
  console.log(`bound after ${took} ms, at most ${held} in memory`);
  assert.ok(took <= 10000, `${took} ms`);
  assert.ok(held > 0 && held <= most * 7 / 8 + page, `${held} in memory`);
  await until('all have left memory', async () => await k.metric('kezek_messages_unfinished') === 0);
  assert.equal(await database.count('message_event', 'kind = 1'), n, 'each once');
}, { withinMs: 180000 });
