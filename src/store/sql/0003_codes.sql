-- Verification codes: what was asked for and what a try is held against, each time it was sent, each wrong try, and the one
-- verdict. Only inserted into, but for what another sending changes of its code. A number stands here as its keyed value (keyring_lookup): equal for equal numbers, and nothing else can be told from it.

create table code (
  id bigint primary key, -- that of its first message
  api_key int not null,
  pair bigint, -- of the two of an application: the id of both together
  phone bigint not null,
  prefix int not null, -- the number less its last four digits: 7701123
  purpose text not null,
  language smallint not null,
  binding bigint, -- keyed value of what must come again at the check; null: none
  length smallint not null,
  tries smallint not null,
  given boolean not null, -- the portal's own
  second bytea, -- sealed: the phone that it goes to when the first one is not reached
  client_ref text,
  -- by the newest of its sendings:
  sends smallint not null,
  resends smallint not null,
  issue smallint not null, -- counts the different digits of one code, from 1
  sent_at timestamptz not null,
  expires_at timestamptz not null,
  key smallint not null, -- of the keyring, for mac and digits
  mac bytea not null
) partition by range (id);
create index on code (phone, id);
create index on code (prefix, id);
create index on code (pair) where pair is not null;

create table code_send (
  code_id bigint not null,
  n smallint not null, -- 1: the first
  why smallint not null, -- 0 asked for, 1 asked for again, 2 no good receipt came
  message_id bigint not null,
  phone bigint not null, -- another than the code's when it went to the second phone
  at timestamptz not null,
  primary key (code_id, n)
) partition by range (code_id);
create index on code_send (message_id);
create index on code_send (phone, at);

-- A try that is made again after an answer was lost has the token that it had, and is one try.
create table code_wrong (
  code_id bigint not null,
  token bigint not null, -- keyed value of its Idempotency-Key and of what was tried
  at timestamptz not null,
  phone bigint not null,
  primary key (code_id, token)
) partition by range (code_id);
create index on code_wrong (phone, code_id);

-- The first verdict stands: 1 approved, 2 exhausted, 3 cancelled, 4 superseded, 5 expired.
create table code_verdict (
  code_id bigint primary key,
  at timestamptz not null,
  verdict smallint not null,
  key_hash bytea, -- of the Idempotency-Key of the check that was approved: the same one is told so again
  feed bigint not null -- its place in the order of telling, as message_event.feed
) partition by range (code_id);
create index on code_verdict (((feed >> 14) & 255), feed);

-- Until the end of the transaction nobody else puts in a sending of a code of these phones, or says that one is over. A place
-- may be several phones' place, so that however many a batch has, the server's table of locks has room for it.
create function codes_lock(phones bigint[]) returns void language plpgsql as $body$
begin
  -- in one order, so that two daemons never wait for each other
  perform pg_advisory_xact_lock(x'6b7a63'::int, h)
    from (select distinct hashint8(p) & 1023 as h from unnest(phones) p order by h) l;
end
$body$;

-- Begins what puts in sendings: those of one phone come one after the other, in whatever daemons, so that of a client,
-- a phone and a purpose one code at most is open. feeds: the runs of numbers for what new codes supersede, opened last: whoever
-- waits for a phone holds none of these locks.
create function codes_begin(phones bigint[], feeds bigint[]) returns void language plpgsql as $body$
begin
  perform codes_lock(phones);
  perform feed_open(f) from unnest(feeds) f;
end
$body$;

-- Codes that the portal made itself, sealed, until their verdict or the end of their time: our own are made again from the keyring.
create table code_given (
  code_id bigint primary key,
  expires_at timestamptz not null,
  sealed bytea not null
);
create index on code_given (expires_at);

-- What the guard holds, and what somebody has lifted. Rows stay as the record of who did what.
create table guard_hold (
  id bigint generated always as identity primary key,
  kind smallint not null, -- 1 prefix: no conversion, 2 phone: too many wrong tries
  subject bigint not null, -- the prefix, or the keyed value of the phone
  shown text not null, -- for people: +7701123xxxx, or a masked number
  since timestamptz not null,
  until timestamptz not null,
  lifted_at timestamptz,
  lifted_by text,
  free_until timestamptz -- lifted: is not held again before this
);
create index on guard_hold (kind, subject, until);
