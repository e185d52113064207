// Kannel 1.4.5 of Debian under the same load, before the same message centre. Configured by kannel.conf.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binaries, freePort, until } from '../lib/stage.mjs';
import { load } from './measure.mjs';

const text = (before, after) => `${encodeURIComponent(before)}{n}${encodeURIComponent(after)}`;
// The SMS of kezek.mjs. What Kannel hears of it it tells by dlr-url: it has no other record of a receipt.
const sendsms = (sinkPort) => `/cgi-bin/sendsms?username=bench&password=bench&charset=UTF-8&coding=2&to=%2B7701{n}&text=${
  text('Құрметті ата-ана! Кезек №', '. Тексеру: *1234#')}&dlr-mask=3&dlr-url=${
  encodeURIComponent(`http://127.0.0.1:${sinkPort}/receipt?n=`)}{n}%26state=%25d`;

export class Kannel {
  // mode: 'durable', which wants a database, or 'ram'.
  static async start(stage, mode, smscPort, database) {
    const k = new Kannel();
    Object.assign(k, { stage, mode, port: await freePort(), adminPort: await freePort(), sinkPort: await freePort() });
    mkdirSync(stage.path('spool'));
    if (mode === 'durable') await k.makeTable(database);
    const conf = stage.path('kannel.conf');
    writeFileSync(conf, k.configuration({ admin_port: k.adminPort, box_port: await freePort(), http_port: k.port,
      smsc_port: smscPort, dir: stage.dir, pg_host: /host=(\S+)/.exec(database.conninfo)[1], pg_database: database.name }));
    stage.start('kezek-sink', join(binaries, 'kezek-sink'), [String(k.sinkPort)]);
    const bearerbox = stage.start('bearerbox', '/usr/sbin/bearerbox', ['-v', '2', conf]);
    k.boxes = [bearerbox];
    await until('bearerbox answers', () => k.status());
    k.boxes.push(stage.start('smsbox', '/usr/sbin/smsbox', ['-v', '2', conf]));
    await until('smsbox is there', async () => (await k.status()).includes('<type>smsbox</type>'));
    return k;
  }

  // The table of Kannel's user guide, with the indexes that its look-ups need; it deletes by oid, which PostgreSQL no
  // longer brings along.
  async makeTable(database) {
    await database.ask(`create table dlr (smsc varchar(40), ts varchar(65), destination varchar(40), source varchar(40),
      service varchar(40), url varchar(255), mask int, status int, boxc varchar(40),
      oid bigint generated always as identity primary key); create index on dlr (ts)`);
  }

  configuration(values) {
    const other = this.mode === 'ram' ? '@durable@' : '@ram@';
    return readFileSync(new URL('kannel.conf', import.meta.url), 'utf8').split('\n')
      .filter((line) => !line.startsWith('#') && !line.startsWith(other))
      .map((line) => line.replace(/^@(ram|durable)@ /, '').replace(/@(\w+)@/g, (_, name) => values[name])).join('\n');
  }

  get pids() { return this.boxes.map((b) => b.pid); }

  async status() {
    const answer = await fetch(`http://127.0.0.1:${this.adminPort}/status.xml?password=bench`);
    return answer.text();
  }

  bound() {
    return until('both sessions of Kannel', async () => (await this.status()).match(/<status>online/g)?.length === 2, 30000);
  }

  load(args) {
    return load(this.stage, ['--port', this.port, '--method', 'GET', '--path', sendsms(this.sinkPort), ...args]);
  }

  async receipts() {
    const answer = await fetch(`http://127.0.0.1:${this.sinkPort}/count`);
    return Number(await answer.text());
  }

  // Waits until that many have their receipt told; answers when.
  async settled(n, withinMs) {
    let last;
    await until(() => `receipts of Kannel: ${last} of ${n}`, async () => (last = await this.receipts()) >= n, withinMs, 50);
    return Date.now();
  }

  // What it still has to send nobody waits for.
  async kill() {
    for (const box of [...this.boxes].reverse()) await box.stop('SIGKILL');
  }
}

// Its version, for the table; fails when it is not installed.
export function kannelVersion() {
  return execFileSync('dpkg-query', ['-W', '-f', '${Version}', 'kannel'], { encoding: 'utf8' });
}
