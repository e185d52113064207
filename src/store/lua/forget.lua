-- Redis was away and others counted: a new epoch, in which PostgreSQL is asked for all that stands here. KEYS: memory.
local now = time()
local m = memory(KEYS[1], now, ARGV[2])
redis.call('HSET', m.key, 'e', ARGV[2], 'at', now)
return 0
