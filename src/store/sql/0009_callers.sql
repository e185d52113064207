-- What is remembered of a phone that called, beside what its applications say, and the SMS that it is owed.

create table caller (
  phone bigint primary key, -- keyed
  language smallint, -- text/language.h; null: none was chosen
  district bigint references district, -- null: none was chosen
  at timestamptz not null default now() -- of the last choice
);

-- SMS that follow from what was done by phone, from the transaction of that until they are kept.
create table owed (
  token bigint primary key, -- of the press of a key that it was done by
  at timestamptz not null default now(),
  due_at timestamptz not null default '-infinity', -- until then whoever took it last may be keeping it
  tries smallint not null default 0,
  sealed bytea not null -- store/owed.h
);
create index on owed (due_at);

-- In the transaction that it follows from; sealed null: nothing does.
create function owed_put(of_token bigint, of_sealed bytea) returns void language sql as $body$
  insert into owed (token, sealed) select of_token, of_sealed where of_sealed is not null on conflict do nothing
$body$;

-- Those that are due, taken so that nobody else does for first_s seconds, twice as long at each further try.
create function owed_take(now timestamptz, most int, first_s int)
returns table (token bigint, at timestamptz, sealed bytea) language sql as $body$
  with due as materialized (
    select o.token from owed o where o.due_at <= now order by o.due_at limit most for update skip locked
  )
  update owed o set tries = least(o.tries + 1, 6), due_at = now + make_interval(secs => first_s << o.tries)
    where o.token = any(array(select d.token from due d)) returning o.token, o.at, o.sealed
$body$;
