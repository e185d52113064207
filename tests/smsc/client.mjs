// kezek-smsc on a free port, and a client for it on the npm package `smpp`, which shares no code with it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { join } from 'node:path';
import { sanitizers } from '../lib/kezek.mjs';
import { binaries, until } from '../lib/stage.mjs';

const smpp = createRequire(import.meta.url)('smpp');

export class Smsc {
  static async start(stage, args = [], name = 'kezek-smsc') {
    const s = new Smsc();
    s.stage = stage;
    s.process = stage.start(name, join(binaries, 'kezek-smsc'), ['--listen', '127.0.0.1:0', ...args],
      { env: { ...process.env, ...sanitizers } });
    s.port = await until('kezek-smsc listens', () => {
      assert.ok(!s.process.ended, s.process.err());
      return Number(/127\.0\.0\.1:(\d+)/.exec(s.process.out())?.[1]);
    });
    stage.daemons.push(s);
    return s;
  }

  static json(stage, ...args) { return Smsc.start(stage, ['--json', ...args]); }

  events(kind) {
    return this.process.out().split('\n').slice(0, -1).map((l) => JSON.parse(l)).filter((e) => !kind || e.event === kind);
  }

  // The first n events of that kind.
  async wait(kind, n = 1) {
    await until(() => `${n} x ${kind}: ${this.process.out()}`, () => this.events(kind).length >= n, 8000);
    return this.events(kind).slice(0, n);
  }

  kill() {
    this.killed = true;
    return this.process.stop('SIGKILL');
  }

  judge() {
    assert.doesNotMatch(this.process.err(), /Sanitizer|runtime error:|Assertion/);
    if (!this.killed) assert.equal(this.process.ended?.code, 0, JSON.stringify(this.process.ended));
  }
}

export class Client {
  static async open(smsc) {
    const c = new Client();
    c.delivered = [];
    c.heard = [];
    c.answer = () => 0; // command_status of the response to a receipt; null: none
    c.session = smpp.connect({ host: '127.0.0.1', port: smsc.port });
    c.closed = once(c.session, 'close');
    c.session.on('error', () => {});
    c.session.on('pdu', (pdu) => c.heard.push(pdu));
    for (const kind of ['deliver_sm', 'data_sm']) c.session.on(kind, (pdu) => c.receipt(pdu));
    c.session.on('unbind', (pdu) => c.session.send(pdu.response()));
    await once(c.session, 'connect');
    smsc.stage.defer(() => c.session.destroy());
    return c;
  }

  static async bound(smsc, { mode = 'transceiver', system_id = 'kezek', password = 'pw' } = {}) {
    const c = await Client.open(smsc);
    c.bind = await c.ask(`bind_${mode}`, { system_id, password, interface_version: 0x34 });
    assert.equal(c.bind.command_status, 0);
    return c;
  }

  ask(command, fields = {}) { return new Promise((resolve) => this.session[command](fields, resolve)); }

  receipt(pdu) {
    this.delivered.push(pdu);
    const status = this.answer(pdu, this.delivered.length);
    if (status !== null) this.session.send(pdu.response({ command_status: status }));
  }

  // octets: text in ASCII (as GSM 7-bit unpacked) or a Buffer of the user data.
  submission(octets, fields = {}) {
    return {
      source_addr_ton: 5, source_addr_npi: 0, source_addr: 'KEZEK', dest_addr_ton: 1, dest_addr_npi: 1,
      destination_addr: '77011234567', registered_delivery: 1, data_coding: 0,
      short_message: { message: Buffer.from(octets) }, ...fields,
    };
  }

  submit(octets, fields) { return this.ask('submit_sm', this.submission(octets, fields)); }

  receipts(n) {
    return until(() => `${n} receipts, have ${this.delivered.length}`,
      () => this.delivered.length >= n && this.delivered.slice(0, n), 10000);
  }
}

export const words = (receipt) => receipt.short_message?.message ?? receipt.message_payload?.message;

// Octets to a socket of their own; answers all that came until the other side closed, or so many octets.
export async function raw(smsc, octets, enough = Infinity) {
  const socket = net.connect(smsc.port, '127.0.0.1');
  const got = [];
  let n = 0;
  socket.on('error', () => {});
  socket.write(octets);
  await new Promise((resolve) => {
    socket.on('data', (d) => {
      got.push(d);
      n += d.length;
      if (n >= enough) resolve();
    });
    socket.on('close', resolve);
  });
  socket.destroy();
  return Buffer.concat(got);
}

export function pdu(command, sequence, body = Buffer.alloc(0), length = 16 + body.length) {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(length, 0);
  head.writeUInt32BE(command, 4);
  head.writeUInt32BE(sequence, 12);
  return Buffer.concat([head, body]);
}

export { smpp };
