import { allOrNames, choice, flag, integer, optionalText, optionalUrl, text, url } from './variable.js';

const postgres = ['postgres:', 'postgresql:'] as const;
const host = { pattern: /^[A-Za-z0-9.:_-]{1,253}$/, expected: 'an IP address or host name' } as const;
const port = { min: 0, max: 65_535 } as const;

/** The words of `WAYBILL_LOG_LEVEL`, from the fewest lines to the most. */
export const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
export type LogLevel = (typeof logLevels)[number];

export const serverVariables = {
  databaseUrl: url({
    name: 'DATABASE_URL',
    meaning: 'The PostgreSQL database that holds the truth; `waybill up` brings its own when unset.',
    schemes: postgres,
  }),
  redisUrl: optionalUrl({
    name: 'REDIS_URL',
    meaning: 'Redis or Valkey that carries the queue.',
    schemes: ['redis:', 'rediss:'],
    whenUnset: 'the queue runs on PostgreSQL',
  }),
  queueDatabaseUrl: optionalUrl({
    name: 'WAYBILL_QUEUE_DATABASE_URL',
    meaning: 'The PostgreSQL database that carries the queue where there is no Redis, so that the queue can have a role of its own.',
    schemes: postgres,
    whenUnset: 'the value of DATABASE_URL',
  }),
  logLevel: choice({ name: 'WAYBILL_LOG_LEVEL', meaning: 'The least severe lines that are logged.', of: logLevels, fallback: 'info' }),
  exitWithStdin: flag({
    name: 'WAYBILL_EXIT_WITH_STDIN',
    meaning: 'Stop when standard input ends; a supervisor that dies takes its processes along.',
  }),
  secretsDir: optionalText({
    name: 'WAYBILL_SECRETS_DIR',
    meaning: 'A folder with one file per secret, named as in the topology.',
    pattern: /^\/.*$/s,
    expected: 'an absolute path',
    whenUnset: 'secrets come from WAYBILL_SECRET_… variables only',
  }),
} as const;

export const apiVariables = {
  host: text({ name: 'WAYBILL_API_HOST', meaning: 'The address that the API listens on.', ...host, fallback: '127.0.0.1' }),
  port: integer({ name: 'WAYBILL_API_PORT', meaning: 'The port that the API listens on; 0 takes any free one.', ...port, fallback: 8080 }),
  registryDeadlineMs: integer({
    name: 'WAYBILL_API_REGISTRY_DEADLINE_MS',
    meaning: 'How long one request may wait for a registry, in milliseconds.',
    min: 100,
    max: 60_000,
    fallback: 5_000,
  }),
  noticeMs: integer({
    name: 'WAYBILL_API_NOTICE_MS',
    meaning: 'How long a stopping API answers as before but calls itself not ready, so that load balancers notice, in milliseconds.',
    min: 0,
    max: 600_000,
    fallback: 1_000,
  }),
  drainMs: integer({
    name: 'WAYBILL_API_DRAIN_MS',
    meaning: 'How long a stopping API may then finish the requests that are open, in milliseconds.',
    min: 0,
    max: 600_000,
    fallback: 10_000,
  }),
  adminKey: optionalText({
    name: 'WAYBILL_ADMIN_KEY',
    meaning: 'An API key that the API makes sure exists, with every right; `waybill up` makes one.',
    pattern: /^wb_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/,
    expected: 'wb_, 32 hexadecimal digits, _ and 43 characters of base64url',
    whenUnset: 'no key is made',
    secret: true,
  }),
  notificationKey: optionalText({
    name: 'WAYBILL_NOTIFICATION_KEY',
    meaning: 'What the secrets are made of that local registries show when they tell what happens there; `waybill up` makes one.',
    pattern: /^[0-9a-f]{64}$/,
    expected: '64 lower-case hexadecimal digits',
    whenUnset: 'local registries are not listened to',
    secret: true,
  }),
} as const;

export const workerVariables = {
  host: text({
    name: 'WAYBILL_WORKER_HOST',
    meaning: "The address that the worker's health and metrics listen on.",
    ...host,
    fallback: '127.0.0.1',
  }),
  port: integer({
    name: 'WAYBILL_WORKER_PORT',
    meaning: "The port of the worker's health and metrics; 0 takes any free one.",
    ...port,
    fallback: 0,
  }),
  locations: allOrNames({
    name: 'WAYBILL_WORKER_LOCATIONS',
    meaning: 'The locations whose promotions this worker runs, so that bytes stay near.',
    of: 'names of locations',
  }),
  concurrency: integer({
    name: 'WAYBILL_WORKER_CONCURRENCY',
    meaning: 'How many promotions one worker runs at once per location.',
    min: 1,
    max: 256,
    fallback: 8,
  }),
  dispatchLeaseMs: integer({
    name: 'WAYBILL_WORKER_DISPATCH_LEASE_MS',
    meaning: 'How long a silent worker keeps a promotion before another may take it, in milliseconds.',
    // A tag is written in what is left of a lease of this length after a margin of 2 s: a shorter one leaves no time at all.
    min: 5_000,
    max: 600_000,
    fallback: 15_000,
  }),
  retryBaseMs: integer({
    name: 'WAYBILL_WORKER_RETRY_BASE_MS',
    meaning: 'The wait before the first retry, doubled with every further one, in milliseconds.',
    min: 10,
    max: 600_000,
    fallback: 1_000,
  }),
  retryMaxMs: integer({
    name: 'WAYBILL_WORKER_RETRY_MAX_MS',
    meaning: 'The longest wait between two retries, in milliseconds.',
    min: 10,
    max: 86_400_000,
    fallback: 60_000,
  }),
  retryMaxAttempts: integer({
    name: 'WAYBILL_WORKER_RETRY_MAX_ATTEMPTS',
    meaning: 'How often a target is tried before it ends as failed.',
    min: 1,
    max: 1_000,
    fallback: 8,
  }),
  drainMs: integer({
    name: 'WAYBILL_WORKER_DRAIN_MS',
    meaning: 'How long a stopping worker may finish what it runs before it hands it over, in milliseconds.',
    min: 0,
    max: 3_600_000,
    fallback: 10_000,
  }),
  controlSocket: optionalText({
    name: 'WAYBILL_CONTROL_SOCKET',
    meaning: 'The socket of the `waybill up` whose local registries this worker collects; `waybill up` sets it.',
    pattern: /^\/.*$/s,
    expected: 'an absolute path',
    whenUnset: 'this worker collects no registry',
  }),
} as const;

export const clientVariables = {
  apiUrl: optionalUrl({
    name: 'WAYBILL_API_URL',
    meaning: 'The API that the command line talks to.',
    schemes: ['http:', 'https:'],
    whenUnset: 'the API of `waybill up` in this folder, else http://127.0.0.1:8080',
  }),
  apiKey: optionalText({
    name: 'WAYBILL_API_KEY',
    meaning: 'The key that the command line shows to the API.',
    pattern: /^[\x21-\x7e]{1,512}$/,
    expected: 'a key as the API printed it',
    whenUnset: 'requests carry no key',
    secret: true,
  }),
} as const;
