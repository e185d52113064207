// Makes histories (history.mjs) of what is left after a run: the centre's journal, the database, the load's own notes.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { hashesOf, wishOf } from './wishes.mjs';

const lines = (file) => createInterface({ input: createReadStream(file), crlfDelay: Infinity });
const PART_ROOM = 16; // a part's place is number * PART_ROOM + part

function placesOf(seed, count) {
  const places = new Map();
  for (let n = 0; n < count; n++) {
    const hashes = hashesOf(wishOf(seed, n));
    hashes.forEach((hash, i) => places.set(hash, n * PART_ROOM + i + 1));
  }
  return places;
}

// The part that a line of the journal speaks of: {n, part}; null: nobody asked for it.
function placeOf(places, seed, [, , , part, , , hash, , , , to]) {
  const place = places.get(hash);
  if (place === undefined) return null;
  const n = Math.floor(place / PART_ROOM);
  return Number(part) === place % PART_ROOM && to === `=${wishOf(seed, n).body.to.slice(1)}` ? { n, part: Number(part) } : null;
}

// What the centre noted: {took: by number, strange: lines of no message of ours}.
export async function readJournal(file, seed, count) {
  const places = placesOf(seed, count);
  const took = new Map(), byId = new Map(), strange = [];
  for await (const line of lines(file)) {
    const fields = line.split(' ');
    const [kind, id, , status] = fields;
    const place = kind === 'took' ? placeOf(places, seed, fields) : null;
    if (place) {
      const noted = { part: place.part, id, acked: [] };
      byId.set(id, noted);
      if (took.has(place.n)) took.get(place.n).push(noted);
      else took.set(place.n, [noted]);
    } else if (kind === 'acked' && byId.has(id)) {
      byId.get(id).acked.push(Number(status));
    } else {
      strange.push(line);
    }
  }
  return { took, strange };
}

// Equal rows of events are one event that was written twice.
const rowsSql = `select m.client_ref, m.id, extract(epoch from m.expires_at) * 1000, (
    select json_agg(json_build_array(e.at, e.kind, e.final, e.state, e.part, e.operator_id) order by e.at, e.kind)
    from (select distinct at, kind, final, state, part, operator_id from message_event where message_id = m.id) e)
  from message m`;
const waitingSql = 'select unnest(operator_ids) from receipt_waiting';

// A question's rows in a file.
async function dump(stage, database, name, sql) {
  const file = stage.path(name);
  await stage.must('bash', ['-c', 'psql -X -q -v ON_ERROR_STOP=1 -c "$1" "$2" > "$3"', 'bash',
    `copy (${sql}) to stdout`, database.conninfo, file], { within: 600000 });
  return file;
}

async function readRows(stage, database) {
  const rows = new Map();
  for await (const line of lines(await dump(stage, database, 'messages.tsv', rowsSql))) {
    const [reference, id, expires, events] = line.split('\t');
    const n = Number(reference.slice(1));
    const row = { id, expires: Math.floor(Number(expires)), events: events === '\\N' ? '[]' : events };
    if (rows.has(n)) rows.get(n).push(row);
    else rows.set(n, [row]);
  }
  return rows;
}

const eventOf = ([at, kind, final, state, part, operatorId]) => ({ at: Date.parse(at), kind, final, state, part, operatorId });
// As src/base/ids.c writes an id, back to its number.
const digits = '0123456789abcdefghjkmnpqrstvwxyz';
const idOf = (text) => String([...text].reduce((id, c) => id * 32n + BigInt(digits.indexOf(c)), 0n));

// Each message's history, one after the other. journal: of readJournal; ears: who was told.
export async function* histories(stage, database, load, journal, ears) {
  const rows = await readRows(stage, database);
  const waiting = new Set();
  for await (const id of lines(await dump(stage, database, 'waiting.tsv', waitingSql))) waiting.add(id);
  for (let n = 0; n < load.next; n++) {
    const mine = rows.get(n) ?? [];
    const took = journal.took.get(n) ?? [];
    const answer = load.answers[n];
    yield {
      n, parts: wishOf(load.seed, n).parts, answer: answer ? idOf(answer) : null, rows: mine.map((r) => r.id), took,
      events: mine.length ? JSON.parse(mine[0].events).map(eventOf) : [],
      waiting: took.map((t) => t.id).filter((id) => waiting.has(id)), seen: load.seen.get(n) ?? [],
      expires: mine[0]?.expires, told: [...ears.told.get(answer) ?? []],
    };
  }
}
