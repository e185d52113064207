-- Somebody has lifted a hold, and that is committed. KEYS: memory, subject. What is unknown stays so.
local now = time()
local m = memory(KEYS[1], now, ARGV[2])
if ARGV[3] == '1' then
  local g = subject(m, KEYS[2], now, PREFIX)
  if g.known then
    g.hu, g.fu = '', ARGV[4]
    save(g, math.max(SURE, number(g.fu) - g.now + DAY))
  end
else
  local p = subject(m, KEYS[2], now, PHONE)
  if p.known then
    p.wrong, p.ls, p.lu, p.lift = '', '', '', p.now
    save(p, SURE + HOUR)
  end
end
return 0
