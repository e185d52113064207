// A phone in the terminal: what kezekctl dial says and hears, over the daemon's control socket.
import assert from 'node:assert/strict';
import { Door } from './http.mjs';

export class Handset {
  constructor(k, phone) {
    this.k = k;
    this.phone = phone;
  }

  // Answers { page, end }. k: the daemon that hears it.
  async say(said, text, k = this.k) {
    const door = new Door({ socketPath: k.socket });
    try {
      const answer = await door.call('POST', '/control/dial', { body: { phone: this.phone, said, text }, hold: false });
      assert.equal(answer.status, 200, JSON.stringify(answer.json ?? answer.body));
      return answer.json;
    } finally {
      door.close();
    }
  }

  dial(code = '*1234#', k = this.k) { return this.say('dial', code, k); }

  type(text, k = this.k) { return this.say('type', text, k); }

  hangUp(k = this.k) { return this.say('cancel', '', k); }
}
