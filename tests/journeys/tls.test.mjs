// TLS at the door and to the operator.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { journey, until } from '../lib/stage.mjs';
import { Kezek } from '../lib/kezek.mjs';
import { Door } from '../lib/http.mjs';
import { operator } from '../lib/operators.mjs';
import { Servers } from '../lib/servers.mjs';
import { startCentre } from '../lib/smsc.mjs';

const servers = new Servers();

async function certificate(stage, name) {
  const [key, cert] = [stage.path(`${name}.key`), stage.path(`${name}.crt`)];
  await stage.must('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', key, '-out', cert]);
  return { key, cert, pem: { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') } };
}

journey('tls__door_and_operator__message_and_receipt_pass', async (stage) => {
  const own = await certificate(stage, 'localhost');
  const theirs = await certificate(stage, 'smsc.example');
  const centre = await startCentre(stage, { tls: theirs.pem });
  const k = await Kezek.start(stage, await servers.database(), {
    config: { http: { tls_cert: own.cert, tls_key: own.key } }, door: { ca: own.pem.cert },
    operators: { one: operator(stage, { port: centre.port, link: { tls: true, tls_ca: theirs.cert, tls_name: 'smsc.example' } }) },
  });
  await k.bound();
  await k.settled((await k.door.send({ to: '+77011234567', text: 'Құпия' })).id);
  assert.equal(centre.texts[0].text, 'Құпия');
  const many = await Promise.all(Array.from({ length: 40 }, (_, i) => k.door.send({ to: '+77011234567', text: `n ${i}` })));
  for (const { id } of many) await k.settled(id);
  // A client that speaks plain HTTP to it gets no answer that could be taken for one, and nothing breaks.
  const plain = new Door({ port: k.port, key: k.door.key });
  await assert.rejects(plain.get('/livez'));
  plain.close();
  assert.equal((await k.door.get('/livez')).status, 200);
});

journey('tls__certificate_of_another_or_plain_operator__not_bound_and_the_reason_in_status', async (stage) => {
  const theirs = await certificate(stage, 'smsc.example');
  const centre = await startCentre(stage, { tls: theirs.pem });
  const plain = await startCentre(stage);
  const link = { tls: true, tls_ca: theirs.cert };
  const k = await Kezek.start(stage, await servers.database(), { operators: {
    name: operator(stage, { port: centre.port, link: { ...link, tls_name: 'another.example' } }),
    authority: operator(stage, { port: centre.port, link: { tls: true, tls_name: 'smsc.example' } }),
    plain: operator(stage, { port: plain.port, link: { ...link, tls_name: 'smsc.example' } }),
  } });
  for (const name of ['name', 'authority', 'plain']) {
    const l = await until(`${name}: a reason`, async () => {
      const report = await k.link(`${name}.1`);
      return report.reason && report;
    });
    assert.notEqual(l.state, 'bound', name);
    if (name !== 'plain') assert.match(l.reason, /certificate|verify/i, name);
  }
  assert.deepEqual([centre.binds, plain.binds], [[], []], 'no password went over it');
});

journey('tls__broken_certificate_files__refused_with_the_name_of_the_file', async (stage) => {
  const own = await certificate(stage, 'localhost');
  const k = await Kezek.prepare(stage, { conninfo: 'host=/nonexistent', redis: '' },
    { config: { http: { tls_cert: own.key, tls_key: own.key } } });
  const t = await k.once('-t');
  assert.equal(t.code, 1);
  assert.match(t.err + t.out, /localhost\.key/);
  k.config.http = { tls_cert: own.cert };
  k.writeConfig();
  assert.match((await k.once('-t')).err, /tls_key/);
});
