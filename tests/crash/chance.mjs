// Chance that can be had again: the same seed, the same numbers (mulberry32).
export class Chance {
  constructor(seed) { this.state = seed >>> 0; }

  // 0 <= x < 1
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let x = this.state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  }

  between(low, high) { return low + this.next() * (high - low); }
  below(n) { return Math.floor(this.next() * n); }
  yes(share) { return this.next() < share; }
  one(list) { return list[this.below(list.length)]; }
}
