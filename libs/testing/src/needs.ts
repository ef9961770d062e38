import { spawnSync } from 'node:child_process';
import { type GoProgramName, goProgramState, isGoProgram } from './go-programs.js';
import { jestGlobals } from './jest-globals.js';

/** A real server or client that some suites need, by the name of its program. */
export type ServerName = 'docker-registry' | 'skopeo' | 'redis-server' | 'promtool' | GoProgramName;

export interface FoundServer {
  /** Absolute path of the program. */
  readonly path: string;
  readonly version: string;
}

const searches = new Map<ServerName, FoundServer | undefined>();

/** Where a real server is installed and which version it reports; undefined when it is not on this machine. */
export function findServer(name: ServerName): FoundServer | undefined {
  if (!searches.has(name)) searches.set(name, search(name));
  return searches.get(name);
}

/**
 * Like `describe`, for a suite that needs real servers. Where one is missing, a single skipped
 * test says so by name, or fails when `WAYBILL_TEST_REQUIRE_SERVERS=1` (programs in Go:
 * `WAYBILL_TEST_REQUIRE_GO=1`), as in CI: a suite never vanishes in silence.
 */
export function describeWith(servers: ServerName | readonly ServerName[], title: string, suite: () => void): void {
  const missing = [servers].flat().filter((name) => findServer(name) === undefined);
  const need = missing.map(withReason).join(' and ');
  describeNeeding({ need, isMet: missing.length === 0, demandedBy: demandOf(missing) }, title, suite);
}

/** Something that a suite needs of the machine and that is no server, e.g. to run as root. */
export interface TestCondition {
  /** In a few words, e.g. `root`. */
  readonly need: string;
  readonly isMet: boolean;
}

/** Like `describeWith`, for any other need. */
export function describeWhere(condition: TestCondition, title: string, suite: () => void): void {
  describeNeeding({ ...condition, demandedBy: serversDemanded() }, title, suite);
}

/** `demandedBy`: the variable that makes the unmet need a failure, when it is set. */
type Need = TestCondition & { readonly demandedBy: string | undefined };

function describeNeeding({ need, isMet, demandedBy }: Need, title: string, suite: () => void): void {
  const { describe, it } = jestGlobals();

  describe(title, () => {
    if (isMet) {
      suite();
      return;
    }
    const report = `needs ${need}`;
    if (demandedBy !== undefined) {
      it(report, () => {
        throw new Error(`${need} not found here, and ${demandedBy} is set`);
      });
      return;
    }
    it.skip(report, () => undefined);
  });
}

function serversDemanded(): string | undefined {
  return isSet('WAYBILL_TEST_REQUIRE_SERVERS') ? 'WAYBILL_TEST_REQUIRE_SERVERS' : undefined;
}

function demandOf(missing: readonly ServerName[]): string | undefined {
  if (missing.some((name) => !isGoProgram(name)) && serversDemanded() !== undefined) return serversDemanded();
  return missing.some(isDemandedOfGo) && isSet('WAYBILL_TEST_REQUIRE_GO') ? 'WAYBILL_TEST_REQUIRE_GO' : undefined;
}

function isDemandedOfGo(name: ServerName): boolean {
  if (!isGoProgram(name)) return false;
  const state = goProgramState(name);
  return 'missing' in state && !state.isExcused;
}

function isSet(variable: string): boolean {
  return process.env[variable] === '1';
}

function withReason(name: ServerName): string {
  if (!isGoProgram(name)) return name;
  const state = goProgramState(name);
  return 'missing' in state ? `${name} (${state.missing})` : name;
}

function search(name: ServerName): FoundServer | undefined {
  if (isGoProgram(name)) {
    const state = goProgramState(name);
    return 'missing' in state ? undefined : state;
  }
  const path = run('/bin/sh', ['-c', 'command -v "$0"', name])?.trim();
  if (path === undefined || path === '') return undefined;
  const version = /\d+\.\d+\.\d+[\w.+~-]*/.exec(run(path, ['--version']) ?? '')?.[0];
  return version === undefined ? undefined : { path, version };
}

function run(program: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
  return status === 0 ? stdout : undefined;
}
