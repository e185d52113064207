// The portal's door: what it keeps, what it refuses and why; nothing is kept of what was refused.
import assert from 'node:assert/strict';
import net from 'node:net';
import { readFileSync } from 'node:fs';
import { journey, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { raw } from '../lib/http.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';
import { document, seenAnswers } from '../lib/openapi.mjs';

const servers = new Servers();
const to = '+77011234567';
const limits = { http: { header_limit: '4k', body_limit: '8k', request_timeout: '700ms' }, message: { max_parts: 3 } };

async function stand(stage, { config = limits, centre: options = {} } = {}) {
  const centre = await startCentre(stage, options);
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config, operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  return { centre, database, k, door: k.door };
}

async function nothingKept(database, centre) {
  assert.deepEqual([await database.count('message'), await database.count('message_person'), await database.count('message_event'),
    await database.count('idempotency')], [0, 0, 0, 0], 'rows');
  assert.equal(centre.submits.length, 0, 'nothing was sent');
}

// [what, body or wish, status, code, field]
const bad = [
  ['no JSON', '{"to": "+7701', 400, 'malformed_json'],
  ['two values', '{} {}', 400, 'malformed_json'],
  ['a doubled member', `{"to":"${to}","to":"${to}","text":"a"}`, 400, 'malformed_json'],
  ['not UTF-8', Buffer.from(`7b22746f223a22ff227d`, 'hex'), 400, 'malformed_json'],
  ['nothing', '', 400, 'malformed_json'],
  ['depth', '['.repeat(3000), 400, 'malformed_json'],
  ['a list', [], 422, 'wrong_type'],
  ['to is a number', { to: 77011234567, text: 'a' }, 422, 'wrong_type', 'to'],
  ['text is a list', { to, text: ['a'] }, 422, 'wrong_type', 'text'],
  ['text is null', { to, text: null }, 422, 'wrong_type', 'text'],
  ['dry_run is text', { to, text: 'a', dry_run: 'yes' }, 422, 'wrong_type', 'dry_run'],
  ['params is text', { to, template: 'code', language: 'kk', params: 'x' }, 422, 'wrong_type', 'params'],
  ['a parameter is a number', { to, template: 'code', language: 'kk', params: { code: 1, minutes: '5' } }, 422, 'wrong_type', 'params'],
  ['unknown field', { to, text: 'a', priority: 1 }, 422, 'unknown_field', 'priority'],
  ['no to', { text: 'a' }, 422, 'missing_field', 'to'],
  ['no text', { to }, 422, 'missing_field', 'text'],
  ['no language', { to, template: 'code', params: { code: '1', minutes: '5' } }, 422, 'missing_field', 'language'],
  ['text and template', { to, text: 'a', template: 'code', language: 'kk' }, 422, 'invalid_value'],
  ['language', { to, template: 'code', language: 'de', params: {} }, 422, 'invalid_value', 'language'],
  ['class', { to, text: 'a', class: 'urgent' }, 422, 'invalid_value', 'class'],
  ['sender', { to, text: 'a', sender: 'much too long a name' }, 422, 'invalid_value', 'sender'],
  ['expires_at', { to, text: 'a', expires_at: 'tomorrow' }, 422, 'invalid_value', 'expires_at'],
  ['past', { to, text: 'a', expires_at: '2020-01-01T00:00:00Z' }, 422, 'expires_in_past', 'expires_at'],
  ['client_ref', { to, text: 'a', client_ref: 'x'.repeat(65) }, 422, 'invalid_value', 'client_ref'],
  ['landline', { to: '+77172123456', text: 'a' }, 422, 'invalid_number', 'to'],
  ['foreign', { to: '+79161234567', text: 'a' }, 422, 'invalid_number', 'to'],
  ['foreign, far', { to: '+4915112345678', text: 'a' }, 422, 'invalid_number', 'to'],
  ['short', { to: '8701123456', text: 'a' }, 422, 'invalid_number', 'to'],
  ['letters', { to: 'mama', text: 'a' }, 422, 'invalid_number', 'to'],
  ['empty number', { to: '', text: 'a' }, 422, 'invalid_number', 'to'],
  ['empty text', { to, text: '' }, 422, 'empty_text', 'text'],
  ['over-long text', { to, text: 'ә'.repeat(202) }, 422, 'text_too_long', 'text'],
  ['over-long GSM text', { to, text: 'a'.repeat(460) }, 422, 'text_too_long', 'text'],
  ['NUL', { to, text: 'a\u0000b' }, 400, 'malformed_json'],
  ['control character', { to, text: 'a\u0007b' }, 422, 'invalid_value', 'text'],
  ['template', { to, template: 'nothing', language: 'kk', params: {} }, 422, 'unknown_template', 'template'],
  ['parameter missing', { to, template: 'code', language: 'kk', params: { code: '123456' } }, 422, 'invalid_params', 'params'],
  ['parameter unknown', { to, template: 'code', language: 'kk', params: { code: '1', minutes: '5', x: 'y' } }, 422, 'invalid_params', 'params'],
];

journey('door__bad_bodies__named_refusals_and_nothing_kept', async (stage) => {
  const { centre, database, door } = await stand(stage);
  for (const [what, body, status, code, field] of bad) {
    const r = await door.post('/v1/messages', body);
    assert.deepEqual([r.status, r.json.code], [status, code], `${what}: ${r.body}`);
    if (field) assert.equal(r.json.field, field, `${what}: ${r.body}`);
    assert.equal(r.json.retryable, false, what);
    assert.ok(r.json.detail.length > 10, `${what}: a remedy`);
  }
  await nothingKept(database, centre);
});

journey('door__bad_requests__fence_and_keys', async (stage) => {
  const { centre, database, k, door } = await stand(stage);
  const good = JSON.stringify({ to, text: 'a' });
  const expect = (r, status, code) => assert.deepEqual([r.status, r.json.code], [status, code], r.body);
  const headers = (h, body = good) => door.call('POST', '/v1/messages', { body, headers: h });
  expect(await headers({ authorization: null }), 401, 'unauthorized');
  expect(await headers({ authorization: 'Bearer wrong' }), 401, 'unauthorized');
  expect(await headers({ authorization: `Basic ${door.key}` }), 401, 'unauthorized');
  expect(await headers({ 'idempotency-key': null }), 400, 'missing_idempotency_key');
  expect(await headers({ 'idempotency-key': 'x'.repeat(129) }), 400, 'invalid_idempotency_key');
  expect(await headers({ 'idempotency-key': 'a b' }), 400, 'invalid_idempotency_key');
  expect(await headers({ 'content-type': 'text/plain' }), 415, 'unsupported_media_type');
  expect(await headers({ 'content-type': null }), 415, 'unsupported_media_type');
  expect(await door.call('PUT', '/v1/messages', { body: good }), 405, 'method_not_allowed');
  expect(await door.call('DELETE', '/v1/messages/0123456789abc'), 405, 'method_not_allowed');
  expect(await door.get('/v1/nothing'), 404, 'not_found');
  expect(await door.get('/v1/messages/0123456789abc'), 404, 'not_found');
  expect(await door.get('/v1/messages/short'), 404, 'not_found');
  expect(await door.get('/v1/messages'), 422, 'missing_field');
  expect(await door.get('/metrics', { headers: { authorization: null } }), 401, 'unauthorized');
  expect(await headers({}, JSON.stringify({ to, text: 'a'.repeat(9000) })), 413, 'body_too_large');
  expect(await headers({ 'x-long': 'y'.repeat(5000) }), 431, 'header_too_large');

  const reader = await k.ctl('key', 'add', 'reader', '--scope', 'messages:read');
  const writer = await k.ctl('key', 'add', 'writer', '--scope', 'messages:write');
  expect(await door.withKey(reader.key).post('/v1/messages', { to, text: 'a' }), 403, 'forbidden');
  expect(await door.withKey(reader.key).get('/metrics'), 403, 'forbidden');
  expect(await door.withKey(writer.key).get('/v1/messages/0123456789abc'), 403, 'forbidden');
  await k.ctl('key', 'revoke', String(writer.id));
  expect(await door.withKey(writer.key).post('/v1/messages', { to, text: 'a' }), 401, 'unauthorized');
  await nothingKept(database, centre);
});

const start = (k, extra = '') => `POST /v1/messages HTTP/1.1\r\nHost: kezek\r\nAuthorization: Bearer ${k.door.key}\r\n`
  + `Content-Type: application/json\r\nIdempotency-Key: raw-${Math.random()}\r\n${extra}`;
const good = JSON.stringify({ to, text: 'a' });

// Each path of the document: what it has is known, all else is refused.
journey('door__parameter_that_the_document_does_not_have__named_with_the_nearest', async (stage) => {
  const { k } = await stand(stage);
  const { key } = await k.ctl('key', 'add', 'all', ...['messages:read', 'messages:write', 'codes', 'metrics', 'records', 'places', 'queue', 'open']
    .flatMap((scope) => ['--scope', scope]));
  const door = k.door.withKey(key);
  const shared = (p) => (p.$ref ? document.components.parameters[p.$ref.split('/').at(-1)] : p);
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of Object.keys(operations)) {
      const names = (operations[method].parameters ?? []).map(shared).filter((p) => p.in === 'query').map((p) => p.name);
      const target = path.replace(/\{[^}]+\}/g, '1');
      const strange = (query) => door.call(method.toUpperCase(), `${target}?${query}`);
      for (const query of ['districts=1', ...names.map((n) => `${n}=x&${n}s=x`)]) {
        const r = await strange(query);
        const name = query.split('&').at(-1).split('=')[0];
        assert.deepEqual([r.status, r.json.code, r.json.field], [400, 'unknown_parameter', name], `${method} ${target}?${query}`);
        const near = names.includes(name.slice(0, -1)) ? `did you mean ${name.slice(0, -1)}?` : names.length ? names.join(', ') : 'no parameters';
        assert.ok(r.json.detail.includes(near), `${target}?${query}: ${r.json.detail}`);
      }
    }
  }
  const r = await door.get('/v1/queue?child_iin%20000101100006=1');
  assert.equal(r.json.field, 'child_iin ************');
});

