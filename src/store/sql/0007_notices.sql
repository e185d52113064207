-- Notices on their way to parents.

-- In the transaction that a notice follows from; the second of two of the same comes to nothing.
create function notice_put(id bigint, application bigint, kind int, subject bigint, phone int, look_at timestamptz,
  until_at timestamptz, alarm_at timestamptz, detail text, sealed bytea, api_key int) returns void language sql as $body$
  insert into notice (id, application, kind, subject, phone, at, until_at, detail, sealed, api_key, state, look_at, alarm_at)
  values (id, application, kind, subject, phone, now(), until_at, detail, sealed, api_key, 0, look_at, alarm_at)
  on conflict do nothing
$body$;
