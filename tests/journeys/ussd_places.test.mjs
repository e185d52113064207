// Places and queue from a phone without internet: what the shipped menu says and what stands in the database by it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { journey, top, until } from '../lib/stage.mjs';
import { Handset } from '../lib/handset.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { loudRegions } from '../lib/regions.mjs';
import { Rows, iin } from '../lib/rows.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const config = { ussd: { dialog: join(top, 'dialogs/kindergarten.yaml'), services: join(top, 'dialogs/services.yaml') } };
const phone = (n) => `+${77010000000 + n}`;
const pin = (n) => iin('2109155', n).slice(-4);
const wrong = (n) => String((Number(pin(n)) + 1) % 10000).padStart(4, '0');

async function stand(stage, { free = 2, decline = 'keeps', ...group } = {}) {
  const regions = loudRegions(stage, { decline });
  const database = await servers.database();
  const centre = await startCentre(stage, {});
  const operators = { kcell: operator(stage, { port: centre.port }) };
  const start = (more) => Kezek.start(stage, database, { config: { ...config, regions }, operators, ...more });
  const k = await start();
  await k.bound();
  const rows = new Rows(k);
  await rows.group(1, { free, ...group });
  await rows.applications([7, 8]);
  const count = async (what) => Number(await database.ask(`select count(*) from ${what}`));
  return { k, start, database, centre, rows, count, handset: (n) => new Handset(k, phone(n)) };
}

async function say(h, ...typed) {
  let page = await h.dial();
  for (const text of typed) page = await h.type(text);
  return page;
}

const toPin = ['1', '1', '1']; // places, the first, take

journey('a place is taken by the last four digits, with its notice and its news', async (stage) => {
  const { handset, count, centre, database } = await stand(stage);
  const h = handset(7);
  assert.match((await h.dial()).page, /^Айгерім: кезек №1\n/);
  assert.match((await h.type('1')).page, /^\d\d:\d\d бос орын, \d-\d жас\n1 Айгөлек 2/);
  assert.match((await h.type('1')).page, /^Айгөлек\nЖасы 1-7, қазақша, орын 2\n/);
  await h.type('1');
  const last = await h.type(pin(7));
  assert.match(last.page, /^Жолдама №1 алынды!/);
  assert.equal(last.end, true);
  assert.equal(await count('referral where application = 7 and status = 0'), 1);
  assert.equal(await count('news where application = 7 and kind = 0 and via = 1'), 1);
  assert.equal(await count('vacancy where play_group = 1 and free = 1'), 1);
  await until('the SMS that follows', () => centre.submits.some((s) => s.to === '77010000007'));
  assert.match((await h.dial()).page, /^Орныңыз: Айгөлек/);
  await database.ask("update referral set to_at = now() - interval '1 second'");
  assert.doesNotMatch((await h.dial()).page, /^Орныңыз/); // whether the clock has ended it or not
});

journey('wrong digits are counted, and the lock holds at another daemon and after an emptied Redis', async (stage) => {
  const { k, start, handset, count, database } = await stand(stage);
  const h = handset(7);
  assert.match((await say(h, ...toPin, wrong(7))).page, /талпыныс: 4/);
  for (const left of [3, 2, 1]) assert.match((await h.type(wrong(7))).page, new RegExp(`талпыныс: ${left}`));
  const locked = await h.type(wrong(7));
  assert.match(locked.page, /60 мин/);
  assert.equal(locked.end, true);
  await servers.killRedis();
  await servers.restartRedis();
  const other = await start({ name: 'other' });
  await other.bound();
  const there = new Handset(other, phone(7));
  assert.match((await say(there, ...toPin, pin(7))).page, /Қате көп болды/);
  assert.equal(await count('referral'), 0);
  await database.ask("update caller_try set at = (select array_agg(u - interval '2 hours') from unnest(at) u)");
  assert.match((await say(there, ...toPin, pin(7))).page, /алынды/);
  assert.equal(await count('caller_try where kind = 0'), 0);
  assert.ok(!k.process.err().includes(pin(7)));
});

