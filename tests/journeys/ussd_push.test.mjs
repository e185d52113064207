// Offers that are pushed to phones behind their SMS: as a text, as a question, in two dialects through kezek-smsc; who is in a
// call, and an operator that refuses.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import yaml from 'js-yaml';
import { journey, top, until } from '../lib/stage.mjs';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Phones } from '../lib/phones.mjs';
import { loudRegions } from '../lib/regions.mjs';
import { Rows } from '../lib/rows.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();
const config = { ussd: { dialog: join(top, 'dialogs/kindergarten.yaml'), services: join(top, 'dialogs/services.yaml') } };
const number = (n) => `${77010000000 + n}`;
const dialect = (name) => yaml.load(readFileSync(join(top, `config/operators/dialects/${name}.yaml`), 'utf8')).ussd;

// An operator that serves the phones of those applications alone: what its profile has as push, and what it lets through.
async function serve(stage, speaks, { push, allows = push, to }) {
  const socket = stage.path(`${speaks}-${to[0]}.sock`);
  const smsc = await Simulator.start(stage, ['--ussd', speaks, '--phones', socket, '--ussd-push', allows], `${speaks}-${to[0]}`);
  const profile = operator(stage, { port: smsc.port, prefixes: to.map(number), ussd: { ...dialect(speaks), push } });
  const phones = await Phones.open(stage, socket);
  const pushes = () => smsc.events().filter((e) => e.event === 'page' && ['tell', 'ask'].includes(e.how));
  const odd = () => smsc.events().filter((e) => e.event === 'odd').map((e) => e.what);
  return { smsc, profile, pushes, odd, phone: (n) => phones.phone(number(n)) };
}

async function stand(stage, operators) {
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { ...config, regions: loudRegions(stage) },
    operators: Object.fromEntries(Object.entries(operators).map(([name, o]) => [name, o.profile])) });
  await k.bound(...Object.keys(operators));
  const rows = new Rows(k);
  await rows.group(1, { free: 5 });
  await rows.applications([6, 7, 8]);
  await rows.applications([9], { phoneOf: 8 }); // a second child: the push is about the one that it is for
  const { key } = await k.ctl('key', 'add', 'portal', '--scope', 'records');
  const door = k.door.withKey(key);
  const to = new Date(Date.now() + 5 * 86400000).toISOString();
  const offer = async (application) => {
    const made = await door.call('PUT', `/v1/referrals/${48870 + application}`,
      { body: { application, group: 1, from: '2026-11-01T12:02:00Z', to, status: 'offered' } });
    assert.equal(made.status, 201, made.body);
  };
  // One SMS says what is pushed; a page goes before it where both wait for a link.
  const told = (o, application) => until(`the SMS of ${48870 + application}`, () => {
    const texts = o.smsc.texts.filter((t) => t.to === number(application) && t.text.includes(`№${48870 + application}: Айгөлек`));
    return texts.length === 1;
  });
  return { k, database, offer, told };
}

journey('ussd_push__operators_that_take_texts__the_offer_without_keys_and_no_session', async (stage) => {
  const bare = await serve(stage, 'bare', { push: 'tell', to: [7] });
  const sixdee = await serve(stage, 'sixdee', { push: 'tell', to: [8] });
  const refuses = await serve(stage, 'sixdee', { push: 'ask', allows: 'tell', to: [6] });
  const { k, database, offer, told } = await stand(stage, { bare, sixdee, refuses });
  for (const [o, n] of [[bare, 7], [sixdee, 8]]) {
    await offer(n);
    const [pushed] = await until('the text on the phone', () => o.phone(n).pushed.length && o.phone(n).pushed);
    assert.deepEqual([pushed.how, pushed.faults], ['tell', []]);
    await told(o, n);
    assert.match(pushed.text, /^Балаңызға орын: Айгөлек\nЖауап мерзімі \d\d\.\d\d \d\d:\d\d\. \*1234# теріңіз$/);
  }
  await until('both were confirmed', async () => await k.metric('kezek_ussd_heard_total{carrier="bare",said="confirmed"}') === 1
    && await k.metric('kezek_ussd_heard_total{carrier="sixdee",said="confirmed"}') === 1);
  // What was told is no call that was cut: who dials is shown the offer itself.
  assert.match((await bare.phone(7).dial('*123#')).text, /^Орныңыз: Айгөлек\n.*\n1 Қабылдау\n2 Бас тарту\n3 Басқа$/);
  await offer(6);
  await until('the push that is refused', async () => await k.metric('kezek_ussd_pushed_total{result="lost"}') === 1);
  await told(refuses, 6);
  assert.deepEqual(refuses.phone(6).pushed, []);
  assert.equal(await k.metric('kezek_ussd_pushed_total{result="taken"}'), 2);
  assert.deepEqual([bare, sixdee].map((o) => [o.pushes().length, o.odd()]), [[1, []], [1, []]]);
  assert.deepEqual(refuses.odd(), [`${number(6)}: a push, and none is allowed`]);
  assert.equal(await database.count('referral', 'status = 0'), 3);
});

journey('ussd_push__operators_that_take_questions__accepted_from_the_page_and_calls_left_alone', async (stage) => {
  const bare = await serve(stage, 'bare', { push: 'ask', to: [7] });
  const sixdee = await serve(stage, 'sixdee', { push: 'ask', to: [6, 8] });
  const { k, database, offer, told } = await stand(stage, { bare, sixdee });
  assert.match((await sixdee.phone(6).dial('*123#')).text, /^Айгерім: кезек №1\n/);
  await offer(6);
  await told(sixdee, 6);
  for (const [o, n] of [[bare, 7], [sixdee, 8]]) {
    await offer(n);
    const [pushed] = await until('the question on the phone', () => o.phone(n).pushed.length && o.phone(n).pushed);
    assert.deepEqual([pushed.how, pushed.faults], ['ask', []]);
    await told(o, n);
    assert.match(pushed.text, /^Орныңыз: Айгөлек\nЖауап мерзімі .*\n1 Қабылдау\n2 Бас тарту\n3 Басқа$/);
    assert.match((await o.phone(n).type('1')).text, /^Қабылдау: Айгөлек\nБала ЖСН соңғы 4 цифры:/);
    const [[last4]] = await database.ask(`select child_last4 from application where number = ${n}`);
    const end = await o.phone(n).type(last4);
    assert.deepEqual([end.how, end.faults], ['last', []]);
    assert.match(end.text, new RegExp(`№${48870 + n}`));
    assert.equal(await database.count('referral', `number = ${48870 + n} and status = 1`), 1);
  }
  assert.deepEqual([sixdee.phone(6).pushed, await k.metric('kezek_ussd_pushed_total')], [[], 2]);
  assert.match((await sixdee.phone(6).type('1')).text, /бос орын|Орын жоқ/);
});
