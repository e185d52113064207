// Turns of USSD: a message centre with many phones (ussd.c), each turn a question to PostgreSQL and two to Redis.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { operator } from '../lib/operators.mjs';
import { binaries, freePort, top } from '../lib/stage.mjs';
import { Meter, rssKib } from './measure.mjs';
import { bring, isIssued } from './queue.mjs';

const known = 4000; // phones that have an application
const warm = 3;

class Phones {
  constructor(stage, port) {
    this.process = spawn(join(binaries, 'kezek-ussd'), [String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    stage.defer(() => this.process.kill());
  }

  async ask(line) {
    this.process.stdin.write(`${line}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`kezek-ussd ended at: ${line}`);
    return JSON.parse(value);
  }
}

// Records as they are in a small district, then the daemon speaks to the phones alone.
async function prepare({ daemon, database }, stage) {
  const { key } = await daemon.ctl('key', 'add', 'cabinet', '--scope', 'records');
  await database.ask(`insert into district values (1, 'sample', 'Кіші', 'Малый', 'Small')`);
  await bring(daemon.door.withKey(key), Array.from({ length: known }, (_, i) => i + 1).filter(isIssued), 100000);
  const port = await freePort();
  const phones = new Phones(stage, port);
  daemon.writeOperator('one', operator(stage, { port, link: { window: 1000, rate: 100000 },
    ussd: { detect: 'tlv', codes: ['123'], end_bit_in: 'no', end_bit_out: 'no' } }));
  daemon.config.ussd = { dialog: join(top, 'dialogs/kindergarten.yaml'), services: join(top, 'dialogs/services.yaml') };
  daemon.writeConfig();
  process.kill(daemon.process.pid, 'SIGHUP');
  await daemon.bound();
  return phones;
}

export async function turns(gateway, stage, servers, { seconds, rate, open }) {
  const phones = await prepare(gateway, stage);
  const [pid] = gateway.pids;
  await phones.ask(`busy 256 ${warm}`);
  const meter = new Meter(servers, gateway.pids);
  const busy = await phones.ask(`busy 256 ${seconds}`);
  const { cpu, postgres } = meter.read();
  const paced = await phones.ask(`rate ${rate} ${seconds}`);
  const before = rssKib(pid);
  const many = await phones.ask(`open ${open} 2000`);
  for (const r of [busy, paced, many])
    if (r.lost || r.unasked || r.turns === 0) throw new Error(`turns without a page, pages without a turn: ${JSON.stringify({ busy, paced, many })}`);
  return { busy, paced, many, rest: before, full: rssKib(pid), cpuUs: cpu * 1e6 / busy.turns, postgresUs: postgres * 1e6 / busy.turns };
}
