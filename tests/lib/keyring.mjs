// The keyring's file and what stands in the database under it, by other hands than the daemon's: a program of another
// language must read what it wrote (src/base/keyring.h, src/store/person.c).
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

// Daemons of one stage may share a database, so they share their keys. Answers the file.
export function makeKeyring(stage) {
  const file = stage.path('keyring');
  const key = () => randomBytes(32).toString('hex');
  if (!existsSync(file)) writeFileSync(file, `lookup ${key()}\n1 ${key()}\n`, { mode: 0o600 });
  return file;
}

const mac = (key, domain, octets) => createHmac('sha256', key).update(`${domain}\0`).update(octets).digest();

function octets(value, n) {
  const b = Buffer.alloc(8);
  b.writeBigUInt64BE(BigInt(value));
  return b.subarray(8 - n);
}

export class Keyring {
  constructor(file) {
    const lines = readFileSync(file, 'utf8').split('\n').map((l) => l.trim().split(/[ \t]+/)).filter(([name]) => name && name[0] !== '#');
    this.keys = new Map(lines.map(([name, hex]) => [name, Buffer.from(hex, 'hex')]));
    this.newest = Math.max(...[...this.keys.keys()].filter((n) => n !== 'lookup').map(Number));
  }

  lookup(domain, bytes) { return mac(this.keys.get('lookup'), domain, bytes).readBigInt64BE() || 1n; }

  phone(digits) { return this.lookup('phone', octets(digits, 8)); }

  iin(digits) { return this.lookup('iin', Buffer.from(digits)); }

  rowKey(id, domain, about) { return mac(mac(this.keys.get(String(id)), '\0seal', ''), domain, octets(about, 8)); }

  seal(domain, about, bytes) {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.rowKey(this.newest, domain, about), nonce);
    return Buffer.concat([octets(this.newest, 2), nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }

  open(domain, about, sealed) {
    const cipher = createDecipheriv('aes-256-gcm', this.rowKey(sealed.readUInt16BE(), domain, about), sealed.subarray(2, 14));
    cipher.setAuthTag(sealed.subarray(-16));
    return Buffer.concat([cipher.update(sealed.subarray(14, -16)), cipher.final()]);
  }

  // Of a message's personal fields, without a code.
  sealPerson(id, { to, sender = null, text }) {
    return this.seal('message_person', id, Buffer.concat([octets(sender === null ? 0 : 1, 1), octets(to, 8),
      Buffer.from(sender === null ? '' : `${sender}\0`), Buffer.from(text)]));
  }

  // As a row of an insert into message_person.
  personRow(id, person) { return `(${id}, ${this.phone(person.to)}, null, '\\x${this.sealPerson(id, person).toString('hex')}')`; }

  // {to, sender, code, text}; code: what stands for it, null without one.
  openPerson(id, sealed) {
    const clear = this.open('message_person', id, sealed);
    let at = 9, sender = null, code = null;
    if (clear[0] & 1) {
      const end = clear.indexOf(0, at);
      sender = clear.toString('utf8', at, end);
      at = end + 1;
    }
    if (clear[0] & 2) {
      code = { id: clear.readBigUInt64BE(at), key: clear.readUInt16BE(at + 8), issue: clear.readUInt32BE(at + 10), length: clear[at + 14] };
      at += 15;
    }
    return { to: clear.readBigUInt64BE(1), sender, code, text: clear.toString('utf8', at) };
  }
}
