// The right digits a thousand times at once, over both daemons: they are good for one.
import assert from 'node:assert/strict';
import http from 'node:http';
import { journey } from '../lib/stage.mjs';
import { Servers } from '../lib/servers.mjs';
import { fort, quick } from './fort.mjs';

const servers = new Servers();
const AT_ONCE = 1000;
const ROUNDS = quick ? 1 : 20;

// Each request on a connection of its own, so that none waits for another on our side.
function crowded(codes, stage) {
  return codes.map((c) => {
    const door = Object.assign(Object.create(c.door), { agent: new http.Agent({ keepAlive: true, maxSockets: AT_ONCE }) });
    stage.defer(() => door.agent.destroy());
    return c.at(door);
  });
}

const count = (answers) => answers.reduce((n, r) => {
  const word = r.json.result ?? r.json.code;
  return { ...n, [word]: (n[word] ?? 0) + 1 };
}, {});

journey('code__1000_right_checks_at_once_over_two_daemons__one_approved', async (stage) => {
  const { codes, database } = await fort(stage, servers);
  const doors = crowded(codes, stage);
  for (let round = 0; round < ROUNDS; round++) {
    const { id, code } = await codes[round % 2].opened({ to: `+7701410${String(round).padStart(4, '0')}` });
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => doors[i % 2].check(id, code)));
    const told = count(answers);
    assert.equal(told.approved, 1, JSON.stringify(told));
    assert.equal(told.used, AT_ONCE - 1, JSON.stringify(told));
    assert.equal(await database.count('code_verdict', 'verdict = 1'), round + 1);
  }
}, { withinMs: 240000 });

journey('code__one_right_check_repeated_at_once_over_two_daemons__the_one_approval_told_to_each', async (stage) => {
  const { codes, database } = await fort(stage, servers);
  const doors = crowded(codes, stage);
  const { id, code } = await codes[0].opened({ to: '+77014200001' });
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => doors[i % 2].check(id, code, { key: 'the-same' })));
  const told = count(answers);
  // One that is still under way may be told so.
  assert.equal((told.approved ?? 0) + (told.idempotency_in_progress ?? 0), 100, JSON.stringify(told));
  assert.ok(answers.filter((r) => r.json.result === 'approved' && !r.headers['idempotent-replayed']).length <= 1, 'but one is the first');
  assert.equal((await codes[1].result(id, code, { key: 'the-same' })).result, 'approved');
  assert.equal((await codes[1].result(id, code)).result, 'used');
  assert.equal(await database.count('code_verdict'), 1);
});

journey('code__right_and_wrong_checks_at_once__approved_once_or_its_tries_used_up', async (stage) => {
  const { codes } = await fort(stage, servers);
  const doors = crowded(codes, stage);
  for (let round = 0; round < (quick ? 2 : 20); round++) {
    const { id, code } = await codes[0].opened({ to: `+77014${300001 + round}` });
    const wrong = code === '111111' ? '111112' : '111111';
    const told = count(await Promise.all(Array.from({ length: 40 }, (_, i) => doors[i % 2].check(id, i === 20 ? code : wrong))));
    assert.ok((told.wrong ?? 0) <= 5, JSON.stringify(told));
    assert.ok((told.approved ?? 0) <= 1, JSON.stringify(told));
    const { state } = await codes[1].state(id);
    assert.equal(state, told.approved ? 'approved' : 'exhausted', JSON.stringify(told));
  }
});
