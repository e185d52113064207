// Free places and referrals as anybody may see them: filters, pages, and no child's name without the scope.
import assert from 'node:assert/strict';
import { journey } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Rows } from '../lib/rows.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();

// Districts 1 and 2 with two kindergartens each, groups 11, 12, 21 .. 42, of which the second is of older ones and Russian.
const city = `
  insert into district values (1, 'sample', 'Алатау', 'Алатау', 'Alatau'), (2, 'sample', 'Медеу', 'Медеу', 'Medeu');
  insert into kindergarten select i, (i + 1) / 2, 'Айгөлек ' || i, 'Айголек ' || i, 'Aigolek ' || i from generate_series(1, 4) i;
  update kindergarten set name_ru = 'Солнышко' where id = 4;
  insert into play_group select k * 10 + g, k, g * 2 - 1, g * 2 + 2, g - 1 from generate_series(1, 4) k, generate_series(1, 2) g;
  insert into vacancy select id, id % 4, '2026-09-12 12:02:00Z', case when id > 30 then '2026-09-15 12:02:00Z'::timestamptz end,
    1, 1, null from play_group;`;

// Applications of 1 to n that nobody can read, and a referral of each: to group 11, 21, 31, 41, 11 ..., every third one expired.
const referrals = (n) => `
  insert into application select i, 1, 'general', 2021, now(), 0, 0, 0, 0, 3, '0000', i, i, null, i, null, 'x', null, 1, 1
    from generate_series(1, ${n}) i;
  insert into referral (number, application, play_group, status, extended, from_at, to_at, seq) select 48870 + i, i, (i % 4 + 1) * 10 + 1, case when i % 3 = 0 then 3 else 0 end, false,
    '2026-09-12 12:02:00Z', '2026-09-19 12:02:00Z', 1 from generate_series(1, ${n}) i;`;

async function start(stage, rows) {
  const database = await servers.database();
  const k = await Kezek.start(stage, database);
  await database.ask(rows);
  const key = async (...scopes) => k.door.withKey((await k.ctl('key', 'add', scopes.join('-'),
    ...scopes.flatMap((s) => ['--scope', s]))).key);
  return { k, database, open: await key('open'), key };
}

async function seen(door, path, list, of) {
  const r = await door.get(path);
  assert.equal(r.status, 200, r.body);
  return r.json[list].map((row) => row[of]);
}

// All pages, one after the other.
async function pages(door, path, list, of) {
  const all = [];
  for (let after = ''; ;) {
    const r = await door.get(`${path}${after}`);
    assert.equal(r.status, 200, r.body);
    all.push(r.json[list].map((row) => row[of]));
    if (!r.json.next) return all;
    after = `&after=${r.json.next}`;
  }
}

journey('vacancies__by_filters_and_pages__as_documented', async (stage) => {
  const { open } = await start(stage, city);
  const groups = (query) => seen(open, `/v1/vacancies${query}`, 'vacancies', 'group');
  assert.deepEqual(await groups(''), [11, 21, 22, 31, 41, 42]);
  assert.deepEqual(await groups('?district=2'), [31, 41, 42]);
  assert.deepEqual(await groups('?age=4'), [22, 42]);
  assert.deepEqual(await groups('?language=ru&district=2'), [42]);
  assert.deepEqual(await groups('?kindergarten=2'), [21, 22]);
  assert.deepEqual(await groups(`?kindergarten=${encodeURIComponent('СОЛН')}&age=1`), [41]);
  assert.deepEqual(await groups('?kindergarten=aigolek&district=1&language=kk'), [11, 21]);
  assert.deepEqual(await pages(open, '/v1/vacancies?limit=4', 'vacancies', 'group'), [[11, 21, 22, 31], [41, 42]]);
  const { json } = await open.get('/v1/vacancies?kindergarten=4&language=kk');
  assert.deepEqual(json.vacancies, [{ group: 41, kindergarten: { id: 4, names: { kk: 'Айгөлек 4', ru: 'Солнышко', en: 'Aigolek 4' } },
    district: { id: 2, names: { kk: 'Медеу', ru: 'Медеу', en: 'Medeu' } }, age_from: 1, age_to: 4, language: 'kk', free: 1,
    released_at: '2026-09-12T12:02:00.000Z', priority_until: '2026-09-15T12:02:00.000Z' }]);
});

