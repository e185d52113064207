// Who watches a kindergarten: the door, and the notice when a place is hers to take.
import assert from 'node:assert/strict';
import { journey } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();

async function stand(stage) {
  const database = await servers.database();
  const k = await Kezek.start(stage, database);
  await database.ask(`
    insert into district values (1, 'sample', 'Аудан', 'Район', 'District');
    insert into district values (2, 'sample', 'Аудан', 'Район', 'District');
    insert into kindergarten values (30, 2, 'Айгөлек', 'Айголек', 'Aigolek');
    insert into kindergarten select i, 1, 'Айгөлек', 'Айголек', 'Aigolek' from generate_series(1, 21) i;
    insert into application select n, 1, 'general', 2021, now(), s, 0, 0, 0, 0, '0006', n, n, null, n, null, '', null, 1, 1
      from (values (71, 0), (72, 4), (73, 1)) v(n, s)`);
  const { key } = await k.ctl('key', 'add', 'cabinet', '--scope', 'places');
  return { database, k, door: k.door.withKey(key) };
}

journey('watches__door__added_listed_and_taken_back', async (stage) => {
  const { database, door } = await stand(stage);

  assert.equal((await door.call('PUT', '/v1/applications/71/watches/2')).status, 201);
  assert.equal((await door.call('PUT', '/v1/applications/71/watches/1')).status, 201);
  const again = await door.call('PUT', '/v1/applications/71/watches/1');
  assert.deepEqual([again.status, again.json], [200, { application: 71, kindergarten: 1 }]);
  const { json } = await door.get('/v1/applications/71/watches');
  assert.deepEqual([json.application, json.watches.map((w) => w.kindergarten)], [71, [1, 2]]);
  for (let i = 0; i < 2; i++) assert.equal((await door.call('DELETE', '/v1/applications/71/watches/1')).status, 200);
  assert.deepEqual((await door.get('/v1/applications/71/watches')).json.watches.map((w) => w.kindergarten), [2]);
  assert.deepEqual((await door.get('/v1/applications/72/watches')).json.watches, []);
  assert.equal((await door.call('PUT', '/v1/applications/73/watches/1')).status, 201);
  assert.deepEqual(await database.ask('select application, seq, kind, kindergarten from news order by feed'),
    [['71', '2', '8', '2'], ['71', '3', '8', '1'], ['73', '2', '8', '1']]);
});

journey('watches__bad_input__each_its_own_answer', async (stage) => {
  const { database, k, door } = await stand(stage);
  const code = async (method, path, options) => {
    const { status, json } = await door.call(method, path, options);
    return [status, json.code, json.field];
  };

  assert.deepEqual(await code('PUT', '/v1/applications/70/watches/1'), [404, 'not_found', 'application']);
  assert.deepEqual(await code('PUT', '/v1/applications/71/watches/22'), [404, 'not_found', 'kindergarten']);
  assert.deepEqual(await code('PUT', '/v1/applications/72/watches/1'), [409, 'closed', undefined]);
  assert.deepEqual(await code('PUT', '/v1/applications/71/watches/30'), [409, 'not_district', undefined]);
  assert.deepEqual(await code('GET', '/v1/applications/70/watches'), [404, 'not_found', 'application']);
  assert.deepEqual(await code('DELETE', '/v1/applications/70/watches/1'), [404, 'not_found', 'application']);
  assert.deepEqual(await code('PUT', '/v1/applications/71/watches/1', { body: '{}' }), [422, 'wrong_type', undefined]);
  for (const bad of ['0', '-1', '01', '1000000000', '7a', '%D9%A7', '9'.repeat(70), '7%2F1'])
    for (const path of [`/v1/applications/${bad}/watches`, `/v1/applications/71/watches/${bad}`])
      assert.equal((await code(path.endsWith('watches') ? 'GET' : 'PUT', path, { hold: false }))[0], 404, path);
  assert.equal((await door.call('PUT', '/v1/applications//watches/1', { hold: false })).status, 404);
  assert.equal((await door.call('PUT', '/v1/applications/71/watches/', { hold: false })).status, 404);
  assert.equal((await k.door.withKey(null).call('PUT', '/v1/applications/71/watches/1')).status, 401);
  assert.equal((await k.door.call('PUT', '/v1/applications/71/watches/1')).status, 403);
  for (let i = 1; i <= 20; i++) assert.equal((await door.call('PUT', `/v1/applications/71/watches/${i}`)).status, 201);
  assert.deepEqual(await code('PUT', '/v1/applications/71/watches/21'), [409, 'too_many_watches', undefined]);
  assert.equal(await database.count('watcher'), 20);
});
