// What the menu does beside the queue and its places, through the terminal: the code to sign in, another phone, a request
// for an application, the district.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Codes, wide, wrongFor } from '../lib/codes.mjs';
import { Handset } from '../lib/handset.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { startReceiver } from '../lib/receiver.mjs';
import { Rows, iin } from '../lib/rows.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';
import { journey, top, until } from '../lib/stage.mjs';

const servers = new Servers();
const ussd = { dialog: join(top, 'dialogs/kindergarten.yaml'), services: join(top, 'dialogs/services.yaml') };
const own = '+77010000071'; // of application 71
const [child, parent] = [iin('2109155', 71), iin('8501014', 71)]; // of the same
const [kid, mother] = [iin('2209155', 3000), iin('8501014', 3000)]; // of none

async function start(stage) {
  const database = await servers.database();
  const centre = await startCentre(stage, {});
  const k = await Kezek.start(stage, database, { config: { ...wide, ussd, webhook: { allow_private: true, retry_min: '10ms' } },
    operators: { kcell: operator(stage, { port: centre.port }) } });
  await k.bound();
  const rows = new Rows(k);
  await rows.group(1);
  await rows.applications([71]);
  return { database, centre, k, rows, codes: new Codes(k.door, centre), handset: new Handset(k, own) };
}

async function page(answer, text, end = false) {
  const { page: shown, end: ended } = await answer;
  assert.deepEqual([shown.split('\n')[0], ended], [text, end], shown);
}

// A session of psql that holds a lock, until rollback is written to it.
async function hold(stage, database, statement, lock) {
  const holder = spawn('psql', ['-XqAt', database.conninfo], { stdio: ['pipe', 'ignore', 'ignore'] });
  stage.defer(() => holder.kill());
  holder.stdin.write(`begin; ${statement};\n`);
  await until('the lock is held', () => database.count('pg_locks l join pg_stat_activity a using (pid)',
    `${lock} and l.granted and a.application_name = 'psql' and a.state = 'idle in transaction'`));
  return holder;
}

// Behind a child that has an application there is the way to everything else, whoever calls.
async function settings(handset) {
  await page(handset.dial('*1234*5#'), 'Кезекке тұру. Бала ЖСН, 12 цифр:');
  await page(handset.type(child), 'Өз ЖСН-іңіз, 12 цифр:');
  await page(handset.type(parent), 'Бала кезекте тұр: №1');
  await page(handset.type('2'), 'Басқа');
  await page(handset.type('4'), 'Баптау');
}

journey('ussd_services__code_that_waits__sent_once_more_and_not_too_often', async (stage) => {
  const { database, k, codes, handset } = await start(stage);
  await page(handset.dial('*1234*3#'), 'Сұралған код жоқ. Алдымен порталда кіруді бастаңыз.', true);
  await page(new Handset(k, '+77019999999').dial('*1234*3#'), 'Бұл нөмір тіркелмеген. Нөмірді жаңарту: портал не ХҚКО.', true);
  const { id, code } = await codes.opened({ to: own });
  const shown = [];
  await until('it is sent once more', async () => {
    shown.push((await handset.dial('*1234*3#')).page);
    return shown.at(-1).startsWith('Кіру коды');
  });
  assert.ok(shown.slice(0, -1).every((p) => p === 'Код жіберілген. Жаңа кодқа дейін: 1 мин.'), shown.join('\n'));
  assert.equal(await codes.read(own, 2), code);
  assert.deepEqual(await database.ask('select n, why from code_send order by n'), [['1', '0'], ['2', '1']]);
  assert.equal((await codes.result(id, code)).result, 'approved');
  await page(handset.dial('*1234*3#'), 'Сұралған код жоқ. Алдымен порталда кіруді бастаңыз.', true);
});

