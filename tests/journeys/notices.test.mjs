// Notices: what parents are told of their application, from the portal's PUT to the phone.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const names = { kk: 'Алмалы', ru: 'Алмалинский', en: 'Almaly' };

const application = (phones, more = {}) => ({
  child: { iin: '000101100006', first_name: 'Айгерім', last_name: 'Серікқызы' }, parents: [{ iin: '000101100016' }],
  phones: phones.map((number) => ({ number, verified: true })), district: 1, category: 'general',
  registered_at: '2026-09-01T09:00:00+05:00', language: 'ru', ...more,
});

// operators: {name: keys}; the binds of each at the centre are named as it is.
async function stand(stage, { centre: options = {}, operators = { one: {} }, config = {}, database = null } = {}) {
  const centre = await startCentre(stage, options);
  database ??= await servers.database();
  const k = await Kezek.start(stage, database, { config: { notice: { number_wait: '10s', ...config.notice }, ...config },
    operators: Object.fromEntries(Object.entries(operators).map(([name, keys]) =>
      [name, operator(stage, { port: centre.port, systemId: name, ...keys })])) });
  await k.bound();
  const { key } = await k.ctl('key', 'add', 'portal', '--scope', 'records');
  const door = k.door.withKey(key);
  const put = async (path, body) => {
    const r = await door.call('PUT', `/v1/${path}`, { body });
    assert.ok(r.status < 300, `${path}: ${r.status} ${r.body}`);
    return r.json;
  };
  await put('districts/1', { region: 'sample', names });
  return { centre, database, k, put };
}

const to = (centre, number) => centre.submits.filter((s) => s.to === number.slice(1));
const states = async (database) => (await database.ask('select application, state from notice order by application')).map((r) => r.map(Number));
// One is looked at again at the end of its wait; not so long for a test.
const lookNow = (database) => database.ask('update notice set look_at = now() where look_at is not null');

journey('number__registered__on_the_phone_at_once_and_once', async (stage) => {
  const { centre, database, k, put } = await stand(stage);
  await put('applications/614', application(['+77011000001', '+77021000002']));
  await until('the number is on the phone', () => to(centre, '+77011000001').length === 1);
  assert.equal(to(centre, '+77011000001')[0].text, 'Заявление №614 принято. Очередь №1. Проверить: *1234#');
  await put('applications/614', application(['+77011000001', '+77021000002']));
  await until('its receipt is recorded', async () => await database.count('message_event', 'final and state = 6') === 1);
  await lookNow(database);
  await until('it is known that it arrived', async () => (await states(database))[0][1] === 2);
  assert.equal(centre.submits.length, 1);
  assert.equal(await k.metric('kezek_notices_sent_total{kind="number",by="sms"}'), 1);
  assert.equal(await k.metric('kezek_notices_ended_total{state="delivered"}'), 1);
  const { code, out } = await k.ctlRun('late');
  assert.deepEqual([code, out], [0, 'nothing is late\n']);
});

journey('number__first_operator_refuses__by_the_other_within_ten_seconds', async (stage) => {
  const { centre, k, put } = await stand(stage, { operators: { one: { preference: 1 }, two: {} },
    centre: { onSubmit: (s) => (s.systemId === 'one' ? { state: 'UNDELIV' } : { state: 'DELIVRD' }) } });
  await put('applications/615', application(['+77011000003']));
  await until('the other operator had it', () => centre.submits.some((s) => s.systemId === 'two'), 10000);
  const [a, b] = centre.submits;
  assert.deepEqual([a.systemId, b.systemId, a.text], ['one', 'two', b.text]);
  assert.equal(await k.metric('kezek_notices_again_total{how="link"}'), 1);
});

journey('number__first_phone_is_dead__to_the_second', async (stage) => {
  const { centre, database, put } = await stand(stage, { centre: { onSubmit: (s) => ({ state: s.to === '77011000004' ? 'UNDELIV' : 'DELIVRD' }) } });
  await put('applications/616', application(['+77011000004', '+77021000005'], { language: 'kk' }));
  await until('the second phone has it', () => to(centre, '+77021000005').length === 1, 10000);
  assert.equal(to(centre, '+77021000005')[0].text, 'Өтініш №616 тіркелді. Кезек №1. Тексеру: *1234#');
  await until('its receipt is recorded', async () => await database.count('message_event', 'final and state = 6') === 1);
  await lookNow(database);
  await until('it is known that it arrived', async () => (await states(database))[0][1] === 2);
  assert.equal(centre.submits.length, 2);
});

journey('number__silent_until_minute_12__an_alarm_that_kezekctl_late_shows', async (stage) => {
  const { centre, database, k, put } = await stand(stage, { centre: { onSubmit: () => ({ noReceipt: true }) } });
  await put('applications/617', application(['+77011000006']));
  await until('it is at the operator', () => centre.submits.length === 1);
  await database.ask(`update notice set alarm_at = now(), look_at = now()`);
  await until('somebody is alarmed', async () => await k.metric('kezek_notices_late_total') === 1);
  assert.equal(await database.count('news', 'kind = 9 and application = 617'), 1);
  const shown = (await k.ctl('late')).late;
  assert.deepEqual(shown.map((l) => [l.application, l.kind, l.state, l.messages]), [[617, 'number', 'sent', 1]]);
  assert.match((await k.ctlRun('late')).out, /617/);
  assert.ok(!k.process.err().includes('77011000006'));
});

journey('daemon__killed_while_it_tells_hundreds__each_is_told_once', async (stage) => {
  const { centre, database, k, put } = await stand(stage);
  const all = 60;
  const puts = Array.from({ length: all }, (_, i) => put(`applications/${1000 + i}`, application([`+7701200${1000 + i}`])));
  await until('some are told', () => centre.submits.length > all / 4);
  await Promise.allSettled(puts);
  const kept = await database.count('notice', 'true');
  await k.kill();
  k.run();
  await k.ready();
  await until('all are told', async () => await database.count('notice', 'state = 0') === 0, 30000);
  await until('and on the phone', () => new Set(centre.submits.map((s) => s.to)).size === kept, 30000);
  assert.equal(await database.count('message', 'true'), kept, 'one message each');
});
