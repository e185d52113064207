// Back-pressure: one operator is away, slow or throttles, and the others do not notice.
import assert from 'node:assert/strict';
import net from 'node:net';
import { Crowd, buildTool } from '../lib/crowd.mjs';
import { journey, until } from '../lib/stage.mjs';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Peer, pdu } from '../lib/peer.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const DEAD = '+77021234567', SOUND = '+77011234567';

async function stand(stage, queue) {
  const centre = await startCentre(stage);
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { queue }, operators: {
    dead: operator(stage, { port: 1, prefixes: ['7702'] }),
    sound: operator(stage, { port: centre.port, prefixes: ['7701'] }),
  } });
  await k.bound('sound');
  return { k, database, door: k.door };
}

const kept = async (door, wish) => (await door.post('/v1/messages', wish)).status === 202;

// Until the door says 429; answers it and how many went before.
async function fill(door, wish) {
  for (let n = 0; ; n++) {
    const r = await door.post('/v1/messages', { ...wish, text: `n ${n}` });
    if (r.status !== 202) return { r, n };
  }
}

journey('queue__of_a_dead_operator_is_full__429_for_it_alone', async (stage) => {
  const { k, database, door } = await stand(stage, { max_messages: 100 });
  const { r, n } = await fill(door, { to: DEAD });
  assert.deepEqual([r.status, r.json.code, r.json.retryable, r.headers['retry-after']], [429, 'too_many_messages', true, '30']);
  assert.equal(n, 38, 'half of what is not for codes');
  assert.equal(await database.count('message'), 38, 'a refused one is not kept');
  for (let i = 0; i < 70; i++) await k.settled((await door.send({ to: SOUND, text: `s ${i}` })).id);
  assert.ok(await kept(door, { to: DEAD, text: 'a code', class: 'code' }));
  assert.ok(await kept(door, { to: DEAD, text: 'another class', class: 'bulk' }));
  assert.equal((await fill(door, { to: DEAD })).n, 0);
  assert.equal(await k.metric('kezek_messages_not_admitted_total{class="notice",why="full"}'), 2);
  assert.equal(await k.metric('kezek_queue_messages{carrier="dead",class="notice"}'), 38);
  assert.equal(await k.metric('kezek_queue_messages{carrier="sound",class="notice"}'), 0);
});

journey('queue__full_and_the_database_slow__a_crowd_is_refused_without_asking_it', async (stage) => {
  const { database, door } = await stand(stage, { max_messages: 100 });
  await fill(door, { to: DEAD });
  const goOn = await database.freeze();
  try {
    let told = 0;
    const all = Array.from({ length: 40 }, (_, i) => door.post('/v1/messages', { to: DEAD, text: `crowd ${i}` })
      .then((r) => { told += r.status === 429; }, () => {}));
    await until(() => `${told} are told at once`, () => told === 24, 5000);
    goOn();
    await Promise.all(all);
    assert.equal(told, 40);
  } finally {
    goOn();
  }
  assert.equal((await fill(door, { to: DEAD })).r.status, 429, 'and the next is looked for again');
});

journey('queue__of_a_dead_operator_is_full__lines_of_a_batch_for_others_are_kept', async (stage) => {
  const { k, door } = await stand(stage, { max_messages: 100 });
  await fill(door, { to: DEAD });
  const mixed = await door.batch([{ to: DEAD, text: 'x' }, { to: SOUND, text: 'y' }, { to: DEAD, text: 'z' }]);
  assert.deepEqual([mixed.status, ...mixed.lines.map((l) => l.status)], [202, 429, 202, 429]);
  assert.equal(mixed.lines[0].code, 'too_many_messages');
  await k.settled(mixed.lines[1].id);
  const none = await door.batch([{ to: DEAD, text: 'x' }, { to: SOUND, text: '' }]);
  assert.deepEqual([none.status, none.json.code, none.headers['retry-after']], [429, 'too_many_messages', '30']);
});

journey('queue__of_a_dead_operator_is_too_old__429_for_that_class_of_it', async (stage) => {
  const { k, door } = await stand(stage, { max_age: '1s' });
  assert.ok(await kept(door, { to: DEAD, text: 'first' }));
  const r = await until('429', async () => {
    const now = await door.post('/v1/messages', { to: DEAD, text: 'later' });
    return now.status !== 202 && now;
  });
  assert.deepEqual([r.status, r.json.code], [429, 'too_many_messages']);
  assert.ok(await kept(door, { to: DEAD, text: 'a code', class: 'code' }));
  assert.ok(await kept(door, { to: DEAD, text: 'bulk', class: 'bulk' }));
  await k.settled((await door.send({ to: SOUND, text: 'sound' })).id);
  assert.ok(await k.metric('kezek_queue_oldest_seconds{carrier="dead",class="notice"}') > 1);
  assert.equal(await k.metric('kezek_messages_not_admitted_total{class="notice",why="old"}'), 1);
});

