-- The menus that were in force, as their files were: sessions end on the one that they began with.

create table dialog (
  hash bytea primary key, -- of both files and the words put in
  menu_name text not null,
  menu bytea not null,
  services_name text not null,
  services bytea not null,
  dial text not null, -- the words: text/words.h
  helpline text not null,
  seen_at timestamptz not null default now() -- in force somewhere, then
);
