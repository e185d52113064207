// News of applications told to the portal: signed, at least once, those of one application in their order whatever fails.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Door } from '../lib/http.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { startReceiver } from '../lib/receiver.mjs';
import { Rows } from '../lib/rows.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();
const webhook = { allow_private: true, retry_min: '10ms', timeout: '5s' };
const kinds = ['referral.taken', 'referral.accepted', 'referral.declined', 'referral.extended', 'referral.expired',
  'referral.cancelled', 'phone.changed', 'application.requested', 'watcher.added', 'notice.late'];
const epochMs = 1704067200000;

// News by the test's own hand, of slots that another daemon died with: taken over and read once, when all of it is there.
class Writer {
  constructor(database) { Object.assign(this, { database, n: 0, seqs: new Map() }); }

  row({ application, kind = 8, via = 1, referral = 'null', group = 'null', kindergarten = 'null', until: end = 'null', detail = 'null', slot = 7 }) {
    const seq = (this.seqs.get(application) ?? 0) + 1;
    this.seqs.set(application, seq);
    this.n += 1;
    const feed = (BigInt(Date.now() + this.n - epochMs) << 22n) | (BigInt(slot) << 14n);
    return `(${feed}, ${application}, ${seq}, ${kind}, now(), ${via}, ${referral}, ${group}, ${end}, ${kindergarten}, ${detail})`;
  }

  async write(...news) {
    await this.database.ask(`insert into news values ${news.map((n) => this.row(n)).join()}`);
  }

  async leave(...slots) {
    await this.database.ask(`insert into slot (id) values ${slots.map((s) => `(${s})`).join()}`);
  }
}

async function start(stage, receiver, options = {}) {
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { webhook }, ...options });
  await k.ctl('key', 'add', 'journeys', '--scope', 'records');
  receiver.secret = (await k.ctl('webhook', 'add', 'journeys', receiver.url)).secret;
  return { k, database, writer: new Writer(database) };
}

// The seqs of an application in the order in which they were first taken.
function taken(receiver, application) {
  return [...new Set(receiver.told().filter((h) => h.body.data.application === application).map((h) => h.body.data.seq))];
}

const count = (n) => Array.from({ length: n }, (_, i) => i + 1);

function toldAll(receiver, applications, n, withinMs = 40000) {
  return until(() => `${n} news of each; faults: ${receiver.faults}; ${applications.map((a) => taken(receiver, a).length)}`,
    () => applications.every((a) => taken(receiver, a).length === n), withinMs);
}

journey('news__each_kind__told_once_signed_and_as_the_api_says', async (stage) => {
  const receiver = await startReceiver(stage);
  const { k, writer } = await start(stage, receiver);
  await writer.write(...kinds.map((_, kind) => ({ application: kind === 7 ? 0 : 100 + kind, kind, via: kind % 3,
    ...(kind < 6 ? { referral: 48871 + kind, group: 12, until: "'2026-12-01 12:02:00Z'" } : {}),
    ...(kind === 8 ? { kindergarten: 321 } : {}), ...(kind === 9 ? { detail: "'number'" } : {}) })));
  await writer.leave(7);
  await toldAll(receiver, kinds.map((_, kind) => (kind === 7 ? undefined : 100 + kind)), 1);
  assert.deepEqual(receiver.faults, []);
  assert.equal(receiver.hooks.length, kinds.length);
  const order = (body) => body.data.application ?? 107; // of a request there is no application yet
  const bodies = receiver.hooks.map((h) => h.body).sort((a, b) => order(a) - order(b));
  assert.deepEqual(bodies.map((b) => b.type), kinds);
  assert.deepEqual(bodies[4].data, { application: 104, seq: 1, via: 'ussd', group: 12,
    referral: { number: 48875, until: '2026-12-01T12:02:00.000Z' } });
  assert.deepEqual(bodies[8].data, { application: 108, seq: 1, via: 'clock', kindergarten: 321 });
  assert.deepEqual(bodies[7].data, { request: bodies[7].seq, seq: 1, via: 'ussd' });
  assert.equal(bodies[9].data.detail, 'number');
  assert.equal(new Set(receiver.hooks.map((h) => h.headers['webhook-id'])).size, kinds.length);
  assert.equal(await k.metric('kezek_webhooks_told_total'), kinds.length);
});

