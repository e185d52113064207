// Holds answers against docs/openapi.yaml: an undocumented status, media type, header value or field is a failure.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import yaml from 'js-yaml';

const document = yaml.load(readFileSync(new URL('../../docs/openapi.yaml', import.meta.url), 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(document, 'openapi');
const compiled = new Map();
const seen = new Set();

const resolve = (node) => {
  while (node && node.$ref)
    node = node.$ref.slice(2).split('/').reduce((at, step) => at[step.replaceAll('~1', '/')], document);
  return node;
};

function pathTemplate(path) {
  if (document.paths[path]) return path;
  return Object.keys(document.paths).find((template) =>
    new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path));
}

const absolute = (schema) => JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'));

function check(schema, value, what) {
  const key = JSON.stringify(schema);
  if (!compiled.has(key)) compiled.set(key, ajv.compile(absolute(schema)));
  const validate = compiled.get(key);
  assert.ok(validate(value),
    `${what}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value).slice(0, 600)}`);
}

// What any path may answer to a method or a path that the document does not have.
function fallback(status, template) {
  if (status === 404 && !template) return document.components.responses.NotFound;
  if (status === 405 && template) return document.components.responses.MethodNotAllowed;
  const fence = { 400: 'BadRequest', 408: 'Timeout', 411: 'LengthRequired', 413: 'TooLarge', 431: 'HeaderTooLarge',
    417: 'ExpectationFailed', 501: 'MethodUnknown', 503: 'Unavailable', 401: 'Unauthorized' };
  return document.components.responses[fence[status]];
}

// answer: {status, headers: {lower-case name: value}, body: text}
export function holdAgainstDocument(method, target, answer) {
  const path = target.split('?')[0];
  const template = pathTemplate(path);
  const operation = template && document.paths[template][method.toLowerCase()];
  const what = `${method} ${path} -> ${answer.status}`;
  const anywhere = !operation || [417, 501].includes(answer.status);
  const response = resolve(anywhere ? fallback(answer.status, template) : operation.responses[answer.status]);
  assert.ok(response, `${what}: the document has no such answer\n${answer.body.slice(0, 600)}`);
  for (const [name, raw] of Object.entries(response.headers ?? {})) {
    const header = resolve(raw);
    const value = answer.headers[name.toLowerCase()];
    if (value === undefined) {
      // Retry-After belongs to problems; a 503 of /readyz is a report.
      const required = header.required && (answer.headers['content-type'] ?? '').includes('problem');
      assert.ok(!required, `${what}: header ${name} is missing`);
    } else {
      check(header.schema, value, `${what}, header ${name}`);
    }
  }
  const type = (answer.headers['content-type'] ?? '').split(';')[0];
  const media = response.content?.[type];
  assert.ok(media, `${what}: the document has no content type '${type}'\n${answer.body.slice(0, 600)}`);
  if (media['x-line']) {
    const lines = answer.body.split('\n');
    assert.equal(lines.pop(), '', `${what}: the last line has no end`);
    lines.forEach((line, i) => check(media['x-line'], JSON.parse(line), `${what}, line ${i + 1}`));
  } else if (type.endsWith('json')) {
    const body = JSON.parse(answer.body);
    check(media.schema, body, what);
    if (type === 'application/problem+json') {
      assert.equal(body.status, answer.status, what);
      assert.equal(body.type, `/problems/${body.code}`, what);
    }
  } else {
    check(media.schema, answer.body, what);
  }
  seen.add(`${method} ${template ?? '*'} ${answer.status}`);
}

// hook: {method, headers, body} as an endpoint got it; each header that the document names must be there.
export function holdWebhookAgainstDocument(hook) {
  const webhook = { code: 'codeEnded', message: 'messageEnded' }[hook.body.type?.split('.')[0]] ?? 'news';
  const operation = document.webhooks[webhook][hook.method.toLowerCase()];
  assert.ok(operation, `a webhook by ${hook.method}`);
  for (const raw of operation.parameters) {
    const parameter = resolve(raw);
    const value = hook.headers[parameter.name];
    assert.ok(value !== undefined, `webhook: header ${parameter.name} is missing`);
    check(parameter.schema, value, `webhook, header ${parameter.name}`);
  }
  assert.equal(hook.headers['content-type'], 'application/json');
  check(operation.requestBody.content['application/json'].schema, hook.body, 'webhook');
}

export const seenAnswers = () => [...seen].sort();
export { document };
