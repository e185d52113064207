// The phones' side of USSD: what each dialect sends, what it makes of pages, and how it judges them.
import assert from 'node:assert/strict';
import { binaries, journey, until } from '../lib/stage.mjs';
import { Phones } from '../lib/phones.mjs';
import { Client, Smsc, smpp, words } from './client.mjs';

smpp.addTLV('ussd_session_id', { id: 0x1501, type: smpp.types.tlv.int32 });

const number = '77011234567';
const op = (pdu) => pdu.ussd_service_op;
const its = (pdu) => pdu.its_session_info?.readUInt16BE(0);
const short = (v) => Buffer.from([v >> 8, v & 255]);
const ucs2 = (text) => Buffer.from(text, 'utf16le').swap16();

// An application behind a client. answer(pdu, n) is asked for the page of each question: {text, last, ...fields} or null.
async function application(stage, dialect, { args = [], answer = () => null } = {}) {
  const socket = stage.path('phones.sock');
  const smsc = await Smsc.json(stage, '--ussd', dialect, '--phones', socket, ...args);
  const client = await Client.bound(smsc);
  const phones = await Phones.open(stage, socket);
  const a = { smsc, client, phones, phone: phones.phone(number), heard: [], statuses: [], answer };
  a.send = async (fields, command = 'submit_sm') => {
    const response = await client.ask(command, fields);
    a.statuses.push(response.command_status);
    return response;
  };
  client.receipt = (pdu) => {
    a.heard.push(pdu);
    client.session.send(pdu.response({ command_status: a.status ?? 0 }));
    const page = a.answer(pdu, a.heard.length);
    if (page) a.page(pdu, page);
  };
  // A page as a service of the plainest kind sends it: addresses swapped, numbers echoed.
  a.page = (pdu, { text, last = false, command = 'submit_sm', ...fields }) => {
    const payload = command === 'data_sm' ? { message_payload: { message: Buffer.from(text) } }
      : { short_message: { message: Buffer.from(text) } };
    const echo = Object.fromEntries(['its_session_info', 'user_message_reference', 'ussd_session_id']
      .filter((k) => pdu[k] !== undefined).map((k) => [k, pdu[k]]));
    const all = { service_type: 'USSD', source_addr: pdu.destination_addr, destination_addr: pdu.source_addr,
      ussd_service_op: last ? 17 : 2, ...echo, ...payload, ...fields };
    return a.send(Object.fromEntries(Object.entries(all).filter(([, v]) => v !== undefined)), command);
  };
  return a;
}

const menu = (pdu, n) => ({ text: n === 3 ? 'the end' : `page ${n}`, last: n === 3 });

// dial, type, end; then dial and cancel. extra(page, pdu): fields that the dialect wants.
const dialects = [
  { name: 'opaque', extra: (pdu, last) => ({ ussd_service_op: 2, its_session_info: short(its(pdu) | (last ? 1 : 0)) }),
    ops: [1, 18, 2, 1, 17], to: '*123*4#', type: '', first: '' },
  { name: 'reference', ops: [1, 18, 18, 1, 129], to: '9090' },
  { name: 'sixdee', extra: (pdu, last) => ({ its_session_info: short(its(pdu) | (last ? 1 : 0)) }), ops: [1, 18, 18, 1, 18],
    bit: true },
  { name: 'comverse', ops: [1, 18, 18, 1, 18] },
  { name: 'huawei', ops: [1, 18, 18, 1, 18], bit: true },
  { name: 'bare', ops: [1, 18, 18, 1, 129] },
  { name: 'reply', extra: () => ({ its_reply_type: 5 }), ops: [1, 18, 18, 1, 129] },
  { name: 'raw', extra: () => ({ command: 'data_sm' }), ops: [1, 18, 18, 1, 129], command: 'data_sm' },
];

