// The journal: a centre that is killed goes on where it was.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sanitizers } from '../lib/kezek.mjs';
import { binaries, journey, until } from '../lib/stage.mjs';
import { Client, Smsc, words } from './client.mjs';

const lines = (file, kind) => readFileSync(file, 'utf8').split('\n').slice(0, -1).map((l) => l.split(' '))
  .filter(([k]) => !kind || k === kind);
const keeper = (stage, file, name, ...args) => Smsc.start(stage,
  ['--json', '--journal', file, '--receipt-delay', '0', '--receipt-retry', '100ms', ...args], name);

journey('journal__killed__ids_go_on_and_unacknowledged_receipts_come_again', async (stage) => {
  const file = stage.path('journal');
  const first = await keeper(stage, file, 'first', '--id-first', '500');
  const c = await Client.bound(first);
  c.answer = (pdu) => (pdu.receipted_message_id === '501' ? 0 : null);
  const ids = [];
  for (const text of ['one', 'two', 'three']) ids.push((await c.submit(text)).message_id);
  assert.deepEqual(ids, ['500', '501', '502']);
  await until('one is acknowledged', () => lines(file, 'acked').length === 1);
  await first.kill();
  const second = await keeper(stage, file, 'second', '--id-first', '1');
  const d = await Client.bound(second);
  const again = await d.receipts(2);
  assert.deepEqual(again.map((r) => r.receipted_message_id), ['500', '502'], 'in their order, and the acknowledged one never');
  assert.match(words(again[0]), /^id:500 .* stat:DELIVRD err:000 text:$/);
  assert.deepEqual([again[0].source_addr, again[0].destination_addr], ['77011234567', 'KEZEK']);
  assert.equal((await d.submit('four')).message_id, '503');
  await d.receipts(3);
  await until('all are acknowledged', () => lines(file, 'acked').length === 4);
  await second.kill();
  const third = await keeper(stage, file, 'third');
  const e = await Client.bound(third);
  const { message_id } = await e.submit('five');
  assert.deepEqual((await e.receipts(1)).map((r) => r.receipted_message_id), [message_id], 'nothing was owed');
});

journey('journal__refused_for_now_and_refused__the_one_is_owed_the_other_not', async (stage) => {
  const file = stage.path('journal');
  const first = await keeper(stage, file, 'first', '--receipt-retry', '1h', '--receipt-twice');
  const c = await Client.bound(first);
  c.answer = (pdu, n) => [0x58, 0x08, 0x64, 0x64][n - 1];
  const busy = (await c.submit('busy')).message_id;
  await c.receipts(2);
  const both = (await c.submit('both')).message_id;
  await c.receipts(4);
  await first.wait('receipt', 4);
  await first.kill();
  const second = await keeper(stage, file, 'second');
  const d = await Client.bound(second);
  assert.deepEqual((await d.receipts(3)).map((r) => r.receipted_message_id), [busy, both, both]);
  await until('all are acknowledged', () => lines(file, 'acked').length === 4);
  assert.deepEqual(lines(file, 'acked').map(([, , , status]) => status), ['8', '0', '0', '0']);
});

journey('journal__a_line__tells_message_and_part_without_the_text', async (stage) => {
  const file = stage.path('journal');
  const smsc = await keeper(stage, file, 'smsc', '--no-receipt-every', '2', '--id', 'hex', '--id-prefix', 'kz-');
  const c = await Client.bound(smsc, { system_id: 'a b%' });
  const header = Buffer.from([5, 0, 3, 7, 2, 1]);
  await c.submit(Buffer.concat([header, Buffer.from('secret words')]), { esm_class: 0x40 });
  await c.submit('secret words', { registered_delivery: 1 });
  const [a, b] = lines(file, 'took');
  const hash = createHash('sha256').update('secret words').digest('hex').slice(0, 16);
  assert.deepEqual(a.slice(3), ['1', '2', '7', hash, '1', '1', '1', '=77011234567', '5', '0', '=KEZEK', '=a%20b%25']);
  assert.deepEqual(b.slice(3, 8), ['1', '1', '0', hash, '0'], 'the same text, no receipt');
  assert.equal(`kz-${BigInt(a[1]).toString(16)}`, (await c.receipts(1))[0].receipted_message_id);
  assert.doesNotMatch(readFileSync(file, 'latin1'), /secret|words/);
  assert.equal(statSync(file).mode & 0o077, 0, 'numbers are nobody\'s business');
});