journey('a place that is gone, not her turn or on the stop list: said, and nothing is written', async (stage) => {
  const { handset, rows, count, database } = await stand(stage, { free: 1, priorityUntil: "'2099-03-02 04:05:06Z'" });
  await rows.group(2, { district: 1 });
  const h = handset(7);
  assert.match((await say(h, '1', '2')).page, /Кезегіңіз: 02\.03 09:05/);
  assert.match((await h.type('1')).page, /Дайын!/);
  assert.equal(await count('watcher where application = 7 and kindergarten = 1'), 1);
  await database.ask("update application set stop_list_until = '2099-03-02 04:05:06Z' where number = 8");
  const second = handset(8);
  await say(second, ...toPin);
  assert.match((await second.type(pin(8))).page, /стоп-парақта\. Мерзімі: 02\.03 09:05/);
  await database.ask('update application set stop_list_until = null where number = 8');
  await say(second, ...toPin);
  await database.ask('update vacancy set free = 0');
  assert.match((await second.type(pin(8))).page, /Бұл орын бос емес/);
  assert.equal(await count('referral'), 0);
});

journey('an offer is declined, which keeps the place in the queue; accepting one moves its end', async (stage) => {
  const { handset, count } = await stand(stage);
  await say(handset(7), ...toPin, pin(7));
  await say(handset(8), ...toPin, pin(8));
  const h = handset(7);
  await say(h, '2', '2');
  const page = await h.type(pin(7));
  assert.equal(page.end, true, page.page);
  assert.equal(await count('referral where application = 7 and status = 2'), 1);
  assert.equal(await count('news where application = 7 and kind = 2 and via = 1'), 1);
  const accepted = await say(handset(8), '1', pin(8));
  assert.equal(accepted.end, true, accepted.page);
  assert.equal(await count('referral where application = 8 and status = 1'), 1);
  assert.match((await handset(8).dial()).page, /Жолдама/);
});

journey('where a refusal annuls the application the page says so, and the last digits stand before it', async (stage) => {
  const { handset, count, centre } = await stand(stage, { decline: 'annuls' });
  await say(handset(7), ...toPin, pin(7));
  const h = handset(7);
  assert.match((await say(h, '2', '2', wrong(7))).page, /талпыныс: 4/);
  assert.equal(await count('referral where application = 7 and status = 0'), 1);
  const { page, end } = await h.type(pin(7));
  assert.equal(page, 'Бас тарттыңыз. Өтініш жойылды, қайта кезекке тұруға болады.');
  assert.equal(end, true);
  assert.equal(await count('application where number = 7 and status = 5'), 1);
  assert.equal(await count('vacancy where play_group = 1 and free = 2'), 1);
  assert.match((await h.dial()).page, /^Айгерім: өтініш жойылды/);
  assert.match((await h.dial('*1234*2#')).page, /^Күйі: өтініш жойылды\n/);
  await until('the SMS that follows', () => centre.texts.some((s) => s.to === '77010000007' && /бас тарттыңыз/.test(s.text)));
});

