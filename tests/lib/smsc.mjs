// A message centre on the npm package `smpp`, which shares no code with kezek. It judges each submit_sm by itself,
// decodes each part by itself, joins parts by UDH, SAR or payload, and sends receipts in the spelling that it is told.
import { createRequire } from 'node:module';
import { freePort, until } from './stage.mjs';

const require = createRequire(import.meta.url);
const smpp = require('smpp');
const { commands, tlvs, encodings, PDU } = smpp;
const decodeGsm = encodings.ASCII.decode;
const decodeUcs2 = encodings.UCS2.decode;

// Octets as they came, not the package's guess at a text. Its lengths in decoding (not its packing) stay.
for (const name of ['submit_sm', 'deliver_sm']) delete commands[name].params.short_message.filter;
delete tlvs.message_payload.filter;
for (const name of ['submit_sm']) delete commands[name].params.validity_period.filter;
PDU.maxLength = 70000;

const STATES = { DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, ACCEPTD: 6, UNKNOWN: 7, REJECTD: 8, ENROUTE: 1 };

// How a number is written where it was given out and where it comes back: [in submit_sm_resp, in receipts].
const SPELLINGS = {
  same: (n) => [String(n), String(n)],
  'hex-decimal': (n) => [n.toString(16), String(n)],
  'HEX-decimal': (n) => [n.toString(16).toUpperCase(), String(n)],
  'decimal-hex': (n) => [String(n), n.toString(16)],
  padded: (n) => [String(n), String(n).padStart(10, '0')],
  'padded-cut': (n) => [String(n).padStart(12, '0'), String(n)],
  case: (n) => [`ab${n.toString(16)}f`, `AB${n.toString(16).toUpperCase()}F`],
  text: (n) => [`id-${n}.x`, `id-${n}.x`],
};

function concatenation(pdu) {
  const sm = pdu.short_message ?? Buffer.alloc(0);
  if (pdu.message_payload) {
    if (sm.length) throw new Error('short_message and message_payload in one PDU');
    if (pdu.esm_class & 0x40) throw new Error('a UDH before a payload');
    return { mode: 'payload', reference: null, number: 1, total: 1, data: pdu.message_payload };
  }
  const one = { mode: 'single', reference: null, number: 1, total: 1, data: sm };
  if (pdu.esm_class & 0x40) {
    const end = sm[0] + 1;
    for (let at = 1; at < end; at += sm[at + 1] + 2) {
      const ie = sm.subarray(at + 2, at + 2 + sm[at + 1]);
      if (sm[at] === 0x00) return { mode: 'udh8', reference: ie[0], total: ie[1], number: ie[2], data: sm.subarray(end) };
      if (sm[at] === 0x08)
        return { mode: 'udh16', reference: ie.readUInt16BE(0), total: ie[2], number: ie[3], data: sm.subarray(end) };
    }
    return { ...one, data: sm.subarray(end) };
  }
  if (pdu.sar_total_segments !== undefined)
    return { mode: 'sar', reference: pdu.sar_msg_ref_num, total: pdu.sar_total_segments,
      number: pdu.sar_segment_seqnum, data: sm };
  return one;
}

// A part as a phone would show it alone; throws when it cannot be shown.
function decode(data, coding, part) {
  if (coding === 8) {
    if (data.length % 2) throw new Error('half a UCS-2 unit');
    const text = decodeUcs2(data);
    if (!text.isWellFormed?.() && /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text))
      throw new Error('a surrogate pair is split');
    return text;
  }
  if (coding !== 0) throw new Error(`data_coding ${coding}`);
  if (data.some((b) => b > 0x7f)) throw new Error('not septets');
  if (data.at(-1) === 0x1b) throw new Error('an escape is split from its character');
  return decodeGsm(data);
}

