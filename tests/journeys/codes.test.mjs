// The life of a verification code: sent, read from the phone, typed in, and all that may become of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import yaml from 'js-yaml';
import { journey, top } from '../lib/stage.mjs';
import { Codes, digitsIn, purposes, sentAgain, wide, wrongFor } from '../lib/codes.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();
const all = { login: {}, password: { resend: 'new', length: 8, tries: 3 }, phone: { binding: 'required' }, referral: { binding: 'optional' } };

async function stand(stage, { of = all, config = {} } = {}) {
  const centre = await startCentre(stage);
  const database = await servers.database();
  const k = await Kezek.start(stage, database, { config: { ...wide, purposes: purposes(stage, of), ...config },
    operators: { one: operator(stage, { port: centre.port }) } });
  await k.bound();
  return { centre, database, k, codes: new Codes(k.door, centre) };
}

const seconds = (from, to) => (Date.parse(to) - from) / 1000;

journey('code__in_three_languages__the_phone_shows_the_template_and_its_digits_are_approved', async (stage) => {
  const { codes } = await stand(stage);
  const texts = yaml.load(readFileSync(join(top, 'dialogs/sms.yaml'), 'utf8')).code;
  for (const [i, language] of ['kk', 'ru', 'en'].entries()) {
    const to = `+7701123000${i}`;
    const asked = Date.now();
    const sent = await codes.opened({ to, language });
    assert.match(sent.code, /^[0-9]{6}$/);
    assert.deepEqual([sent.state, sent.to, sent.purpose, sent.tries_left], ['open', `+7701***000${i}`, 'login', 5]);
    assert.ok(Math.abs(seconds(asked, sent.expires_at) - 300) < 5, sent.expires_at);
    assert.ok(sent.resend_after >= 1, JSON.stringify(sent));
    assert.equal(codes.textsTo(to)[0].text, texts[language].replace('{code}', sent.code).replace('{minutes}', '5'));
    assert.deepEqual(await codes.result(sent.id, sent.code), { id: sent.id, result: 'approved' });
  }
});

journey('code__wrong_tries__counted_down_and_used_up', async (stage) => {
  const { codes, database } = await stand(stage);
  const { id, code } = await codes.opened({ to: '+77011231001' });
  for (const left of [4, 3, 2, 1, 0])
    assert.deepEqual(await codes.result(id, wrongFor(code)), { id, result: 'wrong', tries_left: left });
  assert.deepEqual(await codes.result(id, code), { id, result: 'exhausted' });
  const state = await codes.state(id);
  assert.deepEqual([state.state, state.tries_left], ['exhausted', 0]);
  assert.ok(state.ended_at >= state.created_at);
  assert.deepEqual([await database.count('code_wrong'), await database.count('code_verdict', 'verdict = 2')], [5, 1]);
  const short = await codes.opened({ to: '+77011231002', purpose: 'password' });
  assert.equal(short.code.length, 8);
  for (const left of [2, 1, 0]) assert.equal((await codes.result(short.id, wrongFor(short.code))).tries_left, left);
  assert.equal((await codes.result(short.id, short.code)).result, 'exhausted');
});

const inScript = (code, zero) => [...code].map((d) => String.fromCodePoint(zero + Number(d))).join('');

journey('code__typed_as_people_type__means_what_it_says', async (stage) => {
  const { codes } = await stand(stage);
  const spellings = [
    (c) => inScript(c, 0xff10), (c) => inScript(c, 0x0660), (c) => inScript(c, 0x06f0), (c) => inScript(c, 0x0966),
    (c) => ` ${c.slice(0, 3)} ${c.slice(3)} `, (c) => `${c.slice(0, 3)}-${c.slice(3)}`, (c) => c.slice(0, 2) + inScript(c.slice(2), 0x0660),
  ];
  for (const [i, spell] of spellings.entries()) {
    const { id, code } = await codes.opened({ to: `+7701123200${i}` });
    assert.deepEqual(await codes.result(id, spell(wrongFor(code))), { id, result: 'wrong', tries_left: 4 });
    assert.deepEqual(await codes.result(id, spell(code)), { id, result: 'approved' }, `spelling ${i}`);
  }
});

