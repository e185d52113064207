// Files: what is wrong is said in one line each with its place; SIGHUP takes a whole good file or keeps the old one.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import yaml from 'js-yaml';
import { binaries, journey, top, until } from '../lib/stage.mjs';
import { Door } from '../lib/http.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';
import { shippedBut } from '../lib/texts.mjs';

const servers = new Servers();
const nowhere = { conninfo: 'host=/nonexistent user=kezek dbname=kezek', redis: '' };

// What kezekd -t says of a file; the daemon itself must refuse it in the same words.
async function refused(k) {
  const t = await k.once('-t');
  assert.equal(t.code, 1, `${t.out}${t.err}`);
  const start = await k.once();
  assert.equal(start.code, 1, 'it does not start either');
  const lines = (t.out + t.err).trim().split('\n');
  for (const line of lines) assert.ok((start.out + start.err).includes(line.replace(/^.*?(kezek\.yaml|\w+\.yaml):/, '$1:')), line);
  return lines;
}

journey('config__good_file__t_exits_0_and_says_so', async (stage) => {
  const k = await Kezek.prepare(stage, nowhere, { operators: { one: operator(stage, { port: 2775 }) } });
  const t = await k.once('-t');
  assert.equal(t.code, 0, t.err);
  const shipped = await stage.run(join(binaries, 'kezekd'), ['-c', join(top, 'config/kezek.yaml'), '-t'], { env: k.env() });
  const file = join(top, 'config/keyring');
  assert.deepEqual([shipped.code, shipped.err], [1, `${file}: No such file or directory; make it once, and keep a copy: `
    + `kezekctl keyring new ${file}\nkezekd: 1 fault in the configuration\n`], 'all but what each site has for itself');
  const help = await k.once('--help-config');
  assert.equal(help.code, 0);
  for (const key of ['http.listen', 'database.conninfo', 'queue.max_messages', 'retention.personal', 'log.level']) assert.ok(help.out.includes(key), key);
  assert.match((await k.once('--version')).out, /^kezekd \d+\.\d+\.\d+/);
  assert.notEqual((await k.once('--no-such-option')).code, 0);
});

journey('config__each_fault__one_line_with_file_line_column_and_key', async (stage) => {
  const k = await Kezek.prepare(stage, nowhere, { operators: { one: operator(stage, { port: 2775 }) } });
  const good = yaml.dump(k.config);
  const faults = [
    ['unknown key', `${good}htttp:\n  listen: x\n`, /kezek\.yaml:\d+:1: .*htttp.*http/],
    ['unknown nested key', good.replace('listen:', 'listten:'), /kezek\.yaml:2:3: .*listten.*listen/],
    ['number', `${good}queue:\n  max_messages: many\n`, /kezek\.yaml:\d+:17: .*max_messages/],
    ['range', `${good}message:\n  max_parts: 33\n`, /kezek\.yaml:\d+:14: .*max_parts.*32/],
    ['unit', `${good}retention:\n  messages: 90\n`, /kezek\.yaml:\d+:13: .*retention\.messages/],
    ['choice', `${good}log:\n  level: loud\n`, /kezek\.yaml:\d+:10: .*level.*info/],
    ['YAML', `${good}  - : [`, /kezek\.yaml:\d+:\d+: /],
    ['doubled key', `${good}${good}`, /kezek\.yaml:\d+:1: /],
  ];
  for (const [what, text, line] of faults) {
    writeFileSync(k.file, text);
    const lines = await refused(k);
    assert.ok(lines.length >= 1 && lines.length <= 12, `${what}: ${lines.join('\n')}`);
    assert.match(lines[0], line, what);
  }
  writeFileSync(k.file, good);
  k.writeOperator('one', { ...operator(stage, { port: 99999 }), colour: 'red' });
  const lines = await refused(k);
  assert.ok(lines.some((l) => /one\.yaml:\d+:\d+: .*colour/.test(l)), lines.join('\n'));
  assert.ok(lines.some((l) => /one\.yaml:\d+:\d+: .*port/.test(l)), 'all faults at once');
  const missing = await stage.run(join(binaries, 'kezekd'), ['-c', stage.path('none.yaml'), '-t'], { env: k.env() });
  assert.equal(missing.code, 1);
  assert.match(missing.err + missing.out, /none\.yaml.*No such file/);
});

