-- What a phone tried: wrong digits, looks into what is others'.

create table caller_try (
  phone bigint not null, -- keyed
  kind smallint not null, -- rules/tries.h
  at timestamptz[] not null default '{}', -- of the last day, in their order
  tokens bigint[] not null default '{}', -- of the presses of a key that they came by
  last_at timestamptz not null default now(),
  primary key (phone, kind)
);
create index on caller_try (last_at);

-- One more try, unless this press of a key was counted before: how many are left of `most` within seconds_n; or again_at, when
-- it may be tried again. The row is locked, so that of two at once one is counted first. What is a day old is forgotten, of
-- phones before this one alone: who counts many at once goes by rising phones, and two of them never wait for each other.
create function caller_try_take(of_phone bigint, of_kind int, of_token bigint, most int, seconds_n int, most_day int, locks boolean,
  out again_at timestamptz, out left_n int) language plpgsql as $body$
declare
  times timestamptz[];
  known bigint[];
  within interval := make_interval(secs => seconds_n);
  instant timestamptz;
  n int;
begin
  insert into caller_try (phone, kind) values (of_phone, of_kind) on conflict do nothing;
  perform from caller_try t where t.phone = of_phone and t.kind = of_kind for update;
  instant := clock_timestamp();
  select coalesce(array_agg(u.at order by u.i), '{}'), coalesce(array_agg(u.token order by u.i), '{}') into times, known
    from caller_try t, unnest(t.at, t.tokens) with ordinality u(at, token, i)
    where t.phone = of_phone and t.kind = of_kind and u.at > instant - interval '1 day';
  n := array_position(known, of_token);
  if n is null then
    n := cardinality(times);
    if n >= most and locks and times[n] - times[n - most + 1] < within and times[n] + within > instant then
      again_at := times[n] + within;
    elsif n >= most and not locks and times[n - most + 1] + within > instant then
      again_at := times[n - most + 1] + within;
    end if;
    if n >= most_day then
      again_at := greatest(again_at, times[n - most_day + 1] + interval '1 day');
    end if;
    if again_at is not null then
      left_n := 0;
      return;
    end if;
    n := n + 1;
    times := times || instant;
    known := known || of_token;
    update caller_try t set at = times, tokens = known, last_at = instant where t.phone = of_phone and t.kind = of_kind;
  end if;
  left_n := greatest(most - (select count(*) from unnest(times[1:n]) u(at) where u.at > times[n] - within), 0);
  delete from caller_try t where (t.phone, t.kind) in (select o.phone, o.kind from caller_try o
    where o.last_at < instant - interval '1 day' and o.phone < of_phone order by o.last_at limit 10 for update skip locked);
end
$body$;

-- The last digits of the child's IIN are about to be compared: counted as a wrong try until tries_forget says that they were
-- right. No row: the phone is not a confirmed one of the application, or the referral (0: none is meant) is not its own.
-- before: this press of a key did already what it was for.
create function caller_pin(of_phone bigint, of_application bigint, of_referral bigint, of_token bigint, of_kind int, most int,
  seconds_n int, most_day int, locks boolean,
  out last4 text, out region text, out before boolean, out again_at timestamptz, out left_n int)
returns setof record language plpgsql as $body$
begin
  select a.child_last4, d.region, exists (select from place_request p where p.token = of_token)
    into last4, region, before from application a, district d
    where a.number = of_application and d.id = a.district
      and ((a.phone1 = of_phone and a.verified & 1 <> 0) or (a.phone2 = of_phone and a.verified & 2 <> 0))
      and (of_referral = 0
        or exists (select from referral r where r.number = of_referral and r.application = of_application));
  if not found then
    return;
  end if;
  if not before then
    select t.again_at, t.left_n into again_at, left_n
      from caller_try_take(of_phone, of_kind, of_token, most, seconds_n, most_day, locks) t;
  end if;
  return next;
end
$body$;
