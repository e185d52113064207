-- Sessions whose due time has passed, behind how many have one. KEYS: due. ARGV: how many at most, for how long they are one
-- asker's, what stands before an id in its key. Who dies meanwhile has not put them: another gets them then.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local due = {0}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  if redis.call('EXISTS', ARGV[3] .. id) == 1 then
    redis.call('ZADD', KEYS[1], now + ARGV[2], id)
    due[#due + 1] = id
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
due[1] = redis.call('ZCARD', KEYS[1])
return due
