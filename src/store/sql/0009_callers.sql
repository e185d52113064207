-- What is remembered of a phone that called, beside what its applications say.

create table caller (
  phone bigint primary key, -- keyed
  language smallint, -- text/language.h; null: none was chosen
  district bigint references district, -- null: none was chosen
  at timestamptz not null default now() -- of the last choice
);
