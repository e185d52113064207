-- What was asked and what became of it. Only inserted into; the state of a message is read from its events.
-- Rows are partitioned by UTC day: ids are time-ordered, so the partition follows from the id.

create table api_key (
  id int generated always as identity primary key,
  client text not null,
  hash bytea not null unique,
  scopes text[] not null,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);

-- Which keyring this database belongs to: a keyed value of nothing, by its lookup key.
create table keymark (
  only_one boolean primary key default true check (only_one),
  mark bytea not null
);

-- A daemon owns the slots whose advisory lock it holds; bits 14..21 of a message's id are its slot.
-- Every message of the slot below low_water has been submitted in full or has ended. The epoch counts its owners.
create table slot (
  id smallint primary key,
  low_water bigint not null default 0,
  epoch bigint not null default 0, -- raised by each taker: slot_raise
  unheard bigint not null default 0, -- up to here every message has ended: messages_unheard
  shut bigint not null default 0 -- no run of feed numbers up to here is opened any more: feed_open
);

-- Gives slots to who asks, which holds their advisory locks: waits for what former owners are writing, ends those that
-- do not end by themselves (a stopped process in the middle of a statement), and shuts out what they begin from now on.
-- What is read of the slot after it is all there is. A commit that waits for its disk or a standby is never ended: it
-- would be seen without being kept there; its slot is left out and asked for again, that of a standby at once. All
-- others that make us wait share 2 s: who asks holds other slots, and must hear in time that it still does. Those that
-- nobody writes into are given first, the others in another order each time, so that none waits for one that hangs.
-- It does not wait for a standby itself, for the same reason. A fail-over may forget the epoch, and ends every session
-- that knew it; the epochs of the next timeline are others, so that nothing that was on its way passes for its owner's.
create function slot_raise(slots int[])
returns table (id int, epoch bigint, low_water bigint, newest bigint) language plpgsql as $body$
declare
  s int;
  patient boolean;
  given int[] := '{}';
  timeline bigint := ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint;
begin
  perform set_config('synchronous_commit', 'local', true);
  for patient, s in
    select p, n from unnest(array[false, true]) p, unnest(slots) n order by p, case when p then random() end, n
  loop
    exit when clock_timestamp() > statement_timestamp() + interval '2 s';
    continue when s = any(given) or exists (select from slot_writers(s) where for_standby);
    perform set_config('lock_timeout', case when patient then '500ms' else '1ms' end, true);
    begin
      perform pg_advisory_xact_lock(x'6b7a66'::int, s);
    exception when lock_not_available then
      continue when not patient;
      perform pg_terminate_backend(pid) from slot_writers(s) where not hangs;
    end;
    begin
      perform pg_advisory_xact_lock(x'6b7a66'::int, s);
      return query update slot set epoch = greatest(slot.epoch + 1, (timeline - 1) << 32) where slot.id = s
        returning slot.id::int, slot.epoch, slot.low_water, greatest((select max(m.id) from message m),
          (select max(n.id) from notice n), (select n.feed from news n where (n.feed >> 14) & 255 = s
          order by n.feed desc limit 1), (select e.feed
          from message_event e where (e.feed >> 14) & 255 = s and e.feed is not null order by e.feed desc limit 1),
          (select v.feed from code_verdict v where (v.feed >> 14) & 255 = s order by v.feed desc limit 1),
          (select max(c.feed) from webhook_cursor c where c.slot = s), slot.shut);
      given := given || s;
    exception when lock_not_available then
      continue; -- its writer has not ended yet, or its row is in a commit that waits
    end;
  end loop;
end
$body$;

-- Who writes into the slot now. hangs: it may be in a commit that waits for its disk or a standby: ended there, it would
-- not wait for the standby any more. store/pg_past.c has the same words, as it runs before there is a schema.
create function slot_writers(of_slot int) returns table (pid int, hangs boolean, for_standby boolean)
language sql stable as $body$
  select l.pid, coalesce(a.wait_event = 'SyncRep' or a.wait_event_type in ('IO', 'LWLock'), false),
    coalesce(a.wait_event = 'SyncRep', false)
  from pg_locks l join pg_stat_activity a using (pid)
  where l.locktype = 'advisory' and l.classid = x'6b7a66'::int::oid and l.objid = of_slot::oid and l.granted
    and l.database = (select oid from pg_database where datname = current_database())
