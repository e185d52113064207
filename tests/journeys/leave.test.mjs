// What is let go unsent: by a link that drops, a drain, a slot that was lost, a stop that does not wait. Nothing of it is
// forgotten, and the low water never passes it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { journey, until, freePort } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Keyring } from '../lib/keyring.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const quick = { message: { retry_min: '50ms', retry_max: '200ms', in_doubt_wait: '300ms' } };
const to = '+77011234567';
const long = 'ә'.repeat(150); // 3 parts
const SYSERR = 0x08;
const unfinished = (k) => k.metric('kezek_messages_unfinished');
const events = (m) => m.timeline.map((e) => e.event);

function gate() {
  let open;
  const opened = new Promise((resolve) => { open = resolve; });
  return { open, opened };
}

// A transaction that keeps inserts out of that table until release. Its session ends with the stage.
async function lockTable(stage, database, table) {
  const psql = spawn('psql', ['-X', '-q', database.conninfo], { stdio: ['pipe', 'ignore', 'ignore'] });
  const gone = new Promise((resolve) => { psql.on('close', resolve); });
  stage.defer(() => {
    psql.stdin.end();
    return gone;
  });
  psql.stdin.write(`begin; lock table ${table} in share row exclusive mode;\n`);
  await until('the lock', () => database.count('pg_locks', `granted and relation = '${table}'::regclass`
    + ` and mode = 'ShareRowExclusiveLock'`));
}

// The only message was accepted half an hour ago: old enough to be below what a sweep looks at again. Answers its id.
async function backdate(k, database) {
  const shift = 30n * 60000n << 22n;
  const keyring = new Keyring(k.config.keyring);
  const [[was, sealed]] = await database.ask("select id, encode(sealed, 'hex') from message_person");
  const person = keyring.openPerson(was, Buffer.from(sealed, 'hex'));
  await database.ask(`update message set id = id - ${shift}; delete from message_person`);
  await database.ask(`insert into message_person values ${keyring.personRow(BigInt(was) - shift, person)}`);
  await database.ask('update slot set low_water = 0');
  const rows = await database.ask('select id from message');
  assert.equal(rows.length, 1);
  return BigInt(rows[0][0]);
}

// An id as the door writes it: 13 digits of Crockford's base 32.
function doorId(id) {
  const digits = '0123456789abcdefghjkmnpqrstvwxyz';
  return Array.from({ length: 13 }, (_, i) => digits[Number(id >> BigInt(5 * (12 - i)) & 31n)]).join('');
}

async function lowWater(database) {
  const rows = await database.ask('select low_water from slot');
  assert.equal(rows.length, 1);
  return BigInt(rows[0][0]);
}

const timesReadBack = (k) => k.process.err().split('read back').length - 1;

// The slot's session is ended by the server; over when the daemon has taken the slot again and read it back.
async function loseSlot(k, database) {
  const times = timesReadBack(k);
  const held = await database.ask(`select distinct pid from pg_locks join pg_database d on d.oid = database
    where locktype = 'advisory' and classid = x'6b7a6b'::int::oid and objid between 1 and 256 and granted and d.datname = '${database.name}'`, database.admin);
  assert.equal(held.length, 1);
  await database.ask(`select pg_terminate_backend(${held[0][0]})`, database.admin);
  await until('the slot is read back again', () => timesReadBack(k) > times);
}

journey('link__lost_with_the_first_of_three_parts_unanswered__that_part_again_marked_then_the_rest', async (stage) => {
  const centre = await startCentre(stage, { onSubmit: (s) => {
    if (centre.submits.length > 1) return undefined;
    s.session.destroy();
    return { silent: true };
  } });
  const k = await Kezek.start(stage, await servers.database(), { config: quick,
    operators: { one: operator(stage, { port: centre.port, link: { window: 1 } }) } });
  await k.bound();
  const { id } = await k.door.send({ to, text: long });
  const m = await k.settled(id);
  await until('it has left memory', async () => await unfinished(k) === 0);
  assert.equal(k.process.ended, null);
  assert.deepEqual(centre.submits.map((s) => s.number), [1, 1, 2, 3]);
  assert.ok(centre.submits[1].at - centre.submits[0].at >= 300, 'its receipt had time to come');
  const first = m.timeline.filter((e) => e.part === 1 && e.event !== 'receipt').map((e) => e.event);
  assert.deepEqual(first, ['in_doubt', 'resent', 'submitted']);
  assert.deepEqual(m.timeline.filter((e) => e.event === 'resent').map((e) => e.part), [1]);
  assert.deepEqual(centre.texts.map((t) => [t.parts, t.text]), [[3, long]]);
});