// As many as a load of so many a second gets answered; all of them 202 unless others are welcome.
async function load(stage, k, tool, { to, rate, seconds, only202 = true }) {
  const r = JSON.parse(await stage.must(tool, ['--port', k.port, '--key', k.door.key, '--connections', 32, '--rate', rate,
    '--seconds', seconds, '--body', JSON.stringify({ to, text: 'n {n}' })].map(String), { within: 60000 }));
  assert.equal(r.failed, 0, JSON.stringify(r));
  if (only202) assert.equal(r.ok, r.answered, JSON.stringify(r));
  return r;
}

const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)];
const median = (values) => percentile(values, 0.5);

// How long the messages since that id took to that operator, in ms; all of them are there.
async function submitTimes(database, carrier, since, n) {
  const rows = await until(`${n} submitted`, async () => {
    const all = await database.ask(`select extract(epoch from min(e.at)) * 1000 - ((m.id >> 22) + 1704067200000)
      from message m join message_event e on e.message_id = m.id and e.kind = 1
      where m.id > ${since} and e.carrier = '${carrier}' group by m.id`);
    return all.length >= n && all;
  }, 30000, 100);
  assert.equal(rows.length, n);
  return rows.map(([ms]) => Number(ms));
}

const newest = async (database) => (await database.ask('select coalesce(max(id), 0) from message'))[0][0];

// What is wrong with the other operator: arguments of its simulator, or none for one that is away.
const troubles = {
  away: null, throttling: ['--throttle', '10'], slow: ['--response-delay', '3s'], frozen: ['--freeze-after', '5'],
};

journey('operator__away_throttling_slow_or_frozen__the_other_keeps_its_pace', async (stage) => {
  const tool = await buildTool(stage, 'load');
  const good = await Simulator.start(stage, ['--receipt-delay', '0ms'], 'good');
  const database = await servers.database();
  const operators = { good: operator(stage, { port: good.port, prefixes: ['7701'] }) };
  for (const [i, [name, args]] of Object.entries(troubles).entries()) {
    const port = args ? (await Simulator.start(stage, [...args, '--receipt-delay', '0ms'], name)).port : 1;
    operators[name] = operator(stage, { port, prefixes: [`770${i + 2}`], link: { window: 10, rate: 1000 } });
  }
  const k = await Kezek.start(stage, database, { config: { queue: { max_messages: 8000 }, shutdown_timeout: '1s' },
    operators });
  await k.bound('good');
  const one = async () => {
    const since = await newest(database);
    const r = await load(stage, k, tool, { to: SOUND, rate: 150, seconds: 2 });
    return percentile(await submitTimes(database, 'good', since, r.ok), 0.95);
  };
  const alone = [await one()], beside = {};
  for (const [i, name] of Object.keys(troubles).entries()) {
    const bad = load(stage, k, tool, { to: `+770${i + 2}1234567`, rate: 300, seconds: 3, only202: false });
    beside[name] = await one();
    await bad;
    alone.push(await one());
  }
  for (const [name, ms] of Object.entries(beside))
    assert.ok(ms <= 3 * Math.max(...alone) + 200,
      `95th percentile to the sound operator: ${ms} ms beside the one that is ${name}, ${alone} ms alone`);
  assert.equal(await k.metric('kezek_queue_messages{carrier="good",class="notice"}'), 0);
  const away = await k.metric('kezek_queue_messages{carrier="away",class="notice"}');
  assert.ok(away > 0 && away <= 3000, `${away} wait for the operator that is away`);
}, { withinMs: 240000 });

journey('operator__comes_and_goes_beside_the_backlog_of_a_dead_one__a_third_keeps_its_pace', async (stage) => {
  const tool = await buildTool(stage, 'load');
  const good = await Simulator.start(stage, ['--receipt-delay', '0ms'], 'good');
  const restless = await Simulator.start(stage, ['--unbind-after', '1', '--receipt-delay', '0ms'], 'restless');
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { queue: { max_messages: 20000, max_age: '1h' }, shutdown_timeout: '1s' },
    operators: {
      good: operator(stage, { port: good.port, prefixes: ['7701'] }),
      restless: operator(stage, { port: restless.port, prefixes: ['7702'], reconnect: { min: '10ms', max: '20ms' } }),
      dead: operator(stage, { port: 1, prefixes: ['7703'] }),
    } });
  await k.bound('good');
  const one = async () => {
    const since = await newest(database);
    const r = await load(stage, k, tool, { to: SOUND, rate: 100, seconds: 2 });
    return percentile(await submitTimes(database, 'good', since, r.ok), 0.95);
  };
  const alone = [await one(), await one()];
  const many = Array.from({ length: 1000 }, (_, i) => ({ to: '+77031234567', text: `n ${i}` }));
  for (let i = 0; i < 7; i++) assert.equal((await k.door.batch(many)).status, 202);
  const some = Array.from({ length: 100 }, (_, i) => ({ to: '+77021234567', text: `n ${i}` }));
  assert.equal((await k.door.batch(some)).status, 202);
  const beside = await one();
  assert.ok((await database.count('message_event', "kind = 1 and carrier = 'restless'")) > 5, 'it came and went');
  assert.ok(await k.metric('kezek_messages_moved_total') < 5000, 'the backlog stays where it is');
  assert.ok(beside <= 3 * Math.max(...alone) + 200, `95th percentile: ${beside} ms beside them, ${alone} ms alone`);
});

