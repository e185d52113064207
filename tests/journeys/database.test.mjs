// The database in trouble under load: restarted, failed over, slow, frozen, full, held by somebody's snapshot. The door
// says 503 with Retry-After while nothing can be kept, nothing that had 202 is lost, and kezekd goes on by itself.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { journey, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Load, allArrived } from '../lib/load.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const WINDOW = 10, CONNECTIONS = 4;
const NEAR = 128 + 2 * WINDOW; // what may be written without another commit
const quick = { message: { in_doubt_wait: '300ms', retry_min: '50ms' },
  database: { connect_timeout: '2s', job_timeout: '3s', connections: CONNECTIONS } };

async function rig(stage, { from = servers, conninfo = null, rate = 300 } = {}) {
  const centre = await startCentre(stage, { keepsReceipts: true });
  const database = await from.database();
  const config = conninfo ? { ...quick, database: { ...quick.database, conninfo: conninfo(database) } } : quick;
  const k = await Kezek.start(stage, database, { config, operators: { one: operator(stage, {
    port: centre.port, link: { rate, window: WINDOW } }) } });
  await k.bound();
  const load = (n, options) => {
    const l = new Load([k], n, options);
    stage.defer(() => { l.over = true; });
    return l;
  };
  return { centre, database, k, load };
}

// All of it went to phones and left memory; answers how often a message came again.
async function allWell({ k, centre, database }, load) {
  const again = await allArrived(k, load, centre);
  await until('all have left memory', async () => await k.metric('kezek_messages_unfinished') === 0);
  assert.equal(await database.count('message'), load.n, 'a repeated key is one message');
  return again;
}

const refused = (load) => until(() => `a 503: ${JSON.stringify(load.told)}`, () => load.told[503] > 0);

journey('postgresql__restarted_twice_under_load__everything_goes_on_by_itself', async (stage) => {
  const r = await rig(stage);
  const load = r.load(900);
  for (const share of [0.3, 0.6]) {
    await load.reached(share);
    await servers.restart();
    await load.more(50);
  }
  const again = await allWell(r, load);
  console.log(`answers ${JSON.stringify(load.told)}, duplicates ${again}`);
  assert.ok(again <= 2 * WINDOW, `${again} came again`);
}, { withinMs: 180000 });

journey('postgresql__fails_over_to_its_standby_under_load__nothing_acknowledged_is_lost', async (stage) => {
  const two = new Servers({ hooks: false });
  stage.defer(() => two.stop());
  const r = await rig(stage, { from: two, conninfo: (d) => `${d.conninfo.replace(/host=(\S+)/, 'host=$1,$1 port=5432,5433')}`
    + ' target_session_attrs=read-write' });
  await two.standby();
  const load = r.load(900);
  await load.reached(0.4);
  await two.kill();
  await refused(load);
  const promoted = Date.now();
  await two.promote();
  await load.more(1);
  console.log(`kept again ${Date.now() - promoted} ms after the order to promote`);
  r.database.conninfo += ' port=5433';
  const again = await allWell(r, load);
  console.log(`answers ${JSON.stringify(load.told)}, duplicates ${again}`);
  assert.ok(again <= WINDOW, `${again} came again`);
  const [[epoch]] = await r.database.ask('select max(epoch) from slot');
  assert.ok(Number(epoch) >= 2 ** 32, `${epoch} may have been given out by the old primary too`);
}, { withinMs: 180000 });

journey('disk__commits_hang_for_longer_than_any_job__bounded_and_all_goes_when_they_end', async (stage) => {
  const r = await rig(stage);
  const load = r.load(900);
  await load.reached(0.3);
  const sessions = () => r.database.ask(`select count(*) from pg_stat_activity where datname = '${r.database.name}'
    and usename = 'kezek'`, r.database.admin).then(([[n]]) => Number(n));
  const resume = await r.database.stallCommits(stage);
  const from = r.centre.submits.length;
  await refused(load);
  await until('every connection is given up', async () => await r.k.metric('kezek_pg_connections') === 0, 30000);
  const told = load.told[503];
  let most = 0;
  await until(() => `the door stays closed: ${JSON.stringify(load.told)}`, async () => {
    most = Math.max(most, await sessions());
    return load.told[503] >= told + 1500;
  }, 60000, 100);
  const sent = r.centre.submits.length - from;
  await resume();
  const again = await allWell(r, load);
  console.log(`sessions ${most}, submitted meanwhile ${sent}, answers ${JSON.stringify(load.told)}, duplicates ${again}`);
  assert.ok(sent <= NEAR, `${sent} were submitted that nobody could record`);
  assert.ok(most <= 2 * (CONNECTIONS + 1) + 2, `${most} sessions at the server`); // ours, those being ended, the test's own
}, { withinMs: 180000 });

