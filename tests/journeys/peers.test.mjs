// Peers that break the protocol: the daemon lives, and its other links do not notice.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Peer, deliverSm, frame, pdu, tlv } from '../lib/peer.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const GENERIC_NACK = 0x80000000;
const RINVCMDLEN = 2, RINVCMDID = 3;

async function stand(stage) {
  const peer = await Peer.start(stage);
  const centre = await startCentre(stage);
  const k = await Kezek.start(stage, await servers.database(), { operators: {
    broken: operator(stage, { port: peer.port, prefixes: ['7702'] }),
    sound: operator(stage, { port: centre.port, prefixes: ['7701'] }),
  } });
  await k.bound();
  const alive = async (what) => {
    const { id } = await k.door.send({ to: '+77011234567', text: what });
    await k.settled(id);
    assert.ok(!k.process.ended, what);
  };
  return { peer, k, alive };
}

// What cannot be framed: one generic_nack with sequence 0, then the connection is closed and made anew.
const unframed = {
  garbage: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
  'length 0': pdu(0x05, 7, Buffer.alloc(0), 0, 0),
  'length 15': pdu(0x05, 7, Buffer.alloc(0), 0, 15),
  'length 2^32-1': pdu(0x05, 7, Buffer.alloc(0), 0, 0xffffffff),
  'length 70,001': pdu(0x05, 7, Buffer.alloc(100), 0, 70001),
};

journey('peer__octets_that_are_no_frame__nack_close_and_rebind', async (stage) => {
  const { peer, alive } = await stand(stage);
  for (const [what, bytes] of Object.entries(unframed)) {
    const c = await peer.connection();
    c.socket.write(bytes);
    const nack = await frame(c, `${what}: generic_nack`, (f) => f.command === GENERIC_NACK);
    assert.deepEqual([nack.status, nack.sequence, nack.bytes.length], [RINVCMDLEN, 0, 16], what);
    await until(`${what}: closed`, () => c.closed);
    await alive(what);
    await peer.connection();
  }
});

journey('peer__odd_pdus__answered_or_dropped_and_the_link_stays', async (stage) => {
  const { peer, k, alive } = await stand(stage);
  const c = await peer.connection();
  const responses = (sequence) => (f) => f.sequence === sequence && f.command >= 0x80000000;
  const many = Buffer.concat(Array.from({ length: 10000 }, (_, i) => tlv(0x1400 + (i % 0x100), Buffer.alloc(0))));
  c.socket.write(deliverSm(100, 'id:1 stat:DELIVRD', { tail: many }));
  assert.ok(await frame(c, '10,000 TLVs', responses(100)));
  c.socket.write(deliverSm(101, 'id:1 stat:DELIVRD', { tail: Buffer.from([0x14, 0x00, 0xff, 0xff, 0x01]) }));
  assert.ok(await frame(c, 'a TLV longer than its PDU', responses(101)));
  c.socket.write(deliverSm(102, 'id:1 stat:DELIVRD', { tail: Buffer.from([0x00]) }));
  assert.ok(await frame(c, 'a lone octet behind', responses(102)));
  c.socket.write(pdu(0x05, 103, Buffer.from('never ends')));
  assert.ok(await frame(c, 'a body without its fields', responses(103)));
  c.socket.write(deliverSm(104, 'id:1 stat:DELIVRD', { tail: tlv(0x0424, Buffer.alloc(20000, 0x61)) }));
  assert.ok(await frame(c, 'a payload of 20,000', responses(104)));
  c.socket.write(pdu(0x00000999, 105));
  const nack = await frame(c, 'an unknown command', responses(105));
  assert.deepEqual([nack.command, nack.status], [GENERIC_NACK, RINVCMDID]);
  // Nobody waits for these.
  c.socket.write(Buffer.concat([pdu(0x80000004, 4242, Buffer.from('x\0')), pdu(0x80000004, 0, Buffer.alloc(0), 0x45),
    pdu(0x80000015, 77), pdu(0x80000999, 5), pdu(GENERIC_NACK, 31337, Buffer.alloc(0), 3), pdu(0x80000005, 9)]));
  // A bind to us, who are no message centre.
  c.socket.write(pdu(0x09, 106, Buffer.from('a\0b\0\0\x34\0\0\0', 'latin1')));
  assert.ok(await frame(c, 'a bind', responses(106)));
  c.socket.write(pdu(0x15, 107));
  const enquired = await frame(c, 'enquire_link after all that', responses(107));
  assert.deepEqual([enquired.command, enquired.status], [0x80000015, 0]);
  assert.ok(!c.closed, 'the link stays');
  await alive('after odd PDUs');
  const { id } = await k.door.send({ to: '+77021234567', text: 'by the same link' });
  await k.settled(id, 'submitted');
  assert.equal(peer.connections.length, 1);
});