$body$;

-- The first statement of what writes into slots: fails unless the writer is their owner, and keeps anybody else from
-- becoming it until the end of the transaction.
create function slot_fence(slots int[], epochs bigint[]) returns void language plpgsql as $body$
begin
  for i in 1 .. cardinality(slots) loop
    perform pg_advisory_xact_lock_shared(x'6b7a66'::int, slots[i]);
    perform from slot where id = slots[i] and epoch = epochs[i];
    if not found then
      raise exception 'slot % is not held under epoch %', slots[i], epochs[i] using errcode = 'KZ001';
    end if;
  end loop;
end
$body$;

-- Begins what writes a run of feed numbers and may be given up before it is over: refused when the run was shut. The
-- lock, by the run's first number, is held until nothing more can come of it: a commit that waits for a standby holds it.
create function feed_open(first bigint) returns void language plpgsql as $body$
begin
  perform pg_advisory_xact_lock_shared(-first); -- messages_close has the numbers above 0
  perform from slot where id = (first >> 14) & 255 and shut >= first;
  if found then
    raise exception 'feed numbers from % on are shut', first using errcode = 'KZ002';
  end if;
end
$body$;

-- Asked about a run that was given up: true when it is committed or never will be, false while it may be either. What
-- has not begun, still on its way to the server or behind others, is refused from now on. So are older runs: one that
-- was not given up comes again with new numbers.
create function feed_shut(first bigint) returns boolean language plpgsql as $body$
begin
  if not pg_try_advisory_xact_lock(-first) then
    return false;
  end if;
  update slot set shut = first where id = (first >> 14) & 255 and shut < first;
  return true;
end
$body$;

create table message (
  id bigint primary key,
  api_key int not null,
  class smallint not null,
  parts smallint not null,
  alphabet smallint not null,
  reference int not null,
  language smallint,
  expires_at timestamptz not null,
  at_once boolean not null, -- it may have been written from its commit on; else from its event of kind 9 on
  client_ref text
) partition by range (id);
create index on message (client_ref) where client_ref is not null;

-- Personal fields: a life of their own, shorter than the message's.
create table message_person (
  id bigint primary key,
  phone bigint not null, -- keyed value of the number (keyring_lookup): equal for equal numbers, and nothing else can be told
  code bigint, -- that it brings, null: none
  sealed bytea not null -- number, sender, text and what of the code is in it: store/person.c
) partition by range (id);

create table message_event (
  message_id bigint not null,
  at timestamptz not null,
  kind smallint not null,
  final boolean not null,
  state smallint not null,
  part smallint,
  parts smallint, -- of a submission: into how many the message was cut for that carrier
  carrier text,
  link text,
  operator_id text collate "C",
  status text,
  detail text,
  feed bigint -- of what ends a message: its place in the order of telling, an id of the slot that recorded it
) partition by range (message_id);
create index on message_event (message_id);
create index on message_event (((feed >> 14) & 255), feed) where feed is not null;
-- Only submissions carry operator_id: receipts find their message by it.
create index on message_event (operator_id) where operator_id is not null;

-- Events, and of each doubt (kind 3) whether it is over: its late answer refused the part (2) before it went again (8).
create view message_said as
select *, kind = 3 and coalesce(min(at) filter (where kind = 2) over later
    < coalesce(min(at) filter (where kind = 8) over later, 'infinity'), false) as over
from message_event
window later as (partition by message_id, part order by at groups between 1 following and unbounded following);

create table idempotency (
  day date not null,
  api_key int not null,
  key_hash bytea not null,
  body_hash bytea not null,
  status smallint not null,
  answer text not null,
  message_id bigint not null, -- the request's first message
  primary key (key_hash, api_key, day) -- the hash first: it decides a comparison alone
) partition by range (day);

-- Receipts that no submission was found for, until the submission is recorded (a receipt can overtake its response).
create table receipt_waiting (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  carrier text not null,
  operator_ids text[] not null,
  phone bigint, -- keyed value of the number
  reference int, -- user_message_reference that it brought back
  final boolean not null,
  state smallint not null,
  parts_mode smallint not null,
  status text,
  detail text,
  look_at timestamptz not null default now() -- when to look for the submission next
);
create index on receipt_waiting (look_at);
create index on receipt_waiting (operator_ids);
create index on receipt_waiting (phone) where reference is not null;