journey('door__octets_that_no_client_library_sends__fenced', async (stage) => {
  const { centre, database, k } = await stand(stage);
  const cases = [
    ['chunked', 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n', 411, 'length_required'],
    ['odd transfer encoding', `Transfer-Encoding: Chunked, identity\r\nContent-Length: ${good.length}\r\n\r\n${good}`, 411, 'length_required'],
    ['two lengths', `Content-Length: 5\r\nContent-Length: ${good.length}\r\n\r\n${good}`, 400, 'malformed_request'],
    ['length with a sign', `Content-Length: +5\r\n\r\n${good}`, 400, 'malformed_request'],
    ['length of letters', 'Content-Length: five\r\n\r\n', 400, 'malformed_request'],
    ['length over all bounds', 'Content-Length: 99999999999999999999999\r\n\r\n', null, null],
    ['length over the limit', 'Content-Length: 9000\r\n\r\n', 413, 'body_too_large'],
    ['a folded header', `X-A: b\r\n c\r\nContent-Length: ${good.length}\r\n\r\n${good}`, 400, 'malformed_request'],
    ['a space before the colon', `X-A : b\r\nContent-Length: ${good.length}\r\n\r\n${good}`, 400, 'malformed_request'],
    ['no colon', `nonsense\r\nContent-Length: ${good.length}\r\n\r\n${good}`, 400, 'malformed_request'],
  ];
  for (const [what, tail, status, code] of cases) {
    const [r] = await raw(k.port, [start(k, tail)], { answers: 1 });
    assert.ok(r, `${what}: no answer`);
    if (status) assert.deepEqual([r.status, JSON.parse(r.body).code], [status, code], what);
    else assert.ok([400, 413].includes(r.status), `${what}: ${r.status}`);
  }
  const [brew] = await raw(k.port, ['BREW /v1/messages HTTP/1.1\r\nHost: kezek\r\n\r\n'], { answers: 1, method: 'BREW' });
  assert.deepEqual([brew.status, JSON.parse(brew.body).code], [501, 'method_unknown']);
  const [tea] = await raw(k.port, [start(k, 'Expect: tea\r\nContent-Length: 2\r\n\r\n')], { answers: 1 });
  assert.deepEqual([tea.status, JSON.parse(tea.body).code], [417, 'expectation_failed']);
  const [long] = await raw(k.port, [`POST /v1/messages?${'q'.repeat(5000)} HTTP/1.1\r\nHost: kezek\r\n\r\n`], { answers: 1 });
  assert.equal(long.status, 431);
  await raw(k.port, [Buffer.from([0x16, 0x03, 0x01, 0x00, 0xff, 0x01, 0x00]), '\r\n\r\n']);
  await raw(k.port, ['\0\0\0\0\r\n\r\n'.repeat(20)]);
  await nothingKept(database, centre);
  await k.settled((await k.door.send({ to, text: 'after all that' })).id);
});

journey('door__client_dribbles_or_leaves__cut_off_and_nothing_kept', async (stage) => {
  const { centre, database, k } = await stand(stage);
  // Each octet comes before the deadline of a read, the request never before its own.
  const whole = start(k, `Content-Length: ${good.length}\r\n\r\n${good}`);
  const dribble = async (socket) => {
    for (const c of whole) {
      if (socket.destroyed || !socket.writable) return;
      await new Promise((next) => setTimeout(next, 60));
      socket.write(c);
    }
  };
  const began = Date.now();
  const answers = await raw(k.port, [dribble]);
  assert.ok(Date.now() - began < 5000, 'cut off at the deadline of the request');
  for (const a of answers) assert.equal(a.status, 408);
  for (const cut of [10, 60, whole.length - 5]) {
    await new Promise((resolve) => {
      const socket = net.connect(k.port, '127.0.0.1', () => {
        socket.write(whole.slice(0, cut), () => socket.resetAndDestroy());
      });
      socket.on('close', resolve);
      socket.on('error', () => {});
    });
  }
  assert.equal((await k.door.get('/livez')).status, 200);
  await nothingKept(database, centre);
});

journey('door__client_leaves_before_its_answer__message_is_kept_and_daemon_lives', async (stage) => {
  const { database, k } = await stand(stage);
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => {
      const socket = net.connect(k.port, '127.0.0.1', () => {
        socket.write(start(k, `Content-Length: ${good.length}\r\n\r\n${good}`), () => socket.resetAndDestroy());
      });
      socket.on('close', resolve);
      socket.on('error', () => {});
    });
  }
  await k.settled((await k.door.send({ to, text: 'the last' })).id);
  // A reset may overtake the request; whatever was read whole is kept whole.
  const rows = await database.count('message');
  assert.ok(rows >= 1 && rows <= 21);
  assert.equal(await database.count('message_person'), rows);
  assert.equal(await database.count('idempotency'), rows);
});

