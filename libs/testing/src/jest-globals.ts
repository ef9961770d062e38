import type * as jest from '@jest/globals';

/** What the suites of this library use of Jest. */
export type JestGlobals = Pick<typeof jest, 'afterAll' | 'afterEach' | 'beforeAll' | 'beforeEach' | 'describe' | 'expect' | 'it'>;

/**
 * Jest's globals, taken when a suite is registered. `@jest/globals` itself throws when it is
 * imported outside Jest, and the server helpers of this library also serve benchmarks.
 */
export function jestGlobals(): JestGlobals {
  return globalThis as unknown as JestGlobals;
}
