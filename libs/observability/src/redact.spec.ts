import { describe, expect, it } from '@jest/globals';
import { createLogger, type Logger } from './logger.js';
import { nestLogger } from './nest-logger.js';
import { bounds } from './plain.js';
import { redactText } from './redact.js';

const mark = 'hunter2hunter2';

/** Texts that hold the mark in a form that gives itself away. */
const tellingTexts: readonly string[] = [
  `wb_${mark}`,
  `Authorization: Basic ${mark}`,
  `authorization: bearer ${mark}==`,
  `Bearer%20${mark}`,
  `https://ci:${mark}@prod.example/v2/`,
  `https://${mark}@prod.example/v2/`,
  `https://ci:p@${mark}@prod.example/v2/`,
  `postgresql://app:${mark}@127.0.0.1:5432/waybill`,
  `rediss://:${mark}@queue.example:6380`,
  `PUT https://prod.example/v2/app/blobs/uploads/${mark}?digest=sha256:0`,
  `https://store.example/blob?X-Amz-Signature=${mark}&x=1`,
  `https://store.example/blob?X-Amz-Security-Token=${mark}`,
  `https://acct.blob.example/c?sv=2026&sig=${mark}`,
  `/v2/app/x?_state=${mark}`,
  `password=${mark}`,
  `{"password": "${mark}"}`,
  `db_password: '${mark} and more ${mark}'`,
  `refresh_token=${mark}&scope=x`,
  `api-key: ${mark}`,
  `eyJhbGciOiJFUzI1NiJ9.${mark}.${mark}`,
  `-----BEGIN EC PRIVATE KEY-----\n${mark}\n-----END EC PRIVATE KEY-----`,
  `-----BEGIN PRIVATE KEY-----\n${mark}`,
];

/** Keys whose value is hidden whatever it looks like. */
const telling: readonly string[] = [
  'authorization',
  'Proxy-Authorization',
  'password',
  'dbPassword',
  'PASSPHRASE',
  'secret',
  'client_secret',
  'token',
  'refreshToken',
  'id_token',
  'apiKey',
  'x-api-key',
  'X-Registry-Auth',
  'key',
  'privateKey',
  'cookie',
  'Set-Cookie',
  'credentials',
  'auth',
  'uploadLocation',
  'uploadUrl',
];

const keyPositions: readonly (readonly [string, (logger: Logger, key: string) => void])[] = [
  ['a field', (logger, key) => logger.info({ [key]: mark }, 'x')],
  ['a list in a field', (logger, key) => logger.info({ [key]: ['a', mark] }, 'x')],
  ['an object in a field', (logger, key) => logger.info({ [key]: { username: 'ci', word: mark } }, 'x')],
  ['bytes in a field', (logger, key) => logger.info({ [key]: Buffer.from(mark) }, 'x')],
  ['a deep field', (logger, key) => logger.info({ a: { b: [{ c: { [key]: mark } }] } }, 'x')],
  ['a map', (logger, key) => logger.info({ headers: new Map([[key, mark]]) }, 'x')],
  ['raw headers', (logger, key) => logger.info({ rawHeaders: ['Host', 'prod.example', key, mark] }, 'x')],
  ['what toJSON returns', (logger, key) => logger.info({ a: { toJSON: () => ({ [key]: mark }) } }, 'x')],
  ['a binding', (logger, key) => logger.child({ [key]: mark }).info('x')],
  [
    "a child's child's deep binding",
    (logger, key) =>
      logger
        .child({})
        .child({ a: { [key]: mark } })
        .info('x'),
  ],
  ['the details of an error', (logger, key) => logger.error({ err: withDetails({ [key]: mark }) }, 'x')],
];

