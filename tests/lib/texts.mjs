// Texts at every boundary, and what they must cost, reckoned without kezek's code; and the templates that are shipped.
import { readFileSync } from 'node:fs';

// What dialogs/sms.yaml has beside the entry of that name, to be put behind a test's own one.
export function shippedBut(name) {
  const text = readFileSync(new URL('../../dialogs/sms.yaml', import.meta.url), 'utf8');
  return text.split(/\n(?=[a-z_]+:\n)/).filter((entry) => !entry.startsWith(`${name}:`)).join('\n');
}

const extended = '^{}\\[~]|€';
const units = {
  gsm7: (c) => (extended.includes(c) ? 2 : 1),
  ucs2: (c) => c.length,
};
const limits = {
  gsm7: { single: 160, udh8: 153, udh16: 152, sar: 152, payload: 153 },
  ucs2: { single: 70, udh8: 67, udh16: 66, sar: 66, payload: 67 },
};
const letters = {
  kk: 'Құрметті ата-ана! Әліпби: әғқңөұүһі ӘҒҚҢӨҰҮҺІ №12 ',
  ru: 'Уважаемый родитель! Съешь ещё этих мягких булок, №7 ',
  en: 'Dear parent @ 08:30, your place: $5 & "B" or _A_ #7? Yes; ',
};
// A character that takes two units, laid across each boundary so that a careless cut would split it.
const wide = { kk: '👶', ru: '🧒', en: '€' };

export const encodingOf = (language) => (language === 'en' ? 'gsm7' : 'ucs2');

export function unitsOf(text, encoding) {
  return [...text].reduce((n, c) => n + units[encoding](c), 0);
}

export function partsOf(text, concat) {
  const encoding = [...text].some((c) => !gsm.test(c)) ? 'ucs2' : 'gsm7';
  const limit = limits[encoding];
  if (unitsOf(text, encoding) <= limit.single) return 1;
  let parts = 1, used = 0;
  for (const c of text) {
    const n = units[encoding](c);
    if (used + n > limit[concat]) {
      parts += 1;
      used = 0;
    }
    used += n;
  }
  return parts;
}
const gsm = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà^{}\\[\]~|€]$/u;

// A text of exactly n units; with straddle the wide character begins on the last unit of each part.
function exactly(language, concat, n, straddle) {
  const encoding = encodingOf(language);
  const per = limits[encoding][concat];
  let text = '', used = 0;
  for (let i = n; used < n; i++) {
    const splits = straddle && used % per === per - 1 && used + 2 <= n && used > 0;
    const c = splits ? wide[language] : letters[language][i % letters[language].length];
    text += c;
    used += units[encoding](c);
  }
  return text;
}

// [{name, text, parts}] of one language under one concatenation. The first unit is a letter, so that a single one tells
// the languages apart.
export function boundaryTexts(language, concat) {
  const { single, [concat]: per } = limits[encodingOf(language)];
  const one = { kk: 'Қ', ru: 'Ж', en: '@' }[language];
  return [
    { name: '1', text: one },
    { name: 'limit', text: exactly(language, concat, single, false) },
    { name: 'limit+1', text: exactly(language, concat, single + 1, false) },
    { name: '2 parts', text: exactly(language, concat, 2 * per, false) },
    { name: '2 parts+1', text: exactly(language, concat, 2 * per + 1, false) },
    { name: '3 parts, wide', text: exactly(language, concat, 3 * per - 3, true) },
    { name: '3 parts', text: exactly(language, concat, 3 * per, false) },
  ].map((t) => ({ ...t, parts: partsOf(t.text, concat) }));
}
