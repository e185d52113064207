// Turns of USSD: a message centre with many phones (ussd.c), each turn a question to PostgreSQL and two to Redis; and the
// minute at which the last places of a group are published, in a city of the sample's size.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { operator } from '../lib/operators.mjs';
import { binaries, freePort, top } from '../lib/stage.mjs';
import { begin, days } from './import.mjs';
import { Meter, rssKib } from './measure.mjs';
import { bring, isIssued } from './queue.mjs';

const known = 4000; // phones that have an application
const warm = 3;

class Phones {
  // The daemon speaks to the phones alone from now on, by so many links.
  static async open({ daemon }, stage, links, binary = join(binaries, 'kezek-ussd')) {
    const port = await freePort();
    const p = new Phones();
    p.process = spawn(binary, [port, links].map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
    p.lines = createInterface({ input: p.process.stdout })[Symbol.asyncIterator]();
    stage.defer(() => p.process.kill());
    daemon.writeOperator('one', operator(stage, { port, modes: Array(links).fill('transceiver'), link: { window: 1000, rate: 100000 },
      ussd: { detect: 'tlv', codes: ['123'], end_bit_in: 'no', end_bit_out: 'no' } }));
    daemon.config.ussd = { dialog: join(top, 'dialogs/kindergarten.yaml'), services: join(top, 'dialogs/services.yaml') };
    daemon.writeConfig();
    process.kill(daemon.process.pid, 'SIGHUP');
    await daemon.bound();
    return p;
  }

  // No turn without a page, no page without a turn.
  async ask(line) {
    this.process.stdin.write(`${line}\n`);
    const { value, done } = await this.lines.next();
    assert.ok(!done, `kezek-ussd ended at: ${line}`);
    const r = JSON.parse(value);
    assert.ok(!r.lost && !r.unasked && r.turns, `${line}: ${value}`);
    return r;
  }
}

// In records as they are in a small district.
export async function turns(gateway, stage, servers, { seconds, rate, open }) {
  const { daemon, database, pids } = gateway;
  const { key } = await daemon.ctl('key', 'add', 'cabinet', '--scope', 'records');
  await database.ask(`insert into district values (1, 'sample', 'Кіші', 'Малый', 'Small')`);
  await bring(daemon.door.withKey(key), Array.from({ length: known }, (_, i) => i + 1).filter(isIssued), 100000);
  const phones = await Phones.open(gateway, stage, 1);
  await phones.ask(`busy 256 ${warm}`);
  const meter = new Meter(servers, pids);
  const busy = await phones.ask(`busy 256 ${seconds}`);
  const { cpu, postgres } = meter.read();
  const paced = await phones.ask(`rate ${rate} ${seconds}`);
  const before = rssKib(pids[0]);
  const many = await phones.ask(`open ${open} 2000`);
  return { busy, paced, many, rest: before, full: rssKib(pids[0]), cpuUs: cpu * 1e6 / busy.turns, postgresUs: postgres * 1e6 / busy.turns };
}

// Families of the city that wait with one child and no referral, and whose phone is known: {phone, pin, fits}: her child the group.
function waiting(file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l));
  const given = new Set(lines.filter((l) => l.kind === 'referral').map((l) => l.application));
  const applications = lines.filter((l) => l.kind === 'application');
  const group = { district: 1, language: lines.find((l) => l.kind === 'group' && l.id === 11).language };
  const children = new Map();
  for (const { phones: [{ number }] } of applications) children.set(number, (children.get(number) ?? 0) + 1);
  return applications.filter((a) => a.status === 'waiting' && a.phones[0].verified && !given.has(a.number) && children.get(a.phones[0].number) === 1)
    .map((a) => ({ phone: a.phones[0].number.slice(1), pin: a.child.iin.slice(-4),
      fits: a.district === group.district && a.groups.includes(group.language) }));
}

// One district's places are gone but those of one group, for children of any age.
const publish = (database, places) => database.ask(`
  update vacancy set free = 0 where play_group in (select g.id from play_group g join kindergarten k on k.id = g.kindergarten where k.district = 1);
  update play_group set age_from = 0, age_to = 10 where id = 11;
  update vacancy set free = ${places}, released_at = now(), priority_until = null where play_group = 11;
  analyze`);

// All dial in one moment, look at the list and at a place of it; takers go on to take one of the group's. binary: of the
// phones. Answers how long they waited, and what was told and stands: taken, gone and away, who got a closing page;
// overtook: who got a place though another had typed the digits before her.
export async function storm(gateway, stage, { applications, parents, takers, places, binary }) {
  const { daemon, database } = gateway;
  const file = stage.path('city.jsonl'), script = stage.path('storm');
  await stage.must('/bin/sh', ['-c', `"$0" sample --applications ${applications} --day ${days(0)} > "$1"`, join(binaries, 'kezekctl'), file],
    { within: 300000 });
  await begin(daemon, file).ended;
  const families = waiting(file);
  const take = families.filter((f) => f.fits).slice(0, takers);
  const look = families.filter((f) => !take.includes(f)).slice(0, parents - takers);
  assert.deepEqual([take.length, look.length], [takers, parents - takers], 'the city is too small');
  await publish(database, places);
  const phones = await Phones.open(gateway, stage, 2, binary);
  const stands = () => database.count('referral', 'play_group = 11 and status = 0');
  const before = await stands();
  writeFileSync(script, [...take.map((f) => `${f.phone} 1 1 1 ${f.pin}\n`), ...look.map((f) => `${f.phone} 1 1\n`)].sort().join(''));
  const told = await phones.ask(`storm ${script}`);
  const screen = (name, what) => daemon.metric(`kezek_ussd_screens_total{screen="${name}",what="${what}"}`);
  const [gone, taken] = [await screen('v_gone', 'shown'), await screen('take_ok', 'end')];
  const [[free]] = await database.ask('select free from vacancy where play_group = 11');
  return { ...told, gone, taken, away: told.ended - taken, referrals: await stands() - before, free: Number(free) };
}
