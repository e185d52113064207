// A whole call in each dialect of USSD: through kezek-smsc, and in two through the message centre on the npm package.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import yaml from 'js-yaml';
import { journey, top, until } from '../lib/stage.mjs';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Phones } from '../lib/phones.mjs';
import { loudRegions } from '../lib/regions.mjs';
import { Rows } from '../lib/rows.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';
import { Capture } from '../lib/tshark.mjs';
import { centrePhone } from '../lib/ussd_centre.mjs';

const servers = new Servers();
const number = '77011234567';
const dialects = ['opaque', 'reference', 'sixdee', 'comverse', 'huawei', 'bare', 'reply', 'raw'];
const long = { kk: 'ұ'.repeat(70), ru: 'щ'.repeat(70), en: 'x'.repeat(70) };

// Asks no service, so that the call says of the dialect alone; its longest page has 70 units.
const menu = yaml.dump({
  dialog: 'dialects', version: '1', languages: ['kk', 'ru', 'en'], first: 'kk', entry: 'start',
  nav: { back: '0', next: '9', home: '00' },
  limits: { ucs2: '70', gsm7: '160', turns: '8', seconds: '100', seconds_of_page: '7', seconds_of_digit: '1' },
  shortcuts: { 2: 'far' },
  navtext: { next: { all: '9 >' }, back: { all: '0 <' } },
  invalid: { kk: 'Тек {keys}:', ru: 'Только {keys}:', en: 'Only {keys}:' },
  pages: { down: { all: 'Later' }, over: { all: 'Over' }, hidden: { kk: 'Жасырын', ru: 'Скрыт', en: 'Hidden' } },
  screens: {
    start: { text: { kk: 'Басы', ru: 'Начало', en: 'Start' }, options: [
      { key: '1', text: { all: 'No' }, goto: 'ask' },
      { key: '2', text: { all: 'En' }, set: { lang: 'en' }, goto: 'start' },
      { key: '3', text: { all: 'Bye' }, goto: 'bye' },
      { key: '4', text: { all: 'Far' }, goto: 'far' }] },
    ask: { text: { kk: 'Нөмір:', ru: 'Номер:', en: 'Number:' }, input: { name: 'app', then: 'show' },
      errors: { length: { kk: 'Тек цифр:', ru: 'Только цифры:', en: 'Digits only:' } }, back: 'yes' },
    show: { text: { kk: 'Нөмір {app}', ru: 'Номер {app}', en: 'Number {app}' },
      options: [{ key: '1', text: { all: 'No' }, goto: 'ask' }, { key: '2', text: { all: 'Bye' }, goto: 'bye' }], back: 'yes' },
    far: { end: 'true', text: long },
    bye: { end: 'true', text: { kk: 'Сау болыңыз', ru: 'До свидания', en: 'Bye' } },
    again: { engine: 'yes', text: { kk: 'Жалғастыру?', ru: 'Продолжить?', en: 'Go on?' }, options: [
      { key: '1', text: { all: 'Yes' }, goto: '@resume' }, { key: '2', text: { all: 'No' }, goto: 'start' }] },
  },
});

// The profile as it is shipped.
const dialect = (name) => yaml.load(readFileSync(join(top, `config/operators/dialects/${name}.yaml`), 'utf8')).ussd;

async function start(stage, name, port, keys = { person: '10m' }) {
  const file = stage.path('menu.yaml');
  writeFileSync(file, menu);
  const operators = { beeline: operator(stage, { port, ussd: { ...dialect(name), ...keys } }) };
  const k = await Kezek.start(stage, await servers.database(), { operators,
    config: { ussd: { dialog: file, services: join(top, 'dialogs/services.yaml') } } });
  await k.bound();
  return k;
}

async function startSimulator(stage, name) {
  const socket = stage.path(`${name}.sock`);
  const { ucs2 = 80, gsm7 = 182 } = dialect(name);
  const smsc = await Simulator.start(stage, ['--ussd', name, '--phones', socket, '--ussd-units', `${ucs2}`,
    '--ussd-septets', `${gsm7}`], name);
  return { smsc, phones: await Phones.open(stage, socket) };
}

const odd = (smsc) => smsc.events().filter((e) => e.event === 'odd');

const good = (page, text, how, alphabet) =>
  assert.deepEqual([page.text, page.how, page.alphabet, page.faults], [text, how, alphabet, []], JSON.stringify(page));

