// Faults by option, and what hostile or clumsy clients get.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binaries, journey, top, until } from '../lib/stage.mjs';
import { Client, Smsc, pdu, raw, smpp } from './client.mjs';

const statuses = async (c, n, fields) => {
  const all = [];
  for (let i = 0; i < n; i++) all.push((await c.submit('x', typeof fields === 'function' ? fields(i) : fields)).command_status);
  return all;
};

journey('fault__every_nth__its_status', async (stage) => {
  const smsc = await Smsc.json(stage, '--queue-full-every', '3', '--status-every', '4:0x0000055f', '--refuse', '0x0B:7705',
    '--refuse', '100:77060');
  const c = await Client.bound(smsc);
  assert.deepEqual(await statuses(c, 4), [0, 0, 0x14, 0x55f]);
  assert.deepEqual(await statuses(c, 3, (i) => ({ destination_addr: ['77051234567', '77060000000', '77061000000'][i] })),
    [0x0b, 100, 0]);
  assert.deepEqual((await smsc.wait('submit', 7)).map((s) => s.status), [0, 0, 0x14, 0x55f, 0x0b, 100, 0]);
  assert.equal(smsc.events('sms').length, 3);
});

journey('fault__throttle__over_n_a_second_0x58', async (stage) => {
  const smsc = await Smsc.json(stage, '--throttle', '5');
  const c = await Client.bound(smsc);
  const got = await Promise.all(Array.from({ length: 8 }, () => c.submit('x')));
  const refused = got.filter((r) => r.command_status === 0x58).length;
  assert.deepEqual(got.slice(0, 5).map((r) => r.command_status), [0, 0, 0, 0, 0]);
  assert.ok(refused >= 1 && refused <= 3, String(refused));
});

journey('fault__window__over_n_unanswered_0x58', async (stage) => {
  const smsc = await Smsc.json(stage, '--window', '2', '--response-delay', '100ms');
  const c = await Client.bound(smsc);
  const got = await Promise.all([1, 2, 3].map(() => c.submit('x')));
  assert.deepEqual(got.map((r) => r.command_status), [0, 0, 0x58]);
  assert.deepEqual(c.heard.slice(1).map((p) => p.sequence_number), [4, 2, 3]);
  assert.equal((await c.submit('x')).command_status, 0);
});

journey('fault__no_answer_every__taken_and_silent', async (stage) => {
  const smsc = await Smsc.json(stage, '--no-answer-every', '2', '--receipt-delay', '0');
  const c = await Client.bound(smsc);
  c.submit('a');
  c.submit('b');
  c.submit('c');
  await smsc.wait('sms', 3);
  await c.receipts(3);
  await c.ask('enquire_link');
  assert.deepEqual(c.heard.filter((p) => p.command === 'submit_sm_resp').map((p) => p.sequence_number), [2, 4]);
  assert.deepEqual(smsc.events('submit').map((s) => s.answered), [true, false, true]);
});

journey('fault__drop_after__taken_unanswered_and_closed', async (stage) => {
  const smsc = await Smsc.json(stage, '--drop-after', '2');
  const c = await Client.bound(smsc);
  c.submit('a');
  c.submit('b');
  await c.closed;
  assert.deepEqual(c.heard.map((p) => p.command), ['bind_transceiver_resp', 'submit_sm_resp']);
  assert.equal((await smsc.wait('sms', 2))[1].text, 'b');
});

journey('fault__unbind_after__unbinds_when_answered', async (stage) => {
  const smsc = await Smsc.json(stage, '--unbind-after', '2');
  const c = await Client.bound(smsc);
  assert.deepEqual(await statuses(c, 2), [0, 0]);
  await c.closed;
  assert.equal(c.heard.at(-1).command, 'unbind');
  assert.equal((await smsc.wait('unbind'))[0].why, 'unbound by us');
});

journey('bind__credentials_and_order__statuses_of_the_standard', async (stage) => {
  writeFileSync(stage.path('password'), 'secret1\n', { mode: 0o600 });
  const smsc = await Smsc.json(stage, '--system-id', 'kezek', '--password-file', stage.path('password'));
  const c = await Client.open(smsc);
  const bind = (system_id, password) => c.ask('bind_transceiver', { system_id, password, interface_version: 0x34 });
  assert.equal((await c.submit('x')).command_status, 0x04);
  assert.equal((await bind('else', 'secret1')).command_status, 0x0f);
  assert.equal((await bind('kezek', 'secret2')).command_status, 0x0e);
  const good = await bind('kezek', 'secret1');
  assert.deepEqual([good.command_status, good.system_id, good.sc_interface_version], [0, 'kezek-smsc', 0x34]);
  assert.equal((await bind('kezek', 'secret1')).command_status, 0x05);
  assert.equal((await c.submit('x')).command_status, 0);
  assert.equal((await c.submit('x', { destination_addr: '' })).command_status, 0x0b);
  assert.equal((await c.ask('unbind')).command_status, 0);
  await c.closed;
  assert.deepEqual(smsc.events('bind').map((b) => b.status), [0x0f, 0x0e, 0]);
});

