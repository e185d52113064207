// What processes cost, and the load that is put on a gateway.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { binaries } from '../lib/stage.mjs';

const ticks = 100; // USER_HZ, fixed by Linux's interface

function statFields(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
// Of all of them together, user and system; those that ended meanwhile count as nothing.
export function cpuSeconds(pids) {
  return pids.reduce((sum, pid) => {
    try {
      const fields = statFields(pid);
      return sum + (Number(fields[11]) + Number(fields[12])) / ticks;
    } catch {
      return sum;
    }
  }, 0);
}
const statusKib = (pid, key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
export const rssKib = (pid) => statusKib(pid, 'VmRSS');
export const peakKib = (pids) => pids.reduce((sum, pid) => sum + statusKib(pid, 'VmHWM'), 0);
export const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

// The private PostgreSQL's postmaster and all its processes.
export function postgresPids(servers) {
  const postmaster = readFileSync(join(servers.dir, 'pg/postmaster.pid'), 'utf8').split('\n')[0];
  const isChild = (pid) => {
    try {
      return statFields(pid)[1] === postmaster;
    } catch {
      return false;
    }
  };
  return [postmaster, ...readdirSync('/proc').filter((p) => /^\d+$/.test(p) && isChild(p))];
}

// The processor time of a gateway and of PostgreSQL from now on.
export class Meter {
  constructor(servers, pids) {
    Object.assign(this, { servers, pids, cpu: cpuSeconds(pids), postgres: cpuSeconds(postgresPids(servers)) });
  }

  read() {
    return { cpu: cpuSeconds(this.pids) - this.cpu, postgres: cpuSeconds(postgresPids(this.servers)) - this.postgres };
  }
}

// args: of kezek-load. Every request must be answered 202, and no connection may break. began_ms of the answer is when
// all connections were there and the first request went out.
export async function load(stage, args) {
  const out = await stage.must(join(binaries, 'kezek-load'), args.map(String), { within: 300000 });
  const r = JSON.parse(out);
  assert.equal(r.failed, 0, out);
  assert.equal(r.ok, r.answered, `answers other than 202: ${out}`);
  return r;
}

export const median = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
