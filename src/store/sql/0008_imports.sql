-- How far each import of records has come. Its rows are changed in the transactions of the lines that they speak of.

create table import (
  client text not null, -- '': by the control socket
  id text not null, -- the client's
  next_line bigint not null default 1, -- all before it were taken
  good bigint not null default 0,
  bad bigint not null default 0,
  begun_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (client, id)
);
create index on import (changed_at);

-- What was wrong with a line; of each import the first ones, the others are only counted.
create table import_fault (
  client text not null,
  id text not null,
  line bigint not null,
  field text not null, -- '': none is at fault
  code text not null,
  detail text not null,
  primary key (client, id, line),
  foreign key (client, id) references import on delete cascade
);

-- Makes it unless it is there. A new one makes others forgotten: those of long ago, and of the same client all but the newest.
create function import_begin(of_client text, of_id text, most int) returns void language plpgsql as $body$
begin
  insert into import (client, id) values (of_client, of_id) on conflict do nothing;
  if found then
    delete from import where changed_at < now() - interval '30 days';
    delete from import where (client, id) in (select i.client, i.id from import i where i.client = of_client
      order by i.changed_at desc, i.id offset most);
  end if;
end
$body$;

-- In the transaction of the lines from from_line to before to_line, which comes to nothing when they are not the next ones.
create function import_advance(of_client text, of_id text, from_line bigint, to_line bigint, n_good bigint, n_bad bigint,
  lines bigint[], fields text[], codes text[], details text[], most int) returns void language plpgsql as $body$
declare
  all_bad bigint;
begin
  update import set next_line = to_line, good = good + n_good, bad = bad + n_bad, changed_at = now()
    where client = of_client and id = of_id and next_line = from_line returning bad into all_bad;
  if not found then
    raise exception using errcode = 'KZ020', message = 'these lines are not the next ones of the import';
  end if;
  insert into import_fault (client, id, line, field, code, detail)
    select of_client, of_id, f.line, f.field, f.code, f.detail
      from unnest(lines, fields, codes, details) with ordinality f(line, field, code, detail, i)
      where all_bad - n_bad + f.i <= most;
end
$body$;