journey('peer__thousands_of_pdus_in_fragments__every_request_answered', async (stage) => {
  const { peer, alive } = await stand(stage);
  const c = await peer.connection();
  const bytes = Buffer.concat(Array.from({ length: 3000 }, (_, i) => pdu(0x15, i + 1)));
  for (let at = 0; at < bytes.length; at += 7919) {
    await new Promise((next) => c.socket.write(bytes.subarray(at, at + 7919), next));
  }
  await until('every enquire_link answered', () => c.frames.filter((f) => f.command === 0x80000015).length === 3000);
  await alive('after fragments');
});

journey('peer__response_in_odd_shapes__submission_is_judged_all_the_same', async (stage) => {
  const { peer, k } = await stand(stage);
  const bodies = [
    [0, Buffer.from('abc\0\0\0\0')],                                       // NULs behind
    [0, Buffer.concat([Buffer.from('def\0'), tlv(0x0428, Buffer.from([0]))])], // a TLV on a response
    [0, Buffer.from('ghi\0')],
  ];
  peer.take = function take(c, f) {
    if (f.command !== 0x04) return Peer.prototype.take.call(this, c, f);
    c.frames.push(f);
    const [status, body] = bodies.shift();
    return c.socket.write(pdu(0x80000004, f.sequence, body, status));
  };
  for (const id of ['abc', 'def', 'ghi']) {
    const kept = await k.door.send({ to: '+77021234567', text: id });
    const m = await k.settled(kept.id, 'submitted');
    assert.equal(m.timeline.find((e) => e.event === 'submitted').operator_id, id);
  }
  // An error with a body and one without.
  for (const body of [Buffer.from('\0'), Buffer.alloc(0)]) {
    bodies.push([0x0a, body]);
    const kept = await k.door.send({ to: '+77021234567', text: 'refused' });
    await k.settled(kept.id, 'rejected');
  }
});

journey('bind__wrong_password__one_clear_line_and_the_state_in_status', async (stage) => {
  const centre = await startCentre(stage);
  const sound = await startCentre(stage);
  const k = await Kezek.start(stage, await servers.database(), { operators: {
    locked: operator(stage, { port: centre.port, password: 'tulip-17', prefixes: ['7702'] }),
    sound: operator(stage, { port: sound.port, prefixes: ['7701'] }),
  } });
  await k.bound('sound');
  const link = await until('the refusal is in status', async () => {
    const l = await k.link('locked.1');
    return l.reason && l;
  });
  assert.notEqual(link.state, 'bound');
  assert.match(link.reason, /ESME_RINVPASWD|password/i);
  await k.settled((await k.door.send({ to: '+77011234567', text: 'others work' })).id);
  const lines = k.process.err().split('\n').filter((l) => l.includes('locked.1') && /error|warn/.test(l));
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0], /password/i);
  assert.ok(!k.process.err().includes('tulip-17'), 'the password itself is not in the log');
  assert.equal(centre.binds.length, 1, 'no hammering');
  assert.equal((await k.door.get('/readyz')).json.operators.locked, 'down');
});