journey('code__approved__used_for_others_and_told_again_to_the_same_request', async (stage) => {
  const { codes } = await stand(stage);
  const { id, code } = await codes.opened({ to: '+77011233001' });
  const first = await codes.check(id, code, { key: 'login-1' });
  assert.deepEqual([first.json.result, first.headers['idempotent-replayed']], ['approved', undefined]);
  const again = await codes.check(id, code, { key: 'login-1' });
  assert.deepEqual([again.json.result, again.headers['idempotent-replayed']], ['approved', 'true']);
  assert.deepEqual(await codes.result(id, code), { id, result: 'used' });
  assert.deepEqual(await codes.result(id, wrongFor(code)), { id, result: 'used' });
  assert.equal((await codes.state(id)).state, 'approved');
  assert.equal(Codes.refused(await codes.resend(id), 409, 'code_over').result, 'approved');
  Codes.refused(await codes.cancel(id), 409, 'code_over');
});

journey('pair__one_of_them_may_have_none_yet__nothing_is_counted_for_the_other', async (stage) => {
  const { centre, codes } = await stand(stage, { config: { codes: { ...wide.codes, wait_first: '1m', wait_second: '2m', wait_later: '5m' } } });
  const [first, second] = ['+77011234501', '+77021234501'];
  await codes.opened({ to: second });
  Codes.refused(await codes.ask({ to: [first, second] }), 429, 'too_soon');
  await codes.opened({ to: first });
  assert.equal(centre.submits.length, 2);
});

journey('pair__two_phones__each_its_own_code_and_tries_and_approved_when_both_are', async (stage) => {
  const { codes } = await stand(stage);
  const to = ['+77011234001', '+77021234001'];
  const pair = await codes.sent({ purpose: 'phone', to, binding: 'application-1024', client_ref: 'a-1024' });
  assert.equal(pair.codes.length, 2);
  assert.deepEqual(pair.codes.map((c) => c.to), ['+7701***4001', '+7702***4001']);
  const [one, two] = await Promise.all(to.map(async (t, i) => ({ id: pair.codes[i].id, code: await codes.read(t) })));
  const binding = 'application-1024';
  assert.equal((await codes.result(one.id, wrongFor(one.code), { binding })).tries_left, 4);
  assert.equal((await codes.state(two.id)).tries_left, 5);
  if (one.code !== two.code) assert.equal((await codes.result(one.id, two.code, { binding })).result, 'wrong', "the other phone's code");
  assert.equal((await codes.result(one.id, one.code, { binding })).result, 'approved');
  let state = await codes.state(pair.id);
  assert.deepEqual([state.state, state.codes.map((c) => c.state)], ['open', ['approved', 'open']]);
  assert.ok(state.codes.every((c) => c.pair === pair.id && c.client_ref === 'a-1024'));
  Codes.refused(await codes.check(pair.id, two.code, { binding }), 404, 'not_found');
  Codes.refused(await codes.resend(pair.id), 404, 'not_found');
  assert.equal((await codes.result(two.id, two.code, { binding })).result, 'approved');
  state = await codes.state(pair.id);
  assert.equal(state.state, 'approved');
});

journey('pair__cancelled__both_are', async (stage) => {
  const { codes } = await stand(stage);
  const pair = await codes.sent({ to: ['+77011234101', '+77021234101'] });
  assert.deepEqual((await codes.cancel(pair.id)).json, { id: pair.id, state: 'cancelled' });
  for (const [i, to] of ['+77011234101', '+77021234101'].entries())
    assert.equal((await codes.result(pair.codes[i].id, await codes.read(to))).result, 'cancelled');
  assert.equal((await codes.state(pair.id)).state, 'cancelled');
});

journey('code__made_by_the_portal__delivered_and_checked_all_the_same', async (stage) => {
  const { codes, database } = await stand(stage);
  for (const [i, own] of ['918273', '00110022', '9876543210'].entries()) {
    const { id, code } = await codes.opened({ to: `+7701123500${i}`, code: own });
    assert.equal(code, own);
    assert.equal((await codes.result(id, wrongFor(own))).result, 'wrong');
    assert.equal((await codes.result(id, own)).result, 'approved');
  }
  const to = ['+77011235101', '+77021235101'];
  await codes.sent({ to, code: '918274' });
  for (const t of to) assert.equal(await codes.read(t), '918274');
  assert.equal(await database.count('code', 'given'), 5);
});

