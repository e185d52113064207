// What the guard holds, as the person on duty sees and lifts it.
import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { journey } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();

async function start(stage) {
  const smsc = await startCentre(stage, {});
  const k = await Kezek.start(stage, await servers.database(), { operators: { one: operator(stage, { port: smsc.port }) } });
  await k.bound();
  return k;
}

const hold = (k, kind, subject, shown, until = "now() + interval '1 hour'") => k.database.ask(
  `insert into guard_hold (kind, subject, shown, since, until) values (${kind}, ${subject}, '${shown}', now(), ${until})`);
const held = async (k) => (await k.ctl('guard')).held.map(({ kind, shown }) => `${kind} ${shown}`).sort();

journey('guard__held_prefix_and_phone__shown_and_lifted_with_who_and_until', async (stage) => {
  const k = await start(stage);
  assert.deepEqual(await held(k), []);
  await hold(k, 1, 7701123, '+7701123xxxx');
  await hold(k, 1, 7701124, '+7701124xxxx', "now() - interval '1 second'");
  await hold(k, 2, -5, 'code:06j0w2kq4r000');
  assert.deepEqual(await held(k), ['phone code:06j0w2kq4r000', 'prefix +7701123xxxx']);
  const lifted = await k.ctl('guard', 'lift', '+7701123xxxx', '--for', '2h');
  assert.equal(lifted.shown, '+7701123xxxx');
  await k.ctl('guard', 'lift', 'code:06j0w2kq4r000');
  assert.deepEqual(await held(k), []);
  const rows = await k.database.ask(`select lifted_by, extract(epoch from free_until - lifted_at)::int from guard_hold
    where lifted_at is not null order by kind`);
  const by = `${process.env.SUDO_USER || userInfo().username} (uid ${process.getuid()})`;
  assert.deepEqual(rows.map((r) => r[0]), [by, by]);
  assert.equal(rows[0][1], '7200');
  assert.equal((await k.ctlRun('guard', 'lift', '+7701123xxxx')).code, 1);
});

journey('guard_lift__by_a_number__the_phone_that_has_it', async (stage) => {
  const k = await start(stage);
  await k.door.send({ to: '+77011234567', text: 'Salem' });
  const [[phone]] = await k.database.ask('select phone from message_person');
  await hold(k, 2, phone, 'code:06j0w2kq4r000');
  assert.equal((await k.ctlRun('guard', 'lift', '87011234568')).code, 1);
  assert.equal((await k.ctl('guard', 'lift', '8 701 123 45 67')).shown, 'code:06j0w2kq4r000');
  assert.deepEqual(await held(k), []);
});

journey('guard_lift__what_cannot_be_lifted__refused_with_the_remedy', async (stage) => {
  const k = await start(stage);
  await hold(k, 2, -5, 'code:06j0w2kq4r000');
  for (const [words, says] of [[['+770112'], 'as kezekctl guard shows it'], [['code:06j0w2kq4r001'], 'nothing like this is held'],
    [['code:06j0w2kq4r000', '--for', '1h'], 'for a prefix alone'], [['7701999'], 'nothing like this is held']]) {
    const r = await k.ctlRun('guard', 'lift', ...words);
    assert.equal(r.code, 1);
    assert.match(r.err, new RegExp(says));
  }
  assert.deepEqual(await held(k), ['phone code:06j0w2kq4r000']);
});