const textPositions: readonly (readonly [string, (logger: Logger, text: string) => void])[] = [
  ['the message', (logger, text) => logger.info(text)],
  ['the message after fields', (logger, text) => logger.info({ a: 1 }, `failed: ${text}.`)],
  ['a field', (logger, text) => logger.info({ url: text }, 'x')],
  ['a deep field', (logger, text) => logger.info({ a: [{ b: { c: [text] } }] }, 'x')],
  ['a key', (logger, text) => logger.info({ [text]: 1 }, 'x')],
  ['a binding', (logger, text) => logger.child({ at: text }).info('x')],
  ["an error's message", (logger, text) => logger.error({ err: new Error(text) }, 'x')],
  ["an error's name", (logger, text) => logger.error({ err: Object.assign(new Error('x'), { name: text }) }, 'x')],
  ["an error's code", (logger, text) => logger.error({ err: Object.assign(new Error('x'), { code: text }) }, 'x')],
  ["an error's stack", (logger, text) => logger.error({ err: Object.assign(new Error('x'), { stack: `Error: ${text}\n    at f` }) }, 'x')],
  ['a cause', (logger, text) => logger.error({ err: new Error('a', { cause: new Error('b', { cause: new Error(text) }) }) }, 'x')],
  ['a cause that is a text', (logger, text) => logger.error({ err: new Error('a', { cause: text }) }, 'x')],
  ['a collected error', (logger, text) => logger.error({ err: new AggregateError([new Error(text)]) }, 'x')],
  ['an error in a list', (logger, text) => logger.error({ failures: [{ error: new Error(text) }] }, 'x')],
  ['an Error as the fields', (logger, text) => logger.error(new Error(text) as unknown as Record<string, unknown>, 'x')],
  ['the place where a long text is cut', (logger, text) => logger.info({ a: `${'x '.repeat(bounds.characters / 2 - 8)} ${text}` }, 'x')],
  ["Nest's message", (logger, text) => nestLogger(logger).log(text, 'Router')],
  ["Nest's stack", (logger, text) => nestLogger(logger).error('x', `Error: ${text}\n    at f (a.js:1:1)`, 'Router')],
  ["Nest's context", (logger, text) => nestLogger(logger).warn('x', text)],
  ["Nest's error", (logger, text) => nestLogger(logger).fatal(new Error(text))],
  ["Nest's object", (logger, text) => nestLogger(logger).debug({ a: [text] })],
];

function written(act: (logger: Logger) => void): string {
  const lines: string[] = [];
  act(createLogger({ name: 'spec', level: 'trace', destination: { write: (line) => void lines.push(line) } }));
  expect(lines).toHaveLength(1);
  return lines.join('');
}

function withDetails(details: Readonly<Record<string, unknown>>): Error {
  const cause = new Error('inner');
  return new Error('outer', { cause: Object.assign(cause, { cause: details }) });
}

describe('a secret under a telling key', () => {
  describe.each(keyPositions)('in %s', (_position, log) => {
    it.each(telling)('does not pass as %s', (key) => {
      const line = written((logger) => log(logger, key));

      expect(line).not.toContain(mark);
      expect(line).toContain('[redacted]');
    });
  });

  it('leaves absence and yes or no readable', () => {
    expect(written((logger) => logger.info({ token: null, secret: true }, 'x'))).toContain('"token":null,"secret":true');
  });
});

describe('a secret that gives itself away', () => {
  describe.each(textPositions)('in %s', (_position, log) => {
    it.each(tellingTexts)('does not pass as %j', (text) => {
      expect(written((logger) => log(logger, text))).not.toContain(mark);
    });
  });
});

describe('redactText', () => {
  it.each([
    'promotion of team-a/app:1.2.3 to prod failed',
    'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    'https://prod.example:5000/v2/team-a/app/manifests/1.2.3',
    'PUT http://127.0.0.1:5003/v2/app/blobs/sha256:00?ns=docker.io',
    'registry@sha256:00 in location eu',
    'mail ci@example.org about https://prod.example/',
    'the secret prod-write is not of the form username:password',
  ])('leaves %j alone', (text) => {
    expect(redactText(text)).toBe(text);
  });

  it('keeps what is around a secret', () => {
    expect(redactText('GET https://ci:pw@prod.example/v2/ with Basic Y2k6cHc= failed')).toBe(
      'GET https://[redacted]@prod.example/v2/ with Basic [redacted] failed',
    );
  });

  // A quadratic pattern would need 10¹² steps here and run into the suite's time limit.
  it.each(['a', 'a.', 'a-', 'a_', '?a', 'a://', 'wb_', 'token', '-----BEGIN PRIVATE KEY-----', 'eyJa.', '"', 'Basic '])(
    'comes to an end on a million times %j',
    (part) => {
      const text = part.repeat(1_000_000);

      expect(redactText(text).length).toBeLessThanOrEqual(text.length + 1_000_000 * '[redacted]'.length);
    },
  );
});
