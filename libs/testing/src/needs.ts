import { spawnSync } from 'node:child_process';
import { jestGlobals } from './jest-globals.js';

/** A real server that some suites need, by the name of its program. */
export type ServerName = 'docker-registry' | 'skopeo' | 'redis-server';

export interface FoundServer {
  /** Absolute path of the program. */
  readonly path: string;
  readonly version: string;
}

const searches = new Map<ServerName, FoundServer | undefined>();

/** Where a real server is installed and which version it reports; undefined when it is not on the PATH. */
export function findServer(name: ServerName): FoundServer | undefined {
  if (!searches.has(name)) searches.set(name, search(name));
  return searches.get(name);
}

/**
 * Like `describe`, for a suite that needs real servers. Where one is missing, a single skipped
 * test says so by name, or fails when `WAYBILL_TEST_REQUIRE_SERVERS=1` (as in CI): a suite never
 * vanishes in silence.
 */
export function describeWith(servers: ServerName | readonly ServerName[], title: string, suite: () => void): void {
  const missing = [servers].flat().filter((name) => findServer(name) === undefined);
  describeWhere({ need: missing.join(' and '), isMet: missing.length === 0 }, title, suite);
}

/** Something that a suite needs of the machine and that is no server, e.g. to run as root. */
export interface TestCondition {
  /** In a few words, e.g. `root`. */
  readonly need: string;
  readonly isMet: boolean;
}

/** Like `describeWith`, for any other need. */
export function describeWhere({ need, isMet }: TestCondition, title: string, suite: () => void): void {
  const { describe, it } = jestGlobals();

  describe(title, () => {
    if (isMet) {
      suite();
      return;
    }
    const report = `needs ${need}`;
    if (process.env['WAYBILL_TEST_REQUIRE_SERVERS'] === '1') {
      it(report, () => {
        throw new Error(`${need} not found here, and WAYBILL_TEST_REQUIRE_SERVERS is set`);
      });
      return;
    }
    it.skip(report, () => undefined);
  });
}

function search(name: ServerName): FoundServer | undefined {
  const path = run('/bin/sh', ['-c', 'command -v "$0"', name])?.trim();
  if (path === undefined || path === '') return undefined;
  const version = /\d+\.\d+\.\d+[\w.+~-]*/.exec(run(path, ['--version']) ?? '')?.[0];
  return version === undefined ? undefined : { path, version };
}

function run(program: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout : undefined;
}