journey('clients__2000_idle_or_dribbling__the_others_are_served_as_before', async (stage) => {
  const [tool, binary] = [await buildTool(stage, 'load'), await buildTool(stage, 'crowd')];
  const smsc = await Simulator.start(stage, ['--receipt-delay', '0ms']);
  const k = await Kezek.start(stage, await servers.database(), { config: { http: { request_timeout: '1s' } },
    operators: { one: operator(stage, { port: smsc.port }) } });
  await k.bound();
  const one = async () => (await load(stage, k, tool, { to: SOUND, rate: 150, seconds: 2 })).p99_us / 1000;
  const without = [], beside = [];
  await one();
  for (let round = 0; round < 3; round++) {
    without.push(await one());
    const crowd = await Crowd.gather(stage, k.port, { idle: 1000, dribble: 1000, binary });
    beside.push(await one());
    assert.ok(await k.metric('kezek_http_connections') > 1500);
    const told = await crowd.leave();
    assert.ok(told.octets > 1000 && told.dialled >= 2000, JSON.stringify(told));
    await until('they are gone', async () => await k.metric('kezek_http_connections') < 100);
  }
  assert.ok(median(beside) <= 4 * median(without) + 100, `p99: ${beside} ms beside them, ${without} ms without`);
  assert.ok(await k.metric('kezek_http_refused_total{code="request_timeout"}') > 0);
  assert.equal(await k.metric('kezek_http_held_octets'), 0);
}, { withinMs: 240000 });

journey('client__does_not_read_its_answers__closed_after_write_timeout', async (stage) => {
  const { k, door } = await stand(stage, {});
  await stage.must('sed', ['-i', 's/^http:/http:\\n  write_timeout: 1s/', k.file]);
  k.process.child.kill('SIGHUP');
  await until('reloaded', () => k.process.err().includes('reloaded'));
  const open = await k.metric('kezek_http_connections');
  const socket = net.connect(k.port, '127.0.0.1');
  stage.defer(() => socket.destroy());
  socket.on('error', () => {});
  socket.pause();
  const ask = `GET /metrics HTTP/1.1\r\nHost: k\r\nAuthorization: Bearer ${door.key}\r\n\r\n`;
  let gone = false;
  socket.on('close', () => { gone = true; });
  (function flood() {
    if (gone) return;
    if (socket.write(ask.repeat(20))) setImmediate(flood);
    else socket.once('drain', flood);
  }());
  await until('it stands there', async () => await k.metric('kezek_http_connections') > open);
  await until('it was closed', async () => await k.metric('kezek_http_connections') <= open, 30000);
  await k.settled((await door.send({ to: SOUND, text: 'others are served' })).id);
});

journey('operator__does_not_read__dead_after_stall_and_made_anew', async (stage) => {
  const peer = await Peer.start(stage);
  const centre = await startCentre(stage);
  const k = await Kezek.start(stage, await servers.database(), { operators: {
    mute: operator(stage, { port: peer.port, prefixes: ['7702'], timers: { stall: '1s' } }),
    sound: operator(stage, { port: centre.port, prefixes: ['7701'] }),
  } });
  await k.bound();
  const c = await peer.connection();
  c.socket.pause();
  const asks = Buffer.concat(Array.from({ length: 4096 }, (_, i) => pdu(0x15, i + 1)));
  (function flood() {
    if (c.closed) return;
    if (c.socket.write(asks)) setImmediate(flood);
    else c.socket.once('drain', flood);
  }());
  // The status shows the reason only until the link is bound again.
  await until('made anew', () => peer.connections.length >= 2, 60000);
  assert.match(k.process.err(), /mute\.1: peer does not read for 1 s/);
  await k.settled((await k.door.send({ to: SOUND, text: 'others are served' })).id);
});
