// What is in doubt: a commit that nobody heard of, a part that was written and not answered, a slot that was lost with
// parts on the wire, a long message half of which went by an operator that is gone. All of it ends, and what may come to
// the phone twice is marked.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { journey, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const quick = { message: { retry_min: '50ms', retry_max: '200ms', in_doubt_wait: '300ms' } };
const to = '+77011234567';
const long = 'ә'.repeat(150); // 3 parts
const THROTTLED = 0x58, SYSERR = 0x08, INVSRCADR = 0x0a, INVDSTADR = 0x0b;
const unfinished = (k) => k.metric('kezek_messages_unfinished');
const events = (m) => m.timeline.map((e) => e.event);
const partsOf = (m, event) => m.timeline.filter((e) => e.event === event).map((e) => e.part).sort();

function gate() {
  let open;
  const opened = new Promise((resolve) => { open = resolve; });
  return { open, opened };
}

// The connection goes with the submission unanswered.
function drop(submit) {
  submit.session.destroy();
  return { silent: true };
}

// Nothing can be inserted there. Answers what ends that.
async function lockTable(stage, database, table) {
  const psql = spawn('psql', ['-X', '-q', database.conninfo], { stdio: ['pipe', 'ignore', 'ignore'] });
  const gone = new Promise((resolve) => { psql.on('close', resolve); });
  const release = () => {
    psql.stdin.end();
    return gone;
  };
  stage.defer(release);
  psql.stdin.write(`begin; lock table ${table} in share row exclusive mode;\n`);
  await until('the lock', () => database.count('pg_locks', `granted and relation = '${table}'::regclass`
    + ` and mode = 'ShareRowExclusiveLock'`));
  return release;
}

// The sessions that hold slots of that database.
const holders = async (database) => (await database.ask(`select distinct pid from pg_locks join pg_database d on d.oid = database
  where locktype = 'advisory' and classid = x'6b7a6b'::int::oid and objid between 1 and 256 and granted and d.datname = '${database.name}'`, database.admin)).flat();

// The slot's session is ended by the server; over when the daemon has a slot again and takes messages.
async function loseSlot(k, database) {
  const before = await holders(database);
  assert.equal(before.length, 1);
  await database.ask(`select pg_terminate_backend(${before[0]})`, database.admin);
  await until('the slot is taken again', async () => {
    const now = await holders(database);
    return now.length === 1 && now[0] !== before[0];
  });
  await until('the door is open again', async () => (await k.door.post('/v1/messages', { to: '+77021234567', text: 'after' })).status === 202);
}

journey('commit__outlives_job_timeout__told_503_then_sent_once_and_its_answer_replayed', async (stage) => {
  const centre = await startCentre(stage);
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { ...quick, database: { job_timeout: '1s' } },
    operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const resume = await database.stallCommits(stage);
  const post = (key) => k.door.post('/v1/messages', { to, text: 'precious' }, { 'idempotency-key': key });
  const key = randomUUID();
  assert.equal((await post(key)).status, 503);
  const between = (await post(key)).status;
  assert.ok([409, 503].includes(between), `${between} while nobody knows`);
  await pause(1500); // the stall outlives also what the daemon does at once about a lost commit
  assert.equal(centre.submits.length, 0, 'nothing is sent before it is known to be kept');
  await resume();
  await until('it is sent without being asked for again', () => centre.submits.length > 0, 15000);
  const again = await until('the repetition is answered', async () => {
    const r = await post(key);
    assert.ok([202, 409, 503].includes(r.status), r.body);
    return r.status === 202 && r;
  });
  assert.equal(again.headers['idempotent-replayed'], 'true');
  await k.settled(again.json.id);
  await until('nothing is left', async () => await unfinished(k) === 0);
  assert.equal(await database.count('message'), 1);
  assert.equal(centre.submits.length, 1);
});

