-- A code of the phone was approved. KEYS: memory, phone, prefix. What is unknown stays so: PostgreSQL knows it.
local now, phone = time(), ARGV[3]
local m = memory(KEYS[1], now, ARGV[2])
local p = subject(m, KEYS[2], now, PHONE)
if p.known then
  p.ok = p.now
  save(p, SURE + HOUR)
end
local g = subject(m, KEYS[3], now, PREFIX)
if g.known then
  local words = {}
  for i = 1, #g.ring, SENT do
    local word = string.sub(g.ring, i, i + SENT - 1)
    if string.sub(word, 1, 16) == phone then word = string.sub(word, 1, 29) .. '1' end
    words[#words + 1] = word
  end
  g.ring = table.concat(words)
  save(g, math.max(SURE, number(g.hu) - g.now + DAY))
end
return 0
