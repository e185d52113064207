// The portal's endpoint for webhooks: verifies each by the npm package `standardwebhooks`, which shares no code with
// kezek, and holds it against docs/openapi.yaml.
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { Webhook } from 'standardwebhooks';
import { freePort, until } from './stage.mjs';
import { holdWebhookAgainstDocument } from './openapi.mjs';

export class Receiver {
  // tls: {key, cert}; answer: (hook) => status | {status, headers} | a promise of one; 'silent' never answers.
  constructor({ tls = null, port = null, answer = () => 204 } = {}) {
    Object.assign(this, { tls, port, answer, hooks: [], faults: [], connections: 0, sockets: new Set() });
  }

  get url() { return `${this.tls ? 'https' : 'http'}://${this.tls ? 'localhost' : '127.0.0.1'}:${this.port}/hooks/sms?k=v`; }

  async listen() {
    this.port ??= await freePort();
    const serve = (request, response) => this.serve(request, response).catch((e) => this.faults.push(e));
    this.server = this.tls ? https.createServer(this.tls, serve) : http.createServer(serve);
    this.server.on('connection', (socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    this.server.on('tlsClientError', () => {});
    await new Promise((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    return this;
  }

  async close() {
    const server = this.server;
    this.server = null;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    this.sockets.forEach((s) => s.destroy());
    await closed;
  }

  async serve(request, response) {
    const parts = [];
    for await (const d of request) parts.push(d);
    const hook = { method: request.method, path: request.url, headers: request.headers, text: Buffer.concat(parts).toString(),
      at: Date.now() };
    hook.body = this.secret ? new Webhook(this.secret).verify(hook.text, hook.headers) : JSON.parse(hook.text);
    holdWebhookAgainstDocument(hook);
    this.hooks.push(hook);
    const answer = await this.answer(hook);
    if (answer === 'silent') return;
    const { status, headers = {} } = typeof answer === 'number' ? { status: answer } : answer;
    hook.status = status;
    response.writeHead(status, headers).end('thanks');
  }

  told() { return this.hooks.filter((h) => h.status >= 200 && h.status < 300); }
  of(id) { return this.hooks.filter((h) => h.body.data.id === id); }

  // Waits until the end of each message was told, and answered well.
  async toldOf(ids, withinMs = 20000) {
    await until(() => `told of ${ids.length}; ${this.told().length} of ${this.hooks.length} told, faults: ${this.faults}`, () => {
      const told = new Set(this.told().map((h) => h.body.data.id));
      return ids.every((id) => told.has(id));
    }, withinMs);
    assert.deepEqual(this.faults, []);
  }
}

export async function startReceiver(stage, options) {
  const receiver = await new Receiver(options).listen();
  stage.defer(() => receiver.close());
  return receiver;
}
