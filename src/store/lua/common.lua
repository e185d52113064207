-- Stands before each script of limits. Times are by the clock of Redis, in milliseconds: one for all daemons, so that none
-- whose own is wrong ages or freezes what others count. A subject goes by the newest that it ever saw, so that a clock that
-- falls back renews nothing. Keyed values are never read as numbers: they do not fit.
local HOUR, DAY = 3600000, 86400000
local SURE = 2 * DAY -- the longest that anything is remembered: a lock of a day, and that it was one for a day more

local PHONE = {'sent', 'ok', 'wrong', 'ls', 'lu', 'lift'} -- sends and wrong tries by time, last approval, lock, last lift
local PREFIX = {'hour', 'ring', 'hs', 'hu', 'fu'} -- sends by piece of an hour, the last 50, hold, not held before
local COUNT = {'n'}
local TRY = {'wrong', 'ls', 'lu', 'lift'} -- of PHONE, what a try reads
local UNKNOWN_PHONE, UNKNOWN_PREFIX, UNKNOWN_DAY = 1, 2, 4 -- as in limits_body.h
-- enum limit
local WAIT, PHONE_HOUR, PHONE_DAY, RESENDS_DAY, PREFIX_HOUR, KEY_MINUTE, ADDRESS_HOUR, ALL_DAY, HELD, LOCKED, TRIES =
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11

local function time()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(ARGV[1])
end

-- at: since when the epoch is; born: when all was empty. Each memory has an epoch. A key of another one, or none while the memory is young, says nothing: PostgreSQL is asked.
local function memory(key, now, nonce)
  local got = redis.call('HMGET', key, 'e', 'at', 'born')
  if not got[1] then
    redis.call('HSET', key, 'e', nonce, 'at', now, 'born', now)
    redis.call('PEXPIRE', key, 400 * DAY)
    got = {nonce, now, now}
  end
  return {key = key, e = got[1], at = tonumber(got[2]), born = tonumber(got[3])}
end

-- What PostgreSQL knows, from ARGV[at] on: the epoch that it was asked in, then the fields; nil when not asked in this one.
local function seed(m, at, names)
  if ARGV[at] ~= m.e then return nil end
  local s = {}
  for i = 1, #names do s[i] = ARGV[at + i] end
  return s
end

-- "a:b:c,a:b:c" as a list of lists, without those whose time, the field given, is not after `after`.
local function entries(text, field, after)
  local list = {}
  for word in string.gmatch(text, '[^,]+') do
    local e = {}
    for part in string.gmatch(word, '[^:]+') do e[#e + 1] = part end
    if tonumber(e[field]) > after then list[#list + 1] = e end
  end
  return list
end

-- "a,b" as a list, without those that are not after `after`.
local function times(text, after)
  local list = {}
  for t in string.gmatch(text, '%d+') do
    if tonumber(t) > after then list[#list + 1] = t end
  end
  return list
end

local function text(list)
  local words = {}
  for i, e in ipairs(list) do words[i] = table.concat(e, ':') end
  return table.concat(words, ',')
end

-- A prefix's last sends stand without a mark between them, each of 30 characters: phone 16, time 13, whether approved 1. Read
-- so, fifty cost a fifth of what they cost as entries. Times of one length compare as they are.
local SENT = 30

local function sent_time(ms)
  return string.format('%013d', ms)
end

local function number(s)
  return tonumber(s) or 0
end

-- Of two lists the one of more entries within the window, or of more sends where a field tells how many.
local function fuller(old, new, after, many)
  local function sum(list)
    local n = 0
    for _, e in ipairs(list) do n = n + (many and tonumber(e[many]) or 1) end
    return n
  end
  local kept = entries(old, 1, after)
  return sum(kept) >= sum(entries(new, 1, after)) and text(kept) or new
end

-- A key of an older epoch does not know of what passed without Redis, nor PostgreSQL of a commit that hangs: of each the
-- worse for the asker stays. A lift is known by its time, a hold of a prefix by when it began.
local merge = {}
merge[PHONE] = function(s, old)
  s.ok, s.lift = math.max(number(old.ok), number(s.ok)), math.max(number(old.lift), number(s.lift))
  s.sent = fuller(old.sent, s.sent, s.now - DAY)
  s.wrong = fuller(old.wrong, s.wrong, math.max(s.now - HOUR, s.lift))
  if number(old.lu) > number(s.lu) and number(old.ls) > s.lift then s.ls, s.lu = old.ls, old.lu end
end
merge[PREFIX] = function(s, old)
  s.hour = fuller(old.hour, s.hour, math.floor(s.now / (HOUR / 6)) - 7, 2)
  local newest = string.sub(s.ring, -14, -2)
  for i = 1, #old.ring, SENT do
    local word = string.sub(old.ring, i, i + SENT - 1)
    if string.sub(word, 17, 29) > newest and string.sub(word, 17, 29) > sent_time(s.now - DAY) then s.ring = s.ring .. word end
  end
  s.ring = string.sub(s.ring, -50 * SENT)
  if number(old.hs) > number(s.hs) then s.hs, s.hu, s.fu = old.hs, old.hu, old.fu end
end
merge[COUNT] = function(s, old)
  s.n = fuller(old.n, s.n, math.floor(s.now / HOUR) - 25, 2)
end

local function subject(m, key, now, names, seeds)
  local got = redis.call('HMGET', key, 'e', 'now', unpack(names))
  local known = got[1] == m.e
  local s = {key = key, names = names, e = m.e, now = math.max(now, tonumber(got[2] or 0))}
  s.seeded = not known and seeds ~= nil
  s.known = known or s.seeded or (not got[1] and now - m.at >= SURE)
  local old = {}
  for i, name in ipairs(names) do
    old[name] = got[i + 2] or ''
    s[name] = s.seeded and seeds[i] or old[name]
  end
  if s.seeded and got[1] then merge[names](s, old) end
  old.e, s.old = got[1], old
  return s
end

-- What has changed of it.
local function save(s, ttl)
  local words = {'now', string.format('%d', s.now)}
  local function put(name)
    if s[name] == s.old[name] then return end
    words[#words + 1], words[#words + 2] = name, s[name]
    s.old[name] = s[name]
  end
  put('e')
  for _, name in ipairs(s.names) do put(name) end
  redis.call('HSET', s.key, unpack(words))
  redis.call('PEXPIRE', s.key, ttl)
end