export class Centre {
  constructor(options) {
    this.options = {
      password: 'secret', spelling: 'same', firstId: 1000,
      receipts: true,         // answer each submission with a receipt
      keepsReceipts: false,   // unacknowledged ones go again after the next bind, refused ones a little later
      via: 'deliver_sm',      // or data_sm
      form: 'text',           // tlv | both | payload (text in the message_payload TLV)
      state: 'DELIVRD',
      esmClass: 0x04,
      echo: false,            // receipts bring the submission's user_message_reference back
      before: false,          // the receipt goes before the submit_sm_resp
      wording: null,          // (fields) => text of the receipt
      onSubmit: null,         // (submit) => {status, silent, after (a promise), noId, noReceipt, state} | undefined; may be async
      onBind: null,           // (pdu) => command_status
      tls: null,              // {key, cert}: PEM texts
      accounts: {},           // system_id: options of its own
      ...options,
    };
    this.binds = [];
    this.submits = [];
    this.texts = [];
    this.faults = [];
    this.acks = [];
    this.receiptsSent = [];
    this.open = new Map();
    this.next = this.options.firstId;
    this.sessions = new Set();
  }

  listen(port) {
    this.port = port;
    this.server = smpp.createServer(this.options.tls ?? {}, (session) => this.serve(session));
    this.server.on('error', (e) => this.faults.push(e));
    this.server.on('tlsClientError', () => {});
    return new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
  }

  account(systemId) { return { ...this.options, ...this.options.accounts[systemId] }; }

  // Hangs up on everybody and listens no more.
  async close() {
    if (!this.server) return;
    const server = this.server;
    this.server = null;
    for (const s of this.sessions) s.destroy();
    await new Promise((resolve) => server.close(resolve));
  }