journey('copies by SMS: her own with the name, a stranger\'s without, a referral; a watch is kept and told', async (stage) => {
  const { handset, count, centre, database } = await stand(stage);
  const sms = (n, text) => until(`${text} to ${n}`, () => centre.texts.some((t) => t.to === phone(n).slice(1) && text.test(t.text)));
  const h = handset(7);
  await h.dial('*1234*1#');
  assert.match((await h.type(iin('2109155', 7))).page, /^Айгерім: кезек №1\n/);
  assert.deepEqual(await h.type('1'), { page: 'SMS жіберілді. Рақмет!', end: true });
  await sms(7, /^Айгерім.*№1/);
  const stranger = handset(99);
  await say(stranger, '1', '1', '1', iin('2109155', 7));
  assert.equal((await stranger.type('1')).end, true);
  await sms(99, /№1/);
  assert.ok(!centre.texts.some((t) => t.to === phone(99).slice(1) && /Айгерім/.test(t.text)));

  const other = handset(8);
  const taken = await say(other, ...toPin, pin(8));
  assert.match(taken.page, /№1 алынды/);
  await database.ask('update referral set status = 1');
  assert.match((await other.dial('*1234*4#')).page, /^№1 Айгөлек/);
  assert.deepEqual(await other.type('1'), { page: 'SMS жіберілді. Рақмет!', end: true });
  await sms(8, /№1.*Айгөлек/);
  assert.equal((await handset(99).dial('*1234*4#')).page.split('\n')[0], 'Бұл телефонда өтініш жоқ');

  assert.match((await say(other, '3', '4', '1')).page, /^№1 Айгөлек\nҚабылдануда\nМерзімі .*\n1 SMS алу/);
  assert.match((await say(h, '3', '4', '1')).page, /^№1 Айгөлек\nҚабылдануда\nМерзімі .*\n1 Басқа №/);
  await h.type('1');
  assert.match((await h.type('999')).page, /^Жолдама табылмады/);
  assert.deepEqual(await database.ask('select cardinality(at) from caller_try where kind = 1 order by 1'), [['1'], ['2']]);
  await h.type('00');

  await database.ask('update vacancy set free = 0');
  await until('the list is read anew', async () => /^Бос орын жоқ/.test((await say(h, '1')).page));
  assert.match((await h.type('1')).page, /^Қай балабақша\?\n1 Айгөлек/);
  assert.deepEqual(await h.type('1'), { page: 'Дайын! Орынды алуға болғанда SMS келеді.', end: true });
  assert.equal(await count('watcher where application = 7 and kindergarten = 1'), 1);
  assert.equal(await count('news where application = 7 and kind = 8 and via = 1'), 1);
  await until('the SMS of the watch', () => centre.texts.filter((t) => t.to === phone(7).slice(1)).length >= 2);
});

journey('a stranger looks: no name, and no more than five an hour', async (stage) => {
  const { handset, count } = await stand(stage);
  const h = handset(99);
  const look = async () => {
    await h.type('1');
    await h.type('1');
    return h.type(iin('2109155', 7));
  };
  await h.dial();
  await h.type('1'); // Kazakh
  for (let i = 0; i < 5; i++) {
    const { page } = await look();
    assert.match(page, /№1/);
    assert.ok(!page.includes('Айгерім'), page);
    await h.type('00');
  }
  const page = await look();
  assert.ok(!/№1\b/.test(page.page), page.page);
  assert.equal(await count('caller_try where kind = 1 and cardinality(at) = 5'), 1);
  const own = handset(7);
  await own.dial('*1234*1#');
  assert.match((await own.type(iin('2109155', 7))).page, /Айгерім/);
  assert.equal(await count('caller_try'), 1);
});

// Half of the parents by the menu and half at the portal's cabinet, all in one moment.
journey('both doors at once: as many referrals as places, and everybody is told which', async (stage) => {
  const { k, handset, rows, count, database } = await stand(stage, { free: 10 });
  const all = Array.from({ length: 40 }, (_, i) => 100 + i);
  await rows.applications(all);
  const { key } = await k.ctl('key', 'add', 'cabinet', '--scope', 'places');
  const door = k.door.withKey(key);
  await until('the key is known', async () => (await door.get('/v1/referrals/1', { hold: false })).status !== 401);
  const phones = all.slice(20).map((n) => [n, handset(n)]);
  for (const [, h] of phones) await say(h, ...toPin);
  const told = await Promise.all([
    ...all.slice(0, 20).map(async (n) => [n, (await door.post(`/v1/applications/${n}/referral`, { group: 1 }, { 'idempotency-key': `n${n}` })).status === 201]),
    ...phones.map(async ([n, h]) => {
      const { page } = await h.type(pin(n));
      assert.match(page, /алынды|орын бос емес/);
      return [n, /алынды/.test(page)];
    }),
  ]);
  const won = told.filter(([, yes]) => yes).map(([n]) => n).sort((a, b) => a - b);
  assert.equal(won.length, 10);
  const stood = await database.ask('select application from referral where status = 0 order by 1');
  assert.deepEqual(stood.map(([n]) => Number(n)), won);
  assert.equal(await count('vacancy where play_group = 1 and free = 0'), 1);
  assert.equal(await count('news where kind = 0'), 10);
});
