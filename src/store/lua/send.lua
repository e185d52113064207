-- One code to one phone: all of it is counted, or nothing. With look nothing is, and one more goes before it. KEYS: memory, phone, prefix, key, address, day.
local now, phone, token, resend = time(), ARGV[3], ARGV[4], ARGV[5]
local most = {phone_hour = tonumber(ARGV[6]), phone_day = tonumber(ARGV[7]), resends = tonumber(ARGV[8]),
  prefix = tonumber(ARGV[9]), key = tonumber(ARGV[10]), address = tonumber(ARGV[11]), day = tonumber(ARGV[12])}
local waits = {tonumber(ARGV[13]), tonumber(ARGV[14]), tonumber(ARGV[15])}
local judge_sends, judge_percent, hold_ms = tonumber(ARGV[16]), tonumber(ARGV[17]), tonumber(ARGV[18])
local look = ARGV[35] == '1'
local more = look and 1 or 0
local RING, FRESH, OPEN = 50, 10, 300000

local m = memory(KEYS[1], now, ARGV[2])
redis.call('PEXPIRE', m.key, 400 * DAY)
local day_seed = seed(m, 32, {'n', 'quiet'})
if day_seed and day_seed[2] == '1' and now - m.at < SURE then
  m.at, m.born = now - SURE, math.min(m.born, now - HOUR) -- nothing was sent or locked that could have been forgotten
  redis.call('HSET', m.key, 'at', m.at, 'born', m.born)
end
local p = subject(m, KEYS[2], now, PHONE, seed(m, 19, PHONE))
local g = subject(m, KEYS[3], now, PREFIX, seed(m, 26, PREFIX))
local d = subject(m, KEYS[6], now, COUNT, day_seed)
local unknown = (p.known and 0 or UNKNOWN_PHONE) + (g.known and 0 or UNKNOWN_PREFIX) + (d.known and 0 or UNKNOWN_DAY)
if unknown > 0 then return {-1, unknown, tonumber(m.e)} end
if p.seeded then save(p, SURE + HOUR) end
if g.seeded then save(g, SURE) end
if d.seeded then save(d, SURE) end
-- Of these PostgreSQL knows nothing, so whatever stands here counts; when all was forgotten, an address has a quarter.
local k = subject(m, KEYS[4], now, COUNT)
local a = subject(m, KEYS[5], now, COUNT)
if now - m.born < HOUR then most.address = math.ceil(most.address / 4) end

-- Sends by piece of the window, those pieces that touch it; when the oldest leaves it.
local function count(s, field, piece, pieces)
  local list, sum = entries(s[field], 1, math.floor(s.now / piece) - pieces - 1), 0
  for _, e in ipairs(list) do sum = sum + tonumber(e[2]) end
  local oldest = list[1] and tonumber(list[1][1]) or math.floor(s.now / piece)
  return {list = list, sum = sum, at = string.format('%d', math.floor(s.now / piece)),
    after = (oldest + pieces + 1) * piece - s.now}
end
local function add(c)
  local last = c.list[#c.list]
  if last and last[1] == c.at then last[2] = tonumber(last[2]) + 1 else c.list[#c.list + 1] = {c.at, 1} end
  return text(c.list)
end

local sent = entries(p.sent, 1, p.now - DAY)
local in_hour, resends, row, oldest = 0, 0, 0
for _, e in ipairs(sent) do
  local at = tonumber(e[1])
  if at > p.now - HOUR then
    in_hour = in_hour + 1
    oldest = oldest or at
  end
  if e[2] == '1' then resends = resends + 1 end
  if at > number(p.ok) then row = row + 1 end
end
local last = sent[#sent] and tonumber(sent[#sent][1]) or 0
local wait = waits[math.min(math.max(row, 1), 3)]
for _, e in ipairs(sent) do
  if token ~= '0' and e[3] == token then return {0, 0, math.max(last + wait - p.now, 0), 1, 0, 0} end
end

-- Young codes may yet be approved: they are judged only when they are all that there is. After a hold some are let through.
local function converts()
  local all, good, bad, fresh = #g.ring / SENT, 0, 0, 0
  if all < judge_sends then return true end
  local old, held = sent_time(g.now - OPEN), sent_time(number(g.hs))
  for i = 1, #g.ring, SENT do
    local at = string.sub(g.ring, i + 16, i + 28)
    if string.byte(g.ring, i + 29) == 49 then good = good + 1 elseif at <= old then bad = bad + 1 end
    if at > held then fresh = fresh + 1 end
  end
  if number(g.hs) > 0 and fresh < FRESH then return true end
  if all < RING then all = good + bad end
  return all < judge_sends or good * 100 >= judge_percent * all
end

local per_prefix = count(g, 'hour', HOUR / 6, 6)
local per_key = count(k, 'n', 10000, 6)
local per_address = count(a, 'n', HOUR / 6, 6)
local per_day = count(d, 'n', HOUR, 24)

if number(p.lu) > p.now then return {LOCKED, number(p.lu) - p.now, 0, 0, 0, 0} end
if number(g.hu) > g.now then return {HELD, number(g.hu) - g.now, 0, 0, 0, 0} end
if number(g.fu) <= g.now and not converts() then
  g.hs, g.hu = g.now, g.now + hold_ms
  save(g, math.max(SURE, hold_ms + DAY))
  return {HELD, hold_ms, 0, 0, g.hs, g.hu}
end
if row > 0 and last + wait > p.now then return {WAIT, last + wait - p.now, 0, 0, 0, 0} end
if in_hour >= most.phone_hour then return {PHONE_HOUR, oldest + HOUR - p.now, 0, 0, 0, 0} end
if #sent >= most.phone_day then return {PHONE_DAY, tonumber(sent[1][1]) + DAY - p.now, 0, 0, 0, 0} end
if resend == '1' and resends >= most.resends then
  local first = p.now
  for i = #sent, 1, -1 do
    if sent[i][2] == '1' then first = tonumber(sent[i][1]) end
  end
  return {RESENDS_DAY, first + DAY - p.now, 0, 0, 0, 0}
end
if per_prefix.sum + more >= most.prefix then return {PREFIX_HOUR, per_prefix.after, 0, 0, 0, 0} end
if per_key.sum + more >= most.key then return {KEY_MINUTE, per_key.after, 0, 0, 0, 0} end
if most.address > 0 and per_address.sum + more >= most.address then return {ADDRESS_HOUR, per_address.after, 0, 0, 0, 0} end
if per_day.sum + more >= most.day then return {ALL_DAY, per_day.after, 0, 0, 0, 0} end
if look then return {0, 0, waits[math.min(row + 1, 3)], 0, 0, 0} end

sent[#sent + 1] = {string.format('%d', p.now), resend, token}
p.sent = text(sent)
save(p, SURE + HOUR)
g.ring, g.hour = string.sub(g.ring .. phone .. sent_time(g.now) .. '0', -RING * SENT), add(per_prefix)
save(g, math.max(SURE, number(g.hu) - g.now + DAY))
k.n = add(per_key)
save(k, HOUR)
d.n = add(per_day)
save(d, SURE)
if most.address > 0 then
  a.n = add(per_address)
  save(a, 2 * HOUR)
end
return {0, 0, waits[math.min(row + 1, 3)], 0, 0, 0}