journey('hostile__broken_pdus__only_that_session_ends', async (stage) => {
  const smsc = await Smsc.json(stage);
  const c = await Client.bound(smsc);
  const nack = '00000010' + '80000000' + '00000002' + '00000000';
  assert.equal((await raw(smsc, pdu(4, 1, undefined, 15))).toString('hex'), nack);
  assert.equal((await raw(smsc, pdu(4, 1, undefined, 0xffffffff))).toString('hex'), nack);
  assert.equal((await raw(smsc, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))).toString('hex'), nack);
  const bind = pdu(9, 1, Buffer.from('a\0b\0\0\x34\0\0\0', 'latin1'));
  const tlvs = Buffer.alloc(40000);
  for (let i = 0; i < 10000; i++) tlvs.writeUInt16BE(0x1400, i * 4);
  const body = Buffer.from('\0\x05\0K\0\x01\x01770\0\0\0\0\0\0\x01\0\0\0\x01x', 'latin1');
  const answered = await raw(smsc, Buffer.concat([bind, pdu(4, 2, body.subarray(0, 9)), pdu(4, 3, Buffer.concat([body, tlvs])),
    pdu(0x77, 4), pdu(0x80000077, 5), pdu(0x80000005, 6), pdu(0x80000000, 7), pdu(6, 8)]));
  const seen = [];
  for (let at = 0; at < answered.length; at += answered.readUInt32BE(at))
    seen.push([4, 8, 12].map((o) => answered.readUInt32BE(at + o).toString(16)).join(' '));
  assert.deepEqual(seen, ['80000009 0 1', '80000004 2 2', '80000004 0 3', '80000000 3 4', '80000006 0 8']);
  assert.equal((await c.submit('still here')).command_status, 0);
});

journey('hostile__a_parts_flood__bounded', async (stage) => {
  const smsc = await Smsc.start(stage, ['--quiet']);
  const bind = pdu(2, 1, Buffer.from('a\0b\0\0\x34\0\0\0', 'latin1'));
  const head = Buffer.from('\0\x05\0K\0\x01\x01770\0\x40\0\0\0\0\0\0\0\0\x07\x06\x08\x04', 'latin1');
  head[head.length - 4] = 8;
  const flood = [bind];
  for (let i = 0; i < 20000; i++)
    flood.push(pdu(4, i + 2, Buffer.concat([head, Buffer.from([i >> 8, i & 255, 255, 1, 65])])));
  flood.push(pdu(6, 30000));
  const answered = await raw(smsc, Buffer.concat(flood));
  assert.equal(answered.readUInt32BE(answered.length - 12), 0x80000006);
  await smsc.process.stop();
  assert.match(smsc.process.out(), /20000 submitted, 20000 accepted, 0 SMS/);
}, { withinMs: 60000 });

journey('process__sigterm__unbinds_and_exits_0', async (stage) => {
  const smsc = await Smsc.json(stage);
  const [c, silent] = [await Client.bound(smsc), await Client.open(smsc)];
  assert.equal((await smsc.process.stop()).code, 0);
  await Promise.all([c.closed, silent.closed]);
  assert.equal(c.heard.at(-1).command, 'unbind');
  assert.equal(smsc.events('end').length, 1);
});

journey('process__command_line__exit_codes', async (stage) => {
  const run = (...args) => stage.run(join(binaries, 'kezek-smsc'), args);
  for (const args of [['--throttle', 'x'], ['--refuse', '0x0B'], ['--status-every', '0:1'], ['--bogus'], ['word'],
    ['--receipt-state', 'GONE'], ['--listen']]) {
    const r = await run(...args);
    assert.equal(r.code, 2, args.join(' '));
    assert.match(r.err, /kezek-smsc/);
  }
  assert.match((await run('--version')).out, /^kezek-smsc \d+\.\d+\.\d+\n$/);
  const help = await run('--help');
  assert.equal(help.code, 0);
  const manual = readFileSync(join(top, 'docs/kezek-smsc.1'), 'utf8').replaceAll('\\-', '-');
  const options = help.out.match(/^ {2}--[a-z-]+/gm).map((o) => o.trim());
  assert.ok(options.length > 25);
  for (const option of options) assert.match(manual, new RegExp(`^\\.BI?R? .*${option}[ "]|^\\.B ${option}$`, 'm'));
  assert.equal((await run('--password-file', '/nonexistent')).code, 1);
  assert.equal((await run('--listen', '127.0.0.1:0', '--log', '/nonexistent/log')).code, 1);
  const smsc = await Smsc.json(stage);
  const taken = await run('--listen', `127.0.0.1:${smsc.port}`);
  assert.equal(taken.code, 1);
  assert.match(taken.err, /in use/);
});

