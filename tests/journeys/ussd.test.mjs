// A call through the terminal: turns, what bad input gets, dropped calls, daemons and servers that die, reloads.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { journey, top, until } from '../lib/stage.mjs';
import { Handset } from '../lib/handset.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { loudRegions } from '../lib/regions.mjs';
import { Rows } from '../lib/rows.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const phone = '+77011234567';

const head = `
dialog: small
version: "1"
languages: [kk, ru, en]
first: kk
entry: start
nav: {back: "0", next: "9", home: "00"}
limits: {ucs2: 80, gsm7: 160, turns: 8, seconds: 100, seconds_of_page: 7, seconds_of_digit: 1}
navtext:
  next: {kk: "9 Әрі", ru: "9 Ещё", en: "9 More"}
  back: {kk: "0 Артқа", ru: "0 Назад", en: "0 Back"}
invalid: {kk: "Тек {keys}:", ru: "Только {keys}:", en: "Only {keys}:"}
pages:
  down: {kk: "Кейін", ru: "Позже", en: "Later"}
  over: {kk: "Аяқталды", ru: "Окончено", en: "Over"}
  hidden: {kk: "Жасырын", ru: "Скрыт", en: "Hidden"}
`;

// A menu that asks no service on its way, but one at its end that nobody answers.
const screens = (title) => `
screens:
  start:
    text: {kk: "${title} басы", ru: "${title} начало", en: "${title} start"}
    options:
      - {key: "1", text: {all: "Number"}, goto: ask}
      - {key: "2", text: {all: "English"}, set: {lang: en}, goto: start}
      - {key: "3", text: {all: "Bye"}, goto: bye}
  ask:
    text: {kk: "Нөмір:", ru: "Номер:", en: "Number:"}
    input: {name: app, then: show}
    errors: {length: {kk: "Тек цифр:", ru: "Только цифры:", en: "Digits only:"}}
    back: yes
  show:
    text: {all: "${title} {app}"}
    options:
      - {key: "1", text: {all: "Bye"}, goto: bye}
    back: yes
  bye: {end: true, text: {kk: "Сау болыңыз", ru: "До свидания", en: "Bye"}}
  again:
    engine: yes
    text: {kk: "Жалғастыру?", ru: "Продолжить?", en: "Go on?"}
    options:
      - {key: "1", text: {all: "Yes"}, goto: "@resume"}
      - {key: "2", text: {all: "No"}, goto: start}
`;

function menu(stage, title = '№1', name = 'menu.yaml') {
  const file = join(stage.dir, name);
  writeFileSync(file, head + screens(title));
  return file;
}

const ussd = (file) => ({ ussd: { dialog: file, services: join(top, 'dialogs/services.yaml') } });

async function start(stage, { title, ...options } = {}) {
  const database = await servers.database();
  const file = menu(stage, title);
  const centre = await startCentre(stage, {});
  const operators = { kcell: operator(stage, { port: centre.port }) };
  const k = await Kezek.start(stage, database, { config: ussd(file), operators, ...options });
  await k.bound();
  return { database, k, file, centre, operators, handset: new Handset(k, phone) };
}

journey('a call goes from page to page to its end, in the language that was chosen', async (stage) => {
  const { k, database, handset } = await start(stage);
  assert.deepEqual(await handset.dial(), { page: '№1 басы\n1 Number\n2 English\n3 Bye', end: false });
  assert.deepEqual(await handset.type('2'), { page: '№1 start\n1 Number\n2 English\n3 Bye', end: false });
  assert.deepEqual(await handset.type('1'), { page: 'Number:\n0 Back', end: false });
  assert.deepEqual(await handset.type('77'), { page: '№1 77\n1 Bye\n0 Back', end: false });
  assert.deepEqual(await handset.type('1'), { page: 'Bye', end: true });
  assert.deepEqual(await handset.type('1'), { page: 'Over', end: true });
  await until('the language is remembered', () => database.count('caller'));
  assert.match((await handset.dial()).page, /^№1 start/);
  assert.equal(await k.metric('kezek_ussd_turns'), 0);
});

journey('bad input gets the right page in the language of who calls, and nothing ends', async (stage) => {
  const { handset } = await start(stage);
  await handset.dial();
  await handset.type('2');
  for (const bad of ['x', '😀', '#', '*', '', ' ', '7', '9', 'ә'.repeat(250), '1'.repeat(300), '1 1'])
    assert.deepEqual(await handset.type(bad), { page: 'Only 1-3:\n1 Number\n2 English\n3 Bye', end: false }, bad);
  await handset.type('1');
  for (const bad of ['x', '😀', '#', '*', '', 'ә'.repeat(250), '1'.repeat(300)])
    assert.deepEqual(await handset.type(bad), { page: 'Digits only:\n0 Back', end: false }, bad);
  assert.match((await handset.type('0')).page, /^№1 start/);
  assert.deepEqual(await new Handset(handset.k, '+77010000099').type('1'), { page: 'Аяқталды', end: true });
});

