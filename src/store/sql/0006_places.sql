-- The only way to a place: what is done to referrals and to free places. Whoever does it read the facts, judged them by
-- rules/place and rules/referral, and has them written here if they are still as they were judged.

-- What a request is known by that changed something, so that it gets the same answer when it comes again.
create table place_request (
  token bigint primary key,
  referral bigint not null,
  event smallint not null, -- rules/referral.h; -1: the place was taken
  at timestamptz not null
);
create index on place_request (at);

-- A number that no referral has. The portal numbers its own, thousands in a row perhaps: the run is passed over once.
create function referral_next() returns bigint language plpgsql as $body$
declare
  n bigint;
begin
  for round in 1 .. 2 loop
    n := nextval('referral_number');
    perform from referral r where r.number = n;
    if not found then
      return n;
    end if;
    select r.number + 1 into n from referral r where r.number between n and 999998
      and not exists (select from referral f where f.number = r.number + 1 offset 0) order by r.number limit 1;
    if found then
      perform setval('referral_number', n);
      return n;
    end if;
    perform setval('referral_number', 999999); -- the next is 1
  end loop;
  raise exception 'all referral numbers are used';
end
$body$;

-- Who may take a place stands also in its group and its kindergarten: when they change, so do the terms of the vacancy. What was
-- judged before that is not written after it, and whoever watches is judged anew. At the end of the transaction, so that what it
-- says of the vacancy itself it says of the one that it read, and its seq stays the one that it answers.
create function vacancy_change() returns trigger language plpgsql as $body$
begin
  update vacancy v set terms = v.terms + 1, seq = v.seq + (v.xmin <> pg_current_xact_id()::xid)::int,
      watch_at = case when v.free > 0 then now() end
    where v.play_group = any(array(select g.id from play_group g where tg_table_name = 'kindergarten' and g.kindergarten = new.id
      union all select new.id where tg_table_name = 'play_group'));
  return null;
end
$body$;
create constraint trigger group_changed after update on play_group deferrable initially deferred for each row
  when ((old.kindergarten, old.age_from, old.age_to, old.language) <> (new.kindergarten, new.age_from, new.age_to, new.language))
  execute function vacancy_change();
create constraint trigger kindergarten_moved after update on kindergarten deferrable initially deferred for each row
  when (old.district <> new.district) execute function vacancy_change();

-- One change as it was judged. Of the referral: what it is from now on.
create type place_change as (
  referral bigint, -- null: its number is made
  referral_seq bigint, -- null: it is new
  application bigint,
  application_seq bigint,
  play_group bigint,
  terms bigint, -- of the vacancy that a place is taken of, null: none is taken
  freed boolean, -- its place comes back
  priority_until timestamptz, -- of that place, if it is released anew
  status smallint,
  extended boolean,
  from_at timestamptz,
  to_at timestamptz,
  remind_at timestamptz,
  application_status smallint,
  stop_list_until timestamptz, -- null: as it is
  tier text, -- of a turn that the queue has served: its categories and
  shares text, -- their shares, in their order, with commas; null: none was served
  token bigint, -- 0: none
  event smallint,
  via smallint,
  caller bigint, -- keyed: the phone that it was done by, null: nobody called
  at timestamptz,
  notice bigint, -- null: none
  notice_kind smallint,
  look_at timestamptz,
  until_at timestamptz,
  news bigint, -- null: none
  news_kind smallint,
  i bigint -- which of those that came together, from 1
);

-- Those that are still as they were judged, the first of each application, referral and request, and of each vacancy as many
-- as have a place. The others are to be judged again.
create function places_won(asked place_change[]) returns place_change[] language sql as $body$
  select array_agg(c order by (c).i) from (
    select c, (c).terms is null or row_number() over (partition by (c).play_group, (c).terms is null order by (c).i) <= v.free as wins
    from (
      select u as c,
        row_number() over (partition by u.application order by u.i) = 1
          and row_number() over (partition by u.referral, case when u.referral is null then u.i end order by u.i) = 1
          and row_number() over (partition by u.token, case when u.token = 0 then u.i end order by u.i) = 1 as first
      from unnest(asked) u
    ) o
    join lateral (select a.seq from application a where a.number = (c).application offset 0) a on a.seq = (c).application_seq
    left join lateral (select r.seq from referral r where r.number = (c).referral offset 0) r on true
    left join lateral (select p.token from place_request p where p.token = (c).token and (c).token <> 0 offset 0) p on true
    left join lateral (select w.free, w.terms from vacancy w where w.play_group = (c).play_group offset 0) v on true
    where first and r.seq is not distinct from (c).referral_seq and p.token is null
      and ((c).terms is null or v.terms = (c).terms)
  ) judged where wins
