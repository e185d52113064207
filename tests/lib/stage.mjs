// A journey's stage: a folder, the processes on it, and the promise that nothing of it survives the journey.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, existsSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export const top = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
export const binaries = process.env.KEZEK_BUILD ?? join(top, 'build/dev');

// Asks again until the answer is truthy; the event is waited for, not a time. A failed assertion in it is final.
export async function until(what, ask, withinMs = 20000, everyMs = 15) {
  const end = Date.now() + withinMs;
  let last;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = undefined;
    } catch (e) {
      if (e.code === 'ERR_ASSERTION') throw e;
      last = e;
    }
    if (Date.now() > end) {
      const words = typeof what === 'function' ? await what() : what;
      throw new Error(`not within ${withinMs} ms: ${words}${last ? ` (${last.message})` : ''}`);
    }
    await pause(everyMs);
  }
}

// A port nobody listens on, and, once given, nobody else on this machine's ephemeral range is given by chance: taken
// below that range.
let nextPort = 10000 + (process.pid * 37) % 12000;
export async function freePort() {
  for (;;) {
    const port = nextPort++;
    const free = await new Promise((resolve) => {
      const probe = net.createServer();
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

class Process {
  constructor(stage, name, command, args, options) {
    this.name = name;
    this.outPath = join(stage.dir, `${name}.out`);
    this.errPath = join(stage.dir, `${name}.err`);
    const out = openSync(this.outPath, 'a');
    const err = openSync(this.errPath, 'a');
    // It does not outlive this process, whatever ends that.
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args],
      { cwd: stage.dir, stdio: ['ignore', out, err], ...options });
    closeSync(out);
    closeSync(err);
    this.ended = null;
    this.exit = new Promise((resolve) => {
      const end = (ended) => {
        this.ended ??= ended;
        resolve(this.ended);
      };
      this.child.on('exit', (code, signal) => end({ code, signal }));
      this.child.on('error', (e) => end({ code: null, signal: null, error: e }));
    });
  }

  get pid() { return this.child.pid; }
  out() { return readFileSync(this.outPath, 'utf8'); }
  err() { return readFileSync(this.errPath, 'utf8'); }

  async stop(signal = 'SIGTERM', withinMs = 20000) {
    if (!this.ended) this.child.kill(signal);
    const late = new AbortController();
    const timer = pause(withinMs, null, { signal: late.signal }).then(() => {
      if (!this.ended) {
        this.late = true;
        this.child.kill('SIGKILL');
      }
    }, () => {});
    const ended = await this.exit;
    late.abort();
    await timer;
    return ended;
  }
}

export class Stage {
  constructor(name) {
    this.dir = mkdtempSync(join(tmpdir(), `kezek-${name.replace(/[^a-z0-9]+/gi, '-').slice(0, 24)}-`));
    this.last = [];
    this.daemons = [];
  }

  path(...parts) { return join(this.dir, ...parts); }

  // fn runs at the end, last given first.
  defer(fn) { this.last.push(fn); }

  start(name, command, args, options = {}) {
    const p = new Process(this, name, command, args, options);
    this.defer(() => p.stop());
    return p;
  }

  // Runs to the end. Answers {code, out, err}.
  async run(command, args, { input, env, within = 60000 } = {}) {
    const child = spawn(command, args, { cwd: this.dir, env: env ?? process.env, timeout: within, killSignal: 'SIGKILL' });
    let out = '', err = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8'); // a letter may come in two pieces
    child.stdout.on('data', (d) => { out += d; });
    child.stderr.on('data', (d) => { err += d; });
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? '');
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve({ code, signal, out, err }));
    });
  }

  async must(command, args, options) {
    const r = await this.run(command, args, options);
    assert.equal(r.code, 0, `${command} ${args.join(' ')}: exit ${r.code ?? r.signal}\n${r.out}${r.err}`);
    return r.out;
  }

  async close() {
    const faults = [];
    for (const fn of this.last.reverse()) {
      try {
        await fn();
      } catch (e) {
        faults.push(e);
      }
    }
    this.last = [];
    for (const d of this.daemons) {
      try {
        d.judge();
      } catch (e) {
        faults.push(e);
      }
    }
    if (faults.length) throw faults[0];
  }

  tails() {
    if (!existsSync(this.dir)) return '';
    return readdirSync(this.dir).filter((f) => f.endsWith('.err')).map((f) => {
      const text = readFileSync(this.path(f), 'utf8');
      const report = text.search(/==\d+==ERROR|runtime error:|LeakSanitizer/);
      const shown = report >= 0 ? text.slice(report, report + 6000) : text.slice(-2500);
      return `---- ${this.path(f)}\n${shown}`;
    }).join('\n');
  }

  remove() { rmSync(this.dir, { recursive: true, force: true }); }
}

// One journey is one test: body(stage). Whatever happens, everything on the stage is stopped before the test ends; when
// it failed, the folder stays and what the processes said last is printed.
export function journey(name, body, { withinMs = 120000 } = {}) {
  test(name, async () => {
    const stage = new Stage(name);
    const late = new AbortController();
    let fault;
    try {
      await Promise.race([body(stage), pause(withinMs, null, { signal: late.signal }).then(() => {
        throw new Error(`the journey took longer than ${withinMs / 1000} s`);
      })]);
    } catch (e) {
      fault = e;
    }
    late.abort();
    try {
      await stage.close();
    } catch (e) {
      fault ??= e;
    }
    if (fault) {
      console.error(stage.tails());
      throw fault;
    }
    stage.remove();
  });
}
