// Rows of the queue's records as whoever feeds them leaves them, written beside the door.
import { Keyring } from './keyring.mjs';

// A person's number that begins with the seven digits; the serial is the first that is not below the given one.
export function iin(head, serial) {
  const digits = (i) => `${head}${String(i % 10000).padStart(4, '0')}`;
  for (let i = serial; ; i++) {
    const d = [...digits(i)].map(Number);
    let check = d.reduce((sum, n, at) => sum + n * (at + 1), 0) % 11;
    if (check === 10) check = d.reduce((sum, n, at) => sum + n * [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2][at], 0) % 11;
    if (check < 10) return `${digits(i)}${check}`;
  }
}

export class Rows {
  constructor(k) {
    this.database = k.database;
    this.keys = new Keyring(k.config.keyring);
  }

  // A district of the sample's region, its kindergarten and a group of the same number, for children from 1 to 6.
  async group(id, { free = 1, district = id, ages = [1, 7], language = 0, priorityUntil = 'null' } = {}) {
    await this.database.ask(`insert into district values (${district}, 'sample', 'Медеу', 'Медеуский', 'Medeu') on conflict do nothing;
      insert into kindergarten values (${id}, ${district}, 'Айгөлек', 'Айголек', 'Aigolek');
      insert into play_group values (${id}, ${id}, ${ages[0]}, ${ages[1]}, ${language});
      insert into vacancy values (${id}, ${free}, now() - interval '1 hour', ${priorityUntil}, 1, 1, null)`);
  }

  application(number, { district = 1, category = 'general', head = '2109155', status = 0, phoneOf = number } = {}) {
    const child = iin(head, number % 5000), parent = iin('8501014', number % 5000), phone = 77010000000n + BigInt(phoneOf % 9999999);
    const octets = Buffer.alloc(8);
    octets.writeBigUInt64BE(phone);
    const sealed = this.keys.seal('application', number, Buffer.concat([Buffer.from([1, 1]), Buffer.from(child + parent), octets,
      Buffer.from('Айгерім\0Серікқызы\0\0')]));
    const year = (head[6] > '4' ? 2000 : 1900) + Number(head.slice(0, 2));
    return `(${number}, ${district}, '${category}', ${year}, now() - interval '1 year', ${status}, 0, 0, 0, 1, '${child.slice(-4)}',
      ${this.keys.iin(child)}, ${this.keys.iin(parent)}, null, ${this.keys.phone(phone)}, null, '\\x${sealed.toString('hex')}', null, 1, 1)`;
  }

  async applications(numbers, more = {}) {
    await this.database.ask(`insert into application values ${numbers.map((n) => this.application(n, more)).join(', ')}`);
  }
}
