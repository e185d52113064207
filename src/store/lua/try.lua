-- One guess at a code. KEYS: memory, phone, code.
local now, code, right, tries, token = time(), ARGV[3], ARGV[4] == '1', tonumber(ARGV[5]), ARGV[9]
local failures, lock_ms = tonumber(ARGV[10]), tonumber(ARGV[11])
local m = memory(KEYS[1], now, ARGV[2])
local p = subject(m, KEYS[2], now, TRY)
if not p.known then
  p = subject(m, KEYS[2], now, PHONE, seed(m, 12, PHONE))
  if not p.known then return {-1, UNKNOWN_PHONE, tonumber(m.e)} end
  if p.seeded then save(p, SURE + HOUR) end
end

local got = redis.call('HMGET', KEYS[3], 'wrong', 'tokens')
local used = math.max(number(got[1]), tonumber(ARGV[6]))
local tokens = got[2] or ''
if code == '0' then return {0, 0, 0, 0, 0, 0} end
-- What PostgreSQL knows more of stands here from now on: of those who ask at once each has the same old number.
local since_lift = math.max(p.now - HOUR, number(p.lift))
local wrong, newest = times(p.wrong, since_lift), tonumber(ARGV[8])
if newest > since_lift and #wrong < tonumber(ARGV[7]) then
  if #wrong > 0 then newest = math.max(newest, tonumber(wrong[#wrong])) end
  while #wrong < tonumber(ARGV[7]) do wrong[#wrong + 1] = string.format('%d', newest) end
  p.wrong = table.concat(wrong, ',')
  save(p, SURE + HOUR)
end

if not right and token ~= '0' and string.find(tokens, ',' .. token .. ',', 1, true) then
  return {0, 0, math.max(tries - used, 0), 1, 0, 0}
end
if number(p.lu) > p.now then return {LOCKED, number(p.lu) - p.now, 0, 0, 0, 0} end
if #wrong >= failures then
  return {LOCKED, tonumber(wrong[#wrong - failures + 1]) + HOUR - p.now, 0, 0, 0, 0}
end
if used >= tries then return {TRIES, 0, 0, 0, 0, 0} end
if right then return {0, 0, tries - used, 0, 0, 0} end

wrong[#wrong + 1] = string.format('%d', p.now)
p.wrong = table.concat(wrong, ',')
local since, till = 0, 0
if #wrong >= failures then
  local before = number(p.lu) > p.now - DAY and 2 * (number(p.lu) - number(p.ls)) or 0
  since, till = p.now, p.now + math.min(math.max(before, lock_ms), DAY)
  p.ls, p.lu = since, till
end
save(p, SURE + HOUR)
redis.call('HSET', KEYS[3], 'wrong', used + 1, 'tokens', (tokens == '' and ',' or tokens) .. token .. ',')
redis.call('PEXPIRE', KEYS[3], HOUR)
return {0, 0, tries - used - 1, 0, since, till}
