// Notices: what parents are told of their application, from the portal's PUT to the phone.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { journey, top, until } from '../lib/stage.mjs';
import { Kezek, Simulator } from '../lib/kezek.mjs';
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

// The mail server of tests/net, in clear. letters: what it took, as Python's email package reads it.
async function mailServer(stage) {
  const server = stage.start('mail', '/usr/bin/python3', [join(top, 'tests/net/smtp_server.py'), stage.dir, '--journey']);
  const [port] = await until('the mail server listens', () => /^(\d+) \d+ \d+\n/.exec(server.out())?.slice(1));
  return { mail: { url: `smtp://127.0.0.1:${port}`, starttls: 'off', from: 'queue@example.kz', from_name: 'Балабақша кезегі',
    unsubscribe: 'https://portal.example.kz/notices' }, letters: () => server.out().split('\n').slice(1).filter(Boolean).map(JSON.parse) };
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

// Its socket stands and nothing comes by it: no error, no answer.
journey('number__first_operator_freezes__by_the_other_within_ten_seconds', async (stage) => {
  const frozen = await Simulator.start(stage);
  const { centre, database, k, put } = await stand(stage, { config: { message: { in_doubt_wait: '300ms' } }, operators: {
    one: { preference: 1, port: frozen.port, timers: { response: '1s', enquire: '1s' } }, two: {} } });
  const { pid } = frozen.process;
  stage.defer(() => process.kill(pid, 'SIGCONT'));
  process.kill(pid, 'SIGSTOP');
  await put('applications/618', application(['+77011000007']));
  await until('it was given to the frozen one', () => database.count('message_event', "carrier = 'one'"));
  await until('the other operator had it', () => to(centre, '+77011000007').length === 1, 10000);
  await until('its receipt is recorded', async () => await database.count('message_event', 'final and state = 6') === 1);
  await lookNow(database);
  await until('it is known that it arrived', async () => (await states(database))[0][1] === 2);
  const ends = (await database.ask('select state from message_event where final order by at')).flat().join(' ');
  assert.match(ends, /^(2 )?6$/, 'in doubt twice, then by the other; or the link was found dead before the second time');
  assert.notEqual((await k.link('one.1')).state, 'bound');
  process.kill(pid, 'SIGCONT');
  await k.bound();
  assert.equal(to(centre, '+77011000007').length, 1);
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

// Both tell from the start; what was the dead one's is taken over.
journey('daemons__one_of_two_killed_with_notices_under_way__each_is_told_once', async (stage) => {
  const { centre, database, k: a, put } = await stand(stage, { operators: { one: { link: { rate: 20 } } },
    config: { message: { in_doubt_wait: '300ms' } } });
  const b = await Kezek.prepare(stage, database, { name: 'b', config: { ...a.config, http: {} }, operators: { one: operator(stage, { port: centre.port, systemId: 'b' }) } });
  b.run();
  await b.ready();
  await b.openDoor({ key: a.door.key });
  await b.bound();
  const { key } = await b.ctl('key', 'add', 'portal-b', '--scope', 'records');
  const door = b.door.withKey(key);
  const all = 100;
  const puts = Array.from({ length: all }, (_, i) => {
    const path = `applications/${2000 + i}`, wish = application([`+7701300${2000 + i}`]);
    return i % 2 ? put(path, wish) : door.call('PUT', `/v1/${path}`, { body: wish });
  });
  await until('each has told some', () => ['one', 'b'].every((name) => centre.submits.filter((s) => s.systemId === name).length > 5));
  await a.kill();
  await Promise.allSettled(puts);
  const kept = await database.count('notice', 'true');
  assert.ok(kept > all / 2, `${kept} are recorded`);
  await until('all are told', async () => await database.count('notice', 'state = 0') === 0, 30000);
  await until('and on the phone', () => new Set(centre.submits.map((s) => s.to)).size === kept, 30000);
  assert.equal(await database.count('message', 'true'), kept, 'one message each');
  assert.equal(Number((await database.ask('select count(distinct phone) from message_person'))[0][0]), kept);
});

journey('email__wanted__handed_over_in_her_language_and_no_sms', async (stage) => {
  const { mail, letters } = await mailServer(stage);
  const { centre, database, k, put } = await stand(stage, { config: { mail } });
  for (const [number, language] of [[621, 'kk'], [622, 'ru'], [623, 'en']])
    await put(`applications/${number}`, application(['+77011000011'], { channel: 'email', email: `parent${number}@example.kz`, language }));
  await until('all three are taken', () => letters().length === 3);
  await until('and that is known', async () => (await states(database)).every(([, state]) => state === 2));
  const of = (number) => letters().find((l) => l.to === `parent${number}@example.kz`);
  assert.match(of(621).text, /Өтініш нөмірі: 621/);
  assert.match(of(622).text, /Номер заявления: 622/);
  assert.match(of(623).subject, /Application No\.623/);
  assert.deepEqual([of(621).language, of(621).charset, of(621).from, of(621).defects], ['kk', 'utf-8', 'queue@example.kz', 'defects=0']);
  assert.match(of(622).unsubscribe, /portal\.example\.kz/);
  assert.equal(centre.submits.length, 0);
  assert.equal(await k.metric('kezek_notices_sent_total{kind="number",by="email"}'), 3);
  assert.ok(!k.process.err().includes('parent62'), 'no address in the log');
});

journey('email__address_that_is_refused_for_good__by_sms_at_once', async (stage) => {
  const { mail } = await mailServer(stage);
  const { centre, database, k, put } = await stand(stage, { config: { mail } });
  await put('applications/624', application(['+77011000012'], { channel: 'email', email: 'nobody@example.kz' }));
  await until('the SMS is on the phone', () => to(centre, '+77011000012').length === 1, 10000);
  assert.equal(to(centre, '+77011000012')[0].text, 'Заявление №624 принято. Очередь №1. Проверить: *1234#');
  assert.equal(await k.metric('kezek_notices_again_total{how="sms"}'), 1);
  assert.deepEqual((await database.ask('select mails, sends from notice'))[0], ['-1', '1']);
});

journey('email__late__kezekctl_late_says_by_which_way_it_is', async (stage) => {
  const { mail } = await mailServer(stage);
  const { database, k, put } = await stand(stage, { config: { mail }, centre: { onSubmit: () => ({ noReceipt: true }) } });
  await put('applications/630', application(['+77011000021'], { channel: 'email', email: 'full@example.kz' }));
  await put('applications/631', application(['+77011000022'], { channel: 'email', email: 'nobody@example.kz' }));
  await put('applications/632', application(['+77011000023']));
  await until('one waits for the server, the others went by SMS',
    async () => await database.count('notice', 'application = 630 and mails = 1') === 1 && await database.count('notice', 'sends = 1') === 2);
  await database.ask('update notice set alarm_at = now(), look_at = now()');
  await until('somebody is alarmed', async () => await k.metric('kezek_notices_late_total') === 3);
  const shown = (await k.ctl('late')).late.sort((x, y) => x.application - y.application);
  assert.deepEqual(shown.map((l) => [l.application, l.state, l.email, l.messages]),
    [[630, 'waiting', 'tried', 0], [631, 'sent', 'given_up', 1], [632, 'sent', undefined, 1]]);
  const { out } = await k.ctlRun('late');
  assert.match(out, /^ *630 .*waiting +tried +0$/m);
  assert.match(out, /^ *631 .*sent +given_up +1 +\S+$/m);
  assert.match(out, /^ *632 .*sent +1 +\S+$/m);
});

journey('email__mailbox_that_stays_full__tried_again_then_by_sms', async (stage) => {
  const { mail, letters } = await mailServer(stage);
  const { centre, database, put } = await stand(stage, { config: { mail } });
  await put('applications/625', application(['+77011000013'], { channel: 'email', email: 'full@example.kz' }));
  await put('applications/626', application(['+77011000014'], { channel: 'email', email: 'later@example.kz' }));
  for (let tries = 1; tries < 3; tries++) {
    await until(`refused ${tries} times`, async () => await database.count('notice', `application = 625 and mails = ${tries}`) === 1);
    await until('the other too', async () => await database.count('notice', 'application = 626 and mails > 0') === 1);
    await lookNow(database);
  }
  await until('the SMS is on the phone', () => to(centre, '+77011000013').length === 1, 10000);
  await until('the other came again and was taken', () => letters().length === 1);
  assert.equal(letters()[0].to, 'later@example.kz');
  assert.equal(to(centre, '+77011000014').length, 0);
});

journey('email__server_is_away__waits_and_the_door_does_not', async (stage) => {
  const { centre, database, k, put } = await stand(stage, { config: { mail: { url: 'smtp://127.0.0.1:9', starttls: 'off', from: 'queue@example.kz' } } });
  await put('applications/627', application(['+77011000015'], { channel: 'email', email: 'parent@example.kz' }));
  await put('applications/628', application(['+77011000016']));
  await until('the other has its SMS', () => to(centre, '+77011000016').length === 1);
  await until('the letter waits', async () => await database.count('notice', 'application = 627 and mails = 1 and state = 0') === 1);
  assert.match(k.process.err(), /not handed over as an email, notice=number, reason=unreachable/);
});