journey('binding__required_or_given__must_come_again_and_another_costs_no_try', async (stage) => {
  const { codes } = await stand(stage);
  Codes.refused(await codes.ask({ purpose: 'phone', to: '+77011236001' }), 422, 'missing_field', 'binding');
  const { id, code } = await codes.opened({ purpose: 'phone', to: '+77011236001', binding: 'application-7' });
  for (const binding of [undefined, 'application-8', 'application-7 ', 'APPLICATION-7']) {
    Codes.refused(await codes.check(id, code, { binding }), 409, 'binding_mismatch');
    Codes.refused(await codes.check(id, wrongFor(code), { binding }), 409, 'binding_mismatch');
  }
  assert.equal((await codes.state(id)).tries_left, 5);
  assert.equal((await codes.result(id, wrongFor(code), { binding: 'application-7' })).result, 'wrong');
  assert.equal((await codes.result(id, code, { binding: 'application-7' })).result, 'approved');
  const free = await codes.opened({ purpose: 'referral', to: '+77011236002' });
  assert.equal((await codes.result(free.id, free.code)).result, 'approved');
  const bound = await codes.opened({ purpose: 'referral', to: '+77011236003', binding: 'Жолдама №17' });
  Codes.refused(await codes.check(bound.id, bound.code), 409, 'binding_mismatch');
  assert.equal((await codes.result(bound.id, bound.code, { binding: 'Жолдама №17' })).result, 'approved');
});

journey('resend__too_soon_then_again__the_same_digits_and_no_try_brought_back', async (stage) => {
  const { codes, k } = await stand(stage, { config: { codes: { ...wide.codes, resends: 2, wait_first: '4s' } } });
  const to = '+77011237001';
  const { id, code } = await codes.opened({ to });
  assert.equal((await codes.result(id, wrongFor(code))).tries_left, 4);
  Codes.refused(await codes.resend(id), 429, 'too_soon');
  const first = await sentAgain(() => codes.resend(id));
  assert.deepEqual([first.id, first.resends_left, first.tries_left], [id, 1, 4]);
  assert.equal(await codes.read(to, 2), code);
  const second = await sentAgain(() => codes.resend(id));
  assert.equal(second.resends_left, 0);
  Codes.refused(await codes.resend(id), 409, 'resends_exhausted');
  const { sends, resends_left, tries_left } = await codes.state(id);
  assert.deepEqual([sends.map((s) => s.why), resends_left, tries_left], [['asked', 'resend', 'resend'], 0, 4]);
  for (const s of sends) await k.settled(s.message);
  assert.equal((await codes.result(id, code)).result, 'approved');
  assert.equal(codes.textsTo(to).length, 3);
});

journey('resend__of_a_purpose_with_new_digits__only_the_new_ones_are_good', async (stage) => {
  const { codes } = await stand(stage);
  const to = '+77011237101';
  const { id, code, expires_at: expires } = await codes.opened({ to, purpose: 'password' });
  const resent = await sentAgain(() => codes.resend(id));
  assert.ok(resent.expires_at > expires, 'a new life');
  const fresh = await codes.read(to, 2);
  assert.notEqual(fresh, code); // alike once in 10^8
  assert.deepEqual(await codes.result(id, code), { id, result: 'wrong', tries_left: 2 });
  assert.equal((await codes.result(id, fresh)).result, 'approved');
});

journey('code__cancelled__is_so_whatever_comes', async (stage) => {
  const { codes, database } = await stand(stage);
  const { id, code } = await codes.opened({ to: '+77011238001' });
  for (let i = 0; i < 2; i++) {
    const r = await codes.cancel(id);
    assert.deepEqual([r.status, r.json], [200, { id, state: 'cancelled' }]);
  }
  assert.deepEqual(await codes.result(id, code), { id, result: 'cancelled' });
  assert.deepEqual(await codes.result(id, wrongFor(code)), { id, result: 'cancelled' });
  assert.equal(Codes.refused(await codes.resend(id), 409, 'code_over').result, 'cancelled');
  assert.equal((await codes.state(id)).state, 'cancelled');
  assert.equal(await database.count('code_wrong'), 0);
});

journey('code__newer_one_for_the_same_phone_and_purpose__superseded', async (stage) => {
  const { codes } = await stand(stage);
  const to = '+77011239001';
  const first = await codes.opened({ to });
  const second = await sentAgain(() => codes.ask({ to }));
  const other = await sentAgain(() => codes.ask({ to, purpose: 'referral' }));
  assert.deepEqual(await codes.result(first.id, first.code), { id: first.id, result: 'superseded' });
  assert.equal((await codes.state(second.id)).state, 'open', 'another purpose leaves it alone');
  assert.equal((await codes.state(other.id)).state, 'open');
  assert.equal((await codes.result(second.id, await codes.read(to, 2))).result, 'approved');
});

