// The judge itself: each thing that it must find, in a small history that is right but for that.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { Verdict, judgeMessage, stateOf } from './history.mjs';

const event = (kind, rest = {}) => ({ at: 0, kind, final: false, state: 0, part: null, operatorId: null, ...rest });
const submitted = (part, operatorId) => event(1, { state: 1, part, operatorId });
const receipt = (part) => event(4, { state: 6, part });
const resent = (part) => event(8, { part });
const ended = (state) => event(7, { final: true, state });
const DELIVERED = 6, FAILED = 2, REJECTED = 3, EXPIRED = 5, UNDELIVERABLE = 4;

// Two parts, accepted, sent, delivered.
const good = () => ({
  n: 1, parts: 2, answer: '10', rows: ['10'], waiting: [], expires: 100, told: ['delivered'],
  seen: ['accepted', 'submitted', 'delivered', 'delivered'],
  took: [{ part: 1, id: '501', acked: [0] }, { part: 2, id: '502', acked: [0] }],
  events: [submitted(1, '501'), submitted(2, '502'), receipt(1), receipt(2), ended(DELIVERED)],
});
const faultsOf = (change) => {
  const h = good();
  change(h);
  return judgeMessage(h).faults;
};
const finds = (name, words, change) => test(name, () => {
  const faults = faultsOf(change);
  assert.equal(faults.length, 1, faults.join('; '));
  assert.match(faults[0], words);
});
const passes = (name, change) => test(name, () => assert.deepEqual(faultsOf(change), []));

passes('judge__everything_as_promised__no_fault', () => {});

finds('judge__accepted_and_not_in_the_database__found', /answered 202 and not in the database/, (h) => {
  const took = [{ part: 1, id: '1', acked: [] }, { part: 2, id: '2', acked: [] }];
  Object.assign(h, { rows: [], took, events: [event(3), ended(FAILED)], seen: [], told: [] });
});
finds('judge__two_rows_for_one_key__found', /one Idempotency-Key, 2 messages/, (h) => { h.rows.push('11'); });
finds('judge__202_with_the_id_of_another__found', /names another message/, (h) => { h.answer = '12'; });
finds('judge__no_202_ever__found', /never answered 202/, (h) => { h.answer = null; });

finds('judge__delivered_and_never_sent__lost', /lost: delivered.* part 2$/, (h) => { h.took.pop(); });
finds('judge__undeliverable_and_never_sent__lost', /lost: undeliverable/, (h) => {
  Object.assign(h, { took: [], events: [ended(UNDELIVERABLE)], seen: [], told: [] });
});
const unsent = (...events) => (h) => Object.assign(h, { took: [], events, seen: ['accepted'], told: [] });
for (const kind of [3, 10])
  passes(`judge__never_sent_and_failed_after_event_${kind}__honest`, unsent(event(kind, { part: 1 }), ended(FAILED)));
finds('judge__failed_without_a_doubt__found', /^failed without a cause$/, unsent(ended(FAILED)));
finds('judge__rejected_by_a_centre_that_refuses_nothing__found', /^rejected without a cause$/, unsent(event(3), ended(REJECTED)));
passes('judge__expired_past_its_life__honest', unsent(event(5, { at: 100, final: true, state: EXPIRED })));
finds('judge__expired_before_its_life_is_over__found', /^expired without a cause$/,
  unsent(event(5, { at: 99, final: true, state: EXPIRED })));
finds('judge__portal_told_another_end__found', /told failed, and it is delivered/, (h) => { h.told = ['failed']; });
finds('judge__portal_told_two_ends__found', /told expired, and it is delivered/, (h) => { h.told = ['delivered', 'expired']; });
finds('judge__no_final_event__found', /no end state/, (h) => {
  Object.assign(h, { events: h.events.slice(0, -1), seen: ['submitted'], told: [] });
});
test('judge__accepted_and_nothing_else_ever__lost_and_without_an_end', () => {
  const faults = faultsOf((h) => Object.assign(h, { took: [], events: [], seen: [], told: [] }));
  assert.deepEqual(faults, ['no end state', 'lost: accepted, and the centre never saw part 1, 2']);
});
finds('judge__a_third_part_of_two__found', /a part that it does not have/, (h) => {
  h.took.push({ part: 3, id: '1', acked: [] });
});

