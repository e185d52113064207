-- Who is told of the ends of a client's messages and codes and of news, how far, and what is told again.

create table webhook (
  id int generated always as identity primary key,
  client text not null,
  url text not null,
  secret bytea not null, -- sealed: store/hook_seal.c
  created_at timestamptz not null default now(),
  since bigint not null, -- numbers of message_event.feed, code_verdict.feed and news.feed above it are told, of every slot
  round int not null default 0, -- counts replays: cursors of other rounds are void
  disabled_at timestamptz,
  why text
);

-- How far each slot was told; written about once a second, so that after a crash a second is told again.
create table webhook_cursor (
  webhook int not null references webhook on delete cascade,
  slot smallint not null,
  round int not null,
  feed bigint not null,
  primary key (webhook, slot)
);

-- Single events that failed, are replayed or wait for others; the cursor has passed them. due null: given up.
create table webhook_retry (
  webhook int not null references webhook on delete cascade,
  about smallint not null, -- 0 the end of a message, 1 the verdict on a code, which has the id of its first message, 2 news,
    -- which have their feed
  id bigint not null,
  slot smallint not null, -- whose holder tells it
  attempts smallint not null,
  due timestamptz,
  at timestamptz not null,
  status text not null,
  behind bigint, -- of news: the feed of those that are told before them; null: none are
  primary key (webhook, about, id)
);
create index on webhook_retry (slot, due) where due is not null;
