// What is kept of a code outlives the daemon that took it, a change of keys and Redis; not its life.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { journey, freePort, until } from '../lib/stage.mjs';
import { Codes, purposes, sentAgain, wide, wrongFor } from '../lib/codes.mjs';
import { makeKeyring } from '../lib/keyring.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';
import { Capture } from '../lib/tshark.mjs';

const servers = new Servers();
const of = { login: {}, brief: { life: '1m' }, phone: { binding: 'required' } };
const quick = { ...wide, database: { connect_timeout: '2s', job_timeout: '5s' } };

// Daemon a's operator is not there, b's is. One keyring, unless one of them has another.
async function pair(stage, keyrings = {}) {
  const centre = await startCentre(stage);
  const database = await servers.database();
  const config = { ...quick, purposes: purposes(stage, of) };
  const daemon = (name, port) => Kezek.prepare(stage, database, { config: { ...config, keyring: keyrings[name] }, name,
    operators: { one: operator(stage, { port, systemId: name }) } });
  const a = await daemon('a', await freePort());
  const b = await daemon('b', centre.port);
  await a.migrate();
  for (const k of [a, b]) {
    k.run();
    await k.ready();
    await k.openDoor({ key: k === b ? a.door.key : null });
  }
  await b.bound();
  return { a, b, centre, database, codes: [a, b].map((k) => new Codes(k.door, centre)) };
}

async function rotate(...daemons) {
  const added = await daemons[0].ctlRun('keyring', 'add', daemons[0].config.keyring);
  assert.equal(added.code, 0, added.err);
  for (const k of daemons) k.process.child.kill('SIGHUP');
}

journey('code__its_daemon_killed_before_the_operator_had_it__the_other_delivers_the_same', async (stage) => {
  const { a, codes: [at, other], centre, database } = await pair(stage);
  const wishes = [{ to: '+77012110001' }, { to: '+77012110002', code: '918273' }, { to: '+77012110003', purpose: 'phone', binding: 'r-1' }];
  const sent = [];
  for (const wish of wishes) sent.push(await at.sent(wish));
  assert.equal(centre.submits.length, 0);
  await a.kill();
  for (const [i, { to, code, binding }] of wishes.entries()) {
    const read = await other.read(to);
    if (code) assert.equal(read, code);
    assert.equal((await other.result(sent[i].id, wrongFor(read), { binding })).result, 'wrong');
    assert.equal((await other.result(sent[i].id, read, { binding })).result, 'approved');
  }
  assert.equal(await database.count('code_given', 'expires_at < now()'), 0);
});

journey('keyring__rotated_while_codes_are_open__they_stay_good_and_new_ones_take_the_new_key', async (stage) => {
  const { a, b, codes: [waiting, at], database } = await pair(stage);
  const open = await at.opened({ to: '+77012120001' });
  const own = await at.opened({ to: '+77012120002', code: '918273' });
  const unsent = await waiting.sent({ to: '+77012120003' });
  await rotate(a, b);
  // What is new takes the new key once the daemon has read it.
  let fresh, i = 0;
  await until('the new key is in use', async () => {
    fresh = await at.opened({ to: `+7701213${String(i++).padStart(4, '0')}` });
    return await database.count('code', 'key = 2') > 0;
  });
  assert.equal((await at.result(fresh.id, fresh.code)).result, 'approved');
  assert.equal((await at.result(open.id, wrongFor(open.code))).result, 'wrong');
  assert.equal((await at.result(open.id, open.code)).result, 'approved');
  assert.equal((await at.result(own.id, own.code)).result, 'approved');
  await a.kill();
  assert.equal((await at.result(unsent.id, await at.read('+77012120003'))).result, 'approved', 'made again from the old key');
  assert.equal(await b.metric('kezek_messages_ended_total{state="expired"}'), 0);
});

