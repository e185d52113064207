// The portal's side of the door: whole requests by node:http, bad ones octet by octet. Every answer is held against
// docs/openapi.yaml.
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { randomUUID } from 'node:crypto';
import { holdAgainstDocument } from './openapi.mjs';

export class Door {
  constructor({ port, key = null, ca = null, socketPath = null }) {
    this.key = key;
    this.port = port;
    this.base = socketPath ? { socketPath } : { host: '127.0.0.1', port };
    this.lib = ca ? https : http;
    this.agent = new this.lib.Agent({ keepAlive: true, maxSockets: 64 });
    if (ca) Object.assign(this.base, { ca, servername: 'localhost' });
  }

  close() { this.agent.destroy(); }

  withKey(key) { return Object.assign(Object.create(Door.prototype), this, { key }); }

  // body: text, or a value that becomes JSON. headers override; null leaves one out.
  call(method, path, { body, headers = {}, hold = true } = {}) {
    const text = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const all = { authorization: this.key ? `Bearer ${this.key}` : null };
    if (text !== undefined) {
      all['content-type'] = 'application/json';
      all['content-length'] = Buffer.byteLength(text);
    }
    if (method === 'POST') all['idempotency-key'] = randomUUID();
    for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value;
    for (const name of Object.keys(all)) if (all[name] === null) delete all[name];
    return new Promise((resolve, reject) => {
      const request = this.lib.request({ ...this.base, agent: this.agent, method, path, headers: all }, (response) => {
        const parts = [];
        response.on('data', (d) => parts.push(d));
        response.on('error', reject);
        response.on('end', () => {
          const answer = { status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString() };
          try {
            if (hold) holdAgainstDocument(method, path, answer);
            if ((answer.headers['content-type'] ?? '').includes('json') && !answer.headers['content-type'].includes('ndjson'))
              answer.json = JSON.parse(answer.body);
            if ((answer.headers['content-type'] ?? '').includes('ndjson'))
              answer.lines = answer.body.trimEnd().split('\n').map((l) => JSON.parse(l));
            resolve(answer);
          } catch (e) {
            reject(e);
          }
        });
      });
      request.on('error', reject);
      request.end(text);
    });
  }

  get(path, options) { return this.call('GET', path, options); }
  post(path, body, headers = {}) { return this.call('POST', path, { body, headers }); }

  // One message that must be kept; answers the 202's body.
  async send(wish, headers = {}) {
    const r = await this.post('/v1/messages', wish, headers);
    assert.equal(r.status, 202, r.body);
    return r.json;
  }

  batch(wishes, headers = {}) {
    const body = wishes.map((w) => (typeof w === 'string' ? w : JSON.stringify(w))).join('\n') + '\n';
    return this.call('POST', '/v1/messages/batch', { body, headers: { 'content-type': 'application/x-ndjson', ...headers } });
  }

  async message(id) {
    const r = await this.get(`/v1/messages/${id}`);
    assert.equal(r.status, 200, r.body);
    return r.json;
  }
}

// Writes the chunks one after the other (a function among them is awaited) and answers what came until the peer closed
// or, with `answers` given, so many answers were whole: [{status, headers, body}].
export function raw(port, chunks, { answers = null, withinMs = 15000, method = 'POST', path = '/v1/messages' } = {}) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port });
    let bytes = Buffer.alloc(0);
    const done = (fault) => {
      clearTimeout(timer);
      socket.destroy();
      if (fault) return reject(fault);
      try {
        const got = parseAnswers(bytes, true);
        for (const a of got) holdAgainstDocument(method, path, a);
        resolve(got);
      } catch (e) {
        reject(e);
      }
    };
    const timer = setTimeout(() => done(new Error(`the peer neither answered nor closed within ${withinMs} ms; so far: `
      + bytes.toString('latin1').slice(0, 300))), withinMs);
    socket.on('data', (d) => {
      bytes = Buffer.concat([bytes, d]);
      if (answers !== null && parseAnswers(bytes).length >= answers) done();
    });
    socket.on('close', () => done());
    socket.on('error', () => {}); // a reset after the answer is the peer's right
    socket.on('connect', async () => {
      for (const c of chunks) {
        if (typeof c === 'function') await c(socket);
        else if (!socket.destroyed) await new Promise((next) => socket.write(c, () => next()));
      }
    });
  });
}

// Whole answers; one without a length is whole when the peer has closed.
export function parseAnswers(bytes, closed = false) {
  const answers = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) return answers;
    const [first, ...lines] = bytes.subarray(at, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(lines.map((l) => {
      const colon = l.indexOf(':');
      return [l.slice(0, colon).toLowerCase(), l.slice(colon + 1).trim()];
    }));
    const whole = headers['content-length'] !== undefined;
    if (!whole && !closed) return answers;
    const length = whole ? Number(headers['content-length']) : bytes.length - end - 4;
    if (bytes.length < end + 4 + length) return answers;
    answers.push({
      status: Number(first.split(' ')[1]), headers, body: bytes.subarray(end + 4, end + 4 + length).toString(),
    });
    at = end + 4 + length;
  }
}