journey('news__of_a_client_without_a_key_for_records__not_told', async (stage) => {
  const [receiver, other] = [await startReceiver(stage), await startReceiver(stage)];
  const { k, writer } = await start(stage, receiver);
  await k.ctl('key', 'add', 'other', '--scope', 'codes', '--scope', 'queue');
  other.secret = (await k.ctl('webhook', 'add', 'other', other.url)).secret;
  await writer.write({ application: 1 }, { application: 2 });
  await writer.leave(7);
  await toldAll(receiver, [1, 2], 1);
  assert.equal(other.hooks.length, 0);
  await k.ctl('key', 'add', 'other', '--scope', 'records');
  await writer.write({ application: 3, slot: 8 });
  await writer.leave(8);
  await toldAll(other, [3], 1);
  assert.deepEqual(taken(other, 1), []);
});

journey('news__some_fail__those_of_their_application_wait_and_no_others', async (stage) => {
  const failures = new Map();
  const receiver = await startReceiver(stage, { answer: (h) => {
    const { application, seq } = h.body.data;
    const key = `${application}.${seq}`;
    failures.set(key, (failures.get(key) ?? 0) + 1);
    return application % 2 && seq % 3 === 1 && failures.get(key) <= 3 ? 500 : 204;
  } });
  const { k, database, writer } = await start(stage, receiver);
  const applications = count(12);
  for (let i = 0; i < 6; i++) await writer.write(...applications.map((application) => ({ application })));
  await writer.leave(7);
  await toldAll(receiver, applications, 6);
  assert.deepEqual(receiver.faults, []);
  for (const a of applications) assert.deepEqual(taken(receiver, a), count(6), `of ${a}`);
  assert.ok(await k.metric('kezek_webhooks_held_back_total') > 0);
  assert.equal(await k.metric('kezek_webhooks_given_up_total'), 0);
  await until('nothing is kept of them', async () => (await database.count('webhook_retry')) === 0);
});

journey('news__one_never_taken__its_application_waits_until_it_is_given_up', async (stage) => {
  const receiver = await startReceiver(stage, { answer: (h) => (h.body.data.application === 1 && h.body.data.seq === 2 ? 500 : 204) });
  const { k, database, writer } = await start(stage, receiver);
  await writer.write(...count(4).map(() => ({ application: 1 })), ...count(40).map((i) => ({ application: 1 + i })));
  await writer.leave(7);
  await toldAll(receiver, count(40).map((i) => 1 + i), 1);
  await until('five attempts have failed', async () => (await database.count('webhook_retry', 'attempts = 5')) === 1);
  assert.deepEqual(taken(receiver, 1), [1]);
  const shown = (await k.ctl('news', '1')).news;
  assert.deepEqual(shown.map((n) => [n.data.seq, n.type, n.untold]), [[1, 'watcher.added', []], ...[2, 3, 4].map((seq) => [seq, 'watcher.added', [1]])]);
  assert.match((await k.ctlRun('news', '1')).out, /untold to webhook\n/);
  await until('those behind are kept', async () => (await database.count('webhook_retry', 'behind is not null')) === 2);
  assert.equal((await k.ctl('webhook', 'list')).webhooks[0].state, 'up');
  await database.ask('update webhook_retry set attempts = 10, due = now() where attempts > 0'); // as if three days had passed
  await until('the others are told', () => taken(receiver, 1).length === 3);
  assert.deepEqual(taken(receiver, 1), [1, 3, 4]);
  const before = receiver.told().length;
  await k.ctl('news', '1', '--replay');
  await until('the first is told again', () => receiver.told().length > before);
  assert.deepEqual(receiver.told().slice(before).map((h) => h.body.data.seq), [1]);
  assert.equal((await k.ctlRun('news', '999', '--replay')).code, 1);
});

journey('news__of_one_application_in_several_slots__in_the_order_of_its_changes', async (stage) => {
  let fails = true;
  const receiver = await startReceiver(stage, { answer: (h) => (fails && h.body.data.seq === 1 ? 503 : 204) });
  const { database, writer } = await start(stage, receiver);
  for (let i = 0; i < 6; i++)
    await writer.write({ application: 5, slot: 9 - (i % 3) }, { application: 6, slot: 7 + (i % 3) });
  await writer.leave(7, 8, 9);
  await until('the first of each fail', async () => (await database.count('webhook_retry', 'attempts > 2')) === 2);
  assert.deepEqual([taken(receiver, 5), taken(receiver, 6)], [[], []]);
  fails = false;
  await toldAll(receiver, [5, 6], 6);
  assert.deepEqual([taken(receiver, 5), taken(receiver, 6)], [count(6), count(6)]);
});

