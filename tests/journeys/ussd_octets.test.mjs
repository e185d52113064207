// The recorded sessions of the dialects, which test_ussd holds kezek's octets against, before a judge that others wrote.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { journey } from '../lib/stage.mjs';

const sessions = fileURLToPath(new URL('../data/ussd', import.meta.url));

// A line of tests/data/ussd: direction, meaning, text, octets.
function pdus(dialect) {
  return readFileSync(`${sessions}/${dialect}`, 'utf8').split('\n').filter(Boolean).map((line) => {
    const [way, meaning, text, hex] = line.split('|');
    return { way, meaning, text, hex };
  });
}

async function dissect(stage, dialect, all) {
  const [dump, capture] = [stage.path(`${dialect}.txt`), stage.path(`${dialect}.pcap`)];
  writeFileSync(dump, all.map(({ hex }) => `0000 ${hex.match(/../g).join(' ')}\n`).join(''));
  await stage.must('text2pcap', ['-q', '-T', '40000,2775', dump, capture]);
  const rows = await stage.must('tshark', ['-r', capture, '-n', '-d', 'tcp.port==2775,smpp', '-Y', 'smpp', '-T', 'fields',
    '-e', 'smpp.command_id', '-e', '_ws.malformed', '-e', '_ws.expert.message', '-e', 'smpp.ussd_service_op', '-e', 'smpp.message'],
  { within: 60000 });
  return rows.split('\n').filter(Boolean).map((l) => l.split('\t'));
}

journey('ussd_octets__recorded_sessions_of_each_dialect__tshark_takes_every_pdu', async (stage) => {
  const dialects = readdirSync(sessions);
  assert.ok(dialects.length >= 9);
  for (const dialect of dialects) {
    const all = pdus(dialect);
    const rows = await dissect(stage, dialect, all);
    assert.equal(rows.length, all.length, dialect);
    for (const [i, [command, malformed, expert, op]] of rows.entries()) {
      assert.equal(malformed, '', `${dialect}, PDU ${i + 1}`);
      assert.equal(expert, '', `${dialect}, PDU ${i + 1}`);
      assert.equal(Number(command), parseInt(all[i].hex.slice(8, 16), 16));
      if (all[i].way !== 'in') assert.ok(Number(op) > 0, `${dialect}, PDU ${i + 1}: a page without ussd_service_op`);
    }
  }
});
