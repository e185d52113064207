// Verification codes as a portal and a person have them: asked for at the door, read from the phone, typed in.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import yaml from 'js-yaml';
import { until } from './stage.mjs';

// The limits as wide as they go, so that what a test is about is not hidden behind them. No wait is under a second.
export const wide = {
  codes: { resends: 10, resends_day: 100, wait_first: '1s', wait_second: '1s', wait_later: '1s' },
  guard: { phone_hour: 1000, phone_day: 1000, prefix_hour: 10000, key_minute: 1000000, address_hour: 100000, day: 1000000,
    conversion_percent: 0 },
};

// A file of purposes with those of a test: {name: keys}. What is not said is what most tests want.
export function purposes(stage, of) {
  const file = stage.path(`purposes-${Object.keys(of).join('-')}.yaml`);
  const all = Object.fromEntries(Object.entries(of).map(([name, keys]) => [name,
    { template: 'code', length: 6, binding: 'none', ...keys }]));
  writeFileSync(file, yaml.dump(all));
  return file;
}

export const digitsIn = (text) => /[0-9]{6,10}/.exec(text)?.[0];
// Another one of the same length.
export const wrongFor = (code) => code.slice(0, -1) + ((Number(code.at(-1)) + 1) % 10);

export class Codes {
  // phones: whoever has texts of {to, text} as the phones showed them: a Centre or a Simulator.
  constructor(door, phones) { Object.assign(this, { door, phones }); }

  at(door) { return new Codes(door, this.phones); }

  ask(wish, headers) { return this.door.post('/v1/codes', { purpose: 'login', language: 'kk', ...wish }, headers); }

  // One that must be kept; answers the 202's body.
  async sent(wish, headers) {
    const r = await this.ask(wish, headers);
    assert.equal(r.status, 202, r.body);
    return r.json;
  }

  // The digits of the nth text to a number written +77...
  async read(to, n = 1, withinMs = 20000) {
    const text = await until(() => `text ${n} to a phone that has ${this.textsTo(to).length}`, () => this.textsTo(to)[n - 1], withinMs);
    const digits = digitsIn(text.text);
    assert.ok(digits, 'the text has no code');
    return digits;
  }

  textsTo(to) { return this.phones.texts.filter((t) => t.to === to.slice(1)); }

  // Sent and read; answers {id, code, ...the 202's body}.
  async opened(wish, headers) {
    const before = this.textsTo(wish.to).length;
    const sent = await this.sent(wish, headers);
    return { ...sent, code: await this.read(wish.to, before + 1) };
  }

  check(id, code, { binding, key } = {}) {
    return this.door.post(`/v1/codes/${id}/check`, { code, ...(binding === undefined ? {} : { binding }) },
      key ? { 'idempotency-key': key } : {});
  }

  async result(id, code, options) {
    const r = await this.check(id, code, options);
    assert.equal(r.status, 200, r.body);
    return r.json;
  }

  resend(id, headers) { return this.door.post(`/v1/codes/${id}/resend`, {}, headers); }
  cancel(id) { return this.door.call('DELETE', `/v1/codes/${id}`); }

  async state(id) {
    const r = await this.door.get(`/v1/codes/${id}`);
    assert.equal(r.status, 200, r.body);
    return r.json;
  }

  // The door says no: status and code, and when to come again with 429.
  static refused(r, status, code, field) {
    assert.deepEqual([r.status, r.json.code], [status, code], r.body);
    if (field) assert.equal(r.json.field, field, r.body);
    if (status === 429) assert.ok(Number(r.headers['retry-after']) > 0, `${code} without Retry-After`);
    return r.json;
  }
}

// The first answer that is not to come again in a moment: the waits between two codes are the door's to end.
export async function notTooSoon(ask, withinMs = 10000) {
  let last;
  return until(() => `no more too_soon: ${last.body}`, async () => {
    last = await ask();
    return last.json.code !== 'too_soon' && last;
  }, withinMs, 100);
}

// The same, of what must be kept; answers the 202's body.
export async function sentAgain(ask, withinMs) {
  const r = await notTooSoon(ask, withinMs);
  assert.equal(r.status, 202, r.body);
  return r.json;
}
