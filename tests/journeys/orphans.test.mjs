// A test that is killed leaves nothing running.
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { journey, top, until } from '../lib/stage.mjs';

// A test file of its own: servers, kezekd and a message centre; then it tells their pids and hangs.
const victim = `
  import { readFileSync } from 'node:fs';
  import { join } from 'node:path';
  import { Kezek, Simulator } from '${top}/tests/lib/kezek.mjs';
  import { operator } from '${top}/tests/lib/operators.mjs';
  import { Servers } from '${top}/tests/lib/servers.mjs';
  import { Stage } from '${top}/tests/lib/stage.mjs';

  const servers = new Servers({ hooks: false });
  const stage = new Stage('orphans-victim');
  const smsc = await Simulator.start(stage);
  const k = await Kezek.start(stage, await servers.database(), { operators: { one: operator(stage, { port: smsc.port }) } });
  const pid = (name) => Number(readFileSync(join(servers.dir, name), 'utf8').split('\\n')[0]);
  console.log(JSON.stringify({ dirs: { servers: servers.dir, stage: stage.dir },
    pids: { kezekd: k.process.pid, centre: smsc.process.pid, postgres: pid('pg/postmaster.pid'), redis: pid('redis.pid') } }));
  setInterval(() => {}, 1000);
`;

const lives = (pid) => existsSync(join('/proc', String(pid)));

journey('test__killed__takes_its_servers_and_daemons_with_it', async (stage) => {
  const test = stage.start('test', process.execPath, ['--input-type=module', '-e', victim]);
  const told = await until(() => `the test has its stage: ${test.err()}`, () => {
    assert.equal(test.ended, null, test.err());
    return test.out().endsWith('\n') && JSON.parse(test.out());
  }, 60000);
  for (const [name, pid] of Object.entries(told.pids)) assert.ok(lives(pid), `${name} runs`);
  await test.stop('SIGKILL');
  for (const [name, pid] of Object.entries(told.pids)) await until(`${name} has ended`, () => !lives(pid));
  rmSync(told.dirs.stage, { recursive: true });
  await until('the servers\' folder is gone', () => !existsSync(told.dirs.servers));
});