for (const d of dialects) {
  journey(`ussd__whole_dialogue_in_${d.name}__pages_shown_nothing_odd`, async (stage) => {
    const a = await application(stage, d.name, {
      answer: (pdu, n) => n < 5 && { ...menu(pdu, n), ...d.extra?.(pdu, n === 3) } });
    const shown = [await a.phone.dial('*123*4#'), await a.phone.type('1'), await a.phone.type('2'), await a.phone.dial('*123*4#')];
    assert.deepEqual(await a.phone.cancel().then((r) => r.ok), true);
    await until('the cancel', () => a.heard.length === 5);
    assert.deepEqual(shown.map((p) => [p.text, p.how, p.units, p.alphabet, p.faults]), [['page 1', 'page', 6, 'gsm7', []],
      ['page 2', 'page', 6, 'gsm7', []], ['the end', 'last', 7, 'gsm7', []], ['page 4', 'page', 6, 'gsm7', []]]);
    assert.deepEqual(a.heard.map(op), d.ops);
    assert.ok(a.heard.every((p) => p.source_addr === number && p.destination_addr === (d.to ?? '123')
      && p.service_type === (d.type ?? 'USSD') && p.command === (d.command ?? 'deliver_sm')));
    assert.deepEqual(a.heard.slice(0, 3).map((p) => words(p)?.toString() ?? ''), [d.first ?? '*123*4#', '1', '2']);
    if (d.bit) assert.equal(its(a.heard[4]) & 1, 1);
    assert.deepEqual(a.smsc.events('odd'), []);
  });
}

const odd = (a) => a.smsc.events('odd').map((e) => e.what);
const go = { text: 'page' };

journey('ussd__huawei_turns__low_bits_count_and_need_not_come_back', async (stage) => {
  const a = await application(stage, 'huawei', { answer: (pdu) => ({ ...go, its_session_info: short(its(pdu) & 0xff00) }) });
  await a.phone.dial('*123#');
  assert.deepEqual((await a.phone.type('1')).faults, []);
  assert.deepEqual(a.heard.map((p) => its(p) & 0xff), [2, 4]);
});

journey('ussd__raw_number_with_its_low_bit_cleared__another_dialogue', async (stage) => {
  const a = await application(stage, 'raw', {
    answer: (pdu) => ({ ...go, command: 'data_sm', its_session_info: short(its(pdu) & 0xfffe) }), args: ['--ussd-deadline', '200ms'] });
  assert.match((await a.phone.dial('*123#')).error, /^no page/);
  assert.deepEqual(a.smsc.events('page').map((p) => p.faults), [['the page of another dialogue']]);
});

// What is wrong with one page: [name, dialect, fields of the page, words, status of the answer].
for (const [name, dialect, fields, fault, status] of [
  ['over_80_units', 'bare', { text: ucs2('ұ'.repeat(81)), data_coding: 8 }, 'the page is too long', 0x01],
  ['over_182_septets', 'bare', { text: 'x'.repeat(183) }, 'the page is too long', 0x01],
  ['extensions_are_two_septets', 'bare', { text: Buffer.from('\u001b<'.repeat(92)) }, 'the page is too long', 0x01],
  ['op_0x17_for_17', 'bare', { ...go, ussd_service_op: 0x17 }, 'a ussd_service_op that the dialect does not have', 0x45],
  ['no_op', 'bare', { ...go, ussd_service_op: undefined }, 'no ussd_service_op', 0x45],
  ['wrong_reference', 'reference', { ...go, user_message_reference: 999 }, 'the page of another dialogue', 0x45],
  ['no_session_id', 'comverse', { ...go, ussd_session_id: undefined }, 'the page of another dialogue', 0x45],
  ['binary', 'bare', { ...go, data_coding: 4 }, 'the text cannot be read', 0x45],
]) {
  journey(`ussd__page_${name}__refused_and_told`, async (stage) => {
    const a = await application(stage, dialect, { answer: () => fields, args: ['--ussd-deadline', '300ms'] });
    const r = await a.phone.dial('*123#');
    await until('the response', () => a.statuses.length);
    assert.deepEqual([a.statuses, a.smsc.events('page')[0].faults[0]], [[status], fault]);
    assert.ok(odd(a).includes(`${number}: ${fault}`));
    if (!/session_id|reference/.test(name)) assert.equal(r.error, fault);
  });
}

