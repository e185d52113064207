// Rounds of a race for places on one database, each judged by what was told and what stands.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Chance } from '../crash/chance.mjs';
import { journey, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Rows } from '../lib/rows.mjs';
import { Servers } from '../lib/servers.mjs';

const rounds = Number(process.env.KEZEK_ROUNDS ?? 2);
const seed = Number(process.env.KEZEK_SEED ?? Math.floor(Math.random() * 2 ** 31));
const clients = 200, places = 20, given = 5; // given: referrals that the portal puts meanwhile
const servers = new Servers();

class Race {
  constructor(stage, chance) { Object.assign(this, { stage, chance, spread: 0, killed: 0 }); }

  async start() {
    this.database = await servers.database();
    const config = { database: { connect_timeout: '2s', job_timeout: '5s' }, log: { level: 'error' } };
    this.daemons = [await Kezek.prepare(this.stage, this.database, { config, name: 'a' }),
      await Kezek.prepare(this.stage, this.database, { config, name: 'b' })];
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
    const take = (n) => this.ask('POST', `/v1/applications/${n}/referral`, { group: round });
    const asked = this.shuffled(all).map((n) => async () => ({ n, by: n <= last ? 'parent' : 'portal', r: await (n <= last ? take(n) : put(n)) }));
    return this.storm(asked, [() => this.killDaemon(this.chance.one(this.daemons)), () => this.killDatabase()]);
  }

  async judgeTaken(round, told) {
    const won = told.filter(({ r }) => r.status === 200 || r.status === 201);
    for (const { r } of told) if (!won.some((w) => w.r === r)) assert.deepEqual([r.status, r.json.code], [409, 'gone'], r.body);
    const stand = await this.database.ask(`select number, application from referral where play_group = ${round} and status = 0 order by 1`);
    assert.equal(stand.length, places, `${stand.length} referrals, ${won.length} were told of one`);
    assert.deepEqual(won.map(({ n, r }) => [String(r.json.number), String(n)]).sort(), stand.sort(), 'who was told of which');
    assert.deepEqual(await this.numbers(`select free from vacancy where play_group = ${round}`), [0]);
    const those = `application / 1000 = ${round}`;
    assert.deepEqual(await this.numbers(`select number from application where number / 1000 = ${round} and status = 1 order by 1`),
      won.map(({ n }) => n).sort((a, b) => a - b));
    assert.equal(await this.database.count('notice', `${those} and kind in (1, 2)`), places);
    const parents = won.filter(({ by }) => by === 'parent').length;
    assert.equal(await this.database.count('news', `${those} and kind = 0 and seq = 2`), parents);
    assert.equal(await this.database.count('news', those), parents);
    this.spread += parents < places;
    return stand.map(([number]) => Number(number));
  }

  // Of each referral one parent accepts while the other declines; one of them is heard.
  async answer(round, referrals) {
    const both = (n) => () => Promise.all(['accept', 'decline'].map((act) => this.ask('POST', `/v1/referrals/${n}/${act}`, undefined)));
    const told = await this.storm(referrals.map(both), [this.chance.one([() => this.killDaemon(this.chance.one(this.daemons)), () => this.killDatabase()])]);
    let declined = 0;
    for (const [accept, decline] of told) {
      assert.deepEqual([accept.status, decline.status].sort(), [200, 409], `${accept.body} ${decline.body}`);
      declined += decline.status === 200;
    }
    assert.deepEqual(await this.numbers(`select free from vacancy where play_group = ${round}`), [declined]);
    assert.equal(await this.database.count('referral', `play_group = ${round} and status = 1`), places - declined);
    assert.equal(await this.database.count('news', `application / 1000 = ${round} and kind in (1, 2)`), places);
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
  console.log(`${rounds} rounds, ${rounds * places} referrals, of which the portal gave some in ${race.spread}; ${race.killed} kills`);
}, { withinMs: 120000 + rounds * 60000 });
