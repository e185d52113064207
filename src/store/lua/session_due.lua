-- Phones whose drop time has passed. KEYS: due. ARGV: how many at most, for how long they are one asker's. Who dies meanwhile has
-- not put them: another gets them then.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local due = {}
for _, phone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  if redis.call('EXISTS', 'kezek:u:' .. phone) == 1 then
    redis.call('ZADD', KEYS[1], now + ARGV[2], phone)
    due[#due + 1] = phone
  else
    redis.call('ZREM', KEYS[1], phone)
  end
end
return due
