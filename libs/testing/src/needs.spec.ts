import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeWith, findServer, type ServerName } from './needs.js';

const absent = 'a-server-that-nobody-has' as ServerName;

describe('a suite that needs a real server', () => {
  const globals = globalThis as unknown as Record<'describe' | 'it', unknown>;
  const real = { describe: globals.describe, it: globals.it };
  const required = process.env['WAYBILL_TEST_REQUIRE_SERVERS'];
  let registered: { readonly how: 'it' | 'skip'; readonly title: string; readonly test: () => unknown }[];

  beforeEach(() => {
    registered = [];
    globals.describe = (_title: string, suite: () => void) => {
      suite();
    };
    globals.it = Object.assign((title: string, test: () => unknown) => registered.push({ how: 'it', title, test }), {
      skip: (title: string, test: () => unknown) => registered.push({ how: 'skip', title, test }),
    });
  });
  afterEach(() => {
    Object.assign(globals, real);
    if (required === undefined) delete process.env['WAYBILL_TEST_REQUIRE_SERVERS'];
    else process.env['WAYBILL_TEST_REQUIRE_SERVERS'] = required;
  });

  it('reports what is missing by name where it may be missing', () => {
    delete process.env['WAYBILL_TEST_REQUIRE_SERVERS'];

    describeWith(absent, 'a suite', () => {
      throw new Error('must not be registered');
    });

    expect(registered).toMatchObject([{ how: 'skip', title: `needs ${absent}` }]);
  });

  it('fails where servers are required', () => {
    process.env['WAYBILL_TEST_REQUIRE_SERVERS'] = '1';

    describeWith([absent], 'a suite', () => {
      throw new Error('must not be registered');
    });

    expect(registered).toMatchObject([{ how: 'it', title: `needs ${absent}` }]);
    expect(registered[0]?.test).toThrow('WAYBILL_TEST_REQUIRE_SERVERS is set');
  });

  it('is registered where nothing is missing', () => {
    let suites = 0;

    describeWith([], 'a suite', () => {
      suites += 1;
    });

    expect(suites).toBe(1);
    expect(registered).toEqual([]);
  });

  it('finds no server that is not there', () => {
    expect(findServer(absent)).toBeUndefined();
  });
});
