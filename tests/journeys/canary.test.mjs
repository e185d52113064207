// Marked numbers and codes go through everything; afterwards none of them stands anywhere but on the phone: no log, dump,
// octet of the database's files, Redis, metric, tool's output or, once the operator has it, the daemon's memory.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { journey, until } from '../lib/stage.mjs';
import { Codes, purposes, sentAgain, wide, wrongFor } from '../lib/codes.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { startReceiver } from '../lib/receiver.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';
import { shippedBut } from '../lib/texts.mjs';

const servers = new Servers();
// Digits that come together nowhere else.
const NUMBERS = ['77017351846', '77026482917', '77059146273'];
const OWN = ['8305719264', '4196028357'];
const PARAM = '7305184629';
const TEXT = 'Балаңыз Ақжолтай, белгі Қ9Ж7';
const BINDING = 'application-5938274610';

// The spellings in which octets may hold them: as text, as text of two octets a character, a number as an integer of 8.
function spellings(words, numbers) {
  const of = words.flatMap((w) => [[w, Buffer.from(w)], [`${w} in UTF-16BE`, Buffer.from(w, 'utf16le').swap16()],
    [`${w} in UTF-16LE`, Buffer.from(w, 'utf16le')]]);
  for (const n of numbers) {
    const big = Buffer.alloc(8);
    big.writeBigInt64BE(BigInt(n));
    of.push([`${n} as octets`, big], [`${n} as octets, reversed`, Buffer.from(big).reverse()]);
  }
  return of;
}

function assertAbsent(where, bytes, marks) {
  for (const [what, octets] of marks) {
    const at = bytes.indexOf(octets);
    assert.ok(at < 0, `${what} stands in ${where} at ${at}: ${bytes.subarray(Math.max(0, at - 40), at + 60).toString('latin1')}`);
  }
}

const files = (dir) => readdirSync(dir, { withFileTypes: true }).flatMap((e) => {
  const path = join(dir, e.name);
  return e.isDirectory() ? files(path) : e.isFile() ? [path] : [];
});

// Everything of the process that can be read, in pieces that overlap by more than a mark is long. Looked through for all
// marks at once, as most of it has none: each by itself took ten times as long.
function assertAbsentInMemory(pid, marks) {
  const PIECE = 16 << 20, OVERLAP = 256, SHADOW = 2 ** 32; // a sanitizer's notes about memory are longer than any memory of ours
  const any = new RegExp(marks.map(([, octets]) => octets.toString('hex').replace(/../g, '\\x$&')).join('|'));
  const mem = openSync(`/proc/${pid}/mem`, 'r');
  const bytes = Buffer.alloc(PIECE);
  let seen = 0;
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').filter((l) => /^\S+ rw/.test(l) && !/\[v(var|syscall)/.test(l))) {
    const [from, to] = line.split(' ')[0].split('-').map((x) => Number(`0x${x}`));
    if (to - from > SHADOW) continue;
    for (let at = from; at < to; at += PIECE - OVERLAP) {
      let n;
      try {
        n = readSync(mem, bytes, 0, Math.min(PIECE, to - at), at);
      } catch {
        continue; // not mapped any more
      }
      seen += n;
      const piece = bytes.subarray(0, n);
      if (any.test(piece.toString('latin1')))
        assertAbsent(`the memory of the daemon (${line.split(' ').at(-1) || 'anonymous'})`, piece, marks);
      if (n < PIECE - OVERLAP) break;
    }
  }
  closeSync(mem);
  assert.ok(seen > 1 << 20, `${seen} octets of memory were read`);
}

async function stand(stage, { environment = {}, templates, modes, profile = {} } = {}) {
  // Receipts repeat the first letters of the text, as Appendix B has it.
  const centre = await startCentre(stage, { onSubmit: (s) => centre.verdicts?.(s),
    wording: (f) => `id:${f.id} sub:${f.sub} dlvrd:${f.dlvrd} submit date:${f.submit} done date:${f.done} stat:${f.stat} err:${f.err} text:${f.text}` });
  const database = await servers.database();
  const receiver = await startReceiver(stage);
  const k = await Kezek.start(stage, database, { config: { ...wide, log: { level: 'debug' },
    ...(templates ? { templates } : {}), purposes: purposes(stage, { login: { length: 10 }, phone: { length: 10, binding: 'required' }, password: { length: 10, resend: 'new' } }),
    webhook: { allow_private: true, retry_min: '10ms' } }, operators: { one: operator(stage, { port: centre.port, modes, ...profile }) }, environment });
  await k.bound();
  receiver.secret = (await k.ctl('webhook', 'add', 'journeys', receiver.url)).secret;
  return { centre, database, receiver, k, codes: new Codes(k.door, centre) };
}