// Two long messages of which alpha takes one part each and is gone for good: to 7701 the next is beta, which takes them
// whole, to 7705 it is gamma, which takes them in parts.
async function goneAfterOnePart(stage, { receipts = true, onGamma = null } = {}) {
  const alpha = await startCentre(stage, { receipts, onSubmit: (s) => (s.number === 1 ? {} : { silent: true }) });
  const beta = await startCentre(stage, { receipts });
  const gamma = await startCentre(stage, { receipts, onSubmit: onGamma });
  const k = await Kezek.start(stage, await servers.database(), { config: quick, operators: {
    alpha: operator(stage, { port: alpha.port, preference: 1, prefixes: ['7701', '7705'] }),
    beta: operator(stage, { port: beta.port, preference: 2, prefixes: ['7701'], text: { concat: 'payload' } }),
    gamma: operator(stage, { port: gamma.port, preference: 2, prefixes: ['7705'] }),
  } });
  await k.bound();
  const whole = (await k.door.send({ to: '+77011234567', text: long })).id;
  const parted = (await k.door.send({ to: '+77051234567', text: long })).id;
  for (const id of [whole, parted]) await until('its first part is taken', async () =>
    partsOf(await k.door.message(id), 'submitted').join() === '1');
  await until('the others are on the wire', () => alpha.submits.length === 6);
  await alpha.close();
  return { beta, gamma, k, whole, parted };
}

journey('operator__gone_after_one_part__all_of_it_by_the_next_and_what_goes_twice_is_marked', async (stage) => {
  const { beta, gamma, k, whole, parted } = await goneAfterOnePart(stage);
  assert.deepEqual(partsOf(await k.settled(whole), 'resent'), [1]);
  assert.deepEqual(partsOf(await k.settled(parted), 'resent'), [1, 2, 3]);
  await until('all have left memory', async () => await unfinished(k) === 0);
  assert.deepEqual(beta.texts.map((t) => [t.mode, t.text]), [['payload', long]]);
  assert.deepEqual(gamma.texts.map((t) => [t.mode, t.parts, t.text]), [['udh8', 3, long]]);
  assert.deepEqual([beta.submits.length, gamma.submits.length], [1, 3]);
});

journey('kezekd__killed_after_the_next_operator_took_over__only_what_that_one_has_counts_as_sent', async (stage) => {
  let first = true;
  const { beta, gamma, k, whole, parted } = await goneAfterOnePart(stage, { receipts: false, onGamma: (s) => {
    if (s.number !== 1 || !first) return undefined;
    first = false;
    return { silent: true };
  } });
  await until('taken whole', async () => partsOf(await k.door.message(whole), 'submitted').join() === '1,1');
  await until('taken but for one part', async () => partsOf(await k.door.message(parted), 'submitted').join() === '1,2,3');
  await k.kill();
  k.run();
  await k.ready();
  await k.bound('beta', 'gamma');
  await until('the part that is missing', () => gamma.texts.length === 1);
  assert.deepEqual(gamma.submits.map((s) => s.number).sort(), [1, 1, 2, 3]);
  assert.equal(gamma.texts[0].text, long);
  await until('nothing is left', async () => await unfinished(k) === 0);
  assert.deepEqual(partsOf(await k.door.message(parted), 'resent'), [1, 1, 2, 3]);
  assert.equal(beta.submits.length, 1, 'what was answered and recorded does not go again');
});

// The first submission is answered by status when the gate opens.
async function lossRig(stage, status) {
  const { open, opened } = gate();
  let first = true;
  const centre = await startCentre(stage, { onSubmit: () => {
    if (!first) return undefined;
    first = false;
    return { after: opened, status };
  } });
  const other = await startCentre(stage);
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: quick, operators: {
    one: operator(stage, { port: centre.port, prefixes: ['7701'], link: { window: 1 } }),
    other: operator(stage, { port: other.port, prefixes: ['7702'] }) } });
  await k.bound();
  const send = async (text) => {
    const { id } = await k.door.send({ to, text });
    await until('its first part is at the operator', () => centre.submits.length === 1);
    return id;
  };
  const ends = async (id, expected, numbers) => {
    await k.settled(id);
    await until('everything is answered and recorded', async () => await unfinished(k) === 0);
    assert.deepEqual(events(await k.door.message(id)).sort(), expected.sort());
    assert.deepEqual(centre.submits.map((s) => s.number), numbers);
    assert.equal(centre.texts.length, 1);
  };
  return { centre, database, k, open, send, ends };
}