journey('ussd_services__another_phone__by_the_code_that_comes_to_it', async (stage) => {
  const { database, codes, rows, handset } = await start(stage);
  const next = '+77012345678';
  await rows.applications([72]);
  await database.ask(`insert into caller (phone, language, district) values (${rows.keys.phone(BigInt(own.slice(1)))}, 0, 1)`);
  await settings(handset);
  await page(handset.type('1'), 'Жаңа нөмір, 10 цифр (7...):');
  await page(handset.type('7010000071'), 'Бұл нөмір өтінішіңізде бар');
  await page(handset.type('1'), 'Жаңа нөмір, 10 цифр (7...):');
  await page(handset.type('7010000072'), 'Бұл нөмір басқа өтініште бар');
  await page(handset.type('1'), 'Жаңа нөмір, 10 цифр (7...):');
  await page(handset.type('8 701 234 56 78'), 'Жаңа нөмірге келген код, 6 цифр:');
  const code = await codes.read(next);
  await page(handset.type('12345'), '5 цифр. 6 цифр керек:');
  await page(handset.type(wrongFor(code)), 'Код қате. Қалған талпыныс: 4');
  assert.deepEqual(await database.ask('select count(*) from news'), [['0']]);
  await page(handset.type(code), 'Телефон өзгертілді. Екі нөмірге де SMS келеді.', true);
  assert.deepEqual(await database.ask(`select number, phone1 = ${rows.keys.phone(BigInt(next.slice(1)))}, verified, seq, api_key
    from application order by number`), [['71', 't', '1', '2', '1'], ['72', 'f', '1', '1', '1']]);
  assert.deepEqual(await database.ask('select application, seq, kind, via from news'), [['71', '2', '6', '1']]);
  assert.deepEqual(await database.ask('select kind, count(distinct subject), count(sealed) from notice group by kind'), [['11', '2', '2']]);
  assert.deepEqual(await database.ask(`select phone = ${rows.keys.phone(BigInt(next.slice(1)))}, language, district from caller`),
    [['t', '0', '1']]);
  await settings(handset);
  await page(handset.type('1'), 'Жаңа нөмір, 10 цифр (7...):');
  await page(handset.type('7012345679'), 'Бұл телефонда өтініш жоқ');
});

journey('ussd_services__wrong_codes__locked_and_the_phone_stays', async (stage) => {
  const { database, codes, handset } = await start(stage);
  const next = '+77012345678';
  await settings(handset);
  await handset.type('1');
  await page(handset.type('7012345678'), 'Жаңа нөмірге келген код, 6 цифр:');
  const code = await codes.read(next);
  const wrong = (i) => String((Number(code) + i) % 1000000).padStart(6, '0');
  for (const left of [4, 3, 2, 1]) await page(handset.type(wrong(left)), `Код қате. Қалған талпыныс: ${left}`);
  await page(handset.type(wrong(1)), 'Код қате. Қалған талпыныс: 1'); // the same digits are the same try
  await page(handset.type(wrong(5)), 'Қате код көп болды. Телефон өзгермеді. Кейінірек теріңіз.', true);
  assert.deepEqual(await database.ask('select (select seq from application), (select count(*) from news)'), [['1', '0']]);
});

// The page is said when the choice stands; what it was to say by SMS is the next daemon's.
journey('ussd_services__daemon_killed_with_a_deed_done__its_sms_comes_once', async (stage) => {
  const { database, centre, k, rows, handset } = await start(stage);
  await rows.group(2, { free: 7 });
  await settings(handset);
  await handset.type('3');
  const holder = await hold(stage, database, 'lock table message', `l.locktype = 'relation' and l.mode = 'AccessExclusiveLock'`);
  await page(handset.type('2'), 'Аудан сақталды: Медеу');
  await until('its SMS is being kept', () => database.count('pg_locks', 'not granted'));
  await k.kill();
  await database.ask('select pg_terminate_backend(pid) from pg_locks where not granted');
  holder.stdin.end('rollback;\n');
  assert.deepEqual(await database.ask(`select district, (select count(*) from owed) from caller`), [['2', '1']]);
  await database.ask(`update owed set due_at = '-infinity'`);
  await k.run();
  await k.ready();
  await until('it is told', () => centre.texts.length);
  await until('and nothing is owed', async () => await database.count('owed') === 0);
  assert.deepEqual(centre.texts.map((t) => t.text), ['Аудан сақталды: Медеу. Бос орын: *1234*2#']);
});

// The code is good, then the daemon dies before it knows whether anything was changed: the same code, typed on the other one, is
// no second try, and whoever changed the phone, it is changed once.
journey('ussd_services__daemon_killed_with_the_code_approved__the_other_one_changes_the_phone', async (stage) => {
  const { database, k, rows, codes, handset } = await start(stage);
  const next = '+77012345678';
  const other = await Kezek.prepare(stage, database, { name: 'other', config: { ...wide, ussd, keyring: k.config.keyring } });
  await other.run();
  await other.ready();
  await settings(handset);
  await handset.type('1');
  await page(handset.type('7012345678'), 'Жаңа нөмірге келген код, 6 цифр:');
  const code = await codes.read(next);
  const holder = await hold(stage, database, 'select places_lock()', `l.locktype = 'advisory'`);
  const said = handset.type(code).catch(() => null);
  await until('the code is approved', () => database.count('code_verdict', 'verdict = 1'));
  await k.kill();
  await said;
  holder.stdin.end('rollback;\n');
  await page(handset.dial('*1234#', other), 'Байланыс үзілді. Жалғастыру?');
  await page(handset.type('1', other), 'Жаңа нөмірге келген код, 6 цифр:');
  await page(handset.type(code, other), 'Телефон өзгертілді. Екі нөмірге де SMS келеді.', true);
  assert.deepEqual(await database.ask(`select phone1 = ${rows.keys.phone(BigInt(next.slice(1)))}, seq from application`), [['t', '2']]);
  assert.deepEqual(await database.ask('select count(*) from news'), [['1']]);
});

