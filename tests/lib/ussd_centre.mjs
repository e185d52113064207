// Phones behind the message centre on the npm package `smpp`, in two dialects of USSD. The orders and answers are those of
// phones.mjs, and no line of either side is kezek's.
import { until } from './stage.mjs';

const its = (pdu) => (Buffer.isBuffer(pdu.its_session_info) ? pdu.its_session_info.readUInt16BE(0) : null);
const session = (n, end) => ({ its_session_info: Buffer.from([n >> 7 & 0xff, n << 1 & 0xfe | (end ? 1 : 0)]) });

const dialects = {
  // Fifteen bits of its_session_info and the number; the lowest bit says the end.
  sixdee: {
    to: (code) => /\d+/.exec(code)[0],
    fields: session,
    is: (pdu, n) => its(pdu) !== null && its(pdu) >> 1 === (n & 0x7fff),
    how: (pdu) => ({ '2-0': 'page', '17-1': 'last' })[`${pdu.ussd_service_op}-${its(pdu) & 1}`],
    cancel: { op: 18, end: true },
  },
  // user_message_reference and the number; the code stands in the first text alone.
  reference: {
    to: () => '9090',
    from: (code) => /\d+/.exec(code)[0],
    fields: (n) => ({ user_message_reference: n }),
    is: (pdu, n) => pdu.user_message_reference === n,
    how: (pdu) => ({ 2: 'page', 17: 'last' })[pdu.ussd_service_op],
    cancel: { op: 129 },
  },
};

class Phone {
  constructor(centre, dialect, number, from) {
    Object.assign(this, { centre, number, from, dialect: dialects[dialect], asked: 0 });
  }

  // The submissions that are pages of this dialogue, in order.
  pages() {
    return this.centre.submits.filter((s) => s.to === this.from && s.pdu.ussd_service_op !== undefined
      && this.dialect.is(s.pdu, this.session));
  }

  async say(op, text, { end = false } = {}) {
    const code = this.dialect.to(this.code);
    this.last = { op, text, end };
    const response = await new Promise((resolve) => {
      this.centre.receiver('kezek').deliver_sm({ service_type: 'USSD', source_addr_ton: 1, source_addr_npi: 1,
        source_addr: this.from, destination_addr: code, data_coding: /[^ -~]/.test(text) ? 8 : 0, ussd_service_op: op,
        short_message: /[^ -~]/.test(text) ? Buffer.from(text, 'utf16le').swap16() : Buffer.from(text, 'latin1'),
        ...this.dialect.fields(this.session, end) }, resolve);
    });
    return response.command_status ? { error: `refused: ${response.command_status}` } : { ok: true };
  }

  async ask(op, text) {
    const at = this.asked++;
    const said = await this.say(op, text);
    if (said.error) return said;
    await until(() => `page ${at + 1} after ${text}`, () => this.pages().length > at);
    const { pdu, text: page } = this.pages()[at];
    const faults = [];
    if (pdu.service_type !== 'USSD') faults.push('service_type');
    if (pdu.source_addr !== (this.dialect.from ?? this.dialect.to)(this.code)) faults.push('source');
    const how = this.dialect.how(pdu);
    if (!how) faults.push('ussd_service_op');
    return { text: page, how, units: page.length, alphabet: pdu.data_coding === 8 ? 'ucs2' : 'gsm7', faults };
  }

  dial(code) {
    Phone.sessions = (Phone.sessions ?? 600) + 1;
    Object.assign(this, { code, session: Phone.sessions, asked: 0 });
    return this.ask(1, code);
  }

  type(text) { return this.ask(18, text); }
  repeat() { return this.ask(this.last.op, this.last.text); }
  cancel() { return this.say(this.dialect.cancel.op, '', this.dialect.cancel); }

  // What came more than was asked for.
  unasked() { return this.pages().slice(this.asked); }
}

export const centrePhone = (centre, dialect, number, { from = number } = {}) => new Phone(centre, dialect, number, from);
