// What bad input gets: each its own clear answer, no try taken, nothing kept and nothing sent.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { journey, until } from '../lib/stage.mjs';
import { Codes, notTooSoon, purposes, sentAgain, wide, wrongFor } from '../lib/codes.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const to = '+77011234567';
const [login, language] = ['login', 'kk'];
// Beside the host a text has room for 8 digits.
const narrow = 'narrow: {params: {code: digits(10)}, kk: "Код {code}", ru: "Код {code}", en: "Code {code}"}\n';

async function stand(stage, config = {}) {
  const centre = await startCentre(stage);
  const database = await servers.database();
  const templates = stage.path('sms.yaml');
  writeFileSync(templates, readFileSync(new URL('../../dialogs/sms.yaml', import.meta.url), 'utf8') + narrow);
  const k = await Kezek.start(stage, database, { config: { ...wide, purposes: purposes(stage, { login: {}, phone: { binding: 'required' },
    narrow: { template: 'narrow', host: `${'a'.repeat(43)}.kz` } }), templates, ...config }, operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  return { centre, database, k, codes: new Codes(k.door, centre) };
}

// [what, body, status, code, field]
const wishes = [
  ['no JSON', '{"to": "+7701', 400, 'malformed_json'],
  ['nothing', '', 400, 'malformed_json'],
  ['a list', [], 422, 'wrong_type'],
  ['no purpose', { to, language }, 422, 'missing_field', 'purpose'],
  ['unknown purpose', { purpose: 'lottery', to, language }, 422, 'unknown_purpose', 'purpose'],
  ['purpose of hostile octets', { purpose: "login' or 1=1 --", to, language }, 422, 'unknown_purpose', 'purpose'],
  ['purpose is a number', { purpose: 1, to, language }, 422, 'wrong_type', 'purpose'],
  ['no to', { purpose: login, language }, 422, 'missing_field', 'to'],
  ['to is a number', { purpose: login, to: 77011234567, language }, 422, 'wrong_type', 'to'],
  ['to is nobody', { purpose: login, to: [], language }, 422, 'invalid_value', 'to'],
  ['to is one of a list', { purpose: login, to: [to], language }, 422, 'invalid_value', 'to'],
  ['to is three', { purpose: login, to: [to, '+77021234567', '+77051234567'], language }, 422, 'invalid_value', 'to'],
  ['to is the same twice', { purpose: login, to: [to, '87011234567'], language }, 422, 'invalid_value', 'to'],
  ['to has a number in its list', { purpose: login, to: [to, 7], language }, 422, 'wrong_type', 'to'],
  ['landline', { purpose: login, to: '+77172123456', language }, 422, 'invalid_number', 'to'],
  ['foreign', { purpose: login, to: '+79161234567', language }, 422, 'invalid_number', 'to'],
  ['the second of a pair is bad', { purpose: login, to: [to, 'mama'], language }, 422, 'invalid_number', 'to'],
  ['no language', { purpose: login, to }, 422, 'missing_field', 'language'],
  ['language', { purpose: login, to, language: 'de' }, 422, 'invalid_value', 'language'],
  ['no binding where one is required', { purpose: 'phone', to, language }, 422, 'missing_field', 'binding'],
  ['empty binding', { purpose: 'phone', to, language, binding: '' }, 422, 'invalid_value', 'binding'],
  ['long binding', { purpose: 'phone', to, language, binding: 'x'.repeat(129) }, 422, 'invalid_value', 'binding'],
  ['binding is a list', { purpose: 'phone', to, language, binding: ['x'] }, 422, 'wrong_type', 'binding'],
  ['code of letters', { purpose: login, to, language, code: 'abcdef' }, 422, 'invalid_code', 'code'],
  ['code too short', { purpose: login, to, language, code: '123' }, 422, 'invalid_code', 'code'],
  ['code too long', { purpose: login, to, language, code: '12345678901' }, 422, 'invalid_code', 'code'],
  ['code longer than the texts of the purpose hold', { purpose: 'narrow', to, language, code: '123456789' }, 422, 'invalid_code', 'code'],
  ['code is a number', { purpose: login, to, language, code: 123456 }, 422, 'wrong_type', 'code'],
  ['address', { purpose: login, to, language, client_address: 'example.kz' }, 422, 'invalid_value', 'client_address'],
  ['address with a port', { purpose: login, to, language, client_address: '203.0.113.7:80' }, 422, 'invalid_value', 'client_address'],
  ['second is bad', { purpose: login, to, language, second: '123' }, 422, 'invalid_number', 'second'],
  ['second of a pair', { purpose: login, to: [to, '+77021234567'], language, second: '+77051234567' }, 422, 'invalid_value', 'second'],
  ['client_ref', { purpose: login, to, language, client_ref: 'x'.repeat(65) }, 422, 'invalid_value', 'client_ref'],
  ['dry_run is text', { purpose: login, to, language, dry_run: 'yes' }, 422, 'wrong_type', 'dry_run'],
  ['unknown field', { purpose: login, to, language, text: 'a' }, 422, 'unknown_field', 'text'],
];

journey('codes__bad_wishes__named_refusals_and_nothing_kept', async (stage) => {
  const { centre, database, codes } = await stand(stage);
  for (const [what, body, status, code, field] of wishes) {
    const r = await codes.door.post('/v1/codes', body);
    assert.deepEqual([r.status, r.json.code], [status, code], `${what}: ${r.body}`);
    if (field) assert.equal(r.json.field, field, `${what}: ${r.body}`);
    assert.equal(r.json.retryable, false, what);
    assert.ok(!/12345|abcdef|7011234567/.test(r.json.detail), `${what}: echoes what it got`);
  }
  for (const table of ['code', 'code_send', 'message', 'message_person', 'idempotency'])
    assert.equal(await database.count(table), 0, table);
  assert.equal(centre.submits.length, 0);
  assert.equal((await codes.ask({ to })).status, 202, 'and the phone was not counted for any of it');
});

const tries = (code) => [
  ['letters', { code: 'abcdef' }, 422, 'invalid_code'],
  ['a letter', { code: `${code.slice(0, 5)}O` }, 422, 'invalid_code'],
  ['too short', { code: code.slice(1) }, 422, 'invalid_code'],
  ['too long', { code: `${code}0` }, 422, 'invalid_code'],
  ['empty', { code: '' }, 422, 'invalid_code'],
  ['only spaces', { code: '      ' }, 422, 'invalid_code'],
  ['a sign', { code: `+${code}` }, 422, 'invalid_code'],
  ['a fraction', { code: `${code}.0` }, 422, 'invalid_code'],
  ['superscripts, which are no digits', { code: '¹²³⁴⁵⁶' }, 422, 'invalid_code'],
  ['much', { code: '1'.repeat(5000) }, 422, 'invalid_code'],
  ['emoji', { code: '1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣' }, 422, 'invalid_code'],
  ['a number', { code: Number(code) }, 422, 'wrong_type', 'code'],
  ['no code', {}, 422, 'missing_field', 'code'],
  ['null', { code: null }, 422, 'wrong_type', 'code'],
  ['a list', [], 422, 'wrong_type'],
  ['unknown field', { code, id: 'x' }, 422, 'unknown_field', 'id'],
  ['binding is a number', { code, binding: 7 }, 422, 'wrong_type', 'binding'],
  ['no JSON', '{"code"', 400, 'malformed_json'],
  ['not UTF-8', Buffer.from('7b22636f6465223a22ff227d', 'hex'), 400, 'malformed_json'],
];

journey('check__of_what_cannot_be_the_code__named_refusals_and_no_try_taken', async (stage) => {
  const { codes, database } = await stand(stage);
  const { id, code } = await codes.opened({ to });
  const post = (body, headers) => codes.door.post(`/v1/codes/${id}/check`, body, headers);
  for (const [what, body, status, name, field] of tries(code)) {
    const r = await post(body);
    assert.deepEqual([r.status, r.json.code], [status, name], `${what}: ${r.body}`);
    if (field) assert.equal(r.json.field, field, `${what}: ${r.body}`);
    assert.ok(!r.body.includes(code), `${what}: echoes the code`);
  }
  Codes.refused(await post({ code }, { 'idempotency-key': null }), 400, 'missing_idempotency_key');
  Codes.refused(await post({ code }, { 'content-type': 'text/plain' }), 415, 'unsupported_media_type');
  Codes.refused(await codes.door.get(`/v1/codes/${id}/check`), 405, 'method_not_allowed');
  Codes.refused(await codes.check('0123456789abc', code), 404, 'not_found');
  Codes.refused(await codes.check('zzzzzzzzzzzzz', code), 404, 'not_found');
  assert.deepEqual([await database.count('code_wrong'), (await codes.state(id)).tries_left], [0, 5]);
  assert.deepEqual(await codes.result(id, wrongFor(code)), { id, result: 'wrong', tries_left: 4 });
  assert.equal((await codes.result(id, code)).result, 'approved');
});

// [code, keys of guard and of codes, the wishes that pass, the one that does not]
const over = (i) => `+7705${String(1110000 + i * 10000)}`;
const limits = [
  ['too_soon', {}, { wait_first: '60s' }, [{ to: over(0) }], { to: over(0) }],
  ['phone_limit', { phone_hour: 2 }, {}, [{ to: over(1) }, { to: over(1), purpose: 'phone', binding: 'x' }], { to: over(1) }],
  ['phone_limit', { phone_day: 1 }, {}, [{ to: over(2) }], { to: over(2) }],
  ['prefix_limit', { prefix_hour: 2 }, {}, [{ to: '+77051230001' }, { to: '+77051230002' }], { to: '+77051230003' }],
  ['key_limit', { key_minute: 2 }, {}, [{ to: over(3) }, { to: over(4) }], { to: over(5) }],
  ['address_limit', { address_hour: 2 }, {}, [{ to: over(6), client_address: '203.0.113.7' }, { to: over(7), client_address: '203.0.113.7' }],
    { to: over(8), client_address: '203.0.113.7' }],
  ['day_limit', { day: 2 }, {}, [{ to: over(9) }, { to: over(10) }], { to: over(11) }],
];

// Redis of this file has seen the others: what is counted over everything is counted anew for each.
for (const [name, guard, codes, good, bad] of limits)
  journey(`guard__${name}_by_${Object.keys({ ...guard, ...codes })[0]}__refused_with_its_code_and_its_metric`, async (stage) => {
    await servers.start();
    await servers.restartRedis();
    const f = await stand(stage, { guard: { ...wide.guard, ...guard }, codes: { ...wide.codes, ...codes } });
    for (const wish of good) await sentAgain(() => f.codes.ask(wish));
    const r = name === 'too_soon' ? await f.codes.ask(bad) : await notTooSoon(() => f.codes.ask(bad));
    Codes.refused(r, 429, name);
    assert.equal(r.json.retryable, true);
    const why = name === 'too_soon' ? 'wait' : Object.keys(guard)[0];
    assert.equal(await f.k.metric(`kezek_codes_refused_total{why="${why}"}`), 1, 'its metric');
    assert.equal(await f.database.count('code'), good.length);
  });

journey('guard__the_same_request_under_another_api_key__is_another', async (stage) => {
  const { codes, k } = await stand(stage, { codes: { ...wide.codes, wait_first: '60s' } });
  const key = { 'idempotency-key': 'ask-1' };
  await codes.sent({ to }, key);
  await k.openDoor();
  Codes.refused(await codes.at(k.door).ask({ to }, key), 429, 'too_soon');
});

journey('guard__number_outside_its_ranges__not_allowed', async (stage) => {
  const { codes, k } = await stand(stage, { guard: { ...wide.guard, ranges: ['+7701', '+7702'] } });
  assert.equal((await codes.ask({ to: '+77021234568' })).status, 202);
  Codes.refused(await codes.ask({ to: '+77051234567' }), 403, 'range_not_allowed', 'to');
  Codes.refused(await codes.ask({ to: ['+77021234569', '+77051234567'] }), 403, 'range_not_allowed', 'to');
  assert.equal(await k.metric('kezek_codes_refused_total{why="range_not_allowed"}'), 2);
});

journey('guard__phone_locked_by_wrong_tries__nothing_more_is_checked_or_sent', async (stage) => {
  const { codes, k } = await stand(stage);
  const phone = '+77011239999';
  const ask = (wish) => notTooSoon(() => codes.ask({ to: phone, ...wish }));
  const one = await codes.opened({ to: phone });
  for (let i = 0; i < 5; i++) await codes.result(one.id, wrongFor(one.code));
  const two = (await ask({ purpose: 'phone', binding: 'x' })).json;
  const code = await codes.read(phone, 2);
  for (let i = 0; i < 4; i++) assert.equal((await codes.result(two.id, wrongFor(code), { binding: 'x' })).result, 'wrong');
  assert.equal((await codes.result(two.id, wrongFor(code), { binding: 'x' })).tries_left, 0);
  const locked = await ask({});
  Codes.refused(locked, 429, 'phone_locked');
  assert.ok(Number(locked.headers['retry-after']) > 3000, 'for an hour');
  const held = await until('kezekctl guard shows it', async () => (await k.ctl('guard')).held.find((h) => h.kind === 'phone'));
  assert.equal(held.shown, `code:${two.id}`);
  const lifted = await k.ctlRun('guard', 'lift', phone);
  assert.equal(lifted.code, 0, lifted.err);
  assert.equal((await ask({})).status, 202, 'lifted by a person');
});

journey('limits__without_redis__tighter_and_never_none', async (stage) => {
  const { codes, k } = await stand(stage);
  await servers.killRedis();
  stage.defer(() => servers.restartRedis());
  const phone = '+77019990001';
  const { id, code } = await codes.opened({ to: phone });
  assert.equal(await k.metric('kezek_limits_degraded'), 1);
  let wrong = 0, last;
  for (let i = 0; i < 5; i++) {
    last = await codes.check(id, wrongFor(code));
    if (last.json.result === 'wrong') wrong += 1;
  }
  assert.equal(wrong, 3);
  Codes.refused(last, 429, 'phone_locked');
  await servers.restartRedis();
  await until('it is seen again', async () => {
    await codes.check(id, code);
    return await k.metric('kezek_limits_degraded') === 0;
  });
  const other = await codes.opened({ to: '+77019990002' });
  assert.equal((await codes.result(other.id, other.code)).result, 'approved');
});
