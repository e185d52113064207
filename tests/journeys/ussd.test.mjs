// A call through the terminal: turns, what bad input gets, dropped calls, daemons and servers that die, reloads.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { journey, top } from '../lib/stage.mjs';
import { Handset } from '../lib/handset.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
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

function menu(stage, title = 'A', name = 'menu.yaml') {
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
  const { k, handset } = await start(stage);
  assert.deepEqual(await handset.dial(), { page: 'A басы\n1 Number\n2 English\n3 Bye', end: false });
  assert.deepEqual(await handset.type('2'), { page: 'A start\n1 Number\n2 English\n3 Bye', end: false });
  assert.deepEqual(await handset.type('1'), { page: 'Number:\n0 Back', end: false });
  assert.deepEqual(await handset.type('77'), { page: 'A 77\n1 Bye\n0 Back', end: false });
  assert.deepEqual(await handset.type('1'), { page: 'Bye', end: true });
  assert.deepEqual(await handset.type('1'), { page: 'Over', end: true });
  assert.match((await handset.dial()).page, /^A start/, 'the language was remembered');
  assert.equal(await k.metric('kezek_ussd_turns'), 0);
});