// Answers the digits that kezek made itself, which are marks too.
async function goThroughEverything({ centre, receiver, k, codes }) {
  const numbers = NUMBERS.map((n) => `+${n}`);
  const made = [];
  const ids = [];
  const plain = await k.door.send({ to: numbers[0], text: TEXT, client_ref: 'canary' });
  const templated = await k.door.send({ to: numbers[0], template: 'code', language: 'kk', class: 'code', params: { code: PARAM, minutes: '5' } });
  ids.push(plain.id, templated.id);
  const first = await codes.opened({ to: numbers[1], language: 'ru', client_ref: 'canary' });
  made.push(first.code);
  const own = await codes.opened({ to: numbers[2], code: OWN[0] });
  const pair = await codes.sent({ to: [numbers[0], '+77751112233'], code: OWN[1], purpose: 'phone', binding: BINDING });
  for (const one of [first, own]) {
    await codes.result(one.id, wrongFor(one.code));
    await codes.check(one.id, `x${one.code}`);
    await codes.check(one.id, ` ${one.code.slice(0, 3)}-${one.code.slice(3)}0`);
    await codes.check('0123456789abc', one.code);
  }
  Codes.refused(await codes.check(pair.codes[0].id, OWN[1], { binding: 'another' }), 409, 'binding_mismatch');
  const password = await codes.opened({ to: '+77751112244', purpose: 'password' });
  await codes.resend(password.id); // too soon, unless this machine is slow
  await sentAgain(() => codes.resend(password.id));
  made.push(password.code, await codes.read('+77751112244', 2));
  await codes.result(first.id, first.code);
  await codes.result(first.id, first.code);
  await codes.result(own.id, OWN[0]);
  await codes.cancel(pair.codes[1].id);
  // Refusals that have it all in them.
  await k.door.post('/v1/messages', { to: numbers[0], text: '' });
  await k.door.post('/v1/codes', `{"to": "${numbers[0]}", "code": "${OWN[0]}"`);
  await k.door.post('/v1/codes', { purpose: 'login', to: numbers[0], language: 'kk', code: OWN[0], note: OWN[1] });
  await k.door.get(`/v1/codes/${numbers[0].slice(1)}`);
  // An operator that refuses, and receipts that cannot be read, with the number and a code in them.
  centre.verdicts = () => ({ status: 0x0b });
  ids.push((await k.door.send({ to: numbers[1], text: TEXT })).id);
  await until('refused', () => centre.submits.length >= 8);
  centre.verdicts = null;
  const submit = centre.submits.find((s) => s.to === NUMBERS[1]);
  centre.receipt(submit, { wording: () => `nonsense for ${NUMBERS[1]} with ${first.code}` });
  await until('it is aside', async () => await k.metric('kezek_receipts_aside_total') >= 1);
  await receiver.toldOf(ids);
  await until('the verdicts are told', () => ['code.approved', 'code.cancelled'].every((t) => receiver.hooks.some((h) => h.body.type === t)));
  return made;
}

async function toolsSay(k, ids) {
  const outs = [];
  for (const args of [['status'], ['trace', 'canary'], ['guard'], ['webhook', 'list'], ...ids.map((id) => ['trace', id])])
    for (const json of [[], ['--json']]) {
      const r = await k.ctlRun(...json, ...args);
      outs.push(r.out, r.err);
    }
  return outs.join('\n');
}

journey('canary__through_everything__stands_on_the_phone_alone', async (stage) => {
  const f = await stand(stage);
  const { k, database, receiver } = f;
  const made = await goThroughEverything(f);
  const secret = [...OWN, ...made, PARAM];
  const marks = spellings([...NUMBERS, ...NUMBERS.map((n) => n.slice(1)), ...secret, ...secret.map(wrongFor), TEXT, 'Ақжолтай', BINDING],
    [...NUMBERS, ...secret]);
  await until('nothing waits', async () => (await k.status()).queue.waiting === 0);
  assertAbsentInMemory(k.process.pid, spellings(secret, []));
  const outs = { metrics: (await k.door.get('/metrics')).body, kezekctl: await toolsSay(k, receiver.hooks.map((h) => h.body.data.id)),
    webhooks: receiver.hooks.map((h) => h.text).join('\n') };
  await database.ask('checkpoint', database.admin);
  outs['pg_dump'] = execFileSync('pg_dump', [database.conninfo], { maxBuffer: 1 << 28 }).toString();
  const socket = database.redis.replace('unix:', '');
  execFileSync('redis-cli', ['-s', socket, 'save']);
  await k.stop();
  outs['log'] = k.process.err() + k.process.out();
  for (const [where, text] of Object.entries(outs)) assertAbsent(where, Buffer.from(text), marks);
  assert.ok(outs.pg_dump.includes('code_send') && outs.kezekctl.includes('***'), 'something was looked at');
  assertAbsent('Redis', readFileSync(join(servers.dir, 'dump.rdb')), marks);
  const data = files(join(servers.dir, 'pg'));
  assert.ok(data.some((p) => p.includes('pg_wal')) && data.some((p) => p.includes('base')));
  for (const path of data) if (statSync(path).size > 0) assertAbsent(path, readFileSync(path), marks);
}, { withinMs: 180000 });

