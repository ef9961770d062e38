import { describe, expect, it } from '@jest/globals';
import { ConfigError, type ConfigProblem } from './config-error.js';
import { loadApiConfig, loadClientConfig, loadSecretsConfig, loadServerConfig, loadWorkerConfig } from './configs.js';
import type { Environment } from './variable.js';

const databaseUrl = 'postgresql://app:s3cret-pw@db.example:5432/waybill';
const enough = { DATABASE_URL: databaseUrl };

function refusal(load: () => unknown): ConfigError {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the environment was accepted');
}

function problems(load: () => unknown): readonly ConfigProblem[] {
  return refusal(load).details['problems'] as readonly ConfigProblem[];
}

describe('loadServerConfig', () => {
  it('fills in defaults when only the database is named', () => {
    expect(loadServerConfig(enough)).toEqual({
      databaseUrl,
      queue: { kind: 'postgres', url: databaseUrl },
      logLevel: 'info',
      exitWithStdin: false,
      secrets: { prefix: 'WAYBILL_SECRET_' },
    });
  });

  it.each<[string, Environment, unknown]>([
    ['Redis', { REDIS_URL: 'rediss://q.example:6380', WAYBILL_QUEUE_DATABASE_URL: 'postgres://q@db/q' }, 'rediss://q.example:6380'],
    ['the database named for it', { WAYBILL_QUEUE_DATABASE_URL: 'postgres://q@db/q' }, 'postgres://q@db/q'],
    ['the database when Redis is set to nothing', { REDIS_URL: '' }, databaseUrl],
  ])('puts the queue on %s', (_where, env, url) => {
    expect(loadServerConfig({ ...enough, ...env }).queue.url).toBe(url);
  });

  it('tells all problems at once', () => {
    const env = { DATABASE_URL: 'mysql://x', REDIS_URL: 'http://r', WAYBILL_LOG_LEVEL: 'loud', WAYBILL_SECRETS_DIR: 'relative' };

    const told = problems(() => loadServerConfig(env));

    expect(told.map(({ variable }) => variable)).toEqual(['DATABASE_URL', 'REDIS_URL', 'WAYBILL_LOG_LEVEL', 'WAYBILL_SECRETS_DIR']);
  });

  it.each<[string, Environment, string]>([
    ['a missing variable', {}, 'DATABASE_URL: is not set; expected a URL that starts with postgres:// or postgresql://'],
    ['a variable set to nothing', { DATABASE_URL: '' }, 'DATABASE_URL: is not set'],
    ['what is no URL', { DATABASE_URL: 'db' }, 'DATABASE_URL: is not a URL'],
    ['a foreign scheme', { DATABASE_URL: 'mysql://db' }, 'DATABASE_URL: has another scheme'],
    [
      'a foreign word',
      { ...enough, WAYBILL_LOG_LEVEL: 'loud' },
      'WAYBILL_LOG_LEVEL: "loud" is not one of the known words; expected one of silent, fatal',
    ],
    [
      'a flag in words',
      { ...enough, WAYBILL_EXIT_WITH_STDIN: 'true' },
      'WAYBILL_EXIT_WITH_STDIN: "true" is neither 1 nor 0; expected 1 or 0',
    ],
    [
      'a relative folder',
      { ...enough, WAYBILL_SECRETS_DIR: 'secrets' },
      'WAYBILL_SECRETS_DIR: "secrets" is malformed; expected an absolute path',
    ],
  ])('says what is wrong and what is expected of %s', (_what, env, sentence) => {
    expect(refusal(() => loadServerConfig(env)).message).toContain(sentence);
  });

  it.each(['DATABASE_URL', 'REDIS_URL', 'WAYBILL_QUEUE_DATABASE_URL'])('never quotes %s, which may hold a password', (name) => {
    const error = refusal(() => loadServerConfig({ ...enough, [name]: 'wrong://user:hunter2@host' }));

    expect(error.message).toContain(name);
    expect(JSON.stringify([error.message, error.stack, error.details])).not.toContain('hunter2');
  });
});

