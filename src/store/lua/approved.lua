-- A code of the phone was approved. KEYS: memory, phone, prefix. What is unknown stays so: PostgreSQL knows it.
local now, phone = tonumber(ARGV[1]), ARGV[3]
local m = memory(KEYS[1], now, ARGV[2])
local p = subject(m, KEYS[2], now, PHONE)
if p.known then
  p.ok = p.now
  save(p, SURE + HOUR)
end
local g = subject(m, KEYS[3], now, PREFIX)
if g.known then
  local ring = entries(g.ring, 2, 0)
  for _, e in ipairs(ring) do
    if e[1] == phone then e[3] = '1' end
  end
  g.ring = text(ring)
  save(g, math.max(SURE, number(g.hu) - g.now + DAY))
end
return 0
