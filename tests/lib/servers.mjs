// PostgreSQL and Redis of a test file's own, and a fresh database for each journey.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Keyring } from './keyring.mjs';
import { top, until } from './stage.mjs';

const run = promisify(execFile);
const asRoot = (command, args) => (process.getuid() === 0 ? [command, args] : ['sudo', ['-n', command, ...args]]);
const script = join(top, 'tests/lib/servers.sh');

export class Servers {
  // Call at the top of a test file: started with the first database, ended after the last test, or when this process
  // ends, however it does. hooks: false where there are no tests; stop() is then the caller's. under: the folder in which
  // all of it lies. disk: it lies on a disk of that size, in MiB, which takes root or sudo, and the right to mount.
  constructor({ hooks = true, under = tmpdir(), disk = null } = {}) {
    Object.assign(this, { databases: 0, under, disk });
    if (hooks) after(() => this.stop());
  }

  async start() {
    if (this.dir) return;
    this.dir = mkdtempSync(join(this.under, 'kezek-servers-'));
    try {
      if (this.disk) await this.mount();
      this.keep();
      const { stdout } = await run('bash', [script, 'start', this.dir]);
      this.facts = Object.fromEntries([...stdout.matchAll(/^(?:export )?([A-Z_]+)=['"]?(.*?)['"]?$/gm)].map((m) => [m[1], m[2]]));
    } catch (e) {
      await this.stop().catch(() => {});
      throw new Error(`the private servers did not start: ${e.stdout ?? e.message}${e.stderr ?? ''}`);
    }
  }

  // The servers live as long as this process holds its end of the pipe. Detached: what ends this process's group or
  // terminal must not end the guard before it has done its work.
  keep() {
    this.guard = spawn('bash', [script, 'guard', this.dir], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.guard.unref();
    this.guard.stdin.unref();
  }

  async mount() {
    const options = `size=${this.disk}m,mode=0700,uid=${process.getuid()},gid=${process.getgid()}`;
    await run(...asRoot('mount', ['-t', 'tmpfs', '-o', options, 'kezek', this.dir])).catch((e) => {
      throw new Error(`a small disk needs root, or sudo without a password, and that mounting is allowed: ${e.stderr ?? e.message}`);
    });
  }

  async stop() {
    if (!this.dir) return;
    const { dir } = this;
    this.dir = null;
    await run('bash', [script, 'end', dir]);
    this.guard?.stdin.destroy();
  }

  async database() {
    await this.start();
    const d = new Database(this, `j${++this.databases}`);
    await d.make();
    return d;
  }

  kill() { return run('bash', [script, 'kill-pg', this.dir]); }
  restart() { return run('bash', [script, 'restart-pg', this.dir]); }
  // Nothing of it is on the disk: it comes back empty.
  killRedis() { return run('bash', [script, 'kill-redis', this.dir]); }
  restartRedis() { return run('bash', [script, 'restart-redis', this.dir]); }

  // A streaming standby, whose commits are waited for from now on; promote() makes it the primary.
  async standby() {
    await run('bash', [script, 'standby', this.dir]);
    const admin = this.facts.PG_CONNINFO.replace(/user=\S+/, 'user=postgres').replace(/dbname=\S+/, 'dbname=postgres');
    const ask = async (sql) => (await run('psql', ['-XqAt', '-c', sql, admin])).stdout.trim();
    await ask("alter system set synchronous_standby_names = 'standby'");
    await ask('select pg_reload_conf()');
    await until('the standby is synchronous', async () => await ask('select sync_state from pg_stat_replication') === 'sync');
  }

  promote() { return run('bash', [script, 'promote', this.dir]); }

  // Whether a PostgreSQL runs, recovered or not.
  begun() {
    try {
      return process.kill(Number(readFileSync(join(this.dir, 'pg/postmaster.pid'), 'utf8').split('\n')[0]), 0);
    } catch {
      return false;
    }
  }
}

class Database {
  constructor(servers, name) {
    Object.assign(this, { servers, name, redis: servers.facts.REDIS_ADDRESS });
    this.conninfo = servers.facts.PG_CONNINFO.replace(/dbname=\S+/, `dbname=${name}`);
    this.admin = this.conninfo.replace(/user=\S+/, 'user=postgres').replace(/dbname=\S+/, 'dbname=postgres');
  }

  async make() { await this.ask(`create database ${this.name} owner kezek`, this.admin); }

  // Rows of cells, all text.
  async ask(sql, conninfo = this.conninfo) {
    const { stdout } = await run('psql', ['-X', '-q', '-A', '-t', '-F', '\t', '-v', 'ON_ERROR_STOP=1', '-c', sql, conninfo]);
    return stdout.split('\n').filter(Boolean).map((l) => l.split('\t'));
  }

  async count(table, where = 'true') { return Number((await this.ask(`select count(*) from ${table} where ${where}`))[0][0]); }

  // Stops the server's processes of this database in their tracks; answers what makes them go on.
  async freeze() {
    const pids = (await this.ask(`select pid from pg_stat_activity where datname = '${this.name}' and pid <> pg_backend_pid()`,
      this.admin)).map(([pid]) => Number(pid));
    assert.ok(pids.length > 0, 'no session to freeze');
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    for (const pid of pids) await until('stopped', () => /^\S+ \(.*\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
    return () => pids.forEach((pid) => {
      try {
        process.kill(pid, 'SIGCONT');
      } catch { /* it has gone meanwhile */ }
    });
  }

  // Every commit of these servers waits for a standby that never answers. Answers what ends that.
  async stallCommits(stage) {
    const set = async (value) => {
      await this.ask(`alter system set synchronous_standby_names = '${value}'`, this.admin);
      await this.ask('select pg_reload_conf()', this.admin);
      await until('the setting is in force', async () => (await this.ask('show synchronous_standby_names', this.admin))
        .flat().join() === value);
    };
    let stalled = true;
    const resume = async () => {
      if (stalled) await set('');
      stalled = false;
    };
    stage.defer(resume);
    await set('nobody');
    return resume;
  }

  // The server process that holds the slot for a daemon; null when nobody does.
  async slotSession(slot) {
    const [row] = await this.ask(`select pid from pg_locks where locktype = 'advisory' and classid = x'6b7a6b'::int::oid
      and objid = ${slot} + 1 and granted and database = (select oid from pg_database where datname = '${this.name}')`);
    return row ? Number(row[0]) : null;
  }

  // SQL of any length, a statement or more in each part.
  async feed(parts) {
    const psql = spawn('psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', this.conninfo], { stdio: ['pipe', 'ignore', 'inherit'] });
    const gone = once(psql, 'close');
    for (const part of parts) if (!psql.stdin.write(part)) await Promise.race([once(psql.stdin, 'drain'), gone]);
    psql.stdin.end();
    assert.deepEqual(await gone, [0, null]);
  }

  // Messages as if accepted and never sent, [id, {to, text}] each, of that class, sealed by the daemon's keyring.
  async putOpen(file, messages, { cls = 1, alphabet = 1, life = '1 day' } = {}) {
    const keyring = new Keyring(file);
    const row = ([id]) => `(${id}, 1, ${cls}, 1, ${alphabet}, 0, now() + interval '${life}', false)`;
    const pages = function* pages() {
      for (let i = 0; i < messages.length; i += 5000) {
        const page = messages.slice(i, i + 5000);
        yield `insert into message (id, api_key, class, parts, alphabet, reference, expires_at, at_once)
          values ${page.map(row).join()};
          insert into message_person values ${page.map(([id, person]) => keyring.personRow(id, person)).join()};\n`;
      }
    };
    await this.feed(pages());
  }

  // So many messages of slot 0, accepted a while ago by a daemon that is gone, of which nothing was sent.
  async putUnfinished(file, n) {
    const from = BigInt(Date.now()) - 1704067200000n - BigInt(Math.floor(n / 100));
    await this.ask('insert into slot (id) values (0) on conflict do nothing');
    await this.putOpen(file, Array.from({ length: n }, (_, i) => [(from + BigInt(Math.floor(i / 100)) << 22n) + BigInt(i % 100),
      { to: 77010000000 + i, text: `Құрметті ата-ана! Кезек №${i}. Тексеру: *1234#` }]));
    await this.ask('analyze message, message_person, message_event');
  }
}