describe('loadApiConfig', () => {
  it('listens on loopback unless told otherwise', () => {
    expect(loadApiConfig(enough)).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      registryDeadlineMs: 5000,
      noticeMs: 1000,
      drainMs: 10_000,
    });
  });

  it('takes any port when asked for 0', () => {
    expect(loadApiConfig({ ...enough, WAYBILL_API_PORT: '0' }).port).toBe(0);
  });

  it.each(['65536', '-1', '80.5', '0x50', ' 80', '1e3', '99999999999999999999'])('refuses the port %j', (port) => {
    expect(problems(() => loadApiConfig({ ...enough, WAYBILL_API_PORT: port }))).toEqual([
      { variable: 'WAYBILL_API_PORT', problem: expect.stringContaining(JSON.stringify(port)), expected: 'an integer from 0 to 65535' },
    ]);
  });
});

describe('loadWorkerConfig', () => {
  it('fills in sane timings', () => {
    expect(loadWorkerConfig(enough)).toMatchObject({
      host: '127.0.0.1',
      port: 0,
      locations: 'all',
      concurrency: 8,
      dispatchLeaseMs: 15_000,
      retryBaseMs: 1_000,
      retryMaxMs: 60_000,
      retryMaxAttempts: 8,
      drainMs: 10_000,
    });
  });

  it.each<[string, 'all' | string[]]>([
    ['all', 'all'],
    ['eu', ['eu']],
    ['eu, us-east-1', ['eu', 'us-east-1']],
  ])('reads the locations %j', (written, locations) => {
    expect(loadWorkerConfig({ ...enough, WAYBILL_WORKER_LOCATIONS: written }).locations).toEqual(locations);
  });

  it.each(['eu,,us', 'EU', 'eu,eu', '../eu', 'eu-', ' '])('refuses the locations %j', (written) => {
    const told = problems(() => loadWorkerConfig({ ...enough, WAYBILL_WORKER_LOCATIONS: written }));

    expect(told.map(({ variable }) => variable)).toEqual(['WAYBILL_WORKER_LOCATIONS']);
  });

  it('refuses a lease in which no tag can be written', () => {
    const env = { ...enough, WAYBILL_WORKER_DISPATCH_LEASE_MS: '4999' };

    expect(refusal(() => loadWorkerConfig(env)).message).toContain('expected an integer from 5000 to 600000');
  });

  it('refuses a longest wait below the first', () => {
    const env = { ...enough, WAYBILL_WORKER_RETRY_BASE_MS: '5000', WAYBILL_WORKER_RETRY_MAX_MS: '4000' };

    expect(refusal(() => loadWorkerConfig(env)).message).toContain(
      'WAYBILL_WORKER_RETRY_MAX_MS: 4000 is below WAYBILL_WORKER_RETRY_BASE_MS; expected at least 5000',
    );
  });

  it('tells problems of the shared and of its own variables together', () => {
    const told = problems(() => loadWorkerConfig({ WAYBILL_WORKER_CONCURRENCY: '0' }));

    expect(told.map(({ variable }) => variable)).toEqual(['DATABASE_URL', 'WAYBILL_WORKER_CONCURRENCY']);
  });
});

describe('loadClientConfig', () => {
  it('names neither API nor key unless told', () => {
    expect(loadClientConfig({})).toEqual({});
  });

  it('takes the address and the key', () => {
    const env = { WAYBILL_API_URL: 'https://waybill.example', WAYBILL_API_KEY: 'wb_abc' };

    expect(loadClientConfig(env)).toEqual({ apiUrl: 'https://waybill.example', apiKey: 'wb_abc' });
  });

  it('knows where secrets are, and asks for nothing of a server', () => {
    expect(loadSecretsConfig({})).toEqual({ prefix: 'WAYBILL_SECRET_' });
    expect(loadSecretsConfig({ WAYBILL_SECRETS_DIR: '/run/secrets' })).toEqual({ prefix: 'WAYBILL_SECRET_', dir: '/run/secrets' });
    expect(refusal(() => loadSecretsConfig({ WAYBILL_SECRETS_DIR: 'secrets' })).message).toContain('WAYBILL_SECRETS_DIR');
  });

  it('never quotes the key', () => {
    const error = refusal(() => loadClientConfig({ WAYBILL_API_KEY: 'wb_my key with blanks' }));

    expect(error.message).toContain('WAYBILL_API_KEY: is malformed');
    expect(JSON.stringify([error.message, error.details])).not.toContain('with blanks');
  });
});