journey('news__daemon_killed_again_and_again__each_told_and_none_before_an_earlier_one', async (stage) => {
  let n = 0;
  const receiver = await startReceiver(stage, { answer: () => ((n += 1) % 7 === 0 ? 500 : 204) });
  const { k, writer } = await start(stage, receiver);
  const applications = count(8);
  for (let round = 0; round < 4; round++) {
    const before = receiver.told().length;
    for (let i = 0; i < 3; i++) await writer.write(...applications.map((application) => ({ application, slot: 7 + round })));
    await writer.leave(7 + round);
    await until('some are told', () => receiver.told().length > before + 4);
    await k.kill();
    k.run();
    await k.ready();
  }
  await toldAll(receiver, applications, 12, 60000);
  assert.deepEqual(receiver.faults, []);
  for (const a of applications) {
    let last = 0;
    for (const h of receiver.told().filter((hook) => hook.body.data.application === a)) {
      assert.ok(h.body.data.seq <= last + 1, `${a}: ${h.body.data.seq} was taken after ${last}`);
      last = Math.max(last, h.body.data.seq);
    }
  }
}, { withinMs: 180000 });

journey('news__endpoint_away_then_back__all_in_order', async (stage) => {
  const receiver = await startReceiver(stage);
  const { k, writer } = await start(stage, receiver);
  await receiver.close();
  for (let i = 0; i < 10; i++) await writer.write(...count(15).map((application) => ({ application })));
  await writer.leave(7);
  await until('it is down', async () => (await k.ctl('webhook', 'list')).webhooks[0].state === 'down');
  await receiver.listen();
  await toldAll(receiver, count(15), 10, 60000);
  for (const a of count(15)) assert.deepEqual(taken(receiver, a), count(10), `of ${a}`);
}, { withinMs: 120000 });

journey('news__of_what_parents_do_at_two_daemons__in_the_order_of_each_application', async (stage) => {
  let n = 0;
  const receiver = await startReceiver(stage, { answer: () => ((n += 1) % 5 === 0 ? 503 : 204) });
  const { k, database } = await start(stage, receiver);
  const { key } = await k.ctl('key', 'add', 'cabinet', '--scope', 'places', '--scope', 'records');
  const second = await Kezek.prepare(stage, database, { config: { ...k.config, http: {}, control: {} }, name: 'second' });
  second.run();
  await second.ready();
  const doors = [k, second].map((d) => new Door({ port: d.port, key }));
  stage.defer(() => doors.forEach((d) => d.close()));
  for (const door of doors) await until('the key is known', async () => (await door.get('/v1/referrals/1')).status === 404);
  const rows = new Rows(k);
  await rows.group(1, { free: 12 });
  const applications = count(12);
  await rows.applications(applications);
  const done = (r) => assert.ok([200, 201].includes(r.status), r.body);
  await Promise.all(applications.map(async (a) => {
    const at = (turn) => doors[(a + turn) % 2];
    done(await at(0).call('PUT', `/v1/applications/${a}/watches/1`));
    const taken_ = await at(1).post(`/v1/applications/${a}/referral`, { group: 1 });
    done(taken_);
    const { number } = taken_.json;
    done(await at(2).post(`/v1/referrals/${number}/extend`));
    done(await at(3).post(`/v1/referrals/${number}/${a % 3 ? 'accept' : 'decline'}`));
  }));
  await toldAll(receiver, applications, 4, 60000);
  assert.deepEqual(receiver.faults, []);
  for (const a of applications) {
    const told = receiver.told().filter((h) => h.body.data.application === a);
    const seqs = taken(receiver, a);
    assert.deepEqual(seqs, [...seqs].sort((x, y) => x - y), `of ${a}`);
    assert.deepEqual([...new Map(told.map((h) => [h.body.data.seq, h.body.type])).values()],
      ['watcher.added', 'referral.taken', 'referral.extended', a % 3 ? 'referral.accepted' : 'referral.declined']);
    assert.deepEqual([told[0].body.data.kindergarten, told.at(-1).body.data.group, told.at(-1).body.data.via], [1, 1, 'portal']);
    assert.ok(told.at(-1).body.data.referral.until);
  }
  const slots = await database.ask('select count(distinct (feed >> 14) & 255) from news');
  assert.equal(Number(slots), 2, 'both daemons told of them');
}, { withinMs: 150000 });
