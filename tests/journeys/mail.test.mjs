// Notices by email, to a mail server that others wrote, over TLS and with a login.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { MailServer } from '../lib/mail.mjs';
import { operator } from '../lib/operators.mjs';
import { loudRegions } from '../lib/regions.mjs';
import { iin } from '../lib/rows.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();

async function stand(stage, { mail: over = {} } = {}) {
  const mail = await MailServer.start(stage);
  const centre = await startCentre(stage);
  const database = await servers.database();
  const k = await Kezek.start(stage, database, {
    config: { mail: mail.config(over), regions: loudRegions(stage) }, operators: { one: operator(stage, { port: centre.port }) },
  });
  const { key } = await k.ctl('key', 'add', 'portal', '--scope', 'records', '--scope', 'places');
  const door = k.door.withKey(key);
  const put = async (path, body) => {
    const r = await door.call('PUT', `/v1/${path}`, { body });
    assert.equal(r.status, 201, `${path}: ${r.body}`);
  };
  await put('districts/1', { region: 'sample', names: { kk: 'Медеу', ru: 'Медеуский', en: 'Medeu' } });
  await put('kindergartens/2', { district: 1, names: { kk: 'Айгөлек', ru: 'Айголек', en: 'Aigolek' } });
  await put('groups/3', { kindergarten: 2, age_from: 1, age_to: 7, language: 'kk' });
  await put('vacancies/3', { free: 5, released_at: '2026-01-05T09:00:00+05:00', priority_until: null });
  // number: of the application; its phone ends with it.
  const register = (number, email, language) => put(`applications/${number}`, {
    child: { iin: iin('2209155', number), first_name: 'Айгерім' }, parents: [{ iin: iin('8501014', number) }],
    phones: [{ number: `+7701000${String(number).padStart(4, '0')}`, verified: true }], email, channel: 'email', language,
    district: 1, category: 'general', registered_at: '2026-02-01T09:00:00+05:00',
  });
  const state = async (number) => (await database.ask(`select state, mails, sends from notice where application = ${number} and kind = 0`))[0];
  // As if the wait for its receipt were over.
  const arrived = (number, as) => until('it is known to have arrived', async () => {
    await database.ask(`update notice set look_at = now() where application = ${number} and state = 1`);
    return (await state(number)).join() === as;
  });
  return { mail, centre, database, k, door, register, state, arrived };
}

const told = (lines) => `${lines.join('\n')}\n`;