-- What an operator sent as a receipt and nobody can read.
create table receipt_aside (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  carrier text not null,
  what text not null,
  sealed bytea not null -- store/asides.c; kezekctl aside shows what it is
);

-- Makes the partition of one day. Attaching, unlike "partition of", waits for no reader. The lock: daemons that make
-- the same one at once would find it missing both.
create function partition_make(parent text, day date, low text, high text) returns void language plpgsql as $body$
declare
  part text := parent || to_char(day, '_YYYYMMDD');
begin
  perform pg_advisory_xact_lock(x'6b7a6b'::int, -1);
  if to_regclass(part) is not null then
    return;
  end if;
  execute format('create table %I (like %I including all)', part, parent);
  execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, part, low, high);
end
$body$;

-- Drops the partitions of days before the given one; how many.
create function partition_drop(parent text, before date) returns int language plpgsql as $body$
declare
  part text;
  n int := 0;
begin
  for part in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = parent::regclass and right(c.relname, 8) < to_char(before, 'YYYYMMDD')
    order by 1
  loop
    execute format('drop table %I', part);
    n := n + 1;
  end loop;
  return n;
end
$body$;

-- Ends the messages of several parts of which every part has ended: delivered when all were, else the worst.
-- Only the newest cut counts: what an earlier carrier had of a message says nothing of the parts of the next.
-- Two daemons may settle parts of one message at once: the lock puts them in order. feeds: numbers for the ends.
create function messages_close(ids bigint[], feeds bigint[]) returns void language plpgsql as $body$
declare
  m bigint;
  number bigint;
begin
  for m, number in select id, min(feed) from unnest(ids, feeds) as c(id, feed) group by id order by id loop
    perform pg_advisory_xact_lock(m);
    insert into message_event (message_id, at, kind, final, state, feed)
    select m, now(), 7, true, min(word), number -- of the final states the least is the worst: rules/message.h
    from (
      select e.part, cut.parts, (array_agg(e.state order by e.at))[1] as word
      from message_event e, (
        select s.carrier, s.parts from message_event s
        where s.message_id = m and s.kind = 1
        group by s.carrier, s.parts order by max(s.at) desc limit 1
      ) cut
      where e.message_id = m and e.part is not null and e.state in (2, 3, 4, 5, 6)
        and e.carrier = cut.carrier -- a receipt may have overtaken its submission
      group by e.part, cut.parts
    ) ended
    having count(*) = max(parts)
      and not exists (select from message_event where message_id = m and final);
  end loop;
end
$body$;

-- Ends messages of a slot of which nothing final was heard, in order of their ids, and remembers how far it came: those
-- that were submitted in full, the last part before `before`, as unconfirmed (7); those that should have been sent
-- until a day ago and were not, because their text is gone, as expired, or as unconfirmed when a part was in doubt. It
-- stops at the first that may still come to an end by itself. The ends are numbered from first on, most numbers are
-- reserved.
create function messages_unheard(of_slot int, upto bigint, before timestamptz, most int, first bigint,
  out looked int, out ended int, out stuck boolean) language plpgsql as $body$
declare
  water bigint;
  reached bigint;
begin
  perform feed_open(first);
  select s.unheard into water from slot s where s.id = of_slot for no key update;
  with page as materialized (
    select id, parts, expires_at from message where id > water and id < upto order by id limit most
  ), said as materialized (
    select p.id, coalesce(e.final, false) as final, coalesce(e.taken, 0) = coalesce(e.cut, p.parts) as whole,
      e.newest < before as long_ago, p.expires_at < now() - interval '1 day' as over, coalesce(e.doubted, false) as doubted
    from page p left join lateral (
      select bool_or(final) as final, count(distinct part) filter (where mine) as taken,
        max(parts) filter (where mine) as cut, max(at) filter (where kind = 1) as newest,
        bool_or(kind in (3, 10) and not over) as doubted
      from (
        select *, kind = 1 and carrier = first_value(carrier) over newest and parts = first_value(parts) over newest as mine
        from message_said where message_id = p.id window newest as (order by kind = 1 desc, at desc)
      ) submitted
    ) e on true
    where (p.id >> 14) & 255 = of_slot
  ), stop as (
    select min(id) as id from said where not final and not (whole and long_ago) and not (over and not whole)
  ), ending as (
    select id, whole, whole or doubted as perhaps, first + row_number() over (order by id) - 1 as feed
    from said where not final and id < coalesce((select s.id from stop s), upto)
  ), put as (
    insert into message_event (message_id, at, kind, final, state, detail, feed)
    select id, now(), case when whole then 7 else 5 end, true, case when perhaps then 7 else 5 end,
      case when whole then 'no final receipt came'
        when perhaps then 'its time was over while it was in doubt: it may have arrived'
        else 'its time was over before it was sent' end, feed
    from ending returning 1
  )
  select count(*), (select count(*) from put), (select s.id is not null from stop s),
    coalesce((select s.id - 1 from stop s), max(page.id))
  into looked, ended, stuck, reached from page;
  update slot s set unheard = reached where s.id = of_slot and s.unheard < reached;
