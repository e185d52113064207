-- Codes were approved. KEYS: memory, then of each the phone and its prefix. What is unknown stays so: PostgreSQL knows it.
local now = time()
local m = memory(KEYS[1], now, ARGV[2])

local function phone_approved(key)
  local p = subject(m, key, now, {'ok'})
  if not p.known then return end
  p.ok = p.now
  save(p, SURE + HOUR)
end

local function prefix_approved(key, phone)
  local g = subject(m, key, now, {'ring', 'hu'})
  if not g.known then return end
  local at = string.find(g.ring, phone, 1, true)
  while at do
    if at % SENT == 1 then g.ring = string.sub(g.ring, 1, at + SENT - 2) .. '1' .. string.sub(g.ring, at + SENT) end
    at = string.find(g.ring, phone, at + 1, true)
  end
  save(g, math.max(SURE, number(g.hu) - g.now + DAY))
end

for i = 2, #KEYS, 2 do
  phone_approved(KEYS[i])
  prefix_approved(KEYS[i + 1], string.sub(KEYS[i], -16))
end
return 0
