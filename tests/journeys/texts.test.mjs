// Each bind mode, each concatenation, texts of three languages at every boundary, at two message centres; read back
// equal, receipts recorded, every PDU of kezek's judged by tshark.
import assert from 'node:assert/strict';
import { journey, until } from '../lib/stage.mjs';
import { Kezek, Simulator } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';
import { boundaryTexts, encodingOf } from '../lib/texts.mjs';
import { Capture } from '../lib/tshark.mjs';

const servers = new Servers();
const binds = { trx: ['transceiver'], 'tx-rx': ['transmitter', 'receiver'] };
const concats = ['udh8', 'udh16', 'sar', 'payload'];
const languages = ['kk', 'ru', 'en'];

// A carrier for every way, told apart by 7701NN.
function ways() {
  let n = 0;
  return ['npm', 'own'].flatMap((centre) => Object.keys(binds).flatMap((bind) => concats.map((concat) => (
    { centre, bind, concat, name: `${centre}-${bind}-${concat}`, prefix: `7701${String(n++).padStart(2, '0')}` }))));
}

async function sendAll(door, all) {
  const wishes = all.flatMap((way) => languages.flatMap((language) => boundaryTexts(language, way.concat).map((t) => ({ ...t, way, language }))));
  wishes.forEach((w, i) => { w.to = w.way.prefix + String(i).padStart(5, '0'); });
  await Promise.all(wishes.map(async (w) => {
    w.kept = await door.send({ to: `+${w.to}`, text: w.text });
    assert.equal(w.kept.encoding, encodingOf(w.language));
    if (w.way.concat !== 'payload') assert.equal(w.kept.segments, w.parts, `${w.way.name} ${w.language} ${w.name}`);
  }));
  return wishes;
}

function judgeTexts(wishes, read, centre) {
  for (const w of wishes.filter((x) => x.way.centre === centre)) {
    const what = `${w.way.name} ${w.language} ${w.name}`;
    const got = read(w.to);
    assert.equal(got.length, 1, `${what}: SMS read back`);
    assert.equal(got[0].text, w.text, what);
    const payload = w.way.concat === 'payload' && w.parts > 1;
    assert.equal(got[0].parts, payload ? 1 : w.parts, `${what}: parts on the wire`);
    if (w.parts > 1) assert.equal(got[0].mode, w.way.concat, what);
  }
}

async function judgeTimelines(k, wishes) {
  for (const w of wishes) {
    const m = await k.settled(w.kept.id, 'delivered', 60000);
    const parts = w.way.concat === 'payload' && w.parts > 1 ? 1 : w.parts;
    const numbers = (event) => m.timeline.filter((e) => e.event === event).map((e) => e.part ?? 1).sort((a, b) => a - b);
    const expected = Array.from({ length: parts }, (_, i) => i + 1);
    assert.deepEqual(numbers('submitted'), expected, `${w.way.name} ${w.name}: submitted`);
    assert.deepEqual(numbers('receipt'), expected, `${w.way.name} ${w.name}: receipts`);
    assert.equal(m.timeline[0].event, 'accepted');
    for (const e of m.timeline.filter((x) => x.event === 'submitted')) assert.equal(e.carrier, w.way.name);
  }
}

journey('texts__every_bind_and_concatenation__read_back_equal_with_receipts', async (stage) => {
  const centre = await startCentre(stage);
  const own = await Simulator.start(stage, ['--receipt-delay', '20ms']);
  const capture = await Capture.start(stage, [centre.port, own.port]);
  const all = ways();
  const operators = Object.fromEntries(all.map((w) => [w.name, operator(stage, {
    port: w.centre === 'npm' ? centre.port : own.port, systemId: w.name.slice(0, 15), modes: binds[w.bind],
    prefixes: [w.prefix], text: { concat: w.concat },
  })]));
  const k = await Kezek.start(stage, await servers.database(), { operators });
  await k.bound();
  const wishes = await sendAll(k.door, all);
  await judgeTimelines(k, wishes);

  assert.deepEqual(centre.faults, []);
  judgeTexts(wishes, (to) => centre.textsTo(to), 'npm');
  const sms = own.events().filter((e) => e.event === 'sms').map((e) => ({ ...e, mode: e.concat }));
  judgeTexts(wishes, (to) => sms.filter((e) => e.to.replace('+', '') === to), 'own');
  const kinds = new Set(centre.binds.map((b) => b.kind));
  assert.deepEqual([...kinds].sort(), ['bind_receiver', 'bind_transceiver', 'bind_transmitter']);
  for (const s of centre.submits)
    assert.equal(s.kind, s.systemId.includes('trx') ? 'bind_transceiver' : 'bind_transmitter');

  await until('every receipt is acknowledged', () => centre.acks.length === centre.submits.length);
  assert.ok(centre.acks.every((a) => a.status === 0), 'each with ESME_ROK');
  await k.stop();
  const sent = await capture.judge();
  const own_submits = own.events().filter((e) => e.event === 'submit').length;
  assert.equal(sent.submit_sm, centre.submits.length + own_submits);
  assert.equal(sent.deliver_sm_resp, sent.submit_sm);
  assert.deepEqual([sent.bind_transceiver, sent.bind_transmitter, sent.bind_receiver], [8, 8, 8]);
  assert.equal(sent.unbind, 24);
}, { withinMs: 240000 });