journey('a dropped call is told of once and gone on with by dialling again', async (stage) => {
  const { k, handset, centre, database } = await start(stage);
  await handset.dial();
  await handset.type('2');
  await until('the language is remembered', () => database.count('caller'));
  await handset.hangUp();
  assert.match((await handset.dial()).page, /^№1 start/, 'nothing was typed: nothing to go on with');
  await handset.type('1');
  await handset.type('4711');
  await handset.hangUp();
  const { text } = await centre.text('77011234567');
  assert.match(text, /Call dropped/);
  assert.deepEqual(await handset.dial(), { page: 'Go on?\n1 Yes\n2 No', end: false });
  assert.deepEqual(await handset.type('1'), { page: '№1 4711\n1 Bye\n0 Back', end: false });
  await handset.hangUp();
  assert.deepEqual(await handset.dial(), { page: 'Go on?\n1 Yes\n2 No', end: false });
  assert.match((await handset.type('2')).page, /^№1 start/);
  assert.equal(centre.textsTo('77011234567').length, 1);
  assert.equal(await database.count('message'), 1);
  assert.equal(await k.metric('kezek_ussd_resumes_total'), 1);
});

journey('a daemon that is killed in mid-session: the other one goes on, and of two answers at once one counts', async (stage) => {
  const { k, database, operators, handset, file } = await start(stage);
  const other = await Kezek.prepare(stage, database, { name: 'other', config: { ...ussd(file), keyring: k.config.keyring }, operators });
  await other.run();
  await other.ready();
  await handset.dial();
  await handset.type('2');
  await handset.type('1');
  // Redis holds still until both have asked for the session.
  await stage.must('redis-cli', ['-s', database.redis.replace(/^unix:/, ''), 'client', 'pause', '500', 'all']);
  const pages = await Promise.all([handset.type('77'), handset.type('77', other), handset.type('78', other)]);
  assert.match(pages[0].page, /^№1 7[78]\n1 Bye\n0 Back$/);
  for (const page of pages) assert.deepEqual(page, pages[0]);
  await k.kill();
  assert.deepEqual(await handset.type('1', other), { page: 'Bye', end: true });
});

journey('Redis dies: a closing page in the language of who calls, and calls again when it is back', async (stage) => {
  const own = new Servers();
  stage.defer(() => own.stop());
  const database = await own.database();
  const k = await Kezek.start(stage, database, { config: ussd(menu(stage)) });
  const handset = new Handset(k, phone);
  await handset.dial();
  await handset.type('2');
  await own.killRedis();
  assert.deepEqual(await handset.type('1'), { page: 'Later', end: true });
  assert.deepEqual(await handset.dial(), { page: 'Later', end: true });
  await own.restartRedis();
  await until('calls are answered', async () => !(await handset.dial()).end);
});

journey('a reload in mid-session: what began goes on as it was, at other daemons too', async (stage) => {
  const { k, database, operators, handset, file } = await start(stage);
  const second = new Handset(k, '+77010000002');
  await handset.dial();
  await handset.type('1');
  await second.dial();
  await second.type('1');
  await until('the menu is kept', () => database.count('dialog'));
  menu(stage, '№2');
  k.process.child.kill('SIGHUP');
  const third = new Handset(k, '+77010000003');
  await until('the new menu', async () => /^№2/.test((await third.dial()).page));
  assert.deepEqual(await handset.type('77'), { page: '№1 77\n1 Bye\n0 Артқа', end: false });
  const other = await Kezek.prepare(stage, database, { name: 'other', config: { ...ussd(file), keyring: k.config.keyring }, operators });
  await other.run();
  await other.ready();
  assert.deepEqual(await second.type('78', other), { page: '№1 78\n1 Bye\n0 Артқа', end: false });
  await until('both are kept', async () => await database.count('dialog') === 2);
});

// The phones' side of an operator that tells calls apart by its_session_info.
class Dialler {
  constructor(centre, number, session) {
    Object.assign(this, { centre, number, session });
  }

  async say(op, text, { source = this.number, ...pdu } = {}) {
    const before = this.pages().length;
    const response = await new Promise((resolve) => {
      this.centre.receiver('kezek').deliver_sm({
        source_addr_ton: 1, source_addr_npi: 1, source_addr: source, destination_addr: '1234', service_type: 'USSD',
        data_coding: 0, short_message: Buffer.from(text, 'latin1'), ussd_service_op: op, its_session_info: this.info(), ...pdu,
      }, resolve);
    });
    assert.equal(response.command_status, 0);
    return before;
  }

  info() { return Buffer.from([this.session, 0]); }

  pages() {
    return this.centre.submits.filter((s) => s.pdu.ussd_service_op !== undefined
      && Buffer.from(s.pdu.its_session_info)[0] === this.session);
  }