for (const [name, dialect, fields, fault] of [
  ['service_type', 'bare', { ...go, service_type: '' }, 'service_type is not USSD'],
  ['source', 'bare', { ...go, source_addr: '1414' }, 'source_addr is not what was dialled'],
  ['reply_type', 'reply', go, 'its_reply_type is not 5'],
  ['submit_for_data', 'raw', go, 'another PDU than the dialect\'s'],
  ['end_bit_missing', 'sixdee', { text: 'page', last: true }, 'the end bit contradicts ussd_service_op'],
  ['empty', 'bare', { text: '' }, 'the page is empty'],
  ['parts', 'bare', { ...go, esm_class: 0x40 }, 'a page in parts'],
]) {
  journey(`ussd__page_with_fault_of_${name}__shown_and_told`, async (stage) => {
    const a = await application(stage, dialect, { answer: () => fields });
    const r = await a.phone.dial('*123#');
    assert.ok(r.faults.includes(fault), JSON.stringify(r));
    assert.deepEqual(odd(a).filter((w) => w === `${number}: ${fault}`).length, 1);
  });
}

journey('ussd__longest_pages__shown_whole', async (stage) => {
  const pages = [{ text: ucs2('ұ'.repeat(78) + '😀'), data_coding: 8 }, { text: 'x'.repeat(182) },
    { text: ucs2('қ'.repeat(80)), data_coding: 0x48 }, { text: ucs2('ә'), data_coding: 0x11 }, { text: 'hi', data_coding: 15 }];
  const a = await application(stage, 'bare', { answer: (pdu, n) => pages[n - 1] });
  const shown = [await a.phone.dial('*123#')];
  for (let i = 1; i < pages.length; i++) shown.push(await a.phone.type('1'));
  assert.deepEqual(shown.map((p) => [p.units, p.alphabet, p.faults.length]),
    [[80, 'ucs2', 0], [182, 'gsm7', 0], [80, 'ucs2', 0], [1, 'ucs2', 0], [2, 'gsm7', 0]]);
  assert.equal(shown[3].text, 'ә');
});

journey('ussd__limits_by_option__hold', async (stage) => {
  const a = await application(stage, 'bare', { args: ['--ussd-septets', '10'], answer: () => ({ text: 'x'.repeat(11) }) });
  assert.equal((await a.phone.dial('*123#')).error, 'the page is too long');
});

journey('ussd__page_after_the_end_and_one_unasked__refused', async (stage) => {
  const a = await application(stage, 'sixdee', {
    answer: (pdu) => ({ text: 'bye', last: true, its_session_info: short(its(pdu) | 1) }) });
  await a.phone.dial('*123#');
  await until('the response', () => a.statuses.length === 1);
  await a.page(a.heard[0], go);
  const other = a.phones.phone('77010000002');
  a.answer = () => go;
  await other.dial('*123#');
  await a.page(a.heard[1], go);
  await a.page({ ...a.heard[1], source_addr: '77010000003', its_session_info: undefined }, { text: 'x', last: true,
    its_session_info: short(1) });
  assert.deepEqual(odd(a), [`${number}: a page after the end`, '77010000002: a page that nobody asked for',
    '77010000003: a page for a phone that never dialled']);
  assert.deepEqual(a.statuses, [0, 0x45, 0, 0x45, 0x45]);
});

journey('ussd__no_page_in_time__network_hangs_up_and_says_so', async (stage) => {
  const a = await application(stage, 'bare', { args: ['--ussd-deadline', '60ms'] });
  assert.equal((await a.phone.dial('*123#')).error, 'no page within 60 ms');
  await until('the cancel', () => a.heard.length === 2);
  assert.equal(op(a.heard[1]), 129);
  await a.page(a.heard[0], go);
  assert.deepEqual([odd(a), a.statuses, a.smsc.events('page').map((p) => p.gone)],
    [['no page within 60 ms'], [0], [true]]);
});

