-- One guess at a code. KEYS: memory, phone, code.
local now, code, right, tries, token = tonumber(ARGV[1]), ARGV[3], ARGV[4] == '1', tonumber(ARGV[5]), ARGV[8]
local failures, lock_ms = tonumber(ARGV[9]), tonumber(ARGV[10])
local m = memory(KEYS[1], now, ARGV[2])
local p = subject(m, KEYS[2], now, PHONE, seed(m, 11, PHONE))
if not p.known then return {-1, UNKNOWN_PHONE, tonumber(m.e)} end
if p.seeded then save(p, SURE + HOUR) end

local got = redis.call('HMGET', KEYS[3], 'wrong', 'tokens')
local used = math.max(number(got[1]), tonumber(ARGV[6]))
local tokens = got[2] or ''
local wrong = entries(p.wrong, 1, p.now - HOUR)
local known = math.max(#wrong, tonumber(ARGV[7]))

if code == '0' then return {0, 0, 0, 0, 0, 0} end
if not right and token ~= '0' and string.find(tokens, ',' .. token .. ',', 1, true) then
  return {0, 0, math.max(tries - used, 0), 1, 0, 0}
end
if number(p.lu) > p.now then return {LOCKED, number(p.lu) - p.now, 0, 0, 0, 0} end
if known >= failures then
  local oldest = wrong[1] and tonumber(wrong[1][1]) or p.now
  return {LOCKED, oldest + HOUR - p.now, 0, 0, 0, 0}
end
if used >= tries then return {TRIES, 0, 0, 0, 0, 0} end
if right then return {0, 0, tries - used, 0, 0, 0} end

wrong[#wrong + 1] = {string.format('%d', p.now)}
p.wrong = text(wrong)
local since, till = 0, 0
if known + 1 >= failures then
  local before = number(p.lu) > p.now - DAY and 2 * (number(p.lu) - number(p.ls)) or 0
  since, till = p.now, p.now + math.min(math.max(before, lock_ms), DAY)
  p.ls, p.lu = since, till
end
save(p, SURE + HOUR)
redis.call('HSET', KEYS[3], 'wrong', used + 1, 'tokens', (tokens == '' and ',' or tokens) .. token .. ',')
redis.call('PEXPIRE', KEYS[3], HOUR)
return {0, 0, tries - used - 1, 0, since, till}