finds('judge__submitted_then_accepted__went_back', /submitted, then accepted/, (h) => { h.seen = ['submitted', 'accepted']; });
finds('judge__delivered_then_submitted__went_back', /delivered, then submitted/, (h) => {
  h.seen = ['delivered', 'submitted', 'delivered'];
});
finds('judge__one_end_then_another__went_back', /expired, then delivered/, (h) => { h.seen = ['submitted', 'expired']; });
passes('judge__accepted_then_delivered__forward', (h) => { h.seen = ['accepted', 'delivered']; });

const twice = (h) => {
  h.took.push({ part: 2, id: '503', acked: [0] });
  h.waiting.push('503');
};
finds('judge__a_part_twice_without_a_mark__found', /part 2 came 2 times and 0 of them are marked/, twice);
finds('judge__a_part_twice_and_the_other_marked__found', /part 2 came 2 times and 0/, (h) => {
  twice(h);
  h.events.push(resent(1));
});
finds('judge__a_part_three_times_and_one_mark__found', /part 2 came 3 times and 1 of them/, (h) => {
  twice(h);
  h.took.push({ part: 2, id: '504', acked: [] });
  h.events.push(resent(2));
});
test('judge__a_part_twice_and_marked__counted', () => {
  const h = good();
  twice(h);
  h.events.push(resent(2));
  const { duplicates, resent: marks, faults } = judgeMessage(h);
  assert.deepEqual({ duplicates, marks, faults }, { duplicates: 1, marks: 1, faults: [] });
});
passes('judge__a_mark_and_no_duplicate__it_was_only_possible', (h) => { h.events.push(resent(1)); });

finds('judge__acknowledged_receipt_not_recorded__found', /1 receipts of part 2 were acknowledged and 0 are recorded/,
  (h) => { h.events.splice(3, 1); });
finds('judge__two_receipts_acknowledged_one_recorded__found', /2 receipts of part 1 .* 1 are/, (h) => {
  h.took[0].acked.push(0);
});
finds('judge__receipt_of_an_unknown_submission_dropped__found', /2 receipts of part 2 were acknowledged and 1 are recorded/, (h) => {
  twice(h);
  h.events.push(resent(2));
  h.waiting = [];
});
finds('judge__receipt_answered_for_good_with_an_error__found', /answered with status 8/, (h) => { h.took[0].acked = [8]; });
passes('judge__receipt_recorded_and_its_submission_not__recorded', (h) => { h.events.splice(0, 1); });
passes('judge__receipt_not_yet_acknowledged__may_be_unrecorded', (h) => {
  h.took[1].acked = [];
  h.events.splice(3, 1);
});
passes('judge__an_event_written_twice__one_event', (h) => { h.events.splice(1, 0, submitted(1, '501'), receipt(1)); });

test('state__of_events__as_the_api_tells_it', () => {
  assert.equal(stateOf([]), 'accepted');
  assert.equal(stateOf([event(2, { state: 0 })]), 'accepted');
  assert.equal(stateOf([submitted(1, '1'), receipt(1)]), 'submitted');
  assert.equal(stateOf([submitted(1, '1'), ended(EXPIRED), ended(DELIVERED)]), 'expired', 'the first end');
});

test('verdict__many_messages__counted_and_bounded', () => {
  const v = new Verdict();
  for (let i = 0; i < 3; i++) v.add(good());
  const marked = good();
  twice(marked);
  marked.events.push(resent(2));
  v.add(marked);
  assert.deepEqual([v.accepted, v.parts, v.took, v.duplicates, v.resent, v.ended], [4, 8, 9, 1, 1, { delivered: 4 }]);
  assert.deepEqual(v.faults(1), []);
  assert.deepEqual(v.faults(0), ['1 duplicates, and 0 may be']);
  const lost = good();
  lost.took = [];
  for (let i = 0; i < 150; i++) v.add(lost);
  assert.equal(v.lost, 150);
  assert.equal(v.offenders.length, 5, 'some of each kind');
  assert.equal(v.offenders[0].history, lost);
  assert.deepEqual(v.faults(1), ['150 times: lost: delivered, and the centre never saw part N']);
  const few = new Verdict();
  for (let i = 0; i < 2; i++) few.add(Object.assign(good(), { events: [event(3), ended(FAILED)], seen: [], told: ['failed'],
    took: [{ part: 1, id: '501', acked: [] }] }));
  assert.deepEqual([few.faults(2), few.faults(1)], [[], ['2 failed or expired, and 1 may']]);
  assert.deepEqual(new Verdict().faults(0), ['nothing was accepted']);
});