// Every kind of what is said and of what is shown.
async function call(phone, hidden) {
  good(await phone.dial('*123#'), 'Басы\n1 No\n2 En\n3 Bye\n4 Far', 'page', 'ucs2');
  good(await phone.type('7'), 'Тек 1-4:\n1 No\n2 En\n3 Bye\n4 Far', 'page', 'ucs2');
  good(await phone.type('😀ә'), 'Тек 1-4:\n1 No\n2 En\n3 Bye\n4 Far', 'page', 'ucs2');
  good(await phone.type('2'), 'Start\n1 No\n2 En\n3 Bye\n4 Far', 'page', 'gsm7');
  const both = await Promise.all([phone.type('1'), phone.repeat()]);
  for (const page of both) good(page, 'Number:\n0 <', 'page', 'gsm7');
  good(await phone.type('4711'), 'Number 4711\n1 No\n2 Bye\n0 <', 'page', 'gsm7');
  good(await phone.type('2'), 'Bye', 'last', 'gsm7');
  good(await phone.dial('*123*2#'), long.en, 'last', 'gsm7');
  good(await phone.dial('*123#'), 'Start\n1 No\n2 En\n3 Bye\n4 Far', 'page', 'gsm7');
  await phone.type('1');
  await phone.type('12');
  assert.deepEqual(await phone.cancel().then((r) => r.error), undefined);
  good(await hidden.dial('*123#'), 'Жасырын', 'last', 'ucs2');
}

// What a cancel that was understood leads to: the SMS, and an offer to go on.
async function goOn(phone, texts) {
  await until('the SMS after the drop', () => texts().some((t) => t.to === number && /dropped/.test(t.text)));
  good(await phone.dial('*123#'), 'Go on?\n1 Yes\n2 No', 'page', 'gsm7');
  good(await phone.type('1'), 'Number 12\n1 No\n2 Bye\n0 <', 'page', 'gsm7');
  good(await phone.type('2'), 'Bye', 'last', 'gsm7');
}

for (const name of dialects) {
  journey(`ussd__call_in_${name}_through_the_simulator__shown_as_meant`, async (stage) => {
    const { smsc, phones } = await startSimulator(stage, name);
    const capture = await Capture.start(stage, [smsc.port]);
    const k = await start(stage, name, smsc.port);
    const phone = phones.phone(number);
    await call(phone, phones.phone('hidden', { from: '' }));
    await goOn(phone, () => smsc.texts);
    assert.deepEqual(odd(smsc), []);
    assert.equal(smsc.events().filter((e) => e.event === 'page').length, 16);
    await k.stop();
    const sent = await capture.judge({ vendor: dialect(name).key_tlv });
    assert.ok(sent.submit_sm + sent.data_sm >= 16);
  });
}

for (const name of ['sixdee', 'reference']) {
  journey(`ussd__call_in_${name}_through_a_centre_of_others__shown_as_meant`, async (stage) => {
    const centre = await startCentre(stage, { receipts: false });
    await start(stage, name, centre.port, { person: '10m', codes: ['123', '124'] });
    const phone = centrePhone(centre, name, number);
    await call(phone, centrePhone(centre, name, 'hidden', { from: '' }));
    await goOn(phone, () => centre.texts);
    good(await phone.dial('*124#'), 'Start\n1 No\n2 En\n3 Bye\n4 Far', 'page', 'gsm7');
    for (const page of await Promise.all([phone.type('1'), phone.repeat()])) good(page, 'Number:\n0 <', 'page', 'gsm7');
    good(await phone.type('8'), 'Number 8\n1 No\n2 Bye\n0 <', 'page', 'gsm7');
    assert.deepEqual([centre.faults, phone.unasked()], [[], []]);
  });
}