end
$body$;

-- Joins waiting receipts with submissions recorded since, of messages from low on; how many were looked at, how many
-- joined. What found nothing is looked at again when it is half as old again, so that receipts nobody's submission
-- comes for cost little; what another daemon looks at just now is passed over. "offset 0" makes the planner ask the
-- index on operator_id for each receipt, whatever it believes of the tables' sizes.
-- What a final receipt ends follows parts_mode: 0 every part its own, 1 the first part's the message, 2 the last's,
-- 3 any's (rules/message.h). A message that has ended does not end again: its receipt came before that end and must not
-- take its place. The ends are numbered from first on, most numbers are reserved.
create function receipts_join(most int, low bigint, first bigint, out looked int, out joined int) language plpgsql
as $body$
declare
  ids bigint[];
  feeds bigint[];
begin
  perform feed_open(first);
  with due as (
    select * from receipt_waiting where look_at <= now() order by look_at limit most for update skip locked
  ), hit as (
    select distinct on (w.id) w.*, s.message_id, s.part, s.parts
    from due w, lateral (
      select e.message_id, e.part, e.parts,
        (select p.phone from message_person p where p.id = e.message_id) as number
      from message_event e
      where e.operator_id = any(w.operator_ids) and e.carrier = w.carrier and e.kind = 1 and e.message_id >= low
      offset 0
    ) s
    where w.phone is null or s.number is null or w.phone = s.number
    order by w.id, s.message_id desc
  ), ending as (
    select *, first + row_number() over () - 1 as feed,
      final and (parts = 1 or parts_mode = 3 or (parts_mode = 1 and part = 1) or (parts_mode = 2 and part = parts))
        as may_end
    from hit
  ), joining as (
    select *, may_end and row_number() over (partition by message_id, may_end order by at, id) = 1
      and not exists (select from message_event e where e.message_id = ending.message_id and e.final) as ends
    from ending
  ), gone as (
    delete from receipt_waiting w using hit where w.id = hit.id
  ), missed as (
    update receipt_waiting w set look_at = now() + greatest(interval '1 s', (now() - w.at) / 2)
    from due where w.id = due.id and due.id not in (select id from hit)
  ), put as (
    insert into message_event (message_id, at, kind, final, state, part, carrier, status, detail, feed)
    select message_id, at, 4, ends, state, part, carrier, status, detail, case when ends then feed end from joining
  )
  select (select count(*) from due), count(*),
    array_agg(message_id) filter (where closes), array_agg(feed) filter (where closes)
  into looked, joined, ids, feeds from (select *, final and parts > 1 and parts_mode = 0 as closes from joining) j;
  perform messages_close(ids, feeds);
end
$body$;

-- Forgets receipts that wait and have come to their end: those that came before since, so that no message they could
-- be of counts any more, and of each operator those over the newest `most`. How many of either, and how many wait on.
-- What is joined just now is passed over.
create function receipts_forget(most int, since timestamptz, out old int, out over int, out waiting int) language sql
as $body$
  with ranked as materialized (
    select id, at < since as old, row_number() over (partition by carrier order by id desc) > most as over
    from receipt_waiting
  ), gone as (
    delete from receipt_waiting where id in (
      select w.id from receipt_waiting w join ranked r using (id) where r.old or r.over for update of w skip locked)
    returning at < since as old
  )
  select count(*) filter (where gone.old), count(*) filter (where not gone.old), (select count(*) from ranked) - count(*)
  from gone;
$body$;
