// Receipts: how they are written, whom they reach, and how long they are kept.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Client, Smsc, words } from './client.mjs';

journey('receipt__by_default__text_and_tlvs', async (stage) => {
  const smsc = await Smsc.json(stage, '--id-first', '255', '--receipt-delay', '5');
  const c = await Client.bound(smsc);
  await c.submit('A text of thirty-one characters');
  const [r] = await c.receipts(1);
  assert.match(words(r), new RegExp('^id:255 sub:001 dlvrd:001 submit date:\\d{10} done date:\\d{10} stat:DELIVRD err:000 '
    + 'text:A text of thirty-one$'));
  assert.equal(r.command, 'deliver_sm');
  assert.equal(r.esm_class, 4);
  assert.equal(r.receipted_message_id, '255');
  assert.equal(r.message_state, 2);
  assert.deepEqual([r.source_addr, r.dest_addr_ton, r.destination_addr], ['77011234567', 5, 'KEZEK']);
  const [event] = await smsc.wait('receipt');
  assert.deepEqual([event.id, event.state, event.acked_status], ['255', 'DELIVRD', 0]);
});

journey('receipt__options_of_form__obeyed', async (stage) => {
  const cases = [
    [['--id', 'hex'], 'ff', /^id:ff /],
    [['--id', 'hex', '--receipt-id', 'decimal'], 'ff', /^id:255 /],
    [['--id', 'padded', '--receipt-id', 'decimal'], '00000000000000000255', /^id:255 /],
    [['--id-prefix', 'kz-', '--receipt-id', 'hex'], 'kz-255', /^id:kz-ff /],
    [['--receipt-state', 'UNDELIV', '--receipt-err', '27'], '255', /dlvrd:000 .* stat:UNDELIV err:27 /],
    [['--receipt-pdu', 'data_sm'], '255', /^id:255 /],
  ];
  for (const [i, [args, id, text]] of cases.entries()) {
    const smsc = await Smsc.start(stage, ['--json', '--id-first', '255', '--receipt-delay', '0', '--receipt-form', 'text',
      ...args], `smsc-${i}`);
    const c = await Client.bound(smsc);
    assert.equal((await c.submit('x')).message_id, id);
    const [r] = await c.receipts(1);
    assert.match(String(words(r)), text);
    assert.equal(r.receipted_message_id, undefined);
    assert.equal(r.command, args.includes('data_sm') ? 'data_sm' : 'deliver_sm');
  }
});

journey('receipt__tlv_form__no_text', async (stage) => {
  const smsc = await Smsc.json(stage, '--receipt-form', 'tlv', '--receipt-state', 'REJECTD', '--receipt-delay', '0');
  const c = await Client.bound(smsc);
  const { message_id } = await c.submit('x', { registered_delivery: 2 });
  const [r] = await c.receipts(1);
  assert.deepEqual([words(r) || '', r.receipted_message_id, r.message_state, [...r.network_error_code]],
    ['', message_id, 8, [3, 0, 1]]);
});

journey('receipt__not_asked_for__none', async (stage) => {
  const smsc = await Smsc.json(stage, '--receipt-delay', '0', '--no-receipt-every', '2');
  const c = await Client.bound(smsc);
  await c.submit('none', { registered_delivery: 0 });     // accepted 1
  await c.submit('left out', { registered_delivery: 1 }); // accepted 2
  await c.submit('failures', { registered_delivery: 2 });
  await c.submit('left out', { registered_delivery: 1 });
  const { message_id } = await c.submit('yes');
  const [r] = await c.receipts(1);
  assert.equal(r.receipted_message_id, message_id);
  await c.ask('enquire_link');
  assert.equal(c.delivered.length, 1);
});

journey('receipt__every_part__its_own', async (stage) => {
  const smsc = await Smsc.json(stage, '--receipt-delay', '0');
  const c = await Client.bound(smsc);
  const ids = [];
  for (const number of [1, 2, 3])
    ids.push((await c.submit('x', { sar_msg_ref_num: 1, sar_total_segments: 3, sar_segment_seqnum: number })).message_id);
  assert.deepEqual((await c.receipts(3)).map((r) => r.receipted_message_id), ids);
  assert.deepEqual((await smsc.wait('sms'))[0].ids, ids);
});

journey('receipt__transmitter_and_receiver__reaches_the_receiver_of_its_system_id', async (stage) => {
  const smsc = await Smsc.json(stage, '--receipt-delay', '0');
  const stranger = await Client.bound(smsc, { mode: 'receiver', system_id: 'other' });
  const tx = await Client.bound(smsc, { mode: 'transmitter' });
  const rx = await Client.bound(smsc, { mode: 'receiver' });
  const { message_id } = await tx.submit('x');
  assert.equal((await rx.receipts(1))[0].receipted_message_id, message_id);
  assert.equal((await rx.submit('x')).command_status, 0x04);
  await stranger.ask('enquire_link');
  await tx.ask('enquire_link');
  assert.deepEqual([stranger.delivered.length, tx.delivered.length], [0, 0]);
});