journey('kezekd__drains_with_an_old_message_waiting__low_water_below_it_and_next_run_delivers_it', async (stage) => {
  const alphaPort = await freePort();
  const profile = operator(stage, { port: alphaPort, prefixes: ['7702'] });
  const beta = await startCentre(stage, { onSubmit: () => (beta.submits.length === 1 ? { silent: true } : undefined) });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: quick, operators: {
    alpha: profile, beta: operator(stage, { port: beta.port, prefixes: ['7701'] }) } });
  await k.door.send({ to: '+77021234567', text: 'old one' });
  await k.kill();
  const id = await backdate(k, database);
  k.run();
  await k.ready();
  await k.bound('beta');
  await until('it is read back', async () => timesReadBack(k) === 1 && await unfinished(k) === 1);
  await k.door.send({ to, text: 'silent', class: 'code' });
  await until('the other is on the wire', () => beta.submits.length === 1);
  const started = Date.now();
  await k.stop();
  assert.ok(Date.now() - started > 5000, 'the drain outlived one noting of the low water');
  const low = await lowWater(database);
  assert.ok(low <= id, `low_water ${low}, the message ${id}`);
  const alpha = await startCentre(stage, { port: alphaPort });
  k.run();
  await k.ready();
  const m = await k.settled(doorId(id));
  assert.deepEqual(events(m), ['accepted', 'submitted', 'receipt']);
  assert.deepEqual(alpha.texts.map((t) => t.text), ['old one']);
  await until('nothing is left', async () => await unfinished(k) === 0);
});

journey('slot__lost_and_retaken_then_an_old_message_is_refused__sent_again_and_low_water_waits', async (stage) => {
  const refusal = gate(), answer = gate();
  const centre = await startCentre(stage, { onSubmit: () => (centre.submits.length === 1
    ? { after: refusal.opened, status: SYSERR } : { after: answer.opened }) });
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: quick,
    operators: { one: operator(stage, { port: await freePort() }) } });
  await k.door.send({ to, text: 'old one' });
  await k.kill();
  const id = await backdate(k, database);
  k.writeOperator('one', operator(stage, { port: centre.port }));
  k.run();
  await k.ready();
  await until('it is at the operator', () => centre.submits.length === 1);
  await until('the slot is read back', () => timesReadBack(k) === 1);
  await database.ask('update slot set low_water = 0'); // what is noted from here on is seen
  await loseSlot(k, database);
  refusal.open();
  await until('the low water is noted', async () => await lowWater(database) > 0n);
  assert.equal(await lowWater(database), id);
  await until('it is sent again', () => centre.submits.length === 2);
  assert.equal(await lowWater(database), id);
  answer.open();
  await k.settled(doorId(id));
  await until('it has left memory', async () => await unfinished(k) === 0);
  await until('the low water passes it', async () => await lowWater(database) > id);
  assert.equal(centre.submits.length, 2);
});

journey('kezekd__told_twice_to_stop_while_messages_wait_for_the_database__ends_at_once_and_cleanly', async (stage) => {
  const centre = await startCentre(stage);
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: quick,
    operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  await lockTable(stage, database, 'message');
  const answers = [];
  for (let i = 1; i <= 8; i++) {
    answers.push(k.door.post('/v1/messages', { to, text: `message ${i}` }).then((r) => r.status, () => 'hung up'));
    await until('the door has it, beside who asks', async () => await k.metric('kezek_http_connections') === i + 1);
  }
  await until('commits wait for the table', () => database.count('pg_locks',
    "not granted and relation = 'message'::regclass"));
  await until('messages wait for those', () => k.metric('kezek_batch_waiting'));
  k.process.child.kill('SIGTERM');
  await until('it is stopping', () => k.process.err().includes('stopping on signal'));
  k.process.child.kill('SIGTERM');
  const ended = await k.process.exit;
  assert.deepEqual(ended, { code: 0, signal: null });
  assert.doesNotMatch(k.process.err(), /Sanitizer|runtime error:/);
  assert.deepEqual(await Promise.all(answers), Array(8).fill('hung up'));
  assert.equal(centre.submits.length, 0);
});