journey('ussd_services__request_for_an_application__sealed_told_and_ended_by_it', async (stage) => {
  const receiver = await startReceiver(stage);
  const { database, centre, k, handset } = await start(stage);
  const { key } = await k.ctl('key', 'add', 'portal', '--scope', 'records');
  const door = k.door.withKey(key);
  receiver.secret = (await k.ctl('webhook', 'add', 'portal', receiver.url)).secret;
  const begin = async () => {
    await page(handset.dial('*1234*5#'), 'Кезекке тұру. Бала ЖСН, 12 цифр:');
    await page(handset.type(kid), 'Өз ЖСН-іңіз, 12 цифр:');
  };
  await begin();
  await page(handset.type(kid), 'ЖСН сәйкес емес: бала мен ата-ана');
  await page(handset.type('1'), 'Кезекке тұру. Бала ЖСН, 12 цифр:');
  await page(handset.type(kid), 'Өз ЖСН-іңіз, 12 цифр:');
  await page(handset.type(mother), 'Ұл бала, 2022. Мекенжай тіркеудегідей ме?');
  await page(handset.type('1'), 'Екінші телефон, 10 цифр (7...):');
  await page(handset.type('7010000071'), 'Бұл өз нөміріңіз. Басқасы керек, 10 цифр:');
  await page(handset.type('7472223344'), 'Қабылданды! Өтініш нөмірі 15 минут ішінде SMS арқылы келеді.', true);
  await until('the SMS came', () => centre.texts.some((t) => t.to === own.slice(1) && t.text.startsWith('Өтінім қабылданды')));
  await until('the portal is told', () => receiver.told().length);
  const { body } = receiver.told()[0];
  const { request } = body.data;
  assert.deepEqual([body.type, body.data], ['application.requested', { request, seq: 0, via: 'ussd' }]);
  const { status, json } = await door.get(`/v1/requests/${request}`);
  assert.deepEqual([status, json], [200, { id: request, at: json.at, child: kid, parent: mother, phones: [own, '+77472223344'], language: 'kk' }]);
  await begin();
  await page(handset.type(mother), 'Бұл өтінім қабылданған. Нөмірі SMS арқылы келеді.', true);
  const put = await door.call('PUT', '/v1/applications/99', { body: {
    district: 1, category: 'general', registered_at: '2026-03-01T08:00:00Z', language: 'kk',
    child: { iin: kid, first_name: 'Алихан' }, parents: [{ iin: mother }], phones: [{ number: own, verified: true }],
  } });
  assert.equal(put.status, 201, put.body);
  assert.equal((await door.get(`/v1/requests/${request}`)).status, 404);
  assert.deepEqual(await database.ask('select count(*), count(sealed) from enrolment'), [['1', '0']]);
  await begin();
  await page(handset.type(mother), 'Бала кезекте тұр: №1');
  assert.ok(!k.process.err().includes(kid) && !k.process.err().includes(mother), 'a number in the log');
});

journey('ussd_services__whether_a_child_can_be_enrolled__not_asked_too_often', async (stage) => {
  const { k, handset } = await start(stage);
  await handset.dial('*1234*5#');
  await handset.type(kid);
  for (let i = 0; i < 5; i++) {
    await page(handset.type(mother), 'Ұл бала, 2022. Мекенжай тіркеудегідей ме?');
    await page(handset.type('0'), 'Өз ЖСН-іңіз, 12 цифр:');
  }
  await page(handset.type(mother), 'Сұрау тым көп. Қайта сұрауға дейін: 60 мин.', true);
  const other = new Handset(k, '+77019999998');
  await other.dial('*1234*5#');
  await other.type(kid);
  await page(other.type(mother), 'Ұл бала, 2022. Мекенжай тіркеудегідей ме?');
  await page(other.type('2'), 'Құжат керек. Не керегі және қайда апару SMS арқылы келеді.', true);
});

journey('ussd_services__district__remembered_of_the_phone_that_looks_for_places_there', async (stage) => {
  const { database, centre, rows, handset } = await start(stage);
  await rows.group(2, { free: 7 });
  await settings(handset);
  const list = await handset.type('3');
  assert.equal(list.page, 'Аудан\n1 Медеу\n2 Медеу\n0 Артқа');
  assert.match((await handset.type('2')).page, /Медеу/);
  assert.deepEqual(await database.ask(`select phone = ${rows.keys.phone(77010000071n)}, district from caller`), [['t', '2']]);
  await until('the SMS came', () => centre.texts.some((t) => t.text.startsWith('Аудан сақталды: Медеу')));
  assert.match((await handset.type('1')).page, /^\d\d:\d\d бос орын, \d-\d жас\n1 Айгөлек 7/);
});
