// kezekd under load, with the same face as Kannel has in kannel.mjs.
import { wide } from '../lib/codes.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { until } from '../lib/stage.mjs';
import { load } from './measure.mjs';

// One UCS-2 SMS, as most are.
const body = JSON.stringify({ to: '+7701{n}', text: 'Құрметті ата-ана! Кезек №{n}. Тексеру: *1234#' });
const code = JSON.stringify({ purpose: 'login', to: '+7701{s}', language: 'kk' });
// Nothing is refused for waiting long, and no code for being one of many: the load is more than an operator takes.
const config = { ...wide, queue: { max_messages: 5000000, max_age: '1h' }, log: { level: 'warn' } };

export class KezekUnderLoad {
  static async start(stage, smscPort, database) {
    const k = new KezekUnderLoad();
    Object.assign(k, { stage, database });
    k.daemon = await Kezek.start(stage, database, { config, operators: { one: operator(stage, { port: smscPort,
      modes: ['transceiver', 'transceiver'], link: { window: 1000, rate: 100000 } }) } });
    return k;
  }

  get pids() { return [this.daemon.process.pid]; }
  get port() { return this.daemon.port; }
  bound() { return this.daemon.bound(); }

  load(args) {
    return load(this.stage, ['--port', this.daemon.port, '--key', this.daemon.door.key, '--body', body, ...args]);
  }

  // Codes, or what is held against them: --body or --lines of args.
  loadCodes(args) { return this.load(['--path', '/v1/codes', '--body', code, ...args]); }

  // Waits until that many have their final receipt committed; answers when, by the database's look at its clock. Receipts
  // are counted as they come, so that the database is asked only at the end.
  async settled(n, withinMs) {
    let last;
    await until(() => `receipts: ${last} of ${n}`,
      async () => (last = await this.daemon.metric('kezek_receipts_total')) >= n, withinMs, 50);
    return until('the last commits', async () => {
      const [[ended, at]] = await this.database.ask(
        'select count(*), (extract(epoch from now()) * 1000)::bigint from message_event where final');
      return Number(ended) >= n && Number(at);
    }, 60000, 50);
  }

  // Waits until no connections are left of those that went.
  async empty() {
    await until('the door is empty', async () => await this.daemon.metric('kezek_http_connections') < 100, 30000, 50);
  }

  // Requests that took too long and were told so.
  sentAway() { return this.daemon.metric('kezek_http_refused_total{code="request_timeout"}'); }

  async kill() { await this.daemon.stop(); }
}