$body$;

-- Free places of the groups that a place is taken of or comes back to. One that comes back joins those that are free, under
-- their terms; where none is, it is released anew.
create function places_count(won place_change[]) returns void language sql as $body$
  update vacancy v set free = v.free - g.taken + g.freed, seq = v.seq + 1, terms = v.terms + g.anew::int,
    released_at = case when g.anew then g.at else v.released_at end,
    priority_until = case when g.anew then g.priority_until else v.priority_until end,
    watch_at = case when g.anew then g.at else v.watch_at end
  from (
    select c.play_group, c.taken, c.freed, c.at, c.priority_until, c.freed > 0 and w.free = c.taken as anew
    from (
      select u.play_group, count(u.terms) as taken, count(*) filter (where u.freed) as freed,
        max(u.at) filter (where u.freed) as at, max(u.priority_until) filter (where u.freed) as priority_until
      from unnest(won) u where u.freed or u.terms is not null group by 1
    ) c join lateral (select x.free from vacancy x where x.play_group = c.play_group offset 0) w on true
  ) g
  where v.play_group = any(array(select u.play_group from unnest(won) u)) and v.play_group = g.play_group
$body$;

-- What became of them and of their applications, with all that follows from it.
create function places_tell(won place_change[]) returns void language plpgsql as $body$
begin
  insert into referral (number, application, play_group, status, extended, from_at, to_at, remind_at, seq)
    select w.referral, w.application, w.play_group, w.status, w.extended, w.from_at, w.to_at, w.remind_at, 1
    from unnest(won) w where w.referral_seq is null;
  update referral r set status = w.status, extended = w.extended, to_at = w.to_at, remind_at = w.remind_at, seq = r.seq + 1
    from unnest(won) w
    where r.number = any(array(select u.referral from unnest(won) u where u.referral_seq is not null))
      and r.number = w.referral and w.referral_seq is not null;
  update application a set status = w.application_status, stop_list_until = coalesce(w.stop_list_until, a.stop_list_until),
      seq = a.seq + 1
    from unnest(won) w
    where a.number = any(array(select u.application from unnest(won) u)) and a.number = w.application;
  perform queue_served(a.district, a.birth_year, a.category, string_to_array(w.tier, ','), string_to_array(w.shares, ',')::int[])
    from unnest(won) w, lateral (select * from application x where x.number = w.application offset 0) a
    where w.tier is not null;
  perform notice_put(w.notice, w.application, w.notice_kind, w.referral, w.look_at, w.until_at, null, null, null, a.api_key)
    from unnest(won) w, lateral (select x.api_key from application x where x.number = w.application offset 0) a
    where w.notice is not null;
  update notice n set caller = w.caller from unnest(won) w
    where n.id = any(array(select u.notice from unnest(won) u where u.caller is not null)) and n.id = w.notice;
  insert into news (feed, application, seq, kind, at, via, referral, play_group, until_at)
    select w.news, w.application, w.application_seq + 1, w.news_kind, w.at, w.via, w.referral, w.play_group, w.to_at
    from unnest(won) w where w.news is not null;
  insert into place_request (token, referral, event, at)
    select w.token, w.referral, w.event, w.at from unnest(won) w where w.token <> 0;
end
$body$;

-- Which of the changes were made: its number in the order of asking, the referral's number. Rows are locked in one order,
-- since what feeds the records locks them too. Requests are remembered for two days, longer than anybody asks again.
create function places_write(asked place_change[]) returns table (i bigint, referral bigint) language plpgsql as $body$
declare
  won place_change[];
begin
  perform places_lock();
  perform from application a where a.number = any(array(select u.application from unnest(asked) u)) order by a.number for update;
  perform from referral r where r.number = any(array(select u.referral from unnest(asked) u)) order by r.number for update;
  insert into vacancy (play_group, free, released_at, terms, seq)
    select distinct u.play_group, 0, now(), 1, 1 from unnest(asked) u where u.freed order by 1 on conflict do nothing;
  perform from vacancy v where v.play_group = any(array(select u.play_group from unnest(asked) u)) order by v.play_group for update;
  won := places_won(asked);
  for n in 1 .. coalesce(cardinality(won), 0) loop
    if won[n].referral is null then
      won[n].referral := referral_next();
    end if;
  end loop;
  perform places_count(won);
  perform places_tell(won);
  delete from place_request p where p.token = any(array(
    select o.token from place_request o where o.at < now() - interval '2 days' order by o.at limit 1000));
  return query select w.i, w.referral from unnest(won) w;
end
$body$;