journey('door__keep_alive_and_pipelining__every_answer_in_order', async (stage) => {
  const { k } = await stand(stage);
  const get = 'GET /livez HTTP/1.1\r\nHost: kezek\r\n\r\n';
  const answers = await raw(k.port, [get.repeat(5)], { answers: 5, method: 'GET', path: '/livez' });
  assert.deepEqual(answers.map((a) => a.status), [200, 200, 200, 200, 200]);
  const old = await raw(k.port, ['GET /livez HTTP/1.0\r\n\r\n'], { method: 'GET', path: '/livez' });
  assert.equal(old[0].status, 200, 'HTTP/1.0, and the connection is closed');
});

journey('idempotency__replay_reuse_and_dry_run', async (stage) => {
  const { centre, database, k, door } = await stand(stage);
  const key = { 'idempotency-key': 'order-17' };
  const first = await door.post('/v1/messages', { to, text: 'one' }, key);
  assert.equal(first.status, 202);
  assert.equal(first.headers['idempotent-replayed'], undefined);
  const again = await door.post('/v1/messages', { to, text: 'one' }, key);
  assert.deepEqual([again.status, again.body, again.headers['idempotent-replayed']], [202, first.body, 'true']);
  const other = await door.post('/v1/messages', { to, text: 'two' }, key);
  assert.deepEqual([other.status, other.json.code], [422, 'idempotency_key_reused']);
  const twins = await Promise.all(Array.from({ length: 8 }, () => door.post('/v1/messages', { to, text: 'twin' }, { 'idempotency-key': 'twin' })));
  const ids = new Set(twins.filter((r) => r.status === 202).map((r) => r.json.id));
  assert.equal(ids.size, 1);
  for (const r of twins) assert.ok(r.status === 202 || r.json.code === 'idempotency_in_progress', r.body);
  const another = await k.ctl('key', 'add', 'another', '--scope', 'messages:write');
  assert.equal((await door.withKey(another.key).post('/v1/messages', { to, text: 'two' }, key)).status, 202, 'keys are per client');
  const dry = await door.post('/v1/messages', { to: '8 701 123-45-67', text: '“quoted” – text…', dry_run: true });
  assert.deepEqual(dry.json, { dry_run: true, to, text: '"quoted" - text...', encoding: 'gsm7', units: 18, segments: 1, route: ['one'], class: 'notice' });
  await k.settled(first.json.id);
  assert.equal(await database.count('message'), 3);
  await until('three SMS', () => centre.texts.length === 3);

  await k.stop();
  await k.run();
  await k.ready();
  const later = await door.post('/v1/messages', { to, text: 'one' }, key);
  assert.deepEqual([later.status, later.body, later.headers['idempotent-replayed']], [202, first.body, 'true'], 'after a restart');
});

