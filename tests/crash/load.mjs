// The portal: messages at a steady pace by several clients. A request without an answer, or answered 409, 429 or 503, is
// repeated with its Idempotency-Key until it is answered 202, as the API asks; sooner than Retry-After says, so that
// there is load in every moment of a recovery.
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { wishOf } from './wishes.mjs';

const CLIENTS = 64;
const ANSWER_MS = 5000;
const again = new Set([409, 429, 503]);

export class Load {
  constructor({ port, key, seed, rate, chance }) {
    Object.assign(this, { port, key, seed, rate, chance, next: 0, over: false, due: performance.now() });
    this.answers = [];  // id by number
    this.seen = new Map(); // number -> states in the order they were asked for
    this.count = { repeated: 0, unanswered: 0, proved: 0 };
    this.statuses = {};
    this.waits = []; // ms from the first try to the 202
    this.faults = [];
    this.agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS + 4 });
    this.done = Promise.all([...Array.from({ length: CLIENTS }, () => this.client()), this.watcher()]);
    this.done.catch(() => {});
  }

  // Answers {status, json}; throws when none comes.
  ask(method, path, headers, body) {
    return new Promise((resolve, reject) => {
      const request = http.request({ host: '127.0.0.1', port: this.port, agent: this.agent, method, path, timeout: ANSWER_MS,
        headers: { authorization: `Bearer ${this.key}`, ...headers } }, (response) => {
        const parts = [];
        response.on('data', (d) => parts.push(d));
        response.on('error', reject);
        response.on('end', () => {
          try {
            resolve({ status: response.statusCode, json: JSON.parse(Buffer.concat(parts).toString()) });
          } catch (e) {
            reject(e);
          }
        });
      });
      request.on('timeout', () => request.destroy(new Error('no answer in time')));
      request.on('error', reject);
      request.end(body);
    });
  }

  // Its turn by the pace; what an outage has held up comes as fast as it is taken.
  async turn() {
    this.due += 1000 / this.rate;
    const early = this.due - performance.now();
    if (early > 0) await pause(early);
  }

  async client() {
    for (;;) {
      await this.turn();
      if (this.over) return;
      await this.send(this.next++);
    }
  }

  post(wish) {
    const body = JSON.stringify(wish.body);
    return this.ask('POST', '/v1/messages', { 'content-type': 'application/json', 'idempotency-key': wish.key,
      'content-length': Buffer.byteLength(body) }, body);
  }

  // Until its 202; answers the id.
  async keep(n, wish) {
    for (;;) {
      const answer = await this.post(wish).catch(() => null);
      if (answer?.status === 202) return answer.json.id;
      if (answer && !again.has(answer.status)) {
        this.faults.push(`message ${n} was answered ${answer.status}: ${JSON.stringify(answer.json)}`);
        return null;
      }
      if (answer) this.statuses[answer.status] = (this.statuses[answer.status] ?? 0) + 1;
      else this.count.unanswered += 1;
      this.count.repeated += 1;
      await pause(this.chance.between(30, 120));
    }
  }

  async send(n) {
    const wish = wishOf(this.seed, n);
    const began = performance.now();
    const id = await this.keep(n, wish);
    this.answers[n] = id;
    this.waits.push(performance.now() - began);
    if (id === null || !this.chance.yes(0.02)) return;
    this.count.proved += 1; // the client whose answer was lost on its way
    const second = await this.keep(n, wish);
    if (second !== id) this.faults.push(`message ${n} was answered ${id}, and its repetition ${second}`);
  }

  // Asks for a message's state and notes it.
  async look(n) {
    const answer = await this.ask('GET', `/v1/messages/${this.answers[n]}`, {}).catch(() => null);
    if (!answer || again.has(answer.status)) return;
    if (answer.status !== 200) this.faults.push(`message ${n} was asked for and answered ${answer.status}`);
    else this.seen.get(n).push(answer.json.state);
  }

  // Follows some messages through their lives, the newest most often.
  async watcher() {
    const followed = [];
    while (!this.over) {
      await pause(20);
      const n = this.next - 1 - this.chance.below(50);
      if (this.answers[n] && !this.seen.has(n)) {
        this.seen.set(n, []);
        followed.push(n);
      }
      const at = followed.length - 1 - Math.floor(this.chance.next() ** 2 * followed.length);
      if (at >= 0) await this.look(followed[at]);
    }
  }

  // No new ones; resolves when all have their 202.
  async stop() {
    this.over = true;
    await this.done;
  }

  // Each message that was looked at, once more.
  async lookAgain() {
    for (const n of this.seen.keys()) await this.look(n);
    this.agent.destroy();
  }
}