journey('ussd__repeat_of_what_was_said__both_pages_are_answers', async (stage) => {
  const a = await application(stage, 'opaque', { answer: (pdu, n) => ({ text: `page ${n}`, ussd_service_op: 2 }) });
  await a.phone.dial('*123#');
  const both = await Promise.all([a.phone.type('1'), a.phone.repeat()]);
  assert.deepEqual(both.map((p) => p.text), ['page 2', 'page 3']);
  const [one, two] = a.heard.slice(1);
  assert.notEqual(one.sequence_number, two.sequence_number);
  assert.deepEqual([its(one), op(one), words(one)], [its(two), op(two), words(two)]);
  assert.deepEqual(odd(a), []);
});

journey('ussd__hang_up_while_waiting__late_page_is_nobodys_fault', async (stage) => {
  const a = await application(stage, 'bare');
  const waits = a.phone.dial('*123#');
  await until('the dial', () => a.heard.length === 1);
  assert.deepEqual((await a.phone.hang()).ok, true);
  assert.equal((await waits).error, 'hung up');
  await a.page(a.heard[0], go);
  assert.deepEqual([odd(a), a.heard.length], [[], 1]);
  await a.page(a.heard[0], go);
  assert.deepEqual(odd(a), [`${number}: a page after the end`]);
});

journey('ussd__hidden_number__dialogue_by_its_key', async (stage) => {
  const a = await application(stage, 'raw', { answer: () => ({ ...go, command: 'data_sm' }) });
  const hidden = a.phones.phone('hidden', { from: '' });
  assert.deepEqual(await hidden.dial('*123#').then((p) => [p.text, p.faults]), ['page', []]);
  assert.equal(a.heard[0].source_addr, '');
});

journey('ussd__odd_answers__as_the_phone_would_send_them', async (stage) => {
  const a = await application(stage, 'bare', { answer: () => go });
  await a.phone.type('nobody dialled');
  await a.phone.type('Әлия 😀');
  await a.phone.type('я'.repeat(300));
  await a.phone.type('');
  assert.equal(op(a.heard[0]), 18);
  const [, letters, long, empty] = a.heard;
  assert.deepEqual([letters.data_coding, words(letters)], [8, 'Әлия 😀']);
  assert.deepEqual([long.message_payload.message, long.short_message.message.length], ['я'.repeat(300), 0]);
  assert.equal(words(empty).length, 0);
});

journey('ussd__said_and_not_taken__the_phone_hears_why', async (stage) => {
  const a = await application(stage, 'bare');
  a.status = 0x58;
  assert.equal((await a.phone.dial('*123#')).error, 'refused: 0x00000058');
  a.client.receipt = () => a.client.session.destroy();
  assert.equal((await a.phone.dial('*123#')).error, 'the link was lost');
  assert.equal((await a.phone.dial('*123#')).error, 'nobody is bound who could hear it');
});

journey('ussd__two_links__what_is_said_goes_by_both', async (stage) => {
  const a = await application(stage, 'sixdee', { answer: () => go });
  const second = await Client.bound(a.smsc);
  const heard = [];
  second.receipt = (pdu) => {
    heard.push(pdu);
    second.session.send(pdu.response());
    a.page(pdu, go);
  };
  await a.phone.dial('*123#');
  for (let i = 0; i < 3; i++) assert.deepEqual((await a.phone.type('1')).faults, []);
  assert.deepEqual([a.heard.length, heard.length], [2, 2]);
});

const push = (fields) => ({ service_type: 'USSD', source_addr: '123', destination_addr: number, ussd_service_op: 3,
  short_message: { message: Buffer.from('a place') }, ...fields });

journey('ussd__pushed_text__shown_and_confirmed', async (stage) => {
  const a = await application(stage, 'sixdee', { args: ['--ussd-push', 'tell'] });
  await a.send(push({ its_session_info: short(0x4242) }));
  await until('the confirm', () => a.heard.length === 1);
  assert.deepEqual([op(a.heard[0]), its(a.heard[0]), a.heard[0].destination_addr], [19, 0x4242, '123']);
  const [seen] = await until('the push', () => a.phone.pushed.length && a.phone.pushed);
  assert.deepEqual([seen.how, seen.text], ['tell', 'a place']);
  await a.phone.silent();
  await a.send(push());
  await a.send(push({ ussd_service_op: 2 }));
  assert.deepEqual([a.heard.length, odd(a), a.statuses], [1, [`${number}: a push, and none is allowed`], [0, 0, 0x45]]);
});