journey('keyring__missing_open_to_others_or_faulty__said_and_not_started', async (stage) => {
  const k = await Kezek.prepare(stage, nowhere, { operators: { one: operator(stage, { port: 2775 }) }, config: { keyring: 'keys' } });
  const file = join(k.dir, 'keys');
  assert.deepEqual(await refused(k), [`${file}: No such file or directory; make it once, and keep a copy: `
    + `kezekctl keyring new ${file}`, 'kezekd: 1 fault in the configuration']);
  const made = await k.ctlRun('keyring', 'new', file);
  assert.equal(made.code, 0, made.err);
  assert.equal((await k.once('-t')).code, 0);
  chmodSync(file, 0o604);
  assert.match((await refused(k))[0], /keys: others may read or write it/);
  chmodSync(file, 0o600);
  writeFileSync(file, `${readFileSync(file, 'utf8')}two ${'0'.repeat(64)}\n`);
  assert.match((await refused(k))[0], /keys:6: begins with neither/);
});

journey('templates__each_fault__one_line_with_file_line_column', async (stage) => {
  const file = stage.path('sms.yaml');
  const purposes = stage.path('purposes.yaml');
  writeFileSync(purposes, 'login:\n  template: code\n');
  const k = await Kezek.prepare(stage, nowhere, {
    config: { templates: file, purposes }, operators: { one: operator(stage, { port: 2775 }) },
  });
  const entry = (head, kk = '{code}') => `code:\n  ${head}\n  kk: "${kk}"\n  ru: "{code}"\n  en: "{code}"\n`;
  const faults = [
    ['no type', entry('segments: 1'), /sms\.yaml:3:7: \{code\} has no type/],
    ['unknown type', entry('params: {code: digit(6)}'), /sms\.yaml:2:18: code: digit\(6\): known are/],
    ['no length', entry('params: {code: digits}'), /sms\.yaml:2:18: .*1 to 32/],
    ['segments', entry('segments: 0'), /sms\.yaml:2:13: segments: a number of SMS/],
    ['a language lacks it', entry('params: {code: digits(6), n: time}'), /sms\.yaml:3:7: the text lacks \{n\}/],
    ['no language', 'code:\n  kk: x\n  ru: x\n', /sms\.yaml:2:3: .*lacks the language en/],
    ['longer than it says', entry('params: {code: digits(6)}', `{code}${'ж'.repeat(65)}`),
      /sms\.yaml:3:7: .*71 characters of UCS-2 and so 2 SMS, 1 declared/],
    ['brace', entry('params: {code: digits(6)}', '{code} {'), /sms\.yaml:3:7: a brace/],
  ];
  for (const [what, text, line] of faults) {
    writeFileSync(file, text + shippedBut('code'));
    const lines = await refused(k);
    assert.match(lines[0], line, what);
    assert.ok(!lines.some((l) => l.includes('purposes.yaml')), `${what}: a purpose is at no fault: ${lines.join('\n')}`);
  }
  const good = entry('params: {code: digits(6)}', `{code}${'ж'.repeat(64)}`);
  writeFileSync(file, good);
  assert.match((await refused(k))[0], /sms\.yaml: template "appno" is missing: notices are made of it/);
  writeFileSync(file, good + shippedBut('code'));
  assert.equal((await k.once('-t')).code, 0);
});

