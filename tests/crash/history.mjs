// The judge of the crash test, pure: what one message went through, as its sender, the message centre and the database
// tell it, and everything in it that the promises forbid.
//
// A history: {
//   n        the message's number
//   parts    into how many it is cut
//   answer   the id that the 202 said; null: it never came
//   rows     ids of the messages in the database under its Idempotency-Key
//   took     what the centre noted: [{part, id, acked}], acked: the answers to its receipts (command_status)
//   events   of the first row: [{at, kind, final, state, part, operatorId}] by time, in ms; kinds and states are numbers
//   expires  when its life is over, in ms
//   told     states that the portal was told by webhooks, each once
//   waiting  operator's ids whose receipts wait in the database for a submission
//   seen     states that were asked for meanwhile, in their order: ['accepted', ...]
// }
// Numbers as in src/rules/message.h.
const SUBMITTED = 1, IN_DOUBT = 3, RECEIPT = 4, RESENT = 8, INTERRUPTED = 10;
const states = ['accepted', 'submitted', 'failed', 'rejected', 'undeliverable', 'expired', 'delivered', 'unconfirmed'];
// Ends that say themselves that the phone may have nothing, each for its cause. The centre refuses nothing: there is none
// for rejected.
const causes = {
  failed: (h) => h.events.some((e) => e.kind === IN_DOUBT || e.kind === INTERRUPTED),
  expired: (h) => h.events.find((e) => e.final).at >= h.expires,
};
const honest = (h, state) => causes[state]?.(h) ?? false;
const rank = (state) => Math.min(states.indexOf(state), 2);

const partsOf = (h) => Array.from({ length: h.parts }, (_, i) => i + 1);

// As the API tells it: the first final event decides; without one, whether any part was submitted.
export function stateOf(events) {
  const end = events.find((e) => e.final);
  if (end) return states[end.state];
  return events.some((e) => e.kind === SUBMITTED) ? 'submitted' : 'accepted';
}

function judgeKeeping(h, say) {
  if (h.answer === null) say('never answered 202');
  else if (h.rows.length === 0) say('answered 202 and not in the database');
  else if (!h.rows.includes(h.answer)) say('its 202 names another message');
  if (h.rows.length > 1) say(`one Idempotency-Key, ${h.rows.length} messages`);
}

function judgeEnd(h, state, say) {
  if (!h.events.some((e) => e.final)) say('no end state');
  const sent = new Set(h.took.map((t) => t.part));
  const missing = partsOf(h).filter((p) => !sent.has(p));
  if (state === 'rejected' || (state in causes && !honest(h, state))) say(`${state} without a cause`);
  else if (missing.length && !honest(h, state)) say(`lost: ${state}, and the centre never saw part ${missing.join(', ')}`);
  if (h.took.some((t) => t.part < 1 || t.part > h.parts)) say('the centre saw a part that it does not have');
}

function judgeSeen(h, state, say) {
  const seen = [...h.seen, state];
  for (let i = 1; i < seen.length; i++)
    if (rank(seen[i]) < rank(seen[i - 1]) || (rank(seen[i]) === 2 && rank(seen[i - 1]) === 2 && seen[i] !== seen[i - 1]))
      say(`its state went back: ${seen[i - 1]}, then ${seen[i]}`);
}

function judgeTold(h, state, say) {
  for (const told of h.told.filter((t) => t !== state)) say(`the portal was told ${told}, and it is ${state}`);
}

// Once more than once needs as many marks.
function judgeDuplicates(h, say) {
  let duplicates = 0;
  for (const part of partsOf(h)) {
    const times = h.took.filter((t) => t.part === part).length;
    const marks = h.events.filter((e) => e.kind === RESENT && e.part === part).length;
    duplicates += Math.max(times - 1, 0);
    if (times - 1 > marks) say(`part ${part} came ${times} times and ${marks} of them are marked`);
  }
  return duplicates;
}

// A receipt is recorded as an event of its part, or waits for a submission that nobody recorded. Events do not say
// which receipt they were, so they are counted.
function judgeReceipts(h, say) {
  for (const t of h.took)
    for (const status of t.acked.filter((s) => s !== 0)) say(`the receipt of ${t.id} was answered with status ${status}`);
  for (const part of partsOf(h)) {
    const ids = h.took.filter((t) => t.part === part).flatMap((t) => t.acked.filter((s) => s === 0).map(() => t.id));
    const want = ids.filter((id) => !h.waiting.includes(id)).length;
    const have = h.events.filter((e) => e.kind === RECEIPT && e.part === part).length;
    if (have < want) say(`${want} receipts of part ${part} were acknowledged and ${have} are recorded`);
  }
}

// Answers {state, duplicates, resent, faults}; faults: in words, none when all is as promised.
export function judgeMessage(h) {
  const faults = [];
  const say = (fault) => faults.push(fault);
  const state = stateOf(h.events);
  judgeKeeping(h, say);
  judgeEnd(h, state, say);
  judgeSeen(h, state, say);
  judgeTold(h, state, say);
  const duplicates = judgeDuplicates(h, say);
  judgeReceipts(h, say);
  return { state, duplicates, resent: h.events.filter((e) => e.kind === RESENT).length, faults };
}

const OFFENDERS_SHOWN = 5; // histories of each kind of fault

// Gathers verdicts.
export class Verdict {
  constructor() {
    Object.assign(this, { accepted: 0, parts: 0, took: 0, duplicates: 0, resent: 0, unsent: 0, ended: {}, offenders: [], kinds: new Map() });
  }

  add(h) {
    const v = judgeMessage(h);
    if (h.answer !== null) this.accepted += 1;
    this.parts += h.parts;
    this.took += h.took.length;
    this.duplicates += v.duplicates;
    this.resent += v.resent;
    if (v.state in causes) this.unsent += 1;
    this.ended[v.state] = (this.ended[v.state] ?? 0) + 1;
    if (v.faults.some((fault) => this.note(fault) <= OFFENDERS_SHOWN)) this.offenders.push({ faults: v.faults, history: h });
  }

  // Accepted, never seen by the centre, and no end that says so.
  get lost() { return [...this.kinds].filter(([kind]) => /^lost|without a cause|not in the database/.test(kind)).reduce((n, [, m]) => n + m, 0); }

  // How many of its kind there are.
  note(fault) {
    const kind = fault.replace(/\d+(, \d+)*/g, 'N');
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
    return this.kinds.get(kind);
  }

  // What is wrong in words; none: everything is as promised. most: so many duplicates may there be in all, and so many
  // messages that failed or expired.
  faults(most) {
    const all = [...this.kinds].map(([kind, n]) => `${n} times: ${kind}`);
    if (this.duplicates > most) all.push(`${this.duplicates} duplicates, and ${most} may be`);
    if (this.unsent > most) all.push(`${this.unsent} failed or expired, and ${most} may`);
    if (this.accepted === 0) all.push('nothing was accepted');
    return all;
  }
}