journey('slot__lost_and_retaken_with_a_part_unanswered__the_rest_goes_and_no_part_twice', async (stage) => {
  const { centre, database, k, open, send, ends } = await lossRig(stage, 0);
  const id = await send(long);
  await loseSlot(k, database);
  open();
  await ends(id, ['accepted', 'submitted', 'submitted', 'submitted', 'receipt', 'receipt', 'receipt', 'ended'], [1, 2, 3]);
  assert.equal(centre.texts[0].text, long);
});

journey('slot__lost_and_retaken_then_the_part_is_slowed__sent_again', async (stage) => {
  const { database, k, open, send, ends } = await lossRig(stage, THROTTLED);
  const id = await send('hello');
  await loseSlot(k, database);
  open();
  await ends(id, ['accepted', 'submitted', 'receipt'], [1, 1]);
});

journey('slot__lost_and_retaken_while_a_slowed_part_is_held__sent_again', async (stage) => {
  const { database, k, open, send, ends } = await lossRig(stage, THROTTLED);
  const id = await send('hello');
  open();
  await until('it is held', async () => (await k.link('one.1')).refused === 1);
  await loseSlot(k, database);
  await ends(id, ['accepted', 'submitted', 'receipt'], [1, 1]);
});

journey('slot__lost_and_retaken_while_events_wait__message_goes_on_and_leaves_memory', async (stage) => {
  const { open, opened } = gate();
  const sent = () => centre.submits.filter((s) => s.to === to.slice(1)).length;
  const centre = await startCentre(stage, { onSubmit: (s) => {
    if (s.to !== to.slice(1)) return undefined;
    return sent() === 1 ? { status: SYSERR } : { after: opened };
  } });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { message: { retry_min: '1m', retry_max: '1m' } },
    operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const unlock = await lockTable(stage, database, 'message_event');
  const { id } = await k.door.send({ to, text: 'hello' });
  await until('the event of the refusal waits', () => database.count('pg_locks', 'not granted'));
  assert.equal(sent(), 1);
  await loseSlot(k, database);
  await unlock();
  await until('it is sent again', () => sent() === 2);
  await until('its refusal is recorded', async () => events(await k.door.message(id)).includes('refused'));
  open();
  const m = await k.settled(id);
  assert.deepEqual(events(m), ['accepted', 'refused', 'submitted', 'receipt']);
  await until('all have left memory', async () => await unfinished(k) === 0);
});