journey('referrals__by_filters_and_pages__as_documented', async (stage) => {
  const { open } = await start(stage, city + referrals(12));
  const numbers = (query) => seen(open, `/v1/referrals${query}`, 'referrals', 'number');
  assert.deepEqual(await numbers('?limit=3'), [48882, 48881, 48880]);
  assert.deepEqual(await numbers('?status=expired'), [48882, 48879, 48876, 48873]);
  assert.deepEqual(await numbers('?status=enrolled'), []);
  assert.deepEqual(await numbers('?status=offered&district=1&age=3&language=kk'), [48878, 48875, 48874, 48871]);
  assert.deepEqual(await numbers('?language=ru'), []);
  assert.deepEqual(await numbers('?kindergarten=1'), [48882, 48878, 48874]);
  assert.deepEqual(await numbers('?kindergarten=1&status=expired'), [48882]);
  assert.deepEqual(await pages(open, '/v1/referrals?limit=5', 'referrals', 'number'),
    [[48882, 48881, 48880, 48879, 48878], [48877, 48876, 48875, 48874, 48873], [48872, 48871]]);
});

journey('open_data__bad_questions__refused_with_the_field', async (stage) => {
  const { k, open } = await start(stage, city);
  const long = encodeURIComponent('ә'.repeat(81));
  for (const path of ['/v1/vacancies', '/v1/referrals'])
    for (const [query, field] of [['district=0', 'district'], ['district=x', 'district'], ['district=1000000000', 'district'],
      ['district=', 'district'], ['age=19', 'age'], ['age=-1', 'age'], ['after=0', 'after'], ['limit=0', 'limit'],
      ['limit=101', 'limit'], ['limit=99999999999999999999', 'limit'], ['language=de', 'language'], ['kindergarten=', 'kindergarten'],
      ['kindergarten=0', 'kindergarten'], [`kindergarten=${long}`, 'kindergarten'], ['kindergarten=%ff', 'kindergarten']]) {
      const r = await open.get(`${path}?${query}`);
      assert.deepEqual([r.status, r.json.code, r.json.field], [422, 'invalid_value', field], `${path}?${query}`);
    }
  assert.equal((await open.get('/v1/referrals?status=lost')).json.field, 'status');
  for (const path of ['/v1/vacancies', '/v1/referrals']) {
    assert.equal((await k.door.get(path)).status, 403);
    assert.equal((await k.door.withKey(null).get(path)).status, 401);
  }
  assert.equal((await open.call('POST', '/v1/vacancies', { body: {} })).status, 405);
});

journey('referrals__of_a_child__one_letter_and_the_year_without_the_scope_names', async (stage) => {
  const { k, open, key } = await start(stage, 'select 1');
  const [names, places] = [await key('open', 'names'), await key('places')];
  const rows = new Rows(k);
  await rows.group(5, { free: 2 });
  await rows.applications([7, 8], { district: 5 });
  const { json: taken } = await places.post('/v1/applications/7/referral', { group: 5 });
  const { json: { referrals: [masked, ...none], as_of: asOf } } = await open.get('/v1/referrals');
  assert.deepEqual(none, []);
  assert.ok(Math.abs(Date.parse(asOf) - Date.now()) < 60000);
  assert.deepEqual(masked, { number: taken.number, status: 'offered', extended: false, from: taken.from, to: taken.to, group: 5,
    kindergarten: { id: 5, names: { kk: 'Айгөлек', ru: 'Айголек', en: 'Aigolek' } },
    district: { id: 5, names: { kk: 'Медеу', ru: 'Медеуский', en: 'Medeu' } }, age_from: 1, age_to: 7, language: 'kk',
    child: { first_name: 'А.', birth_year: 2021 } });
  const { json: { referrals: [whole] } } = await names.get('/v1/referrals?status=offered');
  assert.deepEqual(whole, { ...masked, application: 7, child: { first_name: 'Айгерім', last_name: 'Серікқызы', birth_year: 2021 } });
  assert.deepEqual((await open.get('/v1/vacancies')).json.vacancies.map((v) => [v.group, v.free]), [[5, 1]]);
});