journey('journal__delay_not_over_at_the_kill__its_rest_is_waited', async (stage) => {
  const file = stage.path('journal');
  writeFileSync(file, `took 7 ${Date.now() - 3600000} 1 1 0 0123456789abcdef 1 1 1 =77011234567 5 0 =KEZEK =kezek\n`
    + `took 8 ${Date.now()} 1 1 0 0123456789abcdef 1 1 1 =77011234567 5 0 =KEZEK =kezek\n`);
  const smsc = await keeper(stage, file, 'smsc', '--receipt-delay', '1h');
  const c = await Client.bound(smsc);
  assert.equal((await c.receipts(1))[0].receipted_message_id, '7');
  await c.ask('enquire_link');
  assert.equal(c.delivered.length, 1);
});

journey('journal__last_line_cut_short__taken_away', async (stage) => {
  const file = stage.path('journal');
  const first = await keeper(stage, file, 'first', '--id-first', '9');
  await (await Client.bound(first)).submit('x', { registered_delivery: 0 });
  await first.kill();
  appendFileSync(file, 'took 10 1700000000000 1 1 0 0123');
  const second = await keeper(stage, file, 'second', '--id-first', '1');
  assert.equal((await (await Client.bound(second)).submit('y', { registered_delivery: 0 })).message_id, '10');
  assert.deepEqual(lines(file).map((l) => l.length), [15, 15]);
});

journey('journal__a_file_that_is_none__refused', async (stage) => {
  const start = (...args) => stage.run(join(binaries, 'kezek-smsc'), ['--listen', '127.0.0.1:0', ...args],
    { env: { ...process.env, ...sanitizers } });
  const good = 'acked 1 2 0\n';
  const bad = ['hello\n', 'acked 1 2\n', 'acked 1 2 0 0\n', 'took 1 2 1 1 0 0123456789abcdef 1 1 1 =7 5 0 =K\n', '\n',
    'took 1 2 1 1 0 0123456789abcdef 1 1 1 =7 5 0 =K =%4\n', 'took 1 2 1 1 0 0123456789abcdef 3 1 1 =7 5 0 =K =k\n',
    'took 1 2 1 1 0 0123456789abcdef 1 1 1 =7 5 0 =K =123456789012345678901234567890123\n', `${'a'.repeat(600)}\n`,
    'acked 99999999999999999999 2 0\n', 'acked -1 2 0\n'];
  for (const line of bad) {
    writeFileSync(stage.path('journal'), good + line + good);
    const r = await start('--journal', stage.path('journal'));
    assert.deepEqual([r.code, r.err.includes('line 2 is not of a journal')], [1, true], `${line}${r.err}`);
  }
  for (const file of ['/nonexistent/journal', '/dev/full', stage.dir]) {
    const r = await start('--journal', file);
    assert.deepEqual([r.code, r.err.startsWith(`kezek-smsc: ${file}: `)], [1, true], r.err);
  }
  const smsc = await keeper(stage, stage.path('taken'), 'smsc');
  assert.match((await start('--journal', stage.path('taken'))).err, /another centre has it/);
  await smsc.process.stop();
});

journey('journal__no_room_left__refused_and_whole_lines_stay', async (stage) => {
  const file = stage.path('journal');
  const limited = stage.path('limited');
  writeFileSync(limited, `trap '' XFSZ; ulimit -f 1; exec "${join(binaries, 'kezek-smsc')}" "$@"\n`);
  const run = stage.start('kezek-smsc', 'bash', [limited, '--listen', '127.0.0.1:0', '--quiet', '--journal', file],
    { env: { ...process.env, ...sanitizers } });
  const port = await until('kezek-smsc listens', () => Number(/127\.0\.0\.1:(\d+)/.exec(run.out())?.[1]));
  const c = await Client.bound({ port, stage });
  const statuses = [];
  for (let i = 0; i < 20; i++) statuses.push((await c.submit('x', { registered_delivery: 0 })).command_status);
  const taken = statuses.filter((s) => s === 0).length;
  assert.ok(taken > 5 && taken < 15, String(taken));
  assert.deepEqual(statuses, [...Array(taken).fill(0), ...Array(20 - taken).fill(8)]);
  assert.equal((await run.stop()).code, 0);
  const second = await keeper(stage, file, 'second');
  const next = (await (await Client.bound(second)).submit('y', { registered_delivery: 0 })).message_id;
  assert.equal(lines(file, 'took').length, taken + 1);
  assert.ok(BigInt(next) > BigInt(lines(file, 'took')[taken - 1][1]));
});