journey('postgresql__frozen_under_load__submitting_stops_with_the_lease_and_all_goes_when_it_thaws', async (stage) => {
  const r = await rig(stage, { rate: 20 });
  const load = r.load(300);
  await load.reached(1);
  await until('it is being sent', () => r.centre.submits.length > 5);
  const thaw = await r.database.freeze();
  stage.defer(thaw);
  await until('the slot is given up', () => /lost with the database session/.test(r.k.process.err()), 20000);
  const sent = r.centre.submits.length;
  await until('the door is closed', async () => (await r.k.door.post('/v1/messages', { to: '+77011234567', text: 'x' })).status === 503);
  assert.equal(r.centre.submits.length, sent, 'nothing goes without a lease');
  thaw();
  await allArrived(r.k, load, r.centre);
}, { withinMs: 120000 });

// Takes all that is free of the disk. Answers what gives it back.
function fill(dir) {
  const file = join(dir, 'filler');
  const fd = openSync(file, 'w');
  const block = Buffer.alloc(1 << 20, 1);
  for (let size = block.length; size >= 4096;) {
    try {
      if (writeSync(fd, block, 0, size) < size) size /= 2;
    } catch (e) {
      if (e.code !== 'ENOSPC') throw e;
      size /= 2;
    }
  }
  closeSync(fd);
  return () => rmSync(file, { force: true });
}

journey('disk__full_under_load__503_until_there_is_room_again', async (stage) => {
  const small = new Servers({ hooks: false, disk: 256 });
  stage.defer(() => small.stop());
  const r = await rig(stage, { from: small });
  const load = r.load(12000, { clients: 32 });
  await load.reached(0.02);
  await r.database.ask('checkpoint; select pg_switch_wal()', r.database.admin); // the log has its 16 MiB
  const clear = fill(small.dir);
  stage.defer(clear);
  await refused(load);
  const kept = load.kept.size;
  await until('nothing is kept any more', async () => (await r.k.door.post('/v1/messages', { to: '+77011234567',
    text: 'beside the load '.repeat(60) })).status === 503);
  console.log(`full after ${kept} messages`);
  load.n = load.next; // no new ones: those that were refused are repeated
  clear();
  const again = await allArrived(r.k, load, r.centre, 120000);
  console.log(`answers ${JSON.stringify(load.told)}, duplicates ${again}`);
  assert.equal(again, 0);
  await until('all have left memory', async () => await r.k.metric('kezek_messages_unfinished') === 0);
}, { withinMs: 240000 });

journey('disk__full_for_the_log_too__the_server_ends_and_all_goes_when_somebody_starts_it_again', async (stage) => {
  const small = new Servers({ hooks: false, disk: 256 });
  stage.defer(() => small.stop());
  const r = await rig(stage, { from: small });
  const load = r.load(900);
  await load.reached(0.3);
  const clear = fill(small.dir);
  stage.defer(clear);
  await assert.rejects(r.database.ask("select count(pg_logical_emit_message(false, 'x', repeat('x', 1000000))) from generate_series(1, 99)",
    r.database.admin));
  await until('the server has ended', () => !small.begun());
  await refused(load);
  clear();
  await small.restart();
  const again = await allWell(r, load);
  console.log(`answers ${JSON.stringify(load.told)}, duplicates ${again}`);
  assert.ok(again <= WINDOW, `${again} came again`);
}, { withinMs: 120000 });

journey('postgresql__snapshot_held_for_a_load__no_row_of_a_hot_table_dies', async (stage) => {
  const r = await rig(stage, { rate: 1000 });
  const psql = spawn('psql', ['-XqAt', r.database.conninfo], { stdio: ['pipe', 'pipe', 'inherit'] });
  stage.defer(() => psql.stdin.end());
  const held = new Promise((resolve) => { psql.stdout.once('data', resolve); });
  psql.stdin.write('begin isolation level repeatable read; select count(*) from message;\n');
  await held;
  const load = r.load(800);
  await allWell(r, load);
  const dead = async () => (await r.database.ask(`select relname, n_dead_tup from pg_stat_user_tables
    where relname ~ '^(message|message_person|message_event|idempotency)_[0-9]' and n_dead_tup > 0`)).map((row) => row.join(' '));
  const seen = async () => Number((await r.database.ask(`select sum(n_tup_ins) from pg_stat_user_tables
    where relname ~ '^message_[0-9]'`))[0][0]);
  await until('statistics are there', async () => await seen() >= 800);
  assert.deepEqual(await dead(), []);
}, { withinMs: 120000 });
