-- A session is put if it is still the one that was read, and there is room for a new one. KEYS: session, due. ARGV: revision
-- read, new one, octets, life and due time in milliseconds, the id as it stands in due, how many may stand there, 0: any number.
if (redis.call('HGET', KEYS[1], 'r') or '0') ~= ARGV[1] then return 0 end
if ARGV[1] == '0' and ARGV[7] ~= '0' and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[7]) then return 2 end
redis.call('HSET', KEYS[1], 'r', ARGV[2], 'b', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if ARGV[5] == '0' then
  redis.call('ZREM', KEYS[2], ARGV[6])
else
  local t = redis.call('TIME')
  redis.call('ZADD', KEYS[2], t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[5], ARGV[6])
end
return 1