  // The page that follows: its text and whether the call goes on.
  async page(op, text, options) {
    const before = await this.say(op, text, options);
    await until(`a page after ${text}`, () => this.pages().length > before);
    const { text: page, pdu } = this.pages()[before];
    return [page, pdu.ussd_service_op];
  }
}

journey('a call over an operator: pages, a repeated request, a key pressed twice, a hidden number, an answer to no page', async (stage) => {
  const database = await servers.database();
  const centre = await startCentre(stage, { receipts: false });
  const operators = { kcell: operator(stage, { port: centre.port, ussd: { detect: 'tlv', codes: ['1234'], repeat: '5s' } }) };
  const k = await Kezek.start(stage, database, { config: ussd(menu(stage)), operators });
  await k.bound();
  const call = new Dialler(centre, '77011234567', 2);
  assert.deepEqual(await call.page(1, '*1234#'), ['№1 басы\n1 Number\n2 English\n3 Bye', 2]);
  assert.deepEqual(await call.page(18, '2'), ['№1 start\n1 Number\n2 English\n3 Bye', 2]);
  assert.deepEqual(await call.page(18, '1', { sequence_number: 701 }), ['Number:\n0 Back', 2]);
  assert.deepEqual(await call.page(18, '1', { sequence_number: 701 }), ['Number:\n0 Back', 2], 'brought twice by the network');
  assert.deepEqual(await call.page(18, '1'), ['№1 1\n1 Bye\n0 Back', 2], 'pressed twice');
  assert.deepEqual(await call.page(18, '3'), ['Only 1,0:\n1 Bye\n0 Back', 2]);
  assert.deepEqual(await call.page(18, '1', { sequence_number: 702 }), ['Bye', 17]);
  assert.deepEqual(await call.page(18, '1', { sequence_number: 702 }), ['Bye', 17], 'brought twice by the network');
  assert.deepEqual(await new Dialler(centre, '77011234568', 4).page(18, '1'), ['Аяқталды', 17]);
  assert.deepEqual(await new Dialler(centre, '', 6).page(1, '*1234#'), ['Жасырын', 17]);
  const other = new Dialler(centre, '77011234569', 8);
  await other.page(1, '*1234#');
  const asked = await other.page(18, '1');
  const gone = centre.receiver('kezek');
  gone.destroy();
  await until('bound anew', () => [...centre.sessions].some((s) => s !== gone && s.kind));
  assert.deepEqual(await other.page(18, '1'), asked, 'brought again, as its answer may have gone with the link');
  assert.equal(await k.metric('kezek_ussd_repeated_total'), 3);
  assert.equal(await database.count('message'), 0);
});

journey('an offer is pushed to the phone behind its SMS, and answered from the page that was pushed', async (stage) => {
  const database = await servers.database();
  const centre = await startCentre(stage, { receipts: false });
  const dialect = { detect: 'tlv', codes: ['1234'], push: 'ask' };
  const operators = { kcell: operator(stage, { port: centre.port, ussd: dialect }) };
  const k = await Kezek.start(stage, database,
    { config: { ...ussd(join(top, 'dialogs/kindergarten.yaml')), regions: loudRegions(stage) }, operators });
  await k.bound();
  const rows = new Rows(k);
  await rows.group(1, { free: 1 });
  await rows.applications([7]);
  const { key } = await k.ctl('key', 'add', 'portal', '--scope', 'records');
  const to = new Date(Date.now() + 5 * 86400000).toISOString();
  const made = await k.door.withKey(key).call('PUT', '/v1/referrals/48871',
    { body: { application: 7, group: 1, from: '2026-11-01T12:02:00Z', to, status: 'offered' } });
  assert.equal(made.status, 201, made.body);
  const pushed = await until('a pushed page', () => centre.submits.find((s) => s.pdu.ussd_service_op === 2));
  assert.equal(pushed.to, '77010000007');
  assert.match(pushed.text, /^Орныңыз: Айгөлек\nЖауап мерзімі .*\n1 Қабылдау\n2 Бас тарту\n3 Басқа$/);
  assert.equal(centre.textsTo('77010000007').filter((t) => /48871/.test(t.text)).length, 1);
  const call = new Dialler(centre, '77010000007', Buffer.from(pushed.pdu.its_session_info)[0]);
  call.info = () => pushed.pdu.its_session_info;
  call.pages = () => centre.submits.filter((s) => s.pdu.ussd_service_op !== undefined);
  assert.match((await call.page(18, '1'))[0], /^Қабылдау: Айгөлек\nБала ЖСН соңғы 4 цифры:/);
  const [[last4]] = await database.ask('select child_last4 from application');
  const [page, op] = await call.page(18, last4);
  assert.match(page, /48871/);
  assert.equal(op, 17);
  assert.equal(await database.count('referral', 'number = 48871 and status = 1'), 1);
  assert.equal(await k.metric('kezek_ussd_pushed_total'), 1);
});
