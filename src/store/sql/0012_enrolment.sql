-- What parents asked for by phone: to put a child in the queue. The portal does it, by an application, or says that it is
-- dealt with; until then nobody asks for the same child again. Of what is over only that it was asked is kept, for a month.

create table enrolment (
  id bigint primary key, -- feed of its news
  token bigint not null unique, -- of the press of a key that it came by
  child_iin bigint not null, -- keyed
  phone bigint not null, -- keyed: of who asked
  at timestamptz not null,
  sealed bytea, -- store/enrolments.h; null: it is over
  ended_at timestamptz -- null: it is open
);
create unique index enrolment_open on enrolment (child_iin) where ended_at is null;
create index on enrolment (ended_at) where ended_at is not null;

-- Kept, and told to the portal: 0; it was, by the same press of a key: 1; one for the child is open: 2; the child has an
-- application of those statuses: 3.
create function enrolment_put(feed bigint, of_token bigint, child bigint, of_phone bigint, now timestamptz, of_sealed bytea,
  has int[], kind int, via int, owed_sms bytea) returns int language plpgsql as $body$
begin
  perform places_lock();
  perform feed_open(feed);
  if exists (select from enrolment where token = of_token) then
    return 1;
  elsif exists (select from enrolment where child_iin = child and ended_at is null) then
    return 2;
  elsif exists (select from application where child_iin = child and status = any(has)) then
    return 3;
  end if;
  insert into enrolment (id, token, child_iin, phone, at, sealed) values (feed, of_token, child, of_phone, now, of_sealed);
  insert into news (feed, application, seq, kind, at, via) values (feed, 0, 0, kind, now, via);
  delete from enrolment where id = any(array(
    select id from enrolment where ended_at < now - interval '30 days' order by ended_at limit 100));
  perform owed_put(of_token, owed_sms);
  return 0;
end
$body$;

-- Their children have an application now, in a status that is one.
create function enrolments_end(children bigint[], statuses smallint[]) returns void language sql as $body$
  update enrolment set ended_at = now(), sealed = null
    where id = any(array(select e.id from unnest(children, statuses) c(iin, status),
      lateral (select id from enrolment where child_iin = c.iin and ended_at is null offset 0) e
      where c.status not in (4, 5, 6)))
$body$;
