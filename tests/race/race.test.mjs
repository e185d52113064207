// Rounds of a race for places on one database, each judged by what was told and what stands.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Chance } from '../crash/chance.mjs';
import { Handset } from '../lib/handset.mjs';
import { journey, top, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Rows, iin } from '../lib/rows.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const rounds = Number(process.env.KEZEK_ROUNDS ?? 2);
const seed = Number(process.env.KEZEK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const clients = 200, places = 20, given = 5; // given: referrals that the portal puts meanwhile
const servers = new Servers();
const ussd = { dialog: join(top, 'dialogs/kindergarten.yaml'), services: join(top, 'dialogs/services.yaml') };

// What a parent types at a page of the menu who wants the first place of the list; null: she knows what came of it.
function next(page, pin) {
  if (/алынды|Жолдама бар|^Орныңыз: |бос емес|^Бос орын жоқ/.test(page)) return null;
  if (/кезек №|бос орын, |^Айгөлек\nЖасы|Жалғастыру/.test(page)) return '1';
  return /соңғы 4 цифры/.test(page) ? pin : undefined; // undefined: she dials again
}

class Race {
  constructor(stage, chance) { Object.assign(this, { stage, chance, spread: 0, byPhone: 0, killed: 0, lapsed: 0, again: 0 }); }

  async start() {
    this.database = await servers.database();
    const config = { database: { connect_timeout: '2s', job_timeout: '5s' }, log: { level: 'error' }, ussd };
    const operators = { kcell: operator(this.stage, { port: (await startCentre(this.stage, {})).port }) };
    this.daemons = [await Kezek.prepare(this.stage, this.database, { config, operators, name: 'a' }),
      await Kezek.prepare(this.stage, this.database, { config, operators, name: 'b' })];
    await this.daemons[0].migrate();
    for (const k of this.daemons) {
      k.run();
      await k.ready();
    }
    const { key } = await this.daemons[0].ctl('key', 'add', 'cabinet', '--scope', 'places', '--scope', 'records', '--scope', 'metrics');
    for (const k of this.daemons) await k.openDoor({ key });
    this.rows = new Rows(this.daemons[0]);
  }

  // Asked at one door and the other until it is known what it came to; the same request all the time.
  async ask(method, path, body) {
    const headers = method === 'POST' ? { 'idempotency-key': randomUUID() } : {};
    for (let at = this.chance.below(2); ; at++) {
      try {
        const r = await this.daemons[at % 2].door.call(method, path, { body, headers });
        if (r.status !== 503 && r.status !== 401) return r;
      } catch (e) {
        if (e.code === 'ERR_ASSERTION') throw e; // an answer that the document does not have
      }
      await pause(20 + this.chance.below(60));
    }
  }

  // One press of a key, or a new call: at the daemon that is tried next when nobody answers.
  async press(h, text) {
    for (let at = this.chance.below(2); ; at++, text = undefined) {
      const k = this.daemons[at % 2];
      try {
        return text === undefined ? await h.dial('*1234#', k) : await h.type(text, k);
      } catch {
        await pause(20 + this.chance.below(60)); // whatever broke: she dials again
      }
    }
  }

  // On until her page asks for the digits, of this round's group, whose places are all free.
  async walk(n) {
    const h = new Handset(this.daemons[0], `+${77010000000 + n}`);
    const { page } = await until('the list has the group', async () => {
      await this.press(h);
      const list = await this.press(h, '1');
      return list.page.includes(`1 Айгөлек ${places}\n`) && list;
    });
    assert.ok(page);
    await this.press(h, '1');
    assert.match((await this.press(h, '1')).page, /соңғы 4 цифры/);
    return h;
  }

  // By the menu: she types the digits, and goes on until she knows. number: of her referral, null: she was told of none.
  async takeByPhone(n, h) {
    const pin = iin('2109155', n % 5000).slice(-4);
    let text = pin, page;
    do {
      ({ page } = await this.press(h, text));
      text = next(page, pin);
      if (text === undefined) await pause(50 + this.chance.below(200));
    } while (text !== null);
    return { page, number: Number(page.match(/№(\d+)/)?.[1] ?? 0) };
  }

  // What a new call says; dialled again while what was killed is not back yet.
  async hasOffer(h) {
    let page;
    await until(() => `she learns where she stands: ${page}`, async () => {
      ({ page } = await this.press(h));
      if (/Жалғастыру/.test(page)) ({ page } = await this.press(h, '2')); // from the start
      return /^Орныңыз: |кезек №/.test(page);
    });
    return /^Орныңыз: /.test(page);
  }

  // Answers that go by SMS have come: nobody asks for a place any more.
  async settled() {
    await until('no late answer is left', async () => {
      const all = await Promise.all(this.daemons.map((k) => k.door.get('/metrics', { hold: false })));
      return all.every((r) => r.status === 200 && /^kezek_ussd_late 0$/m.test(r.body));
    }, 120000);
  }

  async killDaemon(k) {
    await k.kill();
    k.run();
    await k.ready();
  }

  async killDatabase() {
    await servers.kill();
    await servers.restart();
  }

  // Each when so many have their answer: in the midst of it, whatever the speed of the machine. asked: all of them.
  async storm(asked, kills) {
    const done = [];
    let answered = 0;
    const due = kills.map((kill) => ({ at: this.chance.below(Math.ceil(asked.length * 0.6)), kill }));
    const look = () => {
      for (const d of due.filter((x) => !x.begun && answered >= x.at)) {
        d.begun = true;
        this.killed += 1;
        done.push(d.kill());
      }
    };
    look();
    const told = await Promise.all(asked.map(async (ask) => {
      const r = await ask();
      answered += 1;
      look();
      return r;
    }));
    await Promise.all(done);
    return told;
  }

  shuffled(list) { return list.map((x) => [this.chance.next(), x]).sort(([a], [b]) => a - b).map(([, x]) => x); }

  async numbers(sql) { return (await this.database.ask(sql)).map(([n]) => Number(n)); }

  // The clients and the portal, all at once; answers what each was told.
  async take(round) {
    const first = round * 1000 + 1;
    const all = Array.from({ length: clients + given }, (_, i) => first + i);
    const last = first + clients - 1; // of those whose parents take; the portal gives to the others
    await this.rows.group(round, { free: places, district: 1 });
    await this.rows.applications(all);
    const put = (n) => this.ask('PUT', `/v1/referrals/${900000 - n % 1000 - 300 * round}`, { application: n, group: round, status: 'offered',
      from: '2026-01-01T00:00:00Z', to: new Date(Date.now() + 9e8).toISOString().replace(/\.\d+Z/, 'Z') });
    const take = async (n) => {
      await pause(this.chance.below(400)); // a press of a key is a longer way
      return this.ask('POST', `/v1/applications/${n}/referral`, { group: round });
    };
    const phones = new Map(); // every second parent's
    for (const n of all) if (n <= last && n % 2) phones.set(n, await this.walk(n));
    const asked = this.shuffled(all).map((n) => async () => phones.has(n) ? { n, by: 'phone', r: await this.takeByPhone(n, phones.get(n)) }
      : { n, by: n <= last ? 'parent' : 'portal', r: await (n <= last ? take(n) : put(n)) });
    const told = await this.storm(asked, [() => this.killDaemon(this.chance.one(this.daemons)), () => this.killDatabase()]);
    await this.settled();
    for (const t of told.filter(({ by }) => by === 'phone')) t.offer = await this.hasOffer(phones.get(t.n));
    return told;
  }

  // To whom the page said so has her place; who was told that it is gone may have got it by a call before, whose page was lost.
  judgePhones(told, stand) {
    for (const { n, r, offer } of told.filter(({ by }) => by === 'phone')) {
      const number = Number(stand.find(([, application]) => Number(application) === n)?.[0] ?? 0);
      assert.equal(offer, number > 0, `${n}, of the referral ${number}: ${r.page}`);
      if (/алынды|Жолдама бар/.test(r.page)) assert.equal(r.number, number, r.page);
    }
  }

  async judgeTaken(round, told) {
    const won = told.filter(({ r, offer }) => r.status === 200 || r.status === 201 || offer);
    for (const { r, by } of told) if (by !== 'phone' && !won.some((w) => w.r === r)) assert.deepEqual([r.status, r.json.code], [409, 'gone'], r.body);
    const stand = await this.database.ask(`select number, application from referral where play_group = ${round} and status = 0 order by 1`);
    assert.equal(stand.length, places, `${stand.length} referrals, ${won.length} were told of one`);
    this.judgePhones(told, stand);
    const byNumber = new Map(stand.map(([number, application]) => [Number(application), number]));
    assert.deepEqual(won.map(({ n, r }) => [String(r.json?.number ?? byNumber.get(n)), String(n)]).sort(), stand.sort(), 'who was told of which');
    assert.deepEqual(await this.numbers(`select free from vacancy where play_group = ${round}`), [0]);
    const those = `application / 1000 = ${round}`;
    assert.deepEqual(await this.numbers(`select number from application where number / 1000 = ${round} and status = 1 order by 1`),
      won.map(({ n }) => n).sort((a, b) => a - b));
    assert.equal(await this.database.count('notice', `${those} and kind in (1, 2)`), places);
    const parents = won.filter(({ by }) => by !== 'portal').length;
    assert.equal(await this.database.count('news', `${those} and kind = 0 and seq = 2`), parents);
    assert.equal(await this.database.count('news', those), parents);
    assert.equal(await this.database.count('news', `${those} and kind = 0 and via = 1`), won.filter(({ by }) => by === 'phone').length);
    this.spread += parents < places;
    this.byPhone += won.filter(({ by }) => by === 'phone').length;
    return stand.map(([number]) => Number(number));
  }

  // Every second referral ends within the storm: its end is asked for in its last moments, by both parents and for an extension.
  async bringEnds(referrals) {
    const near = referrals.filter((_, i) => i % 2).map((number, i) => ({ number, at: Date.now() + 300 + 120 * i }));
    await this.database.ask(`update referral r set to_at = to_timestamp(e.at / 1000.0) from (values ${near.map(({ number, at }) => `(${number}, ${at})`)})
      e(number, at) where r.number = e.number`);
    return new Map(near.map(({ number, at }) => [number, at]));
  }

  // Accepted, declined and extended at once, while the clocks of both daemons end it; and somebody who has no place asks for one.
  async act(number, end, rival, round) {
    if (end) await pause(Math.max(0, end - Date.now() - this.chance.below(50)));
    const acts = ['accept', 'decline', ...end ? ['extend'] : []].map((act) => this.ask('POST', `/v1/referrals/${number}/${act}`, undefined));
    const [accept, decline, extend] = await Promise.all(acts);
    const taken = await this.ask('POST', `/v1/applications/${rival}/referral`, { group: round });
    return { number, end, accept, decline, extend, taken };
  }

  // One of the parents is heard, or neither: then its end came first. What stands is what was told.
  judgeEnd({ number, end, accept, decline, extend }, [status, extended]) {
    const said = `${number}: ${[accept, decline, extend].map((r) => r?.body)}, stands ${status}`;
    for (const r of [accept, decline, extend]) assert.ok(!r || r.status === 200 || r.status === 409, said);
    assert.ok(accept.status === 409 || decline.status === 409, said);
    if (end) assert.equal(extend.status === 200, extended, said);
    const heard = accept.status === 200 ? 1 : decline.status === 200 ? 2 : null;
    assert.ok(heard !== null || end, said);
    if (heard === null) for (const r of [accept, decline]) assert.equal(r.json.code, 'past_end', said);
    assert.equal(status, heard ?? (extended ? 0 : 3), said); // an extension that came just too late to be seen by both
  }

  async answer(round, referrals) {
    const those = `play_group = ${round}`, of = `application / 1000 = ${round}`;
    const rivals = referrals.map((_, i) => round * 1000 + 500 + i);
    await this.rows.applications(rivals, { category: 'privileged' }); // a place that comes back is theirs first
    const ends = await this.bringEnds(referrals);
    const asks = referrals.map((n, i) => () => this.act(n, ends.get(n), rivals[i], round));
    const told = await this.storm(asks, [this.chance.one([() => this.killDaemon(this.chance.one(this.daemons)), () => this.killDatabase()])]);
    const lapsed = told.filter(({ accept, decline, extend }) => [accept, decline, extend].every((r) => r?.status === 409));
    await until('the clocks have ended what was let pass', async () => await this.database.count('referral', `${those} and status = 3`) === lapsed.length);
    const stand = new Map((await this.database.ask(`select number, status, extended from referral where ${those}`))
      .map(([number, status, extended]) => [Number(number), [Number(status), extended === 't']]));
    for (const t of told) this.judgeEnd(t, stand.get(t.number));
    const again = told.filter(({ taken }) => taken.status === 201 || taken.status === 200);
    for (const { taken } of told) if (taken.status === 409) assert.equal(taken.json.code, 'gone', taken.body);
    assert.deepEqual([...stand.keys()].filter((n) => !referrals.includes(n)).sort(), again.map(({ taken }) => taken.json.number).sort());
    const open = await this.database.count('referral', `${those} and status in (0, 1)`);
    assert.deepEqual(await this.numbers(`select free from vacancy where ${those}`), [places - open], 'each place is held once or free');
    const heard = told.filter(({ accept, decline }) => accept.status === 200 || decline.status === 200);
    assert.equal(await this.database.count('news', `${of} and kind in (1, 2)`), heard.length);
    assert.equal(await this.database.count('news', `${of} and kind = 4 and via = 2`), lapsed.length);
    assert.equal(await this.database.count('notice', `${of} and kind = 7`), lapsed.length);
    assert.equal(await this.database.count('application', `number / 1000 = ${round} and status = 0 and stop_list_until > now()`), lapsed.length);
    this.lapsed += lapsed.length;
    this.again += again.length;
    await this.database.ask(`update vacancy set free = 0 where ${those}`); // the next round's is the only one
  }

  // Counts of the queue are what stands, after all that was killed.
  async judgeQueue() {
    const slow = await this.database.ask("select count(*) from application where status = 0 and district = 1");
    assert.deepEqual(await this.database.ask('select sum(n) from queue_count where span = 0 and district = 1'), slow);
  }
}

journey(`race__${clients}_clients_and_${places}_places_under_kills__as_many_referrals_as_places_in_each_of_${rounds}_rounds`, async (stage) => {
  console.log(`seed ${seed}`);
  const race = new Race(stage, new Chance(seed));
  await race.start();
  for (let round = 1; round <= rounds; round++) {
    const referrals = await race.judgeTaken(round, await race.take(round));
    await race.answer(round, referrals);
    await race.judgeQueue();
    await until('both are ready', async () => (await Promise.all(race.daemons.map((k) => k.door.get('/readyz', { hold: false })))).every((r) => r.status === 200));
  }
  console.log(`${rounds} rounds, ${rounds * places} referrals, of which the portal gave some in ${race.spread}, ${race.byPhone} by phone; ${race.lapsed} ended by the clock, ${race.again} places given again; ${race.killed} kills`);
}, { withinMs: 120000 + rounds * 60000 });
