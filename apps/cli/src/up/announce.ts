import type { Output } from '../output/console-output.js';
import { roundSeconds } from '../output/format.js';
import type { DataFolder } from './data-folder.js';
import type { RunningSystem } from './start-system.js';

/** Where to find a running system; also the machine-readable part of what `up` prints. */
export interface Addresses {
  readonly api: string;
  readonly docs: string;
  readonly health: string;
}

export function addressesOf(apiUrl: string): Addresses {
  return { api: `${apiUrl}/api/v1`, docs: `${apiUrl}/api/docs`, health: `${apiUrl}/health/ready` };
}

/** What can be said as soon as the API answers, by its address. */
export function firstLines(apiUrl: string, wantedPort: number, { key }: DataFolder, sinceStart: number): string[] {
  const port = new URL(apiUrl).port;
  return [
    ...(wantedPort === 0 || port === String(wantedPort) ? [] : [`Port ${wantedPort} is taken: the API listens on ${port} instead.`]),
    `The API answers at ${apiUrl} after ${roundSeconds(sinceStart)}`,
    key.isNew ? `Admin key (shown once, kept in ${key.file}): ${key.text}` : `Admin key: in ${key.file}`,
  ];
}

/** What runs, and where. */
export function announceParts(system: RunningSystem, topologyFile: string, output: Output): void {
  const phases = Object.entries(system.phases).map(([name, ms]) => `${name} ${roundSeconds(ms)}`);
  output.line();
  output.line(`Started: ${phases.join(', ')}`);
  output.line(`Database: ${system.database}; queue: ${system.queue}; topology: ${topologyFile}`);
  for (const { name, url, engine, version, port, requestedPort } of system.registries) {
    const moved = requestedPort === undefined || requestedPort === port ? '' : `, since port ${requestedPort} is taken`;
    output.line(`  ${name.padEnd(14)} ${url}  (${engine}${version === '' ? '' : ` ${version}`}${moved})`);
  }
  if (system.registries.length > 0) output.line('Local registries are open to everyone on this machine, and listen on loopback only.');
}

/** The last lines before the command waits. */
export function announceAddresses({ apiUrl, workerUrl }: RunningSystem, { logs }: DataFolder, output: Output): void {
  const { api, docs, health } = addressesOf(apiUrl);
  output.line();
  output.line(`API        ${api}`);
  output.line(`API docs   ${docs}`);
  output.line(`Health     ${health}`);
  output.line(`Metrics    ${apiUrl}/metrics, with a key; the worker's at ${workerUrl}/metrics`);
  output.line(`Logs       ${logs}`);
}
