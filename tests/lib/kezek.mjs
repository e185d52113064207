// kezekd, kezekctl and kezek-smsc as a user starts them, each with its own files on the stage.
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import yaml from 'js-yaml';
import { Door } from './http.mjs';
import { makeKeyring } from './keyring.mjs';
import { binaries, freePort, top, until } from './stage.mjs';

export const sanitizers = {
  ASAN_OPTIONS: 'abort_on_error=0:exitcode=99:detect_leaks=1:allocator_may_return_null=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
};

const reports = /AddressSanitizer|LeakSanitizer|runtime error:|Assertion|SUMMARY: /;

export class Kezek {
  // config: keys of kezek.yaml (nested) over those that a test needs; operators: {name: profile}.
  static async prepare(stage, database, { config = {}, operators = {}, redis = null, name = 'kezekd', environment = {} } = {}) {
    const k = new Kezek();
    Object.assign(k, { stage, database, name, environment, runs: [], generation: 0 });
    k.dir = stage.path(name);
    mkdirSync(join(k.dir, 'operators'), { recursive: true });
    k.port = await freePort();
    k.socket = join(k.dir, 'control.sock');
    k.config = {
      ...config,
      http: { listen: `127.0.0.1:${k.port}`, ...config.http },
      control: { socket: k.socket },
      database: { conninfo: database.conninfo, ...config.database },
      redis: { address: redis ?? database.redis },
      operators: 'operators',
      keyring: config.keyring ?? makeKeyring(stage),
      templates: config.templates ?? join(top, 'dialogs/sms.yaml'),
      purposes: config.purposes ?? join(top, 'config/purposes.yaml'),
      mail: { templates: join(top, 'dialogs/mail.yaml'), ...config.mail },
      regions: config.regions ?? join(top, 'config/regions'),
      holidays: config.holidays ?? join(top, 'config/holidays.yaml'),
    };
    k.file = join(k.dir, 'kezek.yaml');
    k.writeConfig();
    for (const [carrier, profile] of Object.entries(operators)) k.writeOperator(carrier, profile);
    stage.daemons.push(k);
    return k;
  }

  // All of it: database made, migrated, daemon started and ready, a key that may do everything.
  static async start(stage, database, options = {}) {
    const k = await Kezek.prepare(stage, database, options);
    await k.migrate();
    await k.run();
    await k.ready();
    await k.openDoor(options.door);
    return k;
  }

  writeConfig(over = {}) { writeFileSync(this.file, yaml.dump({ ...this.config, ...over })); }

  writeOperator(name, profile) {
    writeFileSync(join(this.dir, 'operators', `${name}.yaml`), typeof profile === 'string' ? profile : yaml.dump(profile));
  }

  env() { return { ...process.env, ...sanitizers, ...this.environment }; }

  // kezekd with other arguments, to its end.
  once(...args) { return this.stage.run(join(binaries, 'kezekd'), ['-c', this.file, ...args], { env: this.env() }); }

  async migrate() {
    const r = await this.once('--migrate');
    assert.equal(r.code, 0, `kezekd --migrate: exit ${r.code}\n${r.out}${r.err}`);
  }

  run() {
    this.generation += 1;
    this.process = this.stage.start(`${this.name}-${this.generation}`, join(binaries, 'kezekd'), ['-c', this.file],
      { env: this.env() });
    this.runs.push({ process: this.process, killed: false });
    return this.process;
  }

  async ready(withinMs = 30000) {
    const door = new Door({ socketPath: this.socket });
    try {
      await until(() => `kezekd ready: ${this.process.err().slice(-800)}`, async () => {
        if (this.process.ended) return true;
        return (await door.get('/readyz', { hold: false })).status === 200;
      }, withinMs);
    } finally {
      door.close();
    }
    assert.ok(!this.process.ended, `kezekd ended: ${JSON.stringify(this.process.ended)}\n${this.process.err().slice(-3000)}`);
  }

  // key: one that another daemon on the same database made; this one hears of it a little later.
  async openDoor({ ca = null, key = null } = {}) {
    const shared = key !== null;
    if (!shared) {
      const made = await this.ctl('key', 'add', 'journeys', '--scope', 'messages:write', '--scope', 'messages:read',
        '--scope', 'metrics', '--scope', 'codes');
      this.keyId = made.id;
      key = made.key;
    }
    this.door = new Door({ port: this.port, key, ca });
    this.stage.defer(() => this.door.close());
    if (shared) await until('the key is known', async () => (await this.door.get('/metrics')).status === 200);
    return this.door;
  }

