// What the phone shows: parts joined, alphabets decoded.
import assert from 'node:assert/strict';
import { journey } from '../lib/stage.mjs';
import { Client, Smsc } from './client.mjs';

const ucs2 = (text) => Buffer.from(text, 'utf16le').swap16();
const udh8 = (reference, total, number, body) => Buffer.concat([Buffer.from([5, 0, 3, reference, total, number]), body]);
const udh16 = (reference, total, number, body) =>
  Buffer.concat([Buffer.from([6, 8, 4, reference >> 8, reference & 255, total, number]), body]);
const pick = (o, ...keys) => Object.fromEntries(keys.map((k) => [k, o[k]]));

journey('sms__gsm7_single__text_ids_and_addresses', async (stage) => {
  const smsc = await Smsc.json(stage, '--id-first', '4711');
  const c = await Client.bound(smsc);
  // "Hi @ [1] {" in septets: '@' is 0, '[' is ESC 0x3c.
  const response = await c.submit(Buffer.from([0x48, 0x69, 0x20, 0x00, 0x20, 0x1b, 0x3c, 0x31, 0x1b, 0x3e]),
    { validity_period: '000000001000000R' });
  assert.equal(response.message_id, '4711');
  const [sms] = await smsc.wait('sms');
  assert.deepEqual(pick(sms, 'from', 'to', 'text', 'parts', 'alphabet', 'data_coding', 'ids', 'system_id', 'validity',
    'registered', 'concat', 'from_ton'), {
    from: 'KEZEK', to: '77011234567', text: 'Hi @ [1]', parts: 1, alphabet: 'gsm7', data_coding: 0, ids: ['4711'],
    system_id: 'kezek', validity: '000000001000000R', registered: 1, concat: 'none', from_ton: 5 });
  const [submit] = await smsc.wait('submit');
  assert.deepEqual(pick(submit, 'sequence', 'id', 'to', 'part', 'total', 'status'),
    { sequence: 2, id: '4711', to: '77011234567', part: 1, total: 1, status: 0 });
});

journey('sms__udh8_parts_in_disorder_with_a_repeat__joined_once', async (stage) => {
  const smsc = await Smsc.json(stage, '--id-first', '10');
  const c = await Client.bound(smsc);
  for (const [number, text] of [[3, 'three'], [1, 'one '], [3, 'three'], [2, 'two ']])
    await c.submit(udh8(77, 3, number, Buffer.from(text)), { esm_class: 0x40 });
  const [sms] = await smsc.wait('sms');
  assert.deepEqual(pick(sms, 'text', 'parts', 'concat', 'ids'),
    { text: 'one two three', parts: 3, concat: 'udh8', ids: ['11', '13', '10'] });
  const [odd] = await smsc.wait('odd');
  assert.match(odd.what, /part 3 of 3 came twice/);
  assert.equal(smsc.events('sms').length, 1);
});

journey('sms__udh16_ucs2_with_a_split_pair__whole_again', async (stage) => {
  const smsc = await Smsc.json(stage);
  const c = await Client.bound(smsc);
  const text = 'Құрметті ата-ана! 😀 №1';
  const octets = ucs2(text);
  const at = ucs2('Құрметті ата-ана! ').length + 2; // in the middle of the emoji
  await c.submit(udh16(0x1234, 2, 2, octets.subarray(at)), { esm_class: 0x40, data_coding: 8 });
  await c.submit(udh16(0x1234, 2, 1, octets.subarray(0, at)), { esm_class: 0x40, data_coding: 8 });
  const [sms] = await smsc.wait('sms');
  assert.deepEqual(pick(sms, 'text', 'parts', 'concat', 'alphabet'), { text, parts: 2, concat: 'udh16', alphabet: 'ucs2' });
});

journey('sms__sar_and_payload_and_data_sm__joined', async (stage) => {
  const smsc = await Smsc.json(stage);
  const c = await Client.bound(smsc);
  for (const [number, text] of [[1, 'left '], [2, 'right']])
    await c.submit(text, { sar_msg_ref_num: 9, sar_total_segments: 2, sar_segment_seqnum: number });
  const long = 'x'.repeat(1500);
  await c.submit('', { message_payload: { message: Buffer.from(long) } });
  const { short_message, ...fields } = c.submission('');
  const response = await c.ask('data_sm', { ...fields, message_payload: { message: Buffer.from('by another PDU') } });
  assert.match(response.message_id, /^\d{16}$/);
  const got = (await smsc.wait('sms', 3)).map((s) => pick(s, 'text', 'parts', 'concat'));
  assert.deepEqual(got, [{ text: 'left right', parts: 2, concat: 'sar' }, { text: long, parts: 1, concat: 'payload' },
    { text: 'by another PDU', parts: 1, concat: 'payload' }]);
});

