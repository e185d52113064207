-- How many applications wait in each queue, kept by whatever changes applications: a position is asked of these counts, so that
-- it costs the same however long the queue is. Only who registered within the same three hours is counted one by one.

-- Counts above 0, of a category in all and by when its applications were registered. span 0: all, at 0; 1: in 16 days;
-- 2: in three hours. at: how many such spans after 1970. A position reads some hundred counts of either in a queue of five years.
-- Finer spans were measured: more counts are read, and all positions are slower. A fourth span: each application would write
-- another row of its own, which made a batch of them dearer by a third and more.
create table queue_count (
  district bigint not null,
  birth_year smallint not null,
  span smallint not null,
  category text not null,
  at bigint not null,
  n int not null,
  primary key (district, birth_year, span, category, at)
) with (fillfactor = 70);

-- What each category had of the round that its tier is in: rules/position.h. Who gives places writes it, one at a time.
create table queue_round (
  district bigint not null,
  birth_year smallint not null,
  category text not null,
  served int not null,
  primary key (district, birth_year, category)
);

-- In UTC, which makes it immutable to the planner too, so that it is written into the statement and not called.
create function queue_stretch(registered timestamptz) returns bigint language sql immutable as $body$
  select floor(extract(epoch from registered at time zone 'UTC') / 10800)::bigint
$body$;

-- The rows stay locked until the end of the transaction. Whoever changes applications holds places_lock, so that two never
-- wait for each other's.
create function queue_move(districts bigint[], birth_years smallint[], categories text[], registered timestamptz[], steps int[])
returns void language plpgsql as $body$
begin
  insert into queue_count as c (district, birth_year, span, category, at, n)
    select m.district, m.birth_year, s.span, m.category, s.at, sum(m.step)
      from (select u.district, u.birth_year, u.category, queue_stretch(u.registered) as stretch, u.step
              from unnest(districts, birth_years, categories, registered, steps)
                u(district, birth_year, category, registered, step)) m,
        lateral (values (0, 0), (1, m.stretch >> 7), (2, m.stretch)) s(span, at)
      group by 1, 2, 3, 4, 5 having sum(m.step) <> 0 order by 1, 2, 3, 4, 5
    on conflict (district, birth_year, span, category, at) do update set n = c.n + excluded.n;
  if 0 > any(steps) then
    delete from queue_count c
      using (select distinct u.district, u.birth_year, s.span, u.category, s.at
               from unnest(districts, birth_years, categories, registered, steps)
                 u(district, birth_year, category, registered, step),
               lateral (values (0, 0), (1, queue_stretch(u.registered) >> 7), (2, queue_stretch(u.registered))) s(span, at)
              where u.step < 0 offset 0) m
      where c.district = m.district and c.birth_year = m.birth_year and c.span = m.span and c.category = m.category
        and c.at = m.at and c.n = 0;
  end if;
end
$body$;

-- An application counts while it waits. One that a statement left in its place comes to nothing.
create function queue_keep() returns trigger language plpgsql as $body$
begin
  if tg_op = 'INSERT' then
    perform queue_move(array_agg(district), array_agg(birth_year), array_agg(category), array_agg(registered_at),
        array_agg(1)) from come where status = 0 having count(*) > 0;
  elsif tg_op = 'DELETE' then
    perform queue_move(array_agg(district), array_agg(birth_year), array_agg(category), array_agg(registered_at),
        array_agg(-1)) from gone where status = 0 having count(*) > 0;
  else
    perform queue_move(array_agg(district), array_agg(birth_year), array_agg(category), array_agg(registered_at),
        array_agg(step))
      from (select district, birth_year, category, registered_at, sum(step)::int as step
              from (select district, birth_year, category, registered_at, -1 as step from gone where status = 0
                union all select district, birth_year, category, registered_at, 1 from come where status = 0) both_sides
              group by 1, 2, 3, 4 having sum(step) <> 0) moved having count(*) > 0;
  end if;
  return null;
end
$body$;

create trigger queue_come after insert on application referencing new table as come
  for each statement execute function queue_keep();
create trigger queue_gone after delete on application referencing old table as gone
  for each statement execute function queue_keep();
create trigger queue_moved after update on application referencing old table as gone new table as come
  for each statement execute function queue_keep();

-- A place was given to an application of the category, which does not wait any more. categories: those of its tier in the order
-- of their turns, shares: so many of each in a round. Called by one transaction at a time: 0006_places.sql.
create function queue_served(in_district bigint, in_birth_year int, in_category text, categories text[], shares int[])
returns void language plpgsql as $body$
declare
  served int[];
  waiting int[];
  own int := array_position(categories, in_category);
begin
  select array_agg(least(coalesce(r.served, 0), t.share) order by t.i), array_agg(coalesce(c.n, 0) order by t.i)
    into served, waiting from unnest(categories, shares) with ordinality t(category, share, i)
    left join lateral (select q.served from queue_round q where q.district = in_district and q.birth_year = in_birth_year
      and q.category = t.category offset 0) r on true
    left join lateral (select q.n from queue_count q where q.district = in_district and q.birth_year = in_birth_year
      and q.span = 0 and q.category = t.category and q.at = 0 offset 0) c on true;
  waiting[own] := waiting[own] + 1; -- until now
  served := queue_round_over(served, waiting, shares);
  waiting[own] := waiting[own] - 1;
  for i in 1 .. own - 1 loop
    if waiting[i] = 0 then
      served[i] := shares[i]; -- its turn was passed over
    end if;
  end loop;
  served[own] := least(served[own] + 1, shares[own]);
  served := queue_round_over(served, waiting, shares);
  insert into queue_round as q (district, birth_year, category, served)
    select in_district, in_birth_year, t.category, t.served from unnest(categories, served) t(category, served)
    on conflict (district, birth_year, category) do update set served = excluded.served where q.served <> excluded.served;
end
$body$;

-- 0 of each when nobody who waits has a turn left, else as they are.
create function queue_round_over(served int[], waiting int[], shares int[]) returns int[] language sql immutable as $body$
  select case when exists (select from unnest(served, waiting, shares) t(had, waits, share) where waits > 0 and had < share)
    then served else array_fill(0, array[cardinality(served)]) end
$body$;