// The keyring of all with one key more, as it is while it is carried from one machine to the others.
function longerKeyring(stage) {
  const file = stage.path('keyring-longer');
  writeFileSync(file, `${readFileSync(makeKeyring(stage), 'utf8')}2 ${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  return file;
}

function hasKeysOf(k, file) {
  copyFileSync(file, k.config.keyring);
  k.process.child.kill('SIGHUP');
}

journey('check__by_a_daemon_without_the_codes_key__unavailable_and_no_try_is_taken', async (stage) => {
  const longer = longerKeyring(stage);
  const { a, codes: [without, at], database } = await pair(stage, { b: longer });
  const { id, code } = await at.opened({ to: '+77012150001' });
  for (let i = 0; i < 6; i++) {
    Codes.refused(await without.check(id, code), 503, 'unavailable');
    Codes.refused(await without.check(id, wrongFor(code)), 503, 'unavailable');
  }
  assert.deepEqual([await database.count('code_wrong'), (await at.state(id)).tries_left], [0, 5]);
  const over = await at.opened({ to: '+77012150002' });
  await at.cancel(over.id);
  assert.equal((await without.result(over.id, over.code)).result, 'cancelled', 'what is over needs no key');
  assert.equal((await at.result(id, code, { key: 'the-one' })).result, 'approved');
  Codes.refused(await without.check(id, code, { key: 'the-one' }), 503, 'unavailable');
  hasKeysOf(a, longer);
  await until('it says so again', async () => (await without.check(id, code, { key: 'the-one' })).status === 200);
});

// Daemon a alone has the key by which all is sealed that waits for its operator when it dies.
journey('takeover__by_a_daemon_without_the_key__waits_for_it_or_for_its_own_end_and_then_goes', async (stage) => {
  const longer = longerKeyring(stage);
  const { a, b, codes: [at, other], centre, database } = await pair(stage, { a: longer });
  const notice = await a.door.send({ to: '+77012160001', text: 'Салем', class: 'notice' });
  const code = await at.sent({ to: '+77012160002' });
  const brief = await a.door.send({ to: '+77012160003', text: 'short', class: 'notice', expires_at: new Date(Date.now() + 15000).toISOString() });
  await a.kill();
  await until('it waits for the key', async () => await b.metric('kezek_messages_sealed') === 3, 40000);
  await b.settled(brief.id, 'expired', 40000);
  assert.ok(Date.now() >= Date.parse(brief.expires_at));
  assert.equal(await b.metric('kezek_messages_sealed'), 2);
  assert.deepEqual(centre.submits, []);
  hasKeysOf(b, longer);
  assert.equal((await other.result(code.id, await other.read('+77012160002'))).result, 'approved');
  await until('the notice is sent', () => centre.texts.some((t) => t.to === '77012160001' && t.text === 'Салем'));
  await b.settled(notice.id);
  assert.equal(await b.metric('kezek_messages_sealed'), 0);
  assert.equal(centre.submits.length, 2);
  assert.equal(await database.count('message_event', 'kind = 10'), 0, 'nothing was in doubt');
});

journey('code__operator_away_until_it_expired__never_sent_and_told_so', async (stage) => {
  const port = await freePort();
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { ...quick, purposes: purposes(stage, of) },
    operators: { one: operator(stage, { port }) } });
  const centre = await startCentre(stage, { port: await freePort() });
  const codes = new Codes(k.door, centre);
  const { id, expires_at: expires } = await codes.sent({ purpose: 'brief', to: '+77012130001' });
  assert.ok(Date.parse(expires) - Date.now() <= 60000);
  await k.settled(id, 'expired', 75000);
  assert.ok(Date.now() >= Date.parse(expires));
  k.writeOperator('one', operator(stage, { port: centre.port }));
  k.process.child.kill('SIGHUP');
  await k.bound();
  await codes.opened({ to: '+77012130002' });
  assert.deepEqual(centre.submits.map((s) => s.to), ['77012130002']);
  assert.deepEqual(await codes.result(id, '123456'), { id, result: 'expired' });
  assert.equal(Codes.refused(await codes.resend(id), 409, 'code_over').result, 'expired');
  assert.equal((await codes.state(id)).state, 'expired');
}, { withinMs: 180000 });

journey('validity_period__of_a_code_that_waited__its_remaining_life', async (stage) => {
  const port = await freePort();
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { ...quick, purposes: purposes(stage, of) },
    operators: { one: operator(stage, { port }) } });
  const capture = await Capture.start(stage, [port]);
  const wait = new Codes(k.door, null);
  const { expires_at: expires } = await wait.sent({ to: '+77012140001' });
  await pause(3000); // so long its operator is away
  const centre = await startCentre(stage, { port });
  await until('it is sent', () => centre.submits.length > 0);
  await capture.flush();
  const [row] = (await capture.tshark('-Y', `smpp.command_id == 4 && tcp.dstport == ${port}`, '-T', 'fields', '-e', 'frame.time_epoch',
    '-e', 'smpp.validity_period_r')).split('\n');
  const [at, said] = row.split('\t').map(Number);
  const left = Date.parse(expires) / 1000 - at;
  assert.ok(Math.abs(said - left) <= 1.5, `${said} s of ${left} s`);
  assert.ok(said < 298, `${said} s is not a whole life`);
  const counts = await capture.judge();
  assert.equal(counts.submit_sm, 1);
});

journey('phone__locked_then_lifted_by_a_person__its_right_codes_are_approved_by_both_daemons', async (stage) => {
  const { a, b, codes } = await pair(stage);
  const [over, by] = codes;
  const phone = '+77011239998';
  const opened = [];
  for (const wish of [{}, { purpose: 'brief' }, { purpose: 'phone', binding: 'x' }, { purpose: 'phone', binding: 'x' }]) {
    const sent = await sentAgain(() => by.ask({ to: phone, ...wish }));
    opened.push({ ...sent, code: await by.read(phone, opened.length + 1) });
    if (opened.length > 2) continue;
    for (let i = 0; i < 4; i++) assert.equal((await codes[i % 2].result(sent.id, wrongFor(opened.at(-1).code))).result, 'wrong');
  }
  const [login, brief, , last] = opened;
  for (let i = 0; i < 2; i++) assert.equal((await codes[i].result(last.id, wrongFor(last.code), { binding: 'x' })).result, 'wrong');
  for (const c of codes) Codes.refused(await c.check(login.id, login.code), 429, 'phone_locked');
  await until('kezekctl guard shows it', async () => (await a.ctl('guard')).held.length === 1);
  const lifted = await a.ctlRun('guard', 'lift', phone);
  assert.equal(lifted.code, 0, lifted.err);
  assert.equal((await over.result(login.id, login.code)).result, 'approved');
  assert.equal((await by.result(brief.id, brief.code)).result, 'approved');
  assert.equal((await by.result(last.id, wrongFor(last.code), { binding: 'x' })).result, 'wrong');
  assert.equal((await over.result(last.id, last.code, { binding: 'x' })).result, 'approved');
  assert.deepEqual((await b.ctl('guard')).held, []);
});
