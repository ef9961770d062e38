import { tmpdir } from 'node:os';

/**
 * The environment of every child: only what a program needs to find others and to speak plainly.
 * Variables such as PGDATA or LD_PRELOAD of the caller's shell never reach a server.
 */
export function spawnEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
    HOME: process.env['HOME'] ?? tmpdir(),
    LC_ALL: 'C',
    TZ: 'UTC',
    ...extra,
  };
}
