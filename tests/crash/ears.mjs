// The portal's endpoint for webhooks: notes which ends it was told, and how often.
import http from 'node:http';
import { freePort } from '../lib/stage.mjs';

export class Ears {
  static async open(stage) {
    const ears = new Ears();
    Object.assign(ears, { told: new Map(), repeated: 0, port: await freePort() });
    const server = http.createServer(async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      ears.hear(JSON.parse(body).data);
      response.writeHead(204).end();
    });
    await new Promise((resolve) => server.listen(ears.port, '127.0.0.1', resolve));
    stage.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    return ears;
  }

  get url() { return `http://127.0.0.1:${this.port}/`; }

  hear({ id, state }) {
    if (this.told.has(id)) this.repeated += 1;
    else this.told.set(id, new Set());
    this.told.get(id).add(state);
  }
}
