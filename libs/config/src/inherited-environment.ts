import { describeVariables } from './describe-variables.js';
import { proxyVariables } from './environment-proxies.js';
import type { Environment } from './variable.js';

const secretPrefix = 'WAYBILL_SECRET_';

/**
 * What a supervisor hands on to the servers that it starts: the variables that they read, secrets included,
 * and nothing else of its own environment.
 */
export function inheritedEnvironment(env: Environment = process.env): Record<string, string> {
  const ofServers = describeVariables().filter(({ readBy }) => readBy !== 'cli');
  const known = new Set([...ofServers.map(({ name }) => name), ...proxyVariables]);
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && entry[1] !== '' && (known.has(entry[0]) || entry[0].startsWith(secretPrefix)),
    ),
  );
}