// The shipped texts, with a code that stands where it is told.
function template(stage, text) {
  const file = stage.path('sms.yaml');
  writeFileSync(file, `code:\n  params: {code: digits(10), minutes: number(2)}\n  segments: 2\n${
    ['kk', 'ru', 'en'].map((l) => `  ${l}: ${JSON.stringify(text)}\n`).join('')}${shippedBut('code')}`);
  return file;
}

// What a code that was sent last may lie in, as nothing follows that could lie where it lay.
const LAST = {
  behind_a_text: { text: 'Ваш код на {minutes} минут, никому не говорите: {code}' },
  in_what_a_receipt_repeats: { text: '{code} is the code, {minutes} min.' },
  in_octets_of_latin1: { text: 'Code for {minutes} min.: {code}', gsm: 'latin1' },
  in_two_parts: { text: `Код на {minutes} минут. ${'Никому не говорите! '.repeat(4)} {code}`, parts: 2 },
  where_a_shorter_text_is_cut: { text: 'Ваш код на {minutes} минут, никому не говорите: {code}', after: 'Иә' },
};
for (const [where, { text, gsm, parts = 1, after }] of Object.entries(LAST))
  journey(`memory__codes_sent_last_${where}__has_none_once_their_receipts_are_recorded`, async (stage) => {
    const { k, centre, codes } = await stand(stage, { templates: template(stage, text), modes: ['transceiver', 'transceiver'],
      profile: gsm ? { text: { gsm } } : {} });
    const given = ['8305719264', '4196028357', '7305184629', '6092841735', ...Array(4).fill(undefined)];
    const phone = (i) => `+7701735184${i}`;
    // All stand in the windows at once: what is cut for one is not what was cut before.
    const all = new Set();
    centre.verdicts = () => ({ after: new Promise((resolve) => all.add(resolve)) });
    const sent = await Promise.all(given.map((code, i) => codes.sent({ to: phone(i), language: 'ru', ...(code && { code }) })));
    await until('all are at the operator', () => all.size === given.length * parts);
    if (after) {
      await k.door.send({ to: '+77011112233', text: after });
      await until('the text after them is at the operator', () => all.size === given.length * parts + 1);
    }
    assert.equal(new Set(centre.submits.map((s) => s.session)).size, 2);
    for (const answer of all) answer();
    for (const s of sent)
      await until('its receipt is recorded', async () => (await codes.state(s.id)).sends[0].state === 'delivered');
    const digits = await Promise.all(given.map((code, i) => codes.read(phone(i))));
    assertAbsentInMemory(k.process.pid, spellings(digits, []));
  });

journey('memory__portals_own_text_sent_last__has_nothing_of_it_once_its_receipt_is_recorded', async (stage) => {
  const { k } = await stand(stage, { templates: template(stage, 'Ваш код на {minutes} минут, никому не говорите: {code}') });
  // A letter and its mark apart: composed for the phone.
  const texts = ['Ваш код, и\u0306: 8305719264', 'Your own code: 4196028357'];
  const tried = await k.door.post('/v1/messages', { to: '+77017351840', text: 'Your own code: 6092841735', dry_run: true });
  assert.equal(tried.json.text, 'Your own code: 6092841735', tried.body);
  for (const [i, wish] of [...texts.map((text) => ({ text })), { template: 'code', language: 'ru', params: { code: PARAM, minutes: '5' } }].entries()) {
    const { id } = await k.door.send({ to: `+7701735184${i}`, class: i ? 'code' : 'notice', ...wish });
    await k.settled(id);
  }
  assertAbsentInMemory(k.process.pid, spellings([...OWN, PARAM, '6092841735'], []));
});

for (const signal of ['SIGABRT', 'SIGSEGV'])
  journey(`core__kezekd_ended_by_${signal}__none_is_left`, async (stage) => {
    // A sanitizer would take the signal for a fault and report it.
    const { k, codes } = await stand(stage, { environment: { ASAN_OPTIONS: 'handle_segv=0' } });
    await codes.opened({ to: '+77017351846', code: OWN[0] });
    const pid = k.process.pid;
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
    assert.match(limits, /^Max core file size +0 +0 /m);
    // What may not be dumped belongs to root, whoever runs it.
    assert.deepEqual([statSync(`/proc/${pid}/environ`).uid, statSync(`/proc/${pid}/mem`).uid], [0, 0]);
    await k.kill(signal);
    const cores = [stage.dir, k.dir].flatMap((dir) => readdirSync(dir)).filter((name) => /^core(\.|$)/.test(name));
    assert.deepEqual(cores, []);
  });
