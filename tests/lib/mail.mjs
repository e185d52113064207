// A mail server that others wrote (aiosmtpd), and its letters as Python's email package reads them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { top, until } from './stage.mjs';

export class MailServer {
  // It refuses full@ with 450, later@ with 450 the first time, nobody@ with 550 5.1.1, old@ with 553, the letters of spam@ with 554; others it takes.
  static async start(stage) {
    const m = new MailServer();
    m.dir = stage.path('mail');
    mkdirSync(m.dir);
    m.process = stage.start('mail', '/usr/bin/python3', [join(top, 'tests/net/smtp_server.py'), m.dir, '--journey']);
    await until('the mail server listens', () => m.process.out().includes('\n'));
    [m.clear, m.starttls, m.tls] = m.process.out().split('\n')[0].split(' ').map(Number);
    writeFileSync(join(m.dir, 'password'), 'құпия\n', { mode: 0o600 });
    return m;
  }

  // The section of kezek.yaml by which it is found.
  config(over = {}) {
    return { url: `smtp://127.0.0.1:${this.starttls}`, user: 'kezek', password_file: join(this.dir, 'password'),
      tls_ca: join(this.dir, 'server.crt'), from: 'queue@example.kz', from_name: 'Балабақша кезегі',
      unsubscribe: 'https://portal.example.kz/notices', ...over };
  }

  get letters() {
    return this.process.out().split('\n').slice(1, -1).map((line) => JSON.parse(line));
  }

  // The letters to an address, when there are so many.
  to(address, n = 1) {
    return until(() => `letters to ${address}: ${JSON.stringify(this.letters)}`, () => {
      const to = this.letters.filter((l) => l.recipient === address);
      return to.length >= n && to;
    });
  }
}
