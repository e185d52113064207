// A peer that speaks SMPP octet by octet, for what no library would send.
import net from 'node:net';
import { freePort, until } from './stage.mjs';

export function pdu(command, sequence, body = Buffer.alloc(0), status = 0, length = null) {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(length ?? 16 + body.length, 0);
  head.writeUInt32BE(command, 4);
  head.writeUInt32BE(status >>> 0, 8);
  head.writeUInt32BE(sequence, 12);
  return Buffer.concat([head, body]);
}

const cstring = (text) => Buffer.from(`${text}\0`);

// A deliver_sm with that short message and those octets behind it.
export function deliverSm(sequence, text, { esmClass = 0x04, tail = Buffer.alloc(0) } = {}) {
  const message = Buffer.from(text, 'latin1');
  return pdu(0x05, sequence, Buffer.concat([cstring(''), Buffer.from([1, 1]), cstring('77011234567'), Buffer.from([1, 1]),
    cstring('1414'), Buffer.from([esmClass, 0, 0]), cstring(''), cstring(''), Buffer.from([0, 0, 0, 0, message.length]), message, tail]));
}

export function tlv(tag, value) {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(tag, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value]);
}

const binds = new Set([1, 2, 9]);

export class Peer {
  static async start(stage) {
    const p = new Peer();
    p.connections = [];
    p.port = await freePort();
    p.server = net.createServer((socket) => p.serve(socket));
    await new Promise((resolve) => p.server.listen(p.port, '127.0.0.1', resolve));
    stage.defer(() => {
      for (const c of p.connections) c.socket.destroy();
      return new Promise((resolve) => p.server.close(resolve));
    });
    return p;
  }

  serve(socket) {
    const c = { socket, frames: [], bound: false, closed: false };
    let bytes = Buffer.alloc(0);
    this.connections.push(c);
    socket.on('error', () => {});
    socket.on('close', () => { c.closed = true; });
    socket.on('data', (d) => {
      bytes = Buffer.concat([bytes, d]);
      while (bytes.length >= 16 && bytes.length >= bytes.readUInt32BE(0)) {
        const n = bytes.readUInt32BE(0);
        this.take(c, { command: bytes.readUInt32BE(4), status: bytes.readUInt32BE(8), sequence: bytes.readUInt32BE(12),
          body: Buffer.from(bytes.subarray(16, n)), bytes: Buffer.from(bytes.subarray(0, n)) });
        bytes = bytes.subarray(n);
      }
    });
  }

  take(c, frame) {
    c.frames.push(frame);
    if (binds.has(frame.command)) {
      c.socket.write(pdu(0x80000000 + frame.command, frame.sequence, cstring('peer')));
      c.bound = true;
    } else if (frame.command === 0x15) c.socket.write(pdu(0x80000015, frame.sequence));
    else if (frame.command === 0x06) c.socket.end(pdu(0x80000006, frame.sequence));
    else if (frame.command === 0x04) c.socket.write(pdu(0x80000004, frame.sequence, cstring(`id${frame.sequence}`)));
  }

  // The newest connection that is bound and open.
  async connection() {
    return until('a bound connection', () => this.connections.findLast((c) => c.bound && !c.closed));
  }
}

// Waits for a frame that fits.
export const frame = (c, what, fits) => until(() => `${what}; have ${JSON.stringify(c.frames.slice(-4).map((f) => f.bytes.toString('hex')))}`,
  () => c.frames.find(fits));