journey('template__three_languages__filled_and_delivered', async (stage) => {
  const { centre, k, door } = await stand(stage);
  for (const language of ['kk', 'ru', 'en']) {
    const wish = { to, template: 'code', language, params: { code: '284106', minutes: '5' }, class: 'code' };
    const dry = await door.post('/v1/messages', { ...wish, dry_run: true });
    assert.ok(dry.json.text.includes('284106'));
    assert.equal(dry.json.segments, 1, 'a code fits one SMS');
    const m = await k.settled((await door.send(wish)).id);
    assert.equal(m.class, 'code');
    assert.equal(centre.texts.at(-1).text, dry.json.text);
  }
  await k.stop();
  const log = k.runs.map((r) => readFileSync(r.process.errPath, 'utf8')).join('');
  assert.ok(!log.includes('284106'), 'no code in the log');
  assert.ok(!log.includes('1234567'), 'no number in the log');
});

journey('batch__bad_line_in_the_middle__others_are_kept', async (stage) => {
  const { centre, database, k, door } = await stand(stage);
  const wishes = [{ to, text: 'a', client_ref: 'batch-1' }, '{"to":', { to: '+79161234567', text: 'b' }, { to, text: 'ә'.repeat(80), class: 'bulk', client_ref: 'batch-1' }];
  const r = await door.batch(wishes, { 'idempotency-key': 'b1' });
  assert.equal(r.status, 202);
  assert.deepEqual(r.lines.map((l) => [l.line, l.status, l.code]), [[1, 202, undefined], [2, 400, 'malformed_json'],
    [3, 422, 'invalid_number'], [4, 202, undefined]]);
  assert.deepEqual([r.lines[0].segments, r.lines[3].segments, r.lines[3].encoding], [1, 2, 'ucs2']);
  await k.settled(r.lines[0].id);
  await k.settled(r.lines[3].id);
  const again = await door.batch(wishes, { 'idempotency-key': 'b1' });
  assert.deepEqual([again.status, again.body, again.headers['idempotent-replayed']], [202, r.body, 'true']);
  const found = await door.get('/v1/messages?client_ref=batch-1');
  assert.deepEqual(found.json.messages.map((m) => m.id).sort(), [r.lines[0].id, r.lines[3].id].sort());
  assert.deepEqual((await door.get('/v1/messages?client_ref=nobody')).json, { messages: [] });

  const none = await door.batch([{ to, text: '' }, { to, text: 'a', dry_run: true }]);
  assert.deepEqual([none.status, none.lines.map((l) => l.code)], [422, ['empty_text', 'unknown_field']]);
  for (const nothing of [[], ['', '\r']]) {
    const empty = await door.batch(nothing);
    assert.deepEqual([empty.status, empty.json?.code], [422, 'invalid_value'], empty.body);
  }
  assert.equal(await database.count('message'), 2);
  assert.equal(centre.texts.length, 2);
}, { withinMs: 60000 });

