// A judge that others wrote: captures what goes to the message centres and has tshark dissect every PDU of kezek's.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { freePort, until } from './stage.mjs';

const commands = { submit_sm: 0x00000004, data_sm: 0x00000103, bind_receiver: 0x01, bind_transmitter: 0x02, bind_transceiver: 0x09,
  deliver_sm_resp: 0x80000005, data_sm_resp: 0x80000103, enquire_link: 0x15, unbind: 0x06 };

export class Capture {
  static async start(stage, ports) {
    const c = new Capture();
    const args = ['-q', '-i', 'lo', '-B', '64', '-f', ports.map((p) => `tcp port ${p}`).join(' or '), '-w', '-'];
    const root = process.getuid() === 0;
    c.process = stage.start('dumpcap', root ? 'dumpcap' : 'sudo', root ? args : ['-n', 'dumpcap', ...args]);
    Object.assign(c, { stage, ports, file: c.process.outPath });
    await until(() => `dumpcap captures (it needs root or sudo): ${c.process.err()}`, () => {
      assert.ok(!c.process.ended, `capturing needs root or sudo: ${c.process.err()}`);
      return c.process.out().length > 0 && c.process.err().includes('File:');
    });
    return c;
  }

  tshark(...args) {
    return this.stage.must('tshark', ['-r', this.file, '-n', ...this.ports.flatMap((p) => ['-d', `tcp.port==${p},smpp`]),
      ...args], { within: 120000 });
  }

  // What the kernel has seen is written in blocks: a last connection of our own is waited for, all before it is then there.
  async flush() {
    const [port, mark] = [this.ports[0], await freePort()];
    const knock = net.connect({ host: '127.0.0.1', port, localPort: mark });
    await new Promise((resolve) => {
      knock.on('error', resolve);
      knock.on('connect', resolve);
    });
    knock.destroy();
    const syn = Buffer.from([mark >> 8, mark & 0xff, port >> 8, port & 0xff]);
    await until('the end of the capture', () => readFileSync(this.file).includes(syn));
  }

  // Stops, dissects, judges. Answers how many PDUs of each command kezek sent. vendor: a tag of the operator's own that
  // has no name.
  async judge({ vendor = null } = {}) {
    await this.flush();
    await this.process.stop('SIGINT');
    const ours = `smpp && (${this.ports.map((p) => `tcp.dstport==${p}`).join(' || ')})`;
    const rows = (await this.tshark('-Y', ours, '-T', 'fields', '-E', 'occurrence=a', '-e', 'frame.number',
      '-e', 'smpp.command_id', '-e', '_ws.malformed', '-e', '_ws.expert.message', '-e', '_ws.expert.group'))
      .split('\n').filter(Boolean).map((l) => l.split('\t'));
    const counts = {};
    for (const [frame, ids, malformed, message, group] of rows) {
      assert.ok(!malformed, `frame ${frame}: malformed`);
      // TCP's own remarks (window, retransmission) have other groups.
      const serious = (group ?? '').split(',').filter((g) => /^(Malformed|Undecoded|Protocol)$/i.test(g)
        || [0x07000000, 0x05000000, 0x09000000].includes(Number(g)));
      assert.equal(serious.length, 0, `frame ${frame}: ${message}`);
      for (const id of ids.split(',')) counts[Number(id)] = (counts[Number(id)] ?? 0) + 1;
    }
    const text = await this.tshark('-Y', ours, '-O', 'smpp');
    const strange = text.split('\n').filter((l) => /\b(unknown|reserved|malformed|invalid|vendor|undecoded)\b/i.test(l)
      // 0 has the name "Unknown" in TON and NPI; a TLV without a name shows its tag twice.
      && !/(Type of number|Numbering plan).*: Unknown \(0x00\)/.test(l)
      || /Optional parameter: 0x/.test(l) && !l.includes(`Optional parameter: ${vendor} `));
    assert.deepEqual([...new Set(strange)], [], 'lines of the dissection that name something unknown');
    return Object.fromEntries(Object.entries(commands).map(([name, id]) => [name, counts[id] ?? 0]));
  }
}
