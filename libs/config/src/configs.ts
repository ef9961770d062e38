import type { ConfigProblem } from './config-error.js';
import { readEnvironment, type Values } from './read-environment.js';
import type { Environment } from './variable.js';
import { apiVariables, clientVariables, type LogLevel, serverVariables, workerVariables } from './variables.js';

/** Where jobs are carried. */
export type QueueConfig = { readonly kind: 'redis'; readonly url: string } | { readonly kind: 'postgres'; readonly url: string };

/** Where the values of named secrets may come from. */
export interface SecretsConfig {
  /** Variables with this prefix are secrets; no other variable can be named by a topology. */
  readonly prefix: 'WAYBILL_SECRET_';
  /** A folder with one file per secret. */
  readonly dir?: string;
}

/** What the API and the worker have in common. */
export interface ServerConfig {
  readonly databaseUrl: string;
  readonly queue: QueueConfig;
  readonly logLevel: LogLevel;
  readonly exitWithStdin: boolean;
  readonly secrets: SecretsConfig;
}

export interface ApiConfig extends ServerConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly registryDeadlineMs: number;
  readonly noticeMs: number;
  readonly drainMs: number;
  /** A key with every right that is made sure to exist. */
  readonly adminKey?: string;
  /** What the secrets are made of that local registries show with their notifications. */
  readonly notificationKey?: string;
}

export interface WorkerConfig extends ServerConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly locations: 'all' | readonly string[];
  readonly concurrency: number;
  readonly dispatchLeaseMs: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  readonly retryMaxAttempts: number;
  readonly drainMs: number;
  /** Where the supervisor of local registries listens. */
  readonly controlSocket?: string;
}

export interface ClientConfig {
  /** Absent: the caller knows where to look. */
  readonly apiUrl?: string;
  readonly apiKey?: string;
}

/**
 * The part of the environment that every server process needs.
 *
 * @throws ConfigError `config-invalid`, naming every variable that is wrong
 */
export function loadServerConfig(env: Environment = process.env): ServerConfig {
  return server(readEnvironment(env, serverVariables));
}

/** The API's environment. @throws ConfigError `config-invalid` */
export function loadApiConfig(env: Environment = process.env): ApiConfig {
  const values = readEnvironment(env, { ...serverVariables, ...apiVariables });
  const { host, port, registryDeadlineMs, noticeMs, drainMs, adminKey, notificationKey } = values;
  return {
    ...server(values),
    host,
    port,
    registryDeadlineMs,
    noticeMs,
    drainMs,
    ...(adminKey !== undefined && { adminKey }),
    ...(notificationKey !== undefined && { notificationKey }),
  };
}

/** The worker's environment. @throws ConfigError `config-invalid` */
export function loadWorkerConfig(env: Environment = process.env): WorkerConfig {
  const values = readEnvironment(env, { ...serverVariables, ...workerVariables }, checkRetries);
  const { host, port, locations, concurrency, dispatchLeaseMs, retryBaseMs, retryMaxMs, retryMaxAttempts, drainMs, controlSocket } = values;
  return {
    ...server(values),
    host,
    port,
    locations,
    concurrency,
    dispatchLeaseMs,
    retryBaseMs,
    retryMaxMs,
    retryMaxAttempts,
    drainMs,
    ...(controlSocket !== undefined && { controlSocket }),
  };
}

/** The command line's environment. @throws ConfigError `config-invalid` */
export function loadClientConfig(env: Environment = process.env): ClientConfig {
  const { apiUrl, apiKey } = readEnvironment(env, clientVariables);
  return { ...(apiUrl !== undefined && { apiUrl }), ...(apiKey !== undefined && { apiKey }) };
}

/** Where a process that is no server finds the values of secrets. @throws ConfigError `config-invalid` */
export function loadSecretsConfig(env: Environment = process.env): SecretsConfig {
  return secrets(readEnvironment(env, { secretsDir: serverVariables.secretsDir }));
}

function server(values: Values<typeof serverVariables>): ServerConfig {
  return {
    databaseUrl: values.databaseUrl,
    queue: queue(values),
    logLevel: values.logLevel,
    exitWithStdin: values.exitWithStdin,
    secrets: secrets(values),
  };
}

function secrets({ secretsDir }: Pick<Values<typeof serverVariables>, 'secretsDir'>): SecretsConfig {
  return { prefix: 'WAYBILL_SECRET_', ...(secretsDir !== undefined && { dir: secretsDir }) };
}

function queue({ redisUrl, queueDatabaseUrl, databaseUrl }: Values<typeof serverVariables>): QueueConfig {
  if (redisUrl !== undefined) return { kind: 'redis', url: redisUrl };
  return { kind: 'postgres', url: queueDatabaseUrl ?? databaseUrl };
}

function checkRetries({ retryBaseMs, retryMaxMs }: Values<typeof workerVariables>): readonly ConfigProblem[] {
  if (retryBaseMs <= retryMaxMs) return [];
  return [
    {
      variable: workerVariables.retryMaxMs.name,
      problem: `${retryMaxMs} is below ${workerVariables.retryBaseMs.name}`,
      expected: `at least ${retryBaseMs}`,
    },
  ];
}
