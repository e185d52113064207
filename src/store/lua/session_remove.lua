-- A session is over if it is still the one that was read. KEYS: session, due. ARGV: revision read, the id as it stands in due.
if (redis.call('HGET', KEYS[1], 'r') or '0') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
return 1
