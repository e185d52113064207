// What parents asked for by phone, as the portal reads and ends it.
import assert from 'node:assert/strict';
import { journey } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();
const NONE = '0000000000000';

journey('requests__bad_input__each_its_own_answer', async (stage) => {
  const database = await servers.database();
  const k = await Kezek.start(stage, database);
  const { key } = await k.ctl('key', 'add', 'portal', '--scope', 'records');
  const door = k.door.withKey(key);

  for (const method of ['GET', 'DELETE']) {
    for (const id of [NONE, '7', 'x'.repeat(70), `${NONE}0`])
      assert.equal((await door.call(method, `/v1/requests/${id}`, { hold: id.length === 13 })).status, 404, `${method} ${id}`);
    assert.equal((await k.door.withKey(null).call(method, `/v1/requests/${NONE}`)).status, 401);
    assert.equal((await k.door.call(method, `/v1/requests/${NONE}`)).status, 403);
  }
});

journey('requests__sealed_by_another_key__said_and_ended_all_the_same', async (stage) => {
  const database = await servers.database();
  const k = await Kezek.start(stage, database);
  const { key } = await k.ctl('key', 'add', 'portal', '--scope', 'records');
  const door = k.door.withKey(key);

  await database.ask(`insert into enrolment values (7, 1, 1, 1, now(), 'other', null)`);
  const id = NONE.slice(1) + '7';
  const { status, json } = await door.get(`/v1/requests/${id}`);
  assert.deepEqual([status, json.code], [500, 'internal_error']);
  for (let i = 0; i < 2; i++)
    assert.deepEqual((await door.call('DELETE', `/v1/requests/${id}`)).json, { id });
  assert.equal((await door.get(`/v1/requests/${id}`)).status, 404);
  assert.deepEqual(await database.ask('select count(*) from enrolment where sealed is null and ended_at is not null'), [['1']]);
});