  serve(session) {
    this.sessions.add(session);
    session.on('error', () => session.destroy());
    session.on('close', () => this.sessions.delete(session));
    for (const kind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver'])
      session.on(kind, (pdu) => this.bind(session, kind, pdu));
    session.on('enquire_link', (pdu) => session.send(pdu.response()));
    session.on('unbind', (pdu) => {
      session.send(pdu.response());
      session.close();
    });
    session.on('submit_sm', (pdu) => this.submit(session, pdu).catch((e) => this.faults.push(e)));
  }

  bind(session, kind, pdu) {
    const options = this.account(pdu.system_id);
    let status = pdu.password === options.password ? 0 : smpp.ESME_RINVPASWD;
    if (options.onBind) status = options.onBind(pdu) ?? status;
    this.binds.push({ kind, systemId: pdu.system_id, password: pdu.password, status, at: Date.now() });
    session.systemId = pdu.system_id;
    session.kind = status ? null : kind;
    session.send(pdu.response({ command_status: status, system_id: 'npm' }));
    if (session.kind && this.options.keepsReceipts) this.deliverKept(session.systemId);
  }

  // A session on which receipts for that account may go.
  receiver(systemId) {
    return [...this.sessions].find((s) => s.systemId === systemId && s.kind && s.kind !== 'bind_transmitter'
      && s.socket.writable);
  }

  async submit(session, pdu) {
    const options = this.account(session.systemId);
    const [given, receipted] = SPELLINGS[options.spelling](this.next++);
    const c = concatenation(pdu);
    const submit = {
      at: Date.now(), session, systemId: session.systemId, kind: session.kind, pdu, ...c,
      to: pdu.destination_addr, from: pdu.source_addr, text: decode(c.data, pdu.data_coding),
      octets: (pdu.short_message ?? pdu.message_payload).length, id: given, receiptId: receipted,
    };
    if (session.kind === 'bind_receiver') this.faults.push(new Error('submit_sm on a receiver'));
    if (!pdu.message_payload && pdu.ussd_service_op === undefined && submit.octets > 140 + (pdu.data_coding === 0 ? 20 : 0))
      this.faults.push(new Error(`${submit.octets} octets in one part`));
    this.submits.push(submit);
    const verdict = (await options.onSubmit?.(submit)) ?? {};
    submit.status = verdict.status ?? 0;
    if (verdict.silent) {
      submit.status = null;
      return;
    }
    if (verdict.after) await verdict.after;
    if (submit.status) {
      session.send(pdu.response({ command_status: submit.status }));
      return;
    }
    const wantsReceipt = options.receipts && (pdu.registered_delivery & 0x03) && !verdict.noReceipt;
    if (wantsReceipt && options.before) this.receipt(submit, verdict);
    session.send(pdu.response({ message_id: verdict.noId ? '' : given }));
    this.join(submit);
    if (wantsReceipt && !options.before) this.receipt(submit, verdict);
  }

  join(s) {
    if (s.total === 1) {
      this.texts.push({ to: s.to, from: s.from, systemId: s.systemId, mode: s.mode, parts: 1, text: s.text, at: s.at });
      return;
    }
    const key = `${s.systemId} ${s.to} ${s.mode} ${s.reference} ${s.total}`;
    const parts = this.open.get(key) ?? new Map();
    parts.set(s.number, s.text);
    this.open.set(key, parts);
    if (parts.size < s.total) return;
    this.open.delete(key);
    const text = Array.from({ length: s.total }, (_, i) => parts.get(i + 1)).join('');
    this.texts.push({ to: s.to, from: s.from, systemId: s.systemId, mode: s.mode, parts: s.total, text, at: s.at });
  }

  // Sends a receipt for a submission; o overrides options. Answers the record that the response will be noted in.
  receipt(submit, o = {}) {
    const { via, form, state, wording, esmClass, echo } = { ...this.account(submit.systemId), ...o };
    const record = { submit, sentAt: Date.now(), ackedAt: null, status: null };
    const stamp = new Date().toISOString().replace(/[-:T]/g, '').slice(2, 12);
    const fields = {
      id: submit.receiptId, sub: '001', dlvrd: state === 'DELIVRD' ? '001' : '000', submit: stamp, done: stamp, stat: state,
      err: state === 'DELIVRD' ? '000' : '001', text: submit.text.replace(/[^ -~]/g, '?').slice(0, 20),
    };
    const text = wording ? wording(fields)
      : `id:${fields.id} sub:${fields.sub} dlvrd:${fields.dlvrd} submit date:${fields.submit} done date:${fields.done} `
        + `stat:${fields.stat} err:${fields.err} text:`;
    const pdu = {
      source_addr_ton: 1, source_addr_npi: 1, source_addr: submit.to,
      dest_addr_ton: submit.pdu.source_addr_ton, dest_addr_npi: submit.pdu.source_addr_npi, destination_addr: submit.from,
      esm_class: esmClass, data_coding: 0,
    };
    if (form !== 'tlv') {
      if (via === 'data_sm' || form === 'payload') pdu.message_payload = Buffer.from(text, 'latin1');
      else pdu.short_message = Buffer.from(text, 'latin1');
    }
    if (form === 'tlv' || form === 'both') {
      pdu.receipted_message_id = submit.receiptId;
      pdu.message_state = STATES[state];
    }
    if (echo) pdu.user_message_reference = submit.pdu.user_message_reference;
    Object.assign(record, { via, pdu });
    if (this.receiver(submit.systemId) || this.options.keepsReceipts) this.receiptsSent.push(record);
    else this.faults.push(new Error(`nobody listens for receipts of ${submit.systemId}`));
    this.deliver(record);
    return record;
  }

  deliver(record) {
    const session = this.receiver(record.submit.systemId);
    record.session = session;
    session?.[record.via]({ ...record.pdu }, (response) => {
      if (response.command_status && this.options.keepsReceipts) {
        setTimeout(() => this.deliver(record), 300).unref();
        return;
      }
      record.ackedAt = Date.now();
      record.status = response.command_status;
      record.messageId = response.message_id;
      this.acks.push(record);
    });
  }

  // As an operator does: what was not acknowledged goes again when somebody listens again.
  deliverKept(systemId) {
    for (const r of this.receiptsSent)
      if (r.ackedAt === null && r.submit.systemId === systemId && !this.sessions.has(r.session)) this.deliver(r);
  }

  textsTo(to) { return this.texts.filter((t) => t.to === to); }

  text(to, withinMs) {
    return until(() => `an SMS to ${to} (have ${this.texts.length} texts, faults: ${this.faults.map((f) => f.message)})`,
      () => this.textsTo(to)[0], withinMs);
  }
}

export async function startCentre(stage, options = {}) {
  const centre = new Centre(options);
  await centre.listen(options.port ?? await freePort());
  stage.defer(() => centre.close());
  return centre;
}

export { smpp, STATES };