// Of one daemon, an operator and a parent each.
journey('ussd__shipped_menu_in_each_dialect__her_number_and_a_place_taken_with_its_sms', async (stage) => {
  const parents = [];
  for (const [i, name] of dialects.entries())
    parents.push({ name, application: i + 1, phone: `${77010000001 + i}`, ...await startSimulator(stage, name) });
  const operators = Object.fromEntries(parents.map((p) => [p.name,
    operator(stage, { port: p.smsc.port, prefixes: [p.phone], ussd: dialect(p.name) })]));
  const k = await Kezek.start(stage, await servers.database(), { operators, config: { regions: loudRegions(stage),
    ussd: { dialog: join(top, 'dialogs/kindergarten.yaml'), services: join(top, 'dialogs/services.yaml') } } });
  await k.bound(...dialects);
  const rows = new Rows(k);
  await rows.group(1, { free: dialects.length });
  await rows.applications(parents.map((p) => p.application));
  await Promise.all(parents.map(async (p) => {
    const phone = p.phones.phone(p.phone);
    const shows = (page, text, how = 'page') => {
      assert.match(page.text, text);
      assert.deepEqual([page.how, page.alphabet, page.faults], [how, 'ucs2', []], `${p.name}: ${JSON.stringify(page)}`);
    };
    const [[last4]] = await k.database.ask(`select child_last4 from application where number = ${p.application}`);
    shows(await phone.dial('*123#'), /^Айгерім: кезек №\d\n1 Бос орын\n2 Жолдама\n3 Тексеру\n4 Басқа$/);
    shows(await phone.type('1'), /^\d\d:\d\d бос орын, \d-\d жас\n1 Айгөлек \d/);
    shows(await phone.type('1'), /^Айгөлек\nЖасы 1-7, қазақша, орын \d\n/);
    await phone.type('1');
    const end = await phone.type(last4);
    shows(end, /^Жолдама №\d алынды!/, 'last');
    const number = /№\d/.exec(end.text)[0];
    await until(`${p.name}: the SMS of its place`, () => p.smsc.texts.some((t) => t.to === p.phone && t.text.includes(number)));
    assert.deepEqual(odd(p.smsc), [], p.name);
  }));
  assert.equal(await k.database.count('referral'), dialects.length);
});

// What is said goes to both daemons in turn, as the bound links have it.
for (const name of ['sixdee', 'bare']) {
  journey(`ussd__daemon_killed_in_a_call_in_${name}__the_other_goes_on`, async (stage) => {
    const { smsc, phones } = await startSimulator(stage, name);
    const k = await start(stage, name, smsc.port);
    const other = await Kezek.prepare(stage, k.database, { name: 'other', config: { ...k.config, http: {}, control: {} },
      operators: { beeline: operator(stage, { port: smsc.port, ussd: { ...dialect(name), person: '10m' } }) } });
    await other.run();
    await other.ready();
    await until('both are bound', () => smsc.events().filter((e) => e.event === 'bind').length === 2);
    const phone = phones.phone(number);
    good(await phone.dial('*123#'), 'Басы\n1 No\n2 En\n3 Bye\n4 Far', 'page', 'ucs2');
    good(await phone.type('2'), 'Start\n1 No\n2 En\n3 Bye\n4 Far', 'page', 'gsm7');
    good(await phone.type('1'), 'Number:\n0 <', 'page', 'gsm7');
    await k.kill();
    await until('its link is gone', () => smsc.events().some((e) => e.event === 'unbind'));
    good(await phone.type('77'), 'Number 77\n1 No\n2 Bye\n0 <', 'page', 'gsm7');
    good(await phone.type('2'), 'Bye', 'last', 'gsm7');
    assert.deepEqual(odd(smsc), []);
  });
}

journey('ussd__hung_up_without_a_word__one_sms_after_the_operators_time', async (stage) => {
  const { smsc, phones } = await startSimulator(stage, 'comverse');
  await start(stage, 'comverse', smsc.port, { person: '1s' });
  const phone = phones.phone(number);
  await phone.dial('*123#');
  await phone.type('1');
  await phone.type('5');
  await phone.hang();
  await until('the SMS', () => smsc.texts.length > 0);
  assert.deepEqual([smsc.texts.map((t) => t.to), odd(smsc)], [[number], []]);
});

journey('ussd__what_nobody_can_read__the_right_page', async (stage) => {
  const { smsc, phones } = await startSimulator(stage, 'sixdee');
  const k = await start(stage, 'sixdee', smsc.port);
  const phone = phones.phone(number);
  for (const text of ['1', '*', '00', '']) good(await phones.phone('77010000002').type(text), 'Over', 'last', 'gsm7');
  await phone.dial('*123#');
  for (const text of ['я'.repeat(300), '1'.repeat(300), '#', '1 1', '\u0007'])
    good(await phone.type(text), 'Тек 1-4:\n1 No\n2 En\n3 Bye\n4 Far', 'page', 'ucs2');
  good(await phone.type('3'), 'Сау болыңыз', 'last', 'ucs2');
  assert.deepEqual(odd(smsc), []);
  assert.equal(await k.metric('kezek_ussd_turns'), 0);
});
