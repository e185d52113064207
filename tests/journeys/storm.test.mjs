// The minute at which the last places are published: tests/bench/run --only storm, in small.
import assert from 'node:assert/strict';
import { storm } from '../bench/ussd.mjs';
import { buildTool } from '../lib/crowd.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { journey } from '../lib/stage.mjs';
import { Servers } from '../lib/servers.mjs';

const servers = new Servers();

journey('hundreds dial in one moment and sixty take twenty places: each is told what stands', async (stage) => {
  const database = await servers.database();
  const daemon = await Kezek.start(stage, database, {});
  const { away, taken, gone, referrals, free } = await storm({ daemon, database }, stage,
    { applications: 4000, parents: 600, takers: 60, places: 20, binary: await buildTool(stage, 'ussd') });
  assert.deepEqual({ away, taken, gone, referrals, free }, { away: 0, taken: 20, gone: 40, referrals: 20, free: 0 });
});
