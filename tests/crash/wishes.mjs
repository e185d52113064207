// What the load asks for, message by message, and what a message centre must then see. Reckoned without kezek's code.
import { createHash } from 'node:crypto';
import { encodingOf } from '../lib/texts.mjs';
import { Chance } from './chance.mjs';

const numbers = 20000; // phones, so that many messages go to one
const words = { kk: 'Кезек №', ru: 'Очередь №', en: 'Queue no ' };
const limits = { gsm7: { single: 160, part: 153 }, ucs2: { single: 70, part: 67 } };
const shapes = [ // language, parts, how many of 100
  ['kk', 1, 45], ['ru', 1, 15], ['en', 1, 20], ['kk', 2, 8], ['ru', 3, 5], ['en', 2, 7]];

function shapeOf(share) {
  let rest = share * 100;
  return shapes.find(([, , many]) => (rest -= many) < 0);
}

// The message's own number stands in each of its parts, so that no two messages have a part in common.
function textOf(n, language, parts) {
  const once = `${words[language]}${n}`;
  if (parts === 1) return once;
  const { part } = limits[encodingOf(language)];
  return `${once}. `.repeat(Math.ceil((parts * part) / (once.length + 2))).slice(0, parts * part - 5);
}

// The portal's request number n.
export function wishOf(seed, n) {
  const chance = new Chance(seed ^ Math.imul(n + 1, 0x9e3779b1));
  const [language, parts] = shapeOf(chance.next());
  const dice = chance.next();
  return {
    parts,
    language,
    body: {
      to: `+7701${String(chance.below(numbers)).padStart(7, '0')}`,
      text: textOf(n, language, parts),
      class: dice < 0.2 ? 'code' : dice < 0.7 ? 'notice' : 'bulk',
      client_ref: `n${n}`,
    },
    key: `crash-${seed}-${n}`,
  };
}

// The hashes of its parts as the centre's journal writes them, in order. All characters are one unit in both alphabets,
// and those of GSM 7-bit have their ASCII code there.
export function hashesOf(wish) {
  const encoding = encodingOf(wish.language);
  const { text } = wish.body;
  const step = wish.parts === 1 ? text.length : limits[encoding].part;
  return Array.from({ length: wish.parts }, (_, i) => {
    const part = text.slice(i * step, (i + 1) * step);
    const octets = encoding === 'ucs2' ? Buffer.from(part, 'utf16le').swap16() : Buffer.from(part, 'latin1');
    return createHash('sha256').update(octets).digest('hex').slice(0, 16);
  });
}
