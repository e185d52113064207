-- Notices on their way to parents.

-- In the transaction that a notice follows from; the second of two of the same comes to nothing. A place that is free again and a
-- phone that changes again are told of anew, once the earlier notice has gone: it makes room.
create function notice_put(id bigint, application bigint, kind int, subject bigint, look_at timestamptz, until_at timestamptz,
  alarm_at timestamptz, detail text, sealed bytea, api_key int) returns void language sql as $body$
  delete from notice n where notice_put.kind in (9, 11) and n.application = notice_put.application and n.kind = notice_put.kind
    and n.subject = notice_put.subject and n.state <> 0;
  insert into notice (id, application, kind, subject, at, until_at, detail, sealed, api_key, state, look_at, alarm_at)
  values (id, application, kind, subject, now(), until_at, detail, sealed, api_key, 0, least(look_at, alarm_at), alarm_at)
  on conflict do nothing
$body$;

-- Whose notice of a place was told, or can be told by no way, watches no more; one that was dropped leaves the watch as it was.
create function watchers_told(ids bigint[]) returns void language sql as $body$
  delete from watcher w using notice n
    where w.application = any(array(select x.application from notice x where x.id = any(ids) and x.kind = 9)) and n.id = any(ids)
      and n.kind = 9 and n.state in (1, 2, 3) and w.application = n.application and w.notice = n.id
$body$;

-- Notes the messages that bring notices, in the transaction that keeps them: message i is number counts[i] of notice ids[i],
-- which is looked at again at looks[i]. Fails when one has that number already, so that nobody is told twice; a message that is
-- kept again because its commit was lost is the one that stands.
create function notices_mark(ids bigint[], counts smallint[], messages bigint[], looks timestamptz[]) returns void
language plpgsql as $body$
declare
  kept bigint[];
begin
  select array_agg(m) into kept from unnest(messages) m where exists (select from message x where x.id = m offset 0);
  perform from notice where id = any(ids) order by id for no key update;
  update notice n set state = 1, sends = m.count, message = m.message, look_at = least(m.look, n.alarm_at),
      earlier = case when n.message is null then n.earlier else n.earlier || n.message end
    from unnest(ids, counts, messages, looks) m(id, count, message, look)
    where n.id = any(ids) and n.id = m.id and n.sends = m.count - 1 and n.state in (0, 1) and m.message = any(kept);
  if exists (select from unnest(ids, messages) m(id, message) where m.message = any(kept)
      and not exists (select from notice n where n.id = m.id and n.message = m.message offset 0)) then
    raise exception 'a notice was sent meanwhile' using errcode = 'unique_violation';
  end if;
  perform watchers_told(ids);
end
$body$;

-- What was seen to be so of notices with so many messages and in that state; what has changed since is left as it is. When the
-- notice of a place is dropped, what is free in that kindergarten is looked at once more: who looked in between passed the watcher
-- over, as told.
create function notices_rule(ids bigint[], counts smallint[], was smallint[], becomes smallint[], looks timestamptz[],
  emails smallint[]) returns void language plpgsql as $body$
declare
  play_groups bigint[];
begin
  select array_agg(o.id) into play_groups from unnest(ids, becomes) r(id, becomes),
    lateral (select subject from notice where id = r.id and kind = 9 offset 0) n,
    lateral (select kindergarten from play_group where id = n.subject offset 0) g,
    lateral (select id from play_group where kindergarten = g.kindergarten offset 0) o where r.becomes = 4;
  perform from vacancy where play_group = any(play_groups) order by play_group for no key update;
  update vacancy set watch_at = now() where play_group = any(play_groups) and free > 0;
  perform from notice where id = any(ids) order by id for no key update;
  update notice n set state = r.becomes, mails = r.emails, alarm_at = case when r.becomes <> 2 then n.alarm_at end,
      look_at = case when r.becomes <> 2 then least(r.look, n.alarm_at) end
    from unnest(ids, counts, was, becomes, looks, emails) r(id, count, was, becomes, look, emails)
    where n.id = any(ids) and n.id = r.id and n.sends = r.count and n.state = r.was;
  perform watchers_told(ids);
end
$body$;

-- Of messages that ended and were not delivered: their notices are looked at at once, whatever the daemon's clock says.
create function notices_hear(messages bigint[]) returns void language plpgsql as $body$
begin
  perform from notice where message = any(messages) order by id for no key update;
  update notice set look_at = '-infinity' where message = any(messages) and state = 1 and look_at is distinct from '-infinity';
end
$body$;

-- Somebody is alarmed about notices, and the portal told, under the numbers feeds: once. It is a change of the application
-- as all news are: with the number of the one before, those who keep the last that they heard would take it for that one.
create function notices_alarm(ids bigint[], feeds bigint[]) returns table (id bigint, application bigint)
language plpgsql as $body$
begin
  perform places_lock();
  perform feed_open(f) from unnest(feeds) f;
  perform from notice n where n.id = any(ids) order by n.id for no key update;
  return query
    with late as (
      update notice n set alarm_at = null, late_at = now(), look_at = n.alarm_at from unnest(ids, feeds) l(id, feed)
        where n.id = any(ids) and n.id = l.id and n.alarm_at is not null returning n.id, n.application, l.feed
    ), raised as (
      update application a set seq = a.seq + 1 from late l
        where a.number = any(array(select x.application from late x)) and a.number = l.application
        returning a.number, a.seq, l.feed
    ), put as (
      insert into news (feed, application, seq, kind, at, via) select r.feed, r.number, r.seq, 9, now(), 2 from raised r
    )
    select l.id, l.application from late l;
end
$body$;