  // kezekctl --json; answers what it printed.
  async ctl(...args) {
    const r = await this.ctlRun('--json', ...args);
    assert.equal(r.code, 0, `kezekctl ${args.join(' ')}: exit ${r.code}\n${r.out}${r.err}`);
    return r.out.trim() ? JSON.parse(r.out) : null;
  }

  ctlRun(...args) {
    return this.stage.run(join(binaries, 'kezekctl'), ['--socket', this.socket, ...args], { env: this.env() });
  }

  status() { return this.ctl('status'); }

  async link(name) {
    return (await this.status()).carriers.flatMap((c) => c.links).find((l) => l.name === name);
  }

  // Waits until the operators named (all by default) are bound.
  async bound(...names) {
    await until(async () => `bound: ${JSON.stringify((await this.status()).carriers.map((c) => c.links))}`, async () => {
      const { carriers } = await this.status();
      const wanted = carriers.filter((c) => names.length === 0 || names.includes(c.name));
      return wanted.length >= (names.length || 1) && wanted.every((c) => c.links.every((l) => l.state === 'bound'));
    });
  }

  async kill(signal = 'SIGKILL') {
    this.runs.at(-1).killed = true;
    await this.process.stop(signal);
  }

  // A clean end.
  async stop() {
    const ended = await this.process.stop('SIGTERM', 40000);
    assert.equal(ended.code, 0, `kezekd on SIGTERM: ${JSON.stringify(ended)}`);
  }

  // Waits for the message to be in that state; answers it.
  async settled(id, state = 'delivered', withinMs = 20000) {
    let last;
    return until(() => `${id} ${state}: ${JSON.stringify(last)}`, async () => {
      last = await this.door.message(id);
      return last.state === state && last;
    }, withinMs);
  }

  async metric(name) {
    const { body } = await this.door.get('/metrics');
    return body.split('\n').filter((l) => l.startsWith(name) && /^[ {]/.test(l.slice(name.length)))
      .reduce((sum, l) => sum + Number(l.slice(l.lastIndexOf(' ') + 1)), 0);
  }

  // At the end of the journey: no daemon may have died or complained by itself.
  judge() {
    for (const { process: p, killed, expected = 0 } of this.runs) {
      assert.ok(!reports.test(p.err()), `${p.name}: a report of a sanitizer or an assertion`);
      assert.ok(!p.late, `${p.name}: did not end by SIGTERM`);
      if (!killed) assert.equal(p.ended?.code, expected, `${p.name}: ${JSON.stringify(p.ended)}`);
    }
  }

  // This run is expected to end by itself with that exit code.
  expectExit(code) { this.runs.at(-1).expected = code; }
}

// The simulator that kezek ships. args: its command line options.
export class Simulator {
  static async start(stage, args = [], name = 'kezek-smsc', { log = true } = {}) {
    const s = new Simulator();
    Object.assign(s, { stage, name, port: await freePort(), log: stage.path(`${name}.log`), runs: [] });
    s.args = ['--listen', `127.0.0.1:${s.port}`, '--quiet', ...(log ? ['--log', s.log] : []), ...args];
    writeFileSync(s.log, '');
    stage.daemons.push(s);
    s.run();
    await until('kezek-smsc listens', () => s.listens());
    return s;
  }

  run() {
    const name = this.runs.length ? `${this.name}-${this.runs.length + 1}` : this.name;
    this.process = this.stage.start(name, join(binaries, 'kezek-smsc'), this.args, { env: { ...process.env, ...sanitizers } });
    this.runs.push({ process: this.process, killed: false });
    return this.process;
  }

  listens() {
    assert.ok(!this.process.ended, this.process.err());
    return this.process.out().includes(String(this.port)) || this.process.err().includes(String(this.port));
  }

  async kill() {
    this.runs.at(-1).killed = true;
    await this.process.stop('SIGKILL');
  }

  events() {
    this.known ??= { list: [], at: 0 };
    const size = statSync(this.log).size;
    if (size > this.known.at) {
      const file = openSync(this.log, 'r');
      const bytes = Buffer.alloc(size - this.known.at);
      readSync(file, bytes, 0, bytes.length, this.known.at);
      closeSync(file);
      const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
      this.known.at += whole.length;
      for (const l of whole.toString().split('\n')) if (l) this.known.list.push(JSON.parse(l));
    }
    return this.known.list;
  }

  get texts() { return this.events().filter((e) => e.event === 'sms'); }

  judge() {
    for (const { process: p, killed } of this.runs) {
      assert.ok(!reports.test(p.err()), `${p.name}: a report of a sanitizer or an assertion`);
      if (!killed) assert.equal(p.ended?.code, 0, `${p.name}: ${JSON.stringify(p.ended)}`);
    }
  }
}