journey('batch__a_thousand_and_one_more__whole_or_refused', async (stage) => {
  const { database, k, door } = await stand(stage, { config: { http: { body_limit: '1m' } } });
  const lines = (n) => Array.from({ length: n }, (_, i) => ({ to, text: `line ${i}` }));
  const r = await door.batch(lines(1000));
  assert.equal(r.status, 202);
  assert.equal(new Set(r.lines.map((l) => l.id)).size, 1000);
  const more = await door.batch(lines(1001));
  assert.ok([413, 422].includes(more.status), more.body);
  assert.equal(await database.count('message'), 1000);
  await k.settled(r.lines[999].id, 'delivered', 60000);
  await until('all submitted', async () => (await k.metric('kezek_messages_accepted_total')) === 1000);
});

journey('database__goes_and_comes_back__503_then_kept_again', async (stage) => {
  const { centre, database, k, door } = await stand(stage);
  await k.settled((await door.send({ to, text: 'before' })).id);
  await servers.kill();
  try {
    await until('unready', async () => {
      const r = await door.get('/readyz');
      return r.status === 503 && r.json.database === 'down';
    });
    const asked = Date.now();
    const r = await door.post('/v1/messages', { to, text: 'refused' });
    assert.deepEqual([r.status, r.json.code, r.json.retryable], [503, 'unavailable', true]);
    assert.ok(Date.now() - asked < 2000, 'the client is not kept waiting');
    assert.equal((await door.get('/livez')).status, 200);
  } finally {
    await servers.restart();
  }
  await k.ready();
  await k.settled((await door.send({ to, text: 'after' })).id);
  assert.deepEqual(centre.texts.map((t) => t.text), ['before', 'after']);
  assert.equal(await database.count('message'), 2);
});

journey('health_and_metrics__as_documented', async (stage) => {
  const { k, door } = await stand(stage);
  assert.deepEqual((await door.withKey(null).get('/livez')).json, { status: 'ok' });
  const ready = await door.withKey(null).get('/readyz');
  assert.deepEqual(ready.json, { status: 'ready', reasons: [], database: 'up', redis: 'up', operators: { one: 'up' } });
  await k.settled((await door.send({ to, text: 'a' })).id);
  const metrics = await door.get('/metrics');
  assert.match(metrics.headers['content-type'], /^text\/plain; *version=0\.0\.4/);
  for (const line of metrics.body.trimEnd().split('\n'))
    assert.match(line, /^(# (HELP|TYPE) kezek_[a-z_]+ .+|kezek_[a-z_]+(\{[^}]*\})? [-+0-9.eInfNa]+)$/);
  assert.ok(!/7701|1234567/.test(metrics.body.replace(/ [0-9.e+-]+$/gm, '')), 'no number in a label');
  const documented = ['GET /livez 200', 'GET /metrics 200', 'GET /readyz 200', 'POST /v1/messages 202'];
  for (const d of documented) assert.ok(seenAnswers().includes(d), d);
});