journey('ussd__pushed_question__answered_in_its_dialogue', async (stage) => {
  const a = await application(stage, 'reference', { args: ['--ussd-push', 'ask'], answer: () => ({ text: 'kept', last: true }) });
  await a.send(push({ ussd_service_op: 2, user_message_reference: 77 }));
  await until('the question', () => a.phone.pushed[0]?.how === 'ask');
  const kept = await a.phone.type('1');
  assert.deepEqual([kept.text, kept.how, kept.faults], ['kept', 'last', []]);
  assert.deepEqual([op(a.heard[0]), a.heard[0].user_message_reference], [18, 77]);
});

journey('ussd__push_to_a_phone_in_a_dialogue__busy', async (stage) => {
  const a = await application(stage, 'sixdee', { args: ['--ussd-push', 'ask'], answer: () => go });
  await a.phone.dial('*123#');
  await a.send(push());
  assert.deepEqual([a.statuses.at(-1), odd(a), a.smsc.events('page').at(-1).busy], [0x45, [], true]);
});

journey('ussd__sms_beside_pages__still_sms', async (stage) => {
  const a = await application(stage, 'bare', { answer: () => go });
  await a.phone.dial('*123#');
  await a.client.submit('an SMS');
  const [sms] = await a.smsc.wait('sms');
  assert.equal(sms.text, 'an SMS');
  assert.equal(a.smsc.events('page').length, 1);
});

journey('phones__lines_that_make_no_sense__answered_in_words', async (stage) => {
  const a = await application(stage, 'bare');
  const say = (fields) => a.phones.order(fields).then((r) => r.error);
  assert.match(await say({ do: 'sing', phone: '1' }), /^do is /);
  assert.match(await say({ do: 'dial', phone: '', text: '*1#' }), /1 to 20 characters/);
  assert.match(await say({ do: 'dial', phone: '1'.repeat(21), text: '*1#' }), /1 to 20 characters/);
  assert.match(await say({ do: 'dial', phone: '1', text: '*'.repeat(40) }), /too long/);
  await a.phones.order({ do: 'silent', phone: '1', from: 'x' });
  assert.match(await say({ do: 'silent', phone: '2', from: 'x' }), /another phone/);
  assert.match(await say({ do: 'silent', phone: '1', from: 'y' }), /another address/);
  a.phones.socket.write('[1\n{"id":1,"id":2}\n');
  a.phones.socket.write(`{"id":9,"do":"silent","phone":"${'x'.repeat(20000)}`);
  await new Promise((resolve) => a.phones.socket.on('close', resolve));
});

journey('phones__without_a_dialect__refused_at_the_start', async (stage) => {
  const r = await stage.run(`${binaries}/kezek-smsc`, ['--phones', stage.path('p.sock')]);
  assert.deepEqual([r.code, /need --ussd/.test(r.err)], [2, true]);
});

journey('block__page_for_people__framed_with_its_length', async (stage) => {
  const socket = stage.path('phones.sock');
  const smsc = await Smsc.start(stage, ['--ussd', 'bare', '--phones', socket]);
  const c = await Client.bound(smsc);
  c.receipt = (pdu) => {
    c.session.send(pdu.response());
    c.ask('submit_sm', push({ source_addr: pdu.destination_addr, ussd_service_op: 17, data_coding: 8,
      short_message: { message: ucs2('Кезек: 12') } }));
  };
  await (await Phones.open(stage, socket)).phone(number).dial('*123#');
  await smsc.process.stop();
  assert.match(smsc.process.out(), /77011234567: dial \*123#\n.*123 → 77011234567 {2}USSD last, 9 units of UCS-2\n {4}╭─+\n {4}│ Кезек: 12\n/);
});