journey('mail__each_language__read_back_as_it_was_meant_and_delivered', async (stage) => {
  const { mail, centre, k, register, state } = await stand(stage);
  await register(1, 'ana@example.kz', 'kk');
  const [kk] = await mail.to('ana@example.kz');
  await register(2, 'mama@example.kz', 'ru');
  const [ru] = await mail.to('mama@example.kz');
  await register(3, 'mother@example.kz', 'en');
  const [en] = await mail.to('mother@example.kz');
  assert.deepEqual([kk.subject, ru.subject, en.subject],
    ['Өтініш №1 тіркелді', 'Заявление №2 принято', 'Application No.3 registered']);
  assert.equal(kk.text, told(['Құрметті ата-ана!', '', 'Балабақша кезегіне өтініш тіркелді.', 'Өтініш нөмірі: 1', 'Кезектегі орын: 1', '',
    'Кезекті телефоннан тексеру: *1234#', '', 'Бұл хат автоматты түрде жіберілді, оған жауап бермеңіз.']).replaceAll('\n', '/'));
  assert.match(ru.text, /^Уважаемые родители!\/.*\/Номер заявления: 2\/Место в очереди: 2\//);
  assert.match(en.text, /^Dear parents,\/.*\/Application number: 3\/Place in the queue: 3\//);
  for (const [letter, language] of [[kk, 'kk'], [ru, 'ru'], [en, 'en']]) {
    const { sender, from, from_name, charset, unsubscribe, auto_submitted, login, defects, long_lines } = letter;
    assert.deepEqual({ language: letter.language, sender, from, from_name, charset, unsubscribe, auto_submitted, login, defects, long_lines },
      { language, sender: 'queue@example.kz', from: 'queue@example.kz', from_name: 'Балабақша кезегі', charset: 'utf-8',
        unsubscribe: '<https://portal.example.kz/notices>', auto_submitted: 'auto-generated', login: letter.login,
        defects: 'defects=0', long_lines: 'long=0' });
    assert.match(letter.login, /^login=(PLAIN|LOGIN):kezek$/);
    assert.match(letter.message_id, /^<notice-[0-9A-Za-z]+@example\.kz>$/);
  }
  assert.equal(new Set([kk, ru, en].map((l) => l.message_id)).size, 3);
  for (const number of [1, 2, 3]) await until('it counts as delivered', async () => (await state(number)).join() === '2,1,0');
  assert.equal(await k.metric('kezek_notices_sent_total{kind="number",by="email"}'), 3);
  assert.deepEqual([mail.letters.length, centre.submits.length], [3, 0]);
});

journey('mail__a_place_is_taken__told_with_the_kindergarten_in_the_parents_language', async (stage) => {
  const { mail, door, register } = await stand(stage);
  await register(4, 'papa@example.kz', 'ru');
  await mail.to('papa@example.kz');
  const taken = await door.post('/v1/applications/4/referral', { group: 3 });
  assert.equal(taken.status, 201, taken.body);
  const [, letter] = await mail.to('papa@example.kz', 2);
  assert.equal(letter.subject, `Место взято, направление №${taken.json.number}`);
  assert.ok(letter.text.includes(`Детский сад: Айголек/Номер направления: ${taken.json.number}/Номер заявления: 4/Действует до: `), letter.text);
});

journey('mail__a_document_is_asked_for__told_where_and_until_when', async (stage) => {
  const { mail, door, register } = await stand(stage);
  await register(9, 'ana@example.kz', 'kk');
  await mail.to('ana@example.kz');
  const year = new Date().getUTCFullYear() + 1;
  const asked = await door.post('/v1/applications/9/documents', { place: 'Абай 1, 5-каб.', until: `${year}-03-02T18:00:00+05:00` });
  assert.ok([200, 201, 202, 204].includes(asked.status), asked.body);
  const [, letter] = await mail.to('ana@example.kz', 2);
  assert.equal(letter.subject, 'Өтініш №9: жеңілдік құжаты керек');
  assert.ok(letter.text.includes('/Өтініш нөмірі: 9/Қайда: Абай 1, 5-каб./Мерзімі: 02.03/'), letter.text);
});

journey('mail__refused_for_good__by_sms_instead_and_no_address_is_logged', async (stage) => {
  const { mail, centre, k, register, arrived } = await stand(stage);
  await register(5, 'nobody@example.kz', 'en');
  await until('it came by SMS', () => centre.submits.some((s) => s.to === '77010000005'));
  assert.match(centre.submits[0].text, /Application No\.5 registered/);
  await arrived(5, '2,-1,1');
  assert.equal(await k.metric('kezek_notices_again_total{how="sms"}'), 1);
  assert.equal(await k.metric('kezek_mail_total{result="recipient"}'), 1);
  const log = k.process.err();
  assert.ok(!log.includes('nobody@') && !log.includes('example.kz'), log);
  assert.equal(mail.letters.length, 0);
});

journey('mail__refused_for_now__again_later_and_once', async (stage) => {
  const { mail, centre, database, register, state } = await stand(stage);
  await register(6, 'later@example.kz', 'kk');
  await until('it was refused once', async () => (await state(6)).join() === '0,1,0');
  assert.equal(mail.letters.length, 0);
  await database.ask('update notice set look_at = now() where application = 6'); // a minute later
  await mail.to('later@example.kz');
  await until('it is delivered', async () => (await state(6)).join() === '2,2,0');
  assert.deepEqual([mail.letters.length, centre.submits.length], [1, 0]);
});

journey('mail__server_cannot_be_reached__by_sms_after_three_tries', async (stage) => {
  const { centre, database, register, state, arrived } = await stand(stage, { mail: { url: 'smtp://127.0.0.1:1' } });
  await register(7, 'ana@example.kz', 'ru');
  for (const tries of [1, 2]) {
    await until(`try ${tries}`, async () => (await state(7)).join() === `0,${tries},0`);
    await database.ask('update notice set look_at = now() where application = 7'); // a minute later
  }
  await until('it came by SMS', () => centre.submits.some((s) => s.to === '77010000007'));
  await arrived(7, '2,-1,1');
  assert.equal(centre.submits.length, 1);
});

journey('mail__no_server_is_named__by_sms', async (stage) => {
  const { centre, register, arrived } = await stand(stage, { mail: { url: '' } });
  await register(10, 'ana@example.kz', 'ru');
  await until('it came by SMS', () => centre.submits.some((s) => s.to === '77010000010'));
  await arrived(10, '2,0,1');
});

// The server has the letter and has not answered yet.
journey('mail__daemon_killed_before_the_answer__the_same_letter_again', async (stage) => {
  const { mail, k, register, state } = await stand(stage);
  await register(8, 'slow@example.kz', 'en');
  await mail.to('slow@example.kz');
  await k.kill();
  await k.run();
  await k.ready();
  const [one, two] = await mail.to('slow@example.kz', 2);
  assert.deepEqual([one.message_id, one.subject, one.text], [two.message_id, two.subject, two.text]);
  await until('it is delivered', async () => (await state(8)).join() === '2,1,0');
  assert.equal(mail.letters.length, 2);
});
