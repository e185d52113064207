-- The records of the queue, as the portal feeds them, and what kezek itself makes of them: referrals, notices, news. Ids and
-- numbers are the portal's. Times that something is due at are columns of what they are about, each with an index of its own.

create table district (
  id bigint primary key,
  region text not null, -- of config/regions
  name_kk text not null,
  name_ru text not null,
  name_en text not null
);

create table kindergarten (
  id bigint primary key,
  district bigint not null references district,
  name_kk text not null,
  name_ru text not null,
  name_en text not null
);
create index on kindergarten (district);

create table play_group (
  id bigint primary key,
  kindergarten bigint not null references kindergarten,
  age_from smallint not null,
  age_to smallint not null, -- age_from <= age < age_to
  language smallint not null -- text/language.h
);
create index on play_group (kindergarten);

-- Free places of a group. One that comes back joins those that are free, under their terms; where none is, it is released
-- anew: 0006_places.sql.
create table vacancy (
  play_group bigint primary key references play_group,
  free int not null check (free >= 0),
  released_at timestamptz not null,
  priority_until timestamptz, -- null: no priority
  terms bigint not null, -- counts the changes of all but free and of its group, and how often a place came where none was
  seq bigint not null, -- counts all changes
  watch_at timestamptz -- when watchers are looked for next, null: nobody need be told
);
create index on vacancy (play_group) where free > 0;
create index on vacancy (watch_at) where watch_at is not null;

-- Persons stand sealed (store/applicant.h), and as keyed values by which they are found.
create table application (
  number bigint primary key,
  district bigint not null references district,
  category text not null,
  birth_year smallint not null,
  registered_at timestamptz not null,
  status smallint not null, -- rules/application.h
  channel smallint not null, -- rules/notice.h
  language smallint not null,
  groups smallint not null, -- bits 1 << language of the groups that it is for; 0: any
  verified smallint not null, -- bits 1 << phone
  child_last4 text not null,
  child_iin bigint not null,
  parent1_iin bigint not null,
  parent2_iin bigint,
  phone1 bigint not null,
  phone2 bigint,
  sealed bytea not null,
  stop_list_until timestamptz,
  api_key int not null, -- whose client hears of its notices
  seq bigint not null -- counts its changes
);
create index on application (child_iin, number);
create index on application (parent1_iin, number);
create index on application (parent2_iin, number) where parent2_iin is not null;
create index on application (phone1, number);
create index on application (phone2, number) where phone2 is not null;
create function application_is_over(status smallint) returns boolean language sql immutable as $$ select status not in (0, 1, 2) $$;
create index application_queue on application (district, birth_year, category, registered_at, number) where status = 0;

-- Who gives a place: 0006_places.sql alone. Its number is of 5 or 6 digits on what parents hold in hand.
create table referral (
  number bigint primary key,
  application bigint not null references application,
  play_group bigint not null references play_group,
  status smallint not null, -- rules/referral.h
  extended boolean not null,
  from_at timestamptz not null,
  to_at timestamptz not null,
  remind_at timestamptz, -- null: no more
  seq bigint not null -- counts its changes
);
create unique index referral_open on referral (application) where status in (0, 1);
create index on referral (application);
create index on referral (play_group, number);
create index on referral (status, number);
create index on referral (to_at) where status in (0, 1);
create index on referral (remind_at) where remind_at is not null;
create sequence referral_number maxvalue 999999 cycle;

-- Applications whose parents want to hear of a place in a kindergarten, until they are told or the application is over, or in
-- the queue of another district, where no place there can be its own.
create table watcher (
  application bigint not null references application,
  kindergarten bigint not null references kindergarten,
  at timestamptz not null,
  notice bigint, -- the newest that was to tell it, null: none. One that is told ends the watch: watchers_told
  primary key (application, kindergarten)
);
create index on watcher (kindergarten, application);
create function watchers_end() returns trigger language plpgsql as $body$
begin
  delete from watcher where application = new.number;
  return null;
end
$body$;
create trigger application_ended after update of status, district on application for each row
  when ((application_is_over(new.status) and not application_is_over(old.status)) or new.district <> old.district)
  execute function watchers_end();

