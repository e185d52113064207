// Somebody who guesses the codes of one phone, by every way that the door has.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const scripts = [0x30, 0xff10, 0x0660, 0x06f0]; // ASCII, full-width, Arabic-Indic, its Persian form
const write = (code, zero) => [...code].map((d) => String.fromCodePoint(zero + Number(d))).join('');

export class Guesser {
  // codes: a Codes of each door; purposes: [{purpose, binding}].
  constructor(codes, to, purposes, chance) {
    Object.assign(this, { codes, to, purposes, chance, open: [], told: {}, judged: [], over: false });
  }

  async attack() {
    while (!this.over) {
      const way = this.chance.next();
      if (this.open.length === 0 || way < 0.15) await this.quietly(() => this.begin());
      else if (way < 0.25) await this.quietly(() => this.again());
      else if (way < 0.35) await this.sameKey();
      else await this.volley(1 + this.chance.below(8));
      await pause(10 + this.chance.below(40)); // the attacker's own pace
    }
  }

  // A daemon that was killed meanwhile answers nothing; the attacker tries elsewhere.
  async quietly(ask) {
    try {
      const r = await ask();
      const word = r.json?.result ?? r.json?.code ?? r.status;
      this.told[word] = (this.told[word] ?? 0) + 1;
      return r;
    } catch (e) {
      if (!e.code || e.code === 'ERR_ASSERTION') throw e;
      return null;
    }
  }

  async begin() {
    const how = this.chance.one(this.purposes);
    const r = await this.chance.one(this.codes).ask({ to: this.to, ...how });
    if (r.status === 202) this.open.push({ id: r.json.id, binding: how.binding });
    return r;
  }

  again() { return this.chance.one(this.codes).resend(this.chance.one(this.open).id); }

  async guess({ id, binding }, code, key) {
    const text = write(code, this.chance.one(scripts));
    const r = await this.quietly(() => this.chance.one(this.codes).check(id, text, { binding, key }));
    if (['wrong', 'approved'].includes(r?.json?.result)) this.judged.push({ id, code, key, result: r.json.result });
  }

  random() { return String(this.chance.below(1000000)).padStart(6, '0'); }

  // At once, over all doors, of the newest codes and of older ones.
  volley(n) {
    return Promise.all(Array.from({ length: n }, () => this.guess(this.chance.one(this.open.slice(-4)), this.random(), randomUUID())));
  }

  // One key for different guesses must not make one try of them.
  sameKey() {
    const [one, key] = [this.open.at(-1), randomUUID()];
    return Promise.all(Array.from({ length: 4 }, () => this.guess(one, this.random(), key)));
  }

  // Guesses that were told right or wrong; the same one under the same key told nothing new.
  get guesses() { return new Set(this.judged.map((g) => `${g.id} ${g.code} ${g.key}`)).size; }
}