journey('sms__same_reference_to_two_phones__not_mixed', async (stage) => {
  const smsc = await Smsc.json(stage);
  const c = await Client.bound(smsc);
  for (const [to, number, text] of [['77010000001', 1, 'a1'], ['77010000002', 1, 'b1'], ['77010000002', 2, 'b2'],
    ['77010000001', 2, 'a2']])
    await c.submit(udh8(5, 2, number, Buffer.from(text)), { esm_class: 0x40, destination_addr: to });
  assert.deepEqual((await smsc.wait('sms', 2)).map((s) => [s.to, s.text]), [['77010000002', 'b1b2'], ['77010000001', 'a1a2']]);
});

journey('sms__packed_parts_behind_a_udh__fill_bits_skipped', async (stage) => {
  const smsc = await Smsc.json(stage, '--gsm', 'packed');
  const c = await Client.bound(smsc);
  await c.submit(Buffer.from('e8329bfd06', 'hex')); // "hello"
  // "hello" behind 6 octets of header: one fill bit.
  const packed = Buffer.from('d0653 6fb0d'.replace(/ /g, ''), 'hex');
  await c.submit(udh8(1, 2, 1, packed), { esm_class: 0x40 });
  await c.submit(udh8(1, 2, 2, packed), { esm_class: 0x40 });
  assert.deepEqual((await smsc.wait('sms', 2)).map((s) => s.text), ['hello', 'hellohello']);
});

journey('sms__latin1_wire_and_binary__shown_as_they_are', async (stage) => {
  const smsc = await Smsc.json(stage, '--gsm', 'latin1');
  const c = await Client.bound(smsc);
  await c.submit(Buffer.from('caf\u00e9 {}', 'latin1'));
  await c.submit(Buffer.from([0, 255, 16]), { data_coding: 4 });
  const [text, binary] = await smsc.wait('sms', 2);
  assert.deepEqual(pick(text, 'text', 'alphabet'), { text: 'café {}', alphabet: 'latin1' });
  assert.deepEqual(pick(binary, 'text', 'alphabet', 'hex'), { text: '', alphabet: 'binary', hex: '00ff10' });
});

journey('sms__parts_missing_after_the_limit__odd_not_shown', async (stage) => {
  const smsc = await Smsc.json(stage, '--join-limit', '50ms');
  const c = await Client.bound(smsc);
  await c.submit(udh8(1, 2, 1, Buffer.from('half')), { esm_class: 0x40 });
  const [odd] = await smsc.wait('odd');
  assert.match(odd.what, /^1 of 2 parts came for 77011234567/);
  await c.submit(udh8(1, 2, 2, Buffer.from('late')), { esm_class: 0x40 });
  await smsc.wait('odd', 2);
  assert.deepEqual(smsc.events('sms'), []);
});

journey('sms__over_160_septets_or_a_broken_udh__odd', async (stage) => {
  const smsc = await Smsc.json(stage);
  const c = await Client.bound(smsc);
  await c.submit('x'.repeat(160));
  await c.submit('x'.repeat(161));
  await c.submit(Buffer.from([40, 0, 3]), { esm_class: 0x40 });
  await smsc.wait('sms', 3);
  assert.deepEqual(smsc.events('odd').map((o) => o.what),
    ['submission 3: 161 octets do not fit into one SMS', 'submission 4: its concatenation cannot be read']);
});

journey('block__for_people__framed_and_harmless', async (stage) => {
  const smsc = await Smsc.start(stage);
  const c = await Client.bound(smsc);
  await c.submit(ucs2('Сәлем\nКод: \u001b[2J 42'), { data_coding: 8, source_addr: 'KEZEK\u001b[' });
  await c.receipts(1);
  await smsc.process.stop();
  const out = smsc.process.out();
  assert.doesNotMatch(out, /\u001b/);
  assert.match(out, /KEZEK·\[ → 77011234567 {2}1 part, UCS-2\n {4}╭─+\n {4}│ Сәлем\n {4}│ Код: ·\[2J 42\n {4}╰─+\n/);
  assert.match(out, /\n1 submitted, 1 accepted, 1 SMS, 1 receipts sent, [01] acknowledged, 0 odd\n$/);
});