journey('code__looked_at__all_that_became_of_it_and_only_by_its_client', async (stage) => {
  const { codes, k } = await stand(stage);
  const { id, code } = await codes.opened({ to: '+77011240001', language: 'ru', client_ref: 'login-17' });
  await k.settled(id);
  const state = await codes.state(id);
  assert.deepEqual([state.id, state.purpose, state.state, state.to, state.language, state.client_ref, state.tries_left, state.resends_left],
    [id, 'login', 'open', '+7701***0001', 'ru', 'login-17', 5, 10]);
  assert.deepEqual(state.sends.map((s) => [s.message, s.why, s.state]), [[id, 'asked', 'delivered']]);
  const other = codes.at(k.door.withKey((await k.ctl('key', 'add', 'other', '--scope', 'codes')).key));
  const reader = codes.at(k.door.withKey((await k.ctl('key', 'add', 'reader', '--scope', 'messages:read', '--scope', 'messages:write')).key));
  for (const what of [id, '0000000000000', '0123456789abc', 'short']) {
    Codes.refused(await other.door.get(`/v1/codes/${what}`), 404, 'not_found');
    Codes.refused(await other.check(what, code), 404, 'not_found');
    Codes.refused(await other.resend(what), 404, 'not_found');
    Codes.refused(await other.cancel(what), 404, 'not_found');
  }
  Codes.refused(await reader.ask({ to: '+77011240002' }), 403, 'forbidden');
  Codes.refused(await reader.check(id, code), 403, 'forbidden');
  Codes.refused(await reader.cancel(id), 403, 'forbidden');
  Codes.refused(await reader.door.get(`/v1/codes/${id}`), 403, 'forbidden');
  assert.equal((await codes.result(id, code)).result, 'approved');
});

journey('codes__requests_repeated_with_their_keys__done_once', async (stage) => {
  const { codes, centre } = await stand(stage);
  const to = '+77011241001';
  const key = (k) => ({ 'idempotency-key': k });
  const first = await codes.ask({ to }, key('ask-1'));
  const again = await codes.ask({ to }, key('ask-1'));
  assert.deepEqual([again.status, again.json.id, again.headers['idempotent-replayed']], [202, first.json.id, 'true']);
  Codes.refused(await codes.ask({ to, language: 'en' }, key('ask-1')), 422, 'idempotency_key_reused');
  Codes.refused(await codes.ask({ to }, { 'idempotency-key': null }), 400, 'missing_idempotency_key');
  const code = await codes.read(to);
  const { id } = first.json;
  assert.equal((await codes.result(id, wrongFor(code), { key: 'try-1' })).tries_left, 4);
  assert.equal((await codes.result(id, wrongFor(code), { key: 'try-1' })).tries_left, 4, 'the same try');
  const other = await codes.check(id, wrongFor(wrongFor(code)), { key: 'try-1' });
  if (other.status === 200) assert.equal(other.json.tries_left, 3, 'another try under its key costs one all the same');
  else Codes.refused(other, 422, 'idempotency_key_reused');
  const resent = await sentAgain(() => codes.resend(id, key('resend-1')));
  const twice = await codes.resend(id, key('resend-1'));
  assert.deepEqual([twice.status, twice.json.id, twice.json.resends_left], [202, id, resent.resends_left]);
  await codes.read(to, 2);
  await codes.opened({ to: '+77011241002' });
  assert.equal(codes.textsTo(to).length, 2);
  assert.equal(centre.submits.length, 3);
});

journey('codes__dry_run__shown_and_nothing_kept', async (stage) => {
  const { codes, database, centre } = await stand(stage);
  const r = await codes.ask({ to: '+77011242001', language: 'en', dry_run: true });
  assert.equal(r.status, 200, r.body);
  assert.match(r.json.text, /^000000 /);
  assert.equal(digitsIn(r.json.text), '000000');
  assert.deepEqual([r.json.class, r.json.encoding, r.json.segments], ['code', 'gsm7', 1]);
  const pair = await codes.ask({ to: ['+77011242001', '+77021242001'], dry_run: true });
  assert.equal(pair.json.codes.length, 2, pair.body);
  await codes.opened({ to: '+77011242001' }); // not too soon: a dry run is no code
  assert.deepEqual([await database.count('code'), centre.submits.length], [1, 1]);
});