journey('operator__takes_a_code_and_drops_the_connection_each_time__twice_then_failed', async (stage) => {
  const centre = await startCentre(stage, { onSubmit: drop });
  const k = await Kezek.start(stage, await servers.database(), { config: quick,
    operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const { id } = await k.door.send({ to, text: 'code 1234', class: 'code' });
  const m = await k.settled(id, 'failed');
  assert.deepEqual(events(m), ['accepted', 'in_doubt', 'resent', 'in_doubt', 'failed']);
  await until('it has left memory', async () => await unfinished(k) === 0);
  await k.bound();
  assert.equal(centre.submits.length, 2);
});

journey('operator__does_not_serve_the_number__not_asked_again_when_the_next_is_busy', async (stage) => {
  const busy = [SYSERR, SYSERR];
  const first = await startCentre(stage, { onSubmit: () => ({ status: INVDSTADR }) });
  const second = await startCentre(stage, { onSubmit: () => ({ status: busy.shift() }) });
  const k = await Kezek.start(stage, await servers.database(), { config: quick, operators: {
    first: operator(stage, { port: first.port, preference: 1 }),
    second: operator(stage, { port: second.port, preference: 2 }),
  } });
  await k.bound();
  const { id } = await k.door.send({ to, text: 'ported' });
  const m = await k.settled(id);
  assert.deepEqual(m.timeline.map((e) => [e.event, e.carrier, e.status].filter(Boolean).join(' ')).slice(1, 5),
    ['refused first ESME_RINVDSTADR', 'refused second ESME_RSYSERR', 'refused second ESME_RSYSERR', 'submitted second']);
  assert.deepEqual([first.submits.length, second.submits.length], [1, 3]);
});

journey('kezekd__killed_with_a_message_in_doubt__next_run_waits_for_its_receipt_then_sends_it_marked', async (stage) => {
  const centre = await startCentre(stage, { onSubmit: (s) => (centre.submits.length === 1 ? drop(s) : undefined) });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { message: { in_doubt_wait: '1m' } },
    operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const { id } = await k.door.send({ to, text: 'hello' });
  await until('the doubt is recorded', async () => events(await k.door.message(id)).includes('in_doubt'));
  await k.kill();
  k.writeConfig({ message: { in_doubt_wait: '2s' } });
  const started = Date.now();
  k.run();
  await k.ready();
  const m = await k.settled(id);
  assert.deepEqual(events(m), ['accepted', 'in_doubt', 'resent', 'submitted', 'receipt']);
  assert.equal(centre.submits.length, 2);
  assert.ok(centre.submits[1].at - started >= 2000, 'its receipt had time to come');
});

// The response timer is short, and what is in doubt would wait for long; each answer waits for open().
async function lateRig(stage, { onSubmit, named = false, config = {}, ...options } = {}) {
  const { open, opened } = gate();
  const centre = await startCentre(stage, { onSubmit: (s) => onSubmit?.(s, opened) ?? { after: opened }, ...options });
  const k = await Kezek.start(stage, await servers.database(), { config: { message: { in_doubt_wait: '1m', ...config } },
    operators: { one: operator(stage, { port: centre.port, submit: { user_message_reference: named },
      timers: { response: '300ms' } }) } });
  await k.bound();
  const doubted = async (id, n = 1) => until('in doubt', async () =>
    partsOf(await k.door.message(id), 'in_doubt').length === n);
  return { centre, k, open, doubted };
}

journey('part__goes_again__its_mark_is_kept_before_it_leaves', async (stage) => {
  const database = await servers.database();
  let marks;
  const look = async () => { marks = await database.count('message_event', 'kind = 8'); };
  const centre = await startCentre(stage, { onSubmit: (s) => (centre.submits.length > 1 ? { after: look() } : drop(s)) });
  const k = await Kezek.start(stage, database, { config: quick, operators: { one: operator(stage, { port: centre.port }) } });
  await database.ask(`create function slowly() returns trigger language plpgsql as
    'begin perform pg_sleep(1); return new; end';
    create trigger slowly before insert on message_event for each row when (new.kind = 8) execute function slowly()`);
  await k.bound();
  const m = await k.settled((await k.door.send({ to, text: 'hello' })).id);
  assert.deepEqual(events(m), ['accepted', 'in_doubt', 'resent', 'submitted', 'receipt']);
  assert.equal(marks, 1, 'a crash at that moment would have left it unmarked');
});

journey('response__late_and_well__submitted_and_not_sent_again', async (stage) => {
  const { centre, k, open, doubted } = await lateRig(stage, { named: true });
  const { id } = await k.door.send({ to, text: 'hello' });
  await doubted(id);
  assert.equal(await k.metric('kezek_doubts'), 1);
  open();
  const m = await k.settled(id);
  assert.deepEqual(events(m), ['accepted', 'in_doubt', 'submitted', 'receipt']);
  assert.equal(await k.metric('kezek_doubts'), 0);
  assert.equal(m.timeline[2].operator_id, '1000');
  await until('it has left memory', async () => await unfinished(k) === 0);
  assert.equal(centre.submits.length, 1);
});

journey('response__late_and_without_an_id__its_receipt_names_the_part_all_the_same', async (stage) => {
  const { centre, k, open, doubted } = await lateRig(stage, { named: true, echo: true, receipts: false,
    onSubmit: (s, opened) => ({ after: opened, noId: true }) });
  const { id } = await k.door.send({ to, text: 'hello' });
  await doubted(id);
  open();
  await k.settled(id, 'submitted');
  const r = centre.receipt(centre.submits[0]);
  await until('acknowledged', () => r.ackedAt);
  assert.deepEqual(events(await k.settled(id)), ['accepted', 'in_doubt', 'submitted', 'submitted', 'receipt']);
  assert.equal(await k.metric('kezek_doubts'), 0);
});

journey('response__late_for_one_part_of_three__whole_and_no_part_twice', async (stage) => {
  const { centre, k, open, doubted } = await lateRig(stage, { onSubmit: (s) => (s.number === 2 ? undefined : {}) });
  const { id } = await k.door.send({ to, text: long });
  await doubted(id);
  open();
  const m = await k.settled(id);
  assert.deepEqual([partsOf(m, 'submitted'), partsOf(m, 'resent')], [[1, 2, 3], []]);
  await until('it has left memory', async () => await unfinished(k) === 0);
  assert.equal(centre.submits.length, 3);
});

journey('response__late_refusal__ends_the_doubt_as_a_refusal', async (stage) => {
  const verdicts = { never: [INVSRCADR], later: [SYSERR] };
  const { centre, k, open, doubted } = await lateRig(stage, { onSubmit: (s, opened) => {
    const status = verdicts[s.text].shift();
    return status ? { after: opened, status } : {};
  } });
  const never = (await k.door.send({ to, text: 'never' })).id;
  const later = (await k.door.send({ to, text: 'later' })).id;
  for (const id of [never, later]) await doubted(id);
  open();
  assert.deepEqual(events(await k.settled(never, 'rejected')), ['accepted', 'in_doubt', 'refused', 'failed']);
  assert.deepEqual(events(await k.settled(later)), ['accepted', 'in_doubt', 'refused', 'submitted', 'receipt']);
  assert.deepEqual(centre.submits.map((s) => s.text).sort(), ['later', 'later', 'never']);
});

journey('kezekd__killed_after_a_late_refusal__the_next_run_knows_that_the_doubt_is_over', async (stage) => {
  const { centre, k, open, doubted } = await lateRig(stage, { config: { retry_min: '30s', retry_max: '30s' },
    onSubmit: (s, opened) => [{ after: opened, status: SYSERR }, null, {}][centre.submits.length - 1] ?? drop(s) });
  const { id } = await k.door.send({ to, text: 'hello' });
  await doubted(id);
  open();
  await until('the doubt is over', async () => events(await k.door.message(id)).includes('refused'));
  await k.kill();
  k.writeConfig(quick);
  k.run();
  await k.ready();
  const m = await k.settled(id);
  assert.deepEqual(events(m), ['accepted', 'in_doubt', 'refused', 'in_doubt', 'resent', 'submitted', 'receipt']);
  assert.equal(centre.submits.length, 3);
});

journey('response__late_for_a_code_that_went_again__both_submissions_and_both_receipts_recorded', async (stage) => {
  const { centre, k, open, doubted } = await lateRig(stage, { receipts: false,
    onSubmit: () => (centre.submits.length === 1 ? undefined : {}) });
  const { id } = await k.door.send({ to, text: 'code 1234', class: 'code' });
  await doubted(id);
  await until('it went again', async () => partsOf(await k.door.message(id), 'submitted').length === 1);
  await until('it has left memory', async () => await unfinished(k) === 0);
  open();
  await until('the first is known too', async () => partsOf(await k.door.message(id), 'submitted').length === 2);
  const ids = (await k.door.message(id)).timeline.filter((e) => e.event === 'submitted').map((e) => e.operator_id);
  assert.deepEqual(ids.sort(), ['1000', '1001']);
  for (const [i, state] of [[1, 'UNDELIV'], [0, 'DELIVRD']]) {
    const r = centre.receipt(centre.submits[i], { state });
    await until('acknowledged', () => r.ackedAt);
  }
  const m = await k.settled(id, 'undeliverable');
  assert.deepEqual(m.timeline.filter((e) => e.event === 'receipt').map((e) => e.status), ['UNDELIV', 'DELIVRD']);
  assert.equal(await k.metric('kezek_receipts_total{found="not_yet"}'), 0);
});

// The first submission has no answer, and its message waits for long; receipts bring its reference back.
async function lostAnswerRig(stage, { onFirst = drop, echo = true, named = true, wait = '1m', response = '30s' } = {}) {
  const centre = await startCentre(stage, { receipts: false, echo,
    onSubmit: (s) => (centre.submits.length === 1 ? onFirst(s) : undefined) });
  const k = await Kezek.start(stage, await servers.database(), { config: { message: { in_doubt_wait: wait } },
    operators: { one: operator(stage, { port: centre.port, submit: { user_message_reference: named }, timers: { response } }) } });
  await k.bound();
  const { id } = await k.door.send({ to, text: 'hello' });
  const receipt = async (o = {}) => {
    await until('it is written', () => centre.submits.length === 1);
    const r = centre.receipt(centre.submits[0], o);
    await until('acknowledged', () => r.ackedAt);
    assert.equal(r.status, 0);
  };
  const ends = async (expected) => {
    assert.deepEqual(events(await k.settled(id)), expected);
    await until('it has left memory', async () => await unfinished(k) === 0);
    assert.equal(centre.submits.length, 1);
  };
  return { centre, k, id, receipt, ends };
}

journey('receipt__of_a_part_whose_answer_was_lost__named_by_its_reference_and_not_sent_again', async (stage) => {
  const { k, id, receipt, ends } = await lostAnswerRig(stage);
  await until('in doubt', async () => events(await k.door.message(id)).includes('in_doubt'));
  assert.equal(await k.metric('kezek_doubts'), 1);
  await k.bound();
  await receipt({ state: 'ENROUTE' });
  await until('submitted', async () => events(await k.door.message(id)).includes('submitted'));
  await receipt();
  await ends(['accepted', 'in_doubt', 'submitted', 'receipt', 'receipt']);
});

// The notes have a fixed room: what no receipt will name takes none of it.
journey('operator__brings_no_references_back__its_doubts_are_not_noted', async (stage) => {
  const { k, id } = await lostAnswerRig(stage, { named: false });
  await until('in doubt', async () => events(await k.door.message(id)).includes('in_doubt'));
  assert.equal(await k.metric('kezek_doubts'), 0);
});

journey('operator__gives_no_id_and_brings_no_references_back__nothing_is_noted', async (stage) => {
  const { k, id } = await lostAnswerRig(stage, { named: false, onFirst: () => ({ noId: true }) });
  await k.settled(id, 'submitted');
  assert.equal(await k.metric('kezek_doubts'), 0);
});

// The one tried first brings none back, the other would.
journey('operator__of_a_route_brings_no_references_back__its_doubts_are_not_noted', async (stage) => {
  const mute = await startCentre(stage, { receipts: false, onSubmit: drop });
  const echoing = await startCentre(stage, { receipts: false, echo: true });
  const named = (port, preference, reference) => operator(stage, { port, preference, submit: { user_message_reference: reference } });
  const k = await Kezek.start(stage, await servers.database(), { config: { message: { in_doubt_wait: '1m' } },
    operators: { one: named(mute.port, 1, false), two: named(echoing.port, 2, true) } });
  await k.bound();
  const { id } = await k.door.send({ to, text: 'hello' });
  await until('in doubt', async () => events(await k.door.message(id)).includes('in_doubt'));
  assert.equal(await k.metric('kezek_doubts'), 0);
});

journey('receipt__before_its_answer_is_given_up__the_doubt_is_over_at_once', async (stage) => {
  const { receipt, ends } = await lostAnswerRig(stage, { onFirst: () => ({ silent: true }), response: '1s' });
  await receipt();
  await ends(['accepted', 'receipt', 'in_doubt', 'submitted']);
});

journey('kezekd__killed_with_a_part_on_the_wire__its_receipt_names_it_to_the_next_run', async (stage) => {
  const { centre, k, receipt, ends } = await lostAnswerRig(stage, { onFirst: () => ({ silent: true }) });
  await until('it is written', () => centre.submits.length === 1);
  await k.kill();
  k.run();
  await k.ready();
  await k.bound();
  await receipt();
  await ends(['accepted', 'interrupted', 'submitted', 'receipt']);
});

journey('receipt__names_nobody__message_in_doubt_is_sent_again_and_marked', async (stage) => {
  const { centre, k, id, receipt } = await lostAnswerRig(stage, { echo: false, wait: '1s' });
  await until('in doubt', async () => events(await k.door.message(id)).includes('in_doubt'));
  await k.bound();
  await receipt();
  const m = await k.settled(id, 'submitted');
  assert.deepEqual(events(m), ['accepted', 'in_doubt', 'resent', 'submitted']);
  assert.equal(centre.submits.length, 2);
});

journey('operator__gives_no_id__its_receipt_names_the_part_all_the_same', async (stage) => {
  const { k, id, receipt, ends } = await lostAnswerRig(stage, { onFirst: () => ({ noId: true }) });
  await k.settled(id, 'submitted');
  await receipt();
  await ends(['accepted', 'submitted', 'submitted', 'receipt']);
});

journey('receipt__comes_to_another_daemon__the_one_with_the_doubt_asks_before_it_sends_again', async (stage) => {
  const centre = await startCentre(stage, { receipts: false, echo: true,
    onSubmit: (s) => (s.systemId === 'kezek' && centre.submits.length === 1 ? drop(s) : undefined) });
  const database = await servers.database();
  const daemon = (name, systemId) => Kezek.start(stage, database, { name, config: { message: { in_doubt_wait: '3s' } },
    operators: { one: operator(stage, { port: centre.port, systemId, submit: { user_message_reference: true } }) } });
  const first = await daemon('first', 'kezek');
  const second = await daemon('second', 'kezek2');
  for (const k of [first, second]) await k.bound();
  const { id } = await first.door.send({ to, text: 'hello' });
  await until('in doubt', async () => events(await first.door.message(id)).includes('in_doubt'));
  const r = centre.receipt({ ...centre.submits[0], systemId: 'kezek2' });
  await until('acknowledged', () => r.ackedAt);
  assert.equal(r.status, 0);
  assert.equal(await database.count('receipt_waiting', 'reference is not null'), 1, 'nobody there knows it');
  const m = await first.settled(id);
  assert.deepEqual(events(m).sort(), ['accepted', 'in_doubt', 'receipt', 'submitted']);
  await until('it has left memory', async () => await unfinished(first) === 0);
  assert.equal(centre.submits.length, 1);
});

journey('operator__answers_enquire_link_and_no_submit_sm__bound_again_and_everything_goes', async (stage) => {
  const centre = await startCentre(stage, { onSubmit: () => (centre.binds.length === 1 ? { silent: true } : undefined) });
  const k = await Kezek.start(stage, await servers.database(), { config: quick,
    operators: { one: operator(stage, { port: centre.port, timers: { response: '500ms' }, link: { window: 3 } }) } });
  await k.bound();
  const ids = [];
  for (const text of ['a', 'b', 'c']) ids.push((await k.door.send({ to, text })).id);
  for (const id of ids)
    assert.deepEqual(events(await k.settled(id)), ['accepted', 'in_doubt', 'resent', 'submitted', 'receipt']);
  assert.equal(centre.binds.length, 2);
  assert.equal(await k.metric('kezek_smpp_mute_total'), 1);
});

journey('receipt__of_a_part_that_another_operator_sends_anew__the_other_sends_all_of_it', async (stage) => {
  const { open, opened } = gate();
  const alpha = await startCentre(stage, { receipts: false, echo: true, onSubmit: () => ({ silent: true }) });
  const beta = await startCentre(stage, { receipts: false, onSubmit: (s) => (s.number === 1 ? { after: opened } : undefined) });
  const named = (port, preference, link) => operator(stage, { port, preference, link, submit: { user_message_reference: true } });
  const k = await Kezek.start(stage, await servers.database(), { config: quick,
    operators: { alpha: named(alpha.port, 1, {}), beta: named(beta.port, 2, { window: 1 }) } });
  await k.bound();
  const { id } = await k.door.send({ to, text: long });
  await until('the parts are on the wire', () => alpha.submits.length === 3);
  await alpha.close();
  await until('the next begins', () => beta.submits.length === 1);
  await alpha.listen(alpha.port);
  await k.bound('alpha');
  const r = alpha.receipt(alpha.submits[1]);
  await until('acknowledged', () => r.ackedAt);
  open();
  await until('all of it', () => beta.texts.length === 1);
  assert.deepEqual([beta.texts[0].text, beta.submits.map((s) => s.number)], [long, [1, 2, 3]]);
  assert.equal(partsOf(await k.door.message(id), 'receipt').join(), '2');
});

journey('message__in_doubt_when_its_time_is_over__unconfirmed_not_expired', async (stage) => {
  const centre = await startCentre(stage, { onSubmit: drop });
  const k = await Kezek.start(stage, await servers.database(), { config: { message: { in_doubt_wait: '1h' } },
    operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  const expires = new Date(Date.now() + 4000).toISOString();
  const { id } = await k.door.send({ to, text: 'hello', expires_at: expires });
  await until('it is in doubt', async () => events(await k.door.message(id)).includes('in_doubt'));
  const m = await k.settled(id, 'unconfirmed');
  assert.deepEqual(events(m), ['accepted', 'in_doubt', 'expired']);
  assert.equal(centre.submits.length, 1);
});