journey('mail__each_fault__one_line_and_its_place', async (stage) => {
  const file = stage.path('mail.yaml');
  const shipped = readFileSync(join(top, 'dialogs/mail.yaml'), 'utf8');
  const mail = { url: 'smtp://mail.example.kz:587', from: 'queue@example.kz', templates: file };
  const k = await Kezek.prepare(stage, nowhere, { config: { mail }, operators: { one: operator(stage, { port: 2775 }) } });
  const texts = [
    ['no file', null, /mail\.yaml: .*No such file/],
    ['an email less', shipped.replace('\nremind:', '\nremember:'), /mail\.yaml: email "remind" is missing/],
    ['a language less', shipped.replace(/\n  en:\n    subject: "A place.*\n    text: \|\n(      .*\n|\n)*/, '\n'), /mail\.yaml:\d+:3: email "place_free" lacks the language en/],
    ['a parameter less', shipped.replace('Кезектегі орын: {pos}', ''), /mail\.yaml:\d+:11: the text lacks \{pos\}/],
    ['a parameter that no notice has', shipped.replaceAll('pos', 'who'), /mail\.yaml: email "appno": a notice has no "who" for it/],
    ['a long subject', shipped.replace('"Бос орын бар"', `"${'ж'.repeat(101)}"`), /mail\.yaml:\d+:14: .*202 octets, over 200/],
  ];
  for (const [what, text, line] of texts) {
    if (text) writeFileSync(file, text);
    assert.match((await refused(k))[0], line, what);
  }
  writeFileSync(file, shipped);
  assert.equal((await k.once('-t')).code, 0);
  const keys = [
    ['no server', { url: 'mail.example.kz' }, /kezek\.yaml:\d+:8: mail\.url: the server is none/],
    ['no sender', { from: '' }, /kezek\.yaml:\d+:9: mail\.from: the sender's address is none/],
    ['a user alone', { user: 'kezek' }, /kezek\.yaml:\d+:9: mail\.user: user and password: give both or none/],
    ['no such bundle', { tls_ca: stage.path('none.pem') }, /kezek\.yaml:\d+:11: mail\.tls_ca: /],
    ['a link that is none', { unsubscribe: 'portal.example.kz' }, /kezek\.yaml:\d+:16: mail\.unsubscribe: /],
    ['starttls', { starttls: 'maybe' }, /kezek\.yaml:\d+:13: .*required, off/],
  ];
  for (const [what, over, line] of keys) {
    k.writeConfig({ mail: { ...mail, ...over } });
    assert.match((await refused(k))[0], line, what);
  }
});

journey('purposes__each_fault__one_line_with_file_line_column', async (stage) => {
  const file = stage.path('purposes.yaml');
  const k = await Kezek.prepare(stage, nowhere, {
    config: { purposes: file }, operators: { one: operator(stage, { port: 2775 }) },
  });
  assert.match((await refused(k))[0], /purposes\.yaml: .*No such file/);
  const faults = [
    ['no template', 'login: {}\n', /purposes\.yaml:1:8: template: this key is required/],
    ['unknown template', 'login:\n  template: cod\n', /purposes\.yaml:2:13: template: no template "cod"/],
    ['a template without a code', 'login:\n  template: resume\n', /purposes\.yaml:2:13: .*no parameter "code"/],
    ['unknown key', 'login:\n  template: code\n  trys: 5\n', /purposes\.yaml:3:3: trys: no such key; did you mean tries/],
    ['range', 'login:\n  template: code\n  life: 1h\n', /purposes\.yaml:3:9: .*1m to 10m/],
    ['choice', 'login:\n  template: code\n  binding: maybe\n', /purposes\.yaml:3:12: .*none, optional, required/],
    ['fallback', 'login:\n  template: code\n  fallback: [mail]\n', /purposes\.yaml:3:13: .*neither link nor phone/],
    ['host', 'login:\n  template: code\n  host: queue.example.kz\n', /purposes\.yaml:3:9: host: .*in kk takes 2 SMS, 1 declared/],
    ['name', 'Log in:\n  template: code\n', /purposes\.yaml:2:3: a purpose's name/],
  ];
  for (const [what, text, line] of faults) {
    writeFileSync(file, text);
    assert.match((await refused(k)).join('\n'), line, what);
  }
  writeFileSync(file, 'login:\n  template: code\n');
  const t = await k.once('-t');
  assert.equal(t.code, 0, t.err);
  assert.match(t.out, /purposes: 1/);
});

journey('regions__each_fault__one_line_with_file_line_column', async (stage) => {
  const folder = stage.path('regions');
  const k = await Kezek.prepare(stage, nowhere, {
    config: { regions: folder }, operators: { one: operator(stage, { port: 2775 }) },
  });
  assert.match((await refused(k))[0], /regions: cannot be read: No such file/);
  mkdirSync(folder);
  assert.match((await k.once('-t')).out, /regions: 0$/m, 'an empty folder is none, and no fault');
  const good = readFileSync(join(top, 'config/regions/sample.yaml'), 'utf8');
  const faults = [
    ['span', good.replace('accept: 7d', 'accept: 7'), /almaty\.yaml:\d+:11: clocks\.accept: "7" is no span/],
    ['no clock', good.replace('  stop_list: 10d\n', ''), /almaty\.yaml:\d+:\d+: clocks\.stop_list: this key is required/],
    ['unknown key', good.replace('\ndecline:', '\ndeclines:'), /almaty\.yaml:\d+:1: declines: no such key; did you mean decline/],
    ['choice', good.replace('decline: keeps', 'decline: maybe'), /almaty\.yaml:\d+:10: .*annuls, keeps/],
    ['day', good.replace('09-01\n', '02-29\n'), /almaty\.yaml:\d+:9: age_on: .*write 09-01/],
    ['hours', good.replace('quiet: 22:00-08:00', 'quiet: 22-8'), /almaty\.yaml:\d+:8: quiet: .*write 22:00-08:00/],
    ['doubled category', good.replace('id: general', 'id: privileged'), /almaty\.yaml:\d+:9: id: "privileged" is a category already/],
    ['share', good.replace('share: 3', 'share: 0'), /almaty\.yaml:\d+:12: .*1 to 100/],
  ];
  for (const [what, text, line] of faults) {
    writeFileSync(join(folder, 'almaty.yaml'), text);
    assert.match((await refused(k)).join('\n'), line, what);
  }
  writeFileSync(join(folder, 'almaty.yaml'), good);
  const t = await k.once('-t');
  assert.equal(t.code, 0, t.err);
  assert.match(t.out, /regions: 1$/m);
});

journey('dialog__each_fault__one_line_with_file_line_column', async (stage) => {
  const dialog = stage.path('menu.yaml'), services = stage.path('asks.yaml');
  const k = await Kezek.prepare(stage, nowhere, {
    config: { ussd: { dialog, services } }, operators: { one: operator(stage, { port: 2775 }) },
  });
  assert.match((await refused(k))[0], /menu\.yaml: cannot be read: No such file/);
  const menu = readFileSync(join(top, 'dialogs/kindergarten.yaml'), 'utf8');
  const asks = readFileSync(join(top, 'dialogs/services.yaml'), 'utf8');
  const faults = [
    ['goto', menu.replace('goto: vac_list', 'goto: vac_lst'), asks, /menu\.yaml:\d+:\d+: "vac_lst": there is no such screen; did you mean vac_list\?/],
    ['result', menu.replace('many: pick', 'mny: pick'), asks, /menu\.yaml:\d+:\d+: mny: caller\.open gives no such result; did you mean many\?/],
    ['language', menu.replace('ru: "Места", ', ''), asks, /menu\.yaml:\d+:\d+: text lacks the language ru/],
    ['value', menu.replace('{name}: кезек', '{nmae}: кезек'), asks, /menu\.yaml:\d+:\d+: "nmae": no service takes or gives such a value/],
    ['key twice', menu.replace('\n  home:', '\n  guest:'), asks, /menu\.yaml:\d+:3: the same key twice in one map/],
    ['tag', menu.replace('"1"', '!!int "1"'), asks, /menu\.yaml:\d+:\d+: tags, anchors and aliases are not allowed here/],
    ['no service', menu, asks.replace('\n  login.code:', '\n  login.coed:'), /asks\.yaml:\d+:\d+: "login\.coed": kezek has no such service; did you mean login\.code\?/],
    ['page too wide', menu.replace('Не бойынша?', 'Қандай нөмір бойынша іздейміз: ЖСН не өтініш?'), asks, /menu\.yaml:\d+:\d+: check: first in kk is \d+ characters, and 80 of UCS-2 fit a page/],
    ['no confirmation', menu.replace('goto: acc_pin', 'goto: acc'), asks, /menu\.yaml:\d+:\d+: acc: offer leads to referral\.accept without its confirmation/],
    ['late SMS', menu, asks.replace('none: ussd_late_none', 'none: ussd_late_nine'), /asks\.yaml:\d+:\d+: there is no SMS template ussd_late_nine/],
  ];
  for (const [what, one, two, line] of faults) {
    writeFileSync(dialog, one);
    writeFileSync(services, two);
    assert.match((await refused(k)).join('\n'), line, what);
  }
  writeFileSync(dialog, menu);
  writeFileSync(services, asks);
  const t = await k.once('-t');
  assert.equal(t.code, 0, t.err);
  assert.match(t.out, /screens: \d+$/m);
});

journey('holidays__each_fault__one_line_with_file_line_column', async (stage) => {
  const file = stage.path('holidays.yaml');
  const k = await Kezek.prepare(stage, nowhere, {
    config: { holidays: file }, operators: { one: operator(stage, { port: 2775 }) },
  });
  assert.match((await refused(k))[0], /holidays\.yaml: .*No such file/);
  const faults = [
    ['no date', 'off:\n  2026-02-29: x\n', /holidays\.yaml:2:3: "2026-02-29" is no date/],
    ['twice', 'off:\n  2026-01-01: x\n  2026-01-01: y\n', /holidays\.yaml:3:3: the same key twice/],
    ['off and worked', 'off:\n  2026-01-03: x\nwork:\n  2026-01-03: y\n', /holidays\.yaml:4:3: 2026-01-03 is under off and under work/],
    ['worked anyway', 'work:\n  2026-01-02: x\n', /holidays\.yaml:2:3: 2026-01-02 is worked anyway/],
    ['no word', 'off:\n  2026-01-01:\n', /holidays\.yaml:2:\d+: 2026-01-01: what day it is/],
  ];
  for (const [what, text, line] of faults) {
    writeFileSync(file, text);
    assert.match((await refused(k)).join('\n'), line, what);
  }
  writeFileSync(file, 'off:\n  2026-01-01: New Year\n');
  const t = await k.once('-t');
  assert.equal(t.code, 0, t.err);
});

journey('keyring__another_than_the_databases__said_and_not_started', async (stage) => {
  const database = await servers.database();
  const k = await Kezek.start(stage, database);
  await k.stop();
  const other = await Kezek.prepare(stage, database, { name: 'other', config: { keyring: 'keys' } });
  assert.equal((await k.ctlRun('keyring', 'new', join(other.dir, 'keys'))).code, 0);
  const r = await other.once();
  assert.equal(r.code, 1, r.err);
  assert.match(r.err, /keys: the database belongs to another keyring/);
});

journey('database__unreachable_at_start__one_line_unready_and_ready_when_it_comes', async (stage) => {
  const database = await servers.database();
  const centre = await startCentre(stage);
  const k = await Kezek.prepare(stage, database, { config: { database: { connect_timeout: '1s' } },
    operators: { one: operator(stage, { port: centre.port }) } });
  await k.migrate();
  await servers.kill();
  try {
    const m = await k.once('--migrate');
    assert.equal(m.code, 1);
    assert.equal((m.out + m.err).trim().split('\n').length, 1, m.out + m.err);
    k.run();
    const door = new Door({ port: k.port, key: 'unknown' });
    stage.defer(() => door.close());
    const r = await until(() => `the door: ${k.process.err()}`, async () => {
      const answer = await door.get('/readyz');
      return /database/.test(k.process.err()) && answer;
    });
    assert.deepEqual([r.status, r.json.database], [503, 'down']);
    assert.match(r.json.reasons.join(), /database/);
    assert.equal((await door.get('/livez')).status, 200);
    const sent = await door.post('/v1/messages', { to: '+77011234567', text: 'a' });
    assert.deepEqual([sent.status, sent.json.code], [503, 'unavailable'], 'a key cannot be judged, so it is not called wrong');
    // Reconnecting goes on meanwhile and does not repeat itself in the log.
    const lines = k.process.err().split('\n').filter((l) => /error|warn/.test(l) && /database|postgres/i.test(l));
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.ok(!k.process.ended, 'it waits for the database');
  } finally {
    await servers.restart();
  }
  await k.ready();
  await k.openDoor();
  await k.settled((await k.door.send({ to: '+77011234567', text: 'a' })).id);
});

journey('database__not_migrated__says_what_to_run', async (stage) => {
  const k = await Kezek.prepare(stage, await servers.database());
  const r = await k.once();
  assert.equal(r.code, 1, r.err);
  assert.match(r.err, /--migrate/);
  await k.migrate();
  await k.migrate();
});

journey('sighup__good_then_broken_file__taken_whole_or_not_at_all', async (stage) => {
  const a = await startCentre(stage), b = await startCentre(stage);
  const k = await Kezek.start(stage, await servers.database(), { operators: { one: operator(stage, { port: a.port }) } });
  await k.bound();
  const send = async (text) => k.settled((await k.door.send({ to: '+77011234567', text })).id);
  const long = 'ә'.repeat(200);
  await send(long);

  k.writeOperator('two', operator(stage, { port: b.port, prefixes: ['7701'] }));
  k.writeConfig({ message: { max_parts: 2 } });
  process.kill(k.process.pid, 'SIGHUP');
  await k.bound('two');
  assert.equal((await k.door.post('/v1/messages', { to: '+77011234567', text: long })).json.code, 'text_too_long');
  await send('by two');
  assert.deepEqual(b.texts.map((t) => t.text), ['by two']);
  assert.equal(a.binds.length, 1, 'a link whose profile did not change stays');

  k.writeConfig({ message: { max_parts: 'few' } });
  process.kill(k.process.pid, 'SIGHUP');
  const line = await until('the refusal', () => k.process.err().split('\n').find((l) => /max_parts/.test(l)));
  assert.match(line, /kezek\.yaml:\d+:\d+/);
  k.writeConfig({ message: { max_parts: 2 } });
  k.writeOperator('two', 'links: no\n');
  process.kill(k.process.pid, 'SIGHUP');
  await until('the profile is named', () => /two\.yaml:\d+:\d+/.test(k.process.err()));
  await send('still by two');
  assert.equal(b.texts.length, 2);
  assert.equal((await k.door.post('/v1/messages', { to: '+77011234567', text: long })).json.code, 'text_too_long', 'the old values');

  k.writeOperator('two', operator(stage, { port: b.port, prefixes: ['7701'] }));
  const regions = stage.path('regions');
  mkdirSync(regions);
  writeFileSync(join(regions, 'shymkent.yaml'), 'decline: maybe\n');
  k.writeConfig({ regions });
  process.kill(k.process.pid, 'SIGHUP');
  await until('the region is named', () => /shymkent\.yaml:1:10: decline/.test(k.process.err()));
  assert.equal((await k.door.post('/v1/messages', { to: '+77011234567', text: long })).json.code, 'text_too_long', 'still the old values');

  const menu = stage.path('menu.yaml');
  writeFileSync(menu, 'dialog: menu\n');
  k.writeConfig({ ussd: { dialog: menu, services: join(top, 'dialogs/services.yaml') } });
  process.kill(k.process.pid, 'SIGHUP');
  await until('the menu is named', () => /menu\.yaml:1:1: lacks screens/.test(k.process.err()));
  assert.equal((await k.door.post('/v1/messages', { to: '+77011234567', text: long })).json.code, 'text_too_long', 'still the old values');

  k.writeConfig({ message: { max_parts: 2 }, http: { listen: '127.0.0.1:1' } });
  k.writeOperator('two', operator(stage, { port: b.port, prefixes: ['7701'] }));
  process.kill(k.process.pid, 'SIGHUP');
  await until('a key that needs a restart is named', () => /http\.listen/.test(k.process.err()));
  await send('and again');

  k.writeConfig({ message: { max_parts: 3 } });
  const keys = readFileSync(k.config.keyring, 'utf8');
  writeFileSync(k.config.keyring, keys.replace(/^lookup ./, 'lookup x'));
  process.kill(k.process.pid, 'SIGHUP');
  await until('the keyring is named', () => /keyring:1: the key is not 64 hex digits/.test(k.process.err()));
  writeFileSync(k.config.keyring, keys.replace(/^lookup .*/, `lookup ${'0'.repeat(64)}`));
  process.kill(k.process.pid, 'SIGHUP');
  await until('the lookup key is', () => /keyring: the lookup key is another one/.test(k.process.err()));
  assert.equal((await k.door.post('/v1/messages', { to: '+77011234567', text: long })).json.code, 'text_too_long', 'the old values');
  writeFileSync(k.config.keyring, keys);
  assert.equal((await k.ctlRun('keyring', 'add', k.config.keyring)).code, 0);
  process.kill(k.process.pid, 'SIGHUP');
  await until('all of it is taken', async () => (await k.door.post('/v1/messages', { to: '+77011234567', text: long })).status === 202);
});

journey('sighup__first_of_two_equal_operators_changes__order_of_routes_stays', async (stage) => {
  const centre = await startCentre(stage);
  const profile = (rate) => operator(stage, { port: centre.port, link: { rate } });
  const k = await Kezek.start(stage, await servers.database(), { operators: { alpha: profile(100), beta: profile(100) } });
  await k.bound();
  const route = async () => (await k.door.post('/v1/messages', { to: '+77011234567', text: 'a', dry_run: true })).json.route;
  assert.deepEqual(await route(), ['alpha', 'beta']);
  k.writeOperator('alpha', profile(99));
  process.kill(k.process.pid, 'SIGHUP');
  await until('the new profile is bound', async () => {
    const link = await k.link('alpha.1');
    return link.rate === 99 && link.state === 'bound';
  });
  assert.deepEqual(await route(), ['alpha', 'beta']);
  assert.deepEqual((await k.status()).carriers.map((c) => c.name), ['alpha', 'beta']);
});