-- What a parent is to be told, made in the transaction that it follows from. The slot in its id is whose it is to send.
create table notice (
  id bigint primary key,
  application bigint not null references application,
  kind smallint not null, -- rules/notice.h
  subject bigint not null, -- referral, group, request or keyed phone, by the kind; 0: the kind has none
  at timestamptz not null,
  until_at timestamptz, -- after it there is nothing to tell
  detail text, -- of NOTICE_DOCUMENTS: the place
  sealed bytea, -- null: it goes to the application's phones; else to this number
  caller bigint, -- keyed: the phone that did in the menu what it tells of, where it is awaited now; null: nobody called
  api_key int not null,
  state smallint not null, -- rules/notice.h
  look_at timestamptz, -- when something is to be done about it, null: nothing any more
  sends smallint not null default 0, -- messages
  message bigint, -- the newest
  earlier bigint[] not null default '{}', -- those before it
  mails smallint not null default 0, -- tries to hand it over as an email; -1: it goes by SMS instead
  alarm_at timestamptz, -- look_at is never after it; null: nobody is alarmed, or somebody was
  late_at timestamptz, -- when somebody was
  unique nulls not distinct (application, kind, subject, until_at) -- an end that was moved is told of again
);
-- Numbers of applications do not stand behind others that became due at the end of the quiet hours.
create index on notice (((id >> 14) & 255), look_at) where look_at is not null and kind = 0;
create index on notice (((id >> 14) & 255), look_at) where look_at is not null and kind <> 0;
create index on notice (message) where message is not null;
create index on notice (late_at) where late_at is not null;
create index on notice (at);
create index on notice (at) where sealed <> '';

-- What the portal is told of an application, in the order of seq.
create table news (
  feed bigint not null, -- its place in the order of telling, as message_event.feed
  application bigint not null,
  seq bigint not null, -- of the application, as this change left it
  kind smallint not null, -- rules/news.h
  at timestamptz not null,
  via smallint not null, -- rules/news.h
  referral bigint,
  play_group bigint,
  until_at timestamptz, -- end of the referral
  kindergarten bigint, -- that is watched
  detail text,
  primary key (feed)
) partition by range (feed);
create index on news (((feed >> 14) & 255), feed);
create index on news (application, seq, feed);

-- First of all that a transaction does to applications, referrals or free places: they come one after the other, in the
-- order of their arrival, and none waits for what another one holds.
create function places_lock() returns void language sql as $$ select pg_advisory_xact_lock(4, 0) $$;

-- What was read and judged is written whole, or not at all: some of it does not stand any more as it was read.
create function records_whole(written bigint, wanted bigint) returns void language plpgsql as $body$
begin
  if written <> wanted then
    raise exception '% of % records stand as they were read', written, wanted using errcode = 'KZ010';
  end if;
end
$body$;

-- The kindergarten is watched for the application from now on: 0; it was: 1; there is no such application: 2, no such
-- kindergarten: 3; the application is over: 4; it is in the queue of another district: 5; it watches as many as it may: 6. What
-- is free there is looked at once more, also by who looks at it at this moment: its time is another one then.
create function watcher_add(feed bigint, of_application bigint, of_kindergarten bigint, now timestamptz, most int,
  kind int, via int, of_token bigint, owed_sms bytea) returns int language plpgsql as $body$
declare
  stands smallint;
  queue bigint;
begin
  perform places_lock();
  perform feed_open(feed);
  select status, district into stands, queue from application where number = of_application;
  if not found then
    return 2;
  elsif not exists (select from kindergarten where id = of_kindergarten) then
    return 3;
  elsif exists (select from watcher where application = of_application and kindergarten = of_kindergarten) then
    perform owed_put(of_token, owed_sms);
    return 1;
  elsif application_is_over(stands) then
    return 4;
  elsif (select district from kindergarten where id = of_kindergarten) <> queue then
    return 5;
  elsif (select count(*) from watcher where application = of_application) >= most then
    return 6;
  end if;
  insert into watcher (application, kindergarten, at) values (of_application, of_kindergarten, now());
  update application set seq = seq + 1 where number = of_application;
  insert into news (feed, application, seq, kind, at, via, kindergarten)
    select feed, number, seq, kind, now, via, of_kindergarten from application where number = of_application;
  update vacancy v set watch_at = now from play_group g
    where g.id = v.play_group and g.kindergarten = of_kindergarten and v.free > 0;
  perform owed_put(of_token, owed_sms);
  return 0;
end
$body$;