journey('process__quiet_with_a_log__events_in_the_log_only', async (stage) => {
  const log = stage.path('events.jsonl');
  const smsc = await Smsc.start(stage, ['--quiet', '--log', log, '--receipt-delay', '0']);
  const c = await Client.bound(smsc);
  await c.submit('hello');
  await c.receipts(1);
  await until('events', () => readFileSync(log, 'utf8').includes('"event":"receipt"'));
  await smsc.process.stop();
  assert.match(smsc.process.out(), /^kezek-smsc listens on 127\.0\.0\.1:\d+\n1 submitted, .*\n$/);
  assert.deepEqual(readFileSync(log, 'utf8').trim().split('\n').map((l) => JSON.parse(l).event),
    ['listen', 'bind', 'submit', 'sms', 'receipt', 'unbind', 'end']);
});

journey('fault__nack_every__generic_nack_with_its_sequence', async (stage) => {
  const smsc = await Smsc.json(stage, '--nack-every', '2:0x58');
  const c = await Client.bound(smsc);
  const got = [await c.submit('a'), await c.submit('b')];
  assert.deepEqual(got.map((r) => [r.command, r.command_status]), [['submit_sm_resp', 0], ['generic_nack', 0x58]]);
  assert.deepEqual((await smsc.wait('submit', 2)).map((s) => s.id !== ''), [true, false]);
});

journey('fault__garbage_every__behind_the_answer_and_the_framing_stays', async (stage) => {
  const smsc = await Smsc.json(stage, '--garbage-every', '1');
  const c = await Client.bound(smsc);
  c.session.on('unknown', () => {});
  const bytes = [];
  c.session.socket.on('data', (d) => bytes.push(d));
  for (let i = 0; i < 8; i++) c.session.send(new smpp.PDU('submit_sm', c.submission('x')));
  await smsc.wait('submit', 8);
  const commands = await until('16 whole PDUs', () => {
    const all = Buffer.concat(bytes);
    const found = [];
    for (let at = 0; at + 16 <= all.length; at += all.readUInt32BE(at)) found.push(all.readUInt32BE(at + 4));
    return found.length >= 16 && found;
  });
  assert.deepEqual(commands.filter((n) => n === 0x80000004).length, 9, 'eight answers, and one that nobody waits for');
  assert.ok([0x999, 0x05, 0x09, 0x80000999].every((n) => commands.includes(n)), String(commands));
});

journey('fault__bad_length_after__octets_that_are_no_pdu', async (stage) => {
  const smsc = await Smsc.json(stage, '--bad-length-after', '1');
  const bind = pdu(0x09, 1, Buffer.from('a\0b\0\0\x34\0\0\0', 'latin1'));
  const submit = pdu(0x04, 2, Buffer.from('\0\0\0\0\x01\x017701\0\0\0\0\0\0\0\0\0\0\x01x', 'latin1'));
  const enough = 16 + 'kezek-smsc\0'.length + 5 + 17 + 20;
  const got = await raw(smsc, Buffer.concat([bind, submit]), enough);
  const at = got.lastIndexOf(Buffer.from([0, 0, 0, 0, 0, 0, 0, 5]));
  assert.ok(at > 0, got.toString('hex'));
});

journey('fault__freeze_after__silent_and_not_closed', async (stage) => {
  const smsc = await Smsc.json(stage, '--freeze-after', '1', '--receipt-delay', '0');
  const c = await Client.bound(smsc);
  await c.submit('a');
  let answered = false;
  c.ask('enquire_link').then(() => { answered = true; });
  const other = await Client.bound(smsc); // the fence: what comes later is served
  await other.ask('enquire_link');
  assert.ok(!answered);
  assert.equal(c.delivered.length, 0);
});

journey('fault__mute_binds__the_next_is_answered', async (stage) => {
  const smsc = await Smsc.json(stage, '--mute-binds', '1');
  const first = await Client.open(smsc);
  let answered = false;
  first.ask('bind_transceiver', { system_id: 'kezek', password: 'pw' }).then(() => { answered = true; });
  await first.ask('enquire_link');
  assert.ok(!answered);
  await Client.bound(smsc);
});

journey('fault__read_rate__octets_wait', async (stage) => {
  const smsc = await Smsc.json(stage, '--read-rate', '1000');
  const c = await Client.bound(smsc);
  const began = Date.now();
  const got = [];
  for (let i = 0; i < 5; i++) got.push(await c.submit('x'.repeat(140)));
  assert.deepEqual(got.map((r) => r.command_status), [0, 0, 0, 0, 0]);
  assert.ok(Date.now() - began > 700, `${Date.now() - began} ms for 900 octets`);
});