journey('receipt__no_receiver__kept_until_one_binds', async (stage) => {
  const smsc = await Smsc.json(stage, '--receipt-delay', '0');
  const tx = await Client.bound(smsc, { mode: 'transmitter' });
  const { message_id } = await tx.submit('x');
  await tx.ask('unbind');
  await tx.closed;
  const rx = await Client.bound(smsc, { mode: 'receiver' });
  assert.equal((await rx.receipts(1))[0].receipted_message_id, message_id);
});

journey('receipt__connection_lost_before_the_response__comes_again', async (stage) => {
  const smsc = await Smsc.json(stage, '--receipt-delay', '0');
  const c = await Client.bound(smsc);
  c.answer = () => null;
  const { message_id } = await c.submit('x');
  await c.receipts(1);
  c.session.destroy();
  const again = await Client.bound(smsc);
  assert.equal((await again.receipts(1))[0].receipted_message_id, message_id);
});

journey('receipt__refused_or_unanswered__sent_again_until_acknowledged', async (stage) => {
  const smsc = await Smsc.json(stage, '--receipt-delay', '0', '--receipt-retry', '60ms');
  const c = await Client.bound(smsc);
  c.answer = (pdu, n) => [0x58, 0x64, null, 0][n - 1];
  const { message_id } = await c.submit('x');
  const got = await c.receipts(4);
  assert.deepEqual(got.map((r) => r.receipted_message_id), Array(4).fill(message_id));
  await smsc.wait('receipt', 3);
  assert.deepEqual(smsc.events('receipt').map((r) => r.acked_status), [0x58, 0x64, 0]);
  assert.match(smsc.events('odd')[0].what, /was not acknowledged: sent again/);
  c.answer = () => 0x08; // any other status ends it
  await c.submit('y');
  await c.receipts(5);
  await smsc.wait('receipt', 4);
  await smsc.process.stop();
  assert.deepEqual(smsc.events('end')[0].receipts, 5);
});

journey('receipt__twice_and_early__two_before_the_response', async (stage) => {
  const smsc = await Smsc.json(stage, '--receipt-twice', '--early-receipt', '--response-delay', '30ms');
  const c = await Client.bound(smsc);
  const { message_id } = await c.submit('x');
  assert.deepEqual(c.heard.map((p) => p.command), ['bind_transceiver_resp', 'deliver_sm', 'deliver_sm', 'submit_sm_resp']);
  assert.deepEqual(c.delivered.map((r) => r.receipted_message_id), [message_id, message_id]);
});

journey('receipt__window_of_one__next_waits_for_the_response', async (stage) => {
  const smsc = await Smsc.json(stage, '--receipt-delay', '0', '--receipt-window', '1');
  const c = await Client.bound(smsc);
  const held = [];
  c.answer = (pdu) => { held.push(pdu); return null; };
  await Promise.all([c.submit('a'), c.submit('b')]);
  for (const n of [1, 2]) {
    await until('a receipt', () => held.length === n);
    await c.ask('enquire_link');
    assert.equal(held.length, n);
    c.session.send(held[n - 1].response());
  }
  await smsc.wait('receipt', 2);
});

journey('receipt__odd_in_turn__each_as_its_form_says', async (stage) => {
  const forms = ['spelling', 'ucs2', 'bare', 'cut', 'unknown', 'garbled'];
  const smsc = await Smsc.json(stage, '--receipt-delay', '0', '--id-first', '600', ...forms.flatMap((f) => ['--odd-receipt', f]));
  const c = await Client.bound(smsc);
  for (let i = 0; i < 6; i++) assert.equal((await c.submit('x')).message_id, String(600 + i));
  const got = await c.receipts(8);
  const text = (p) => words(p)?.toString() ?? '';
  const of = (i) => got.filter((p) => text(p).replace(/\0/g, '').match(new RegExp(`id:${600 + i}\\b`, 'i')));
  assert.match(text(of(0)[0]), /^STAT:DELIVRD .* ID:600$/);
  assert.ok(of(1).some((p) => p.data_coding === 8), 'UCS-2');
  const bare = got.find((p) => p.esm_class === 0);
  assert.deepEqual([bare.receipted_message_id, bare.message_state], ['602', 2]);
  assert.match(text(of(3)[0]), /stat:DELIV$/);
  assert.match(text(of(4)[0]), /stat:DELIVRD err:000/);
  assert.match(text(of(5)[0]), /stat:DELIVRD err:000/);
  assert.ok(got.some((p) => /ID:46116860184/.test(text(p))), 'an id that was never given out');
});
