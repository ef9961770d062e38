import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeWith, findServer, type ServerName } from './needs.js';

const absent = 'a-server-that-nobody-has' as ServerName;

describe('a suite that needs a real server', () => {
  const globals = globalThis as unknown as Record<'describe' | 'it', unknown>;
  const real = { describe: globals.describe, it: globals.it };
  const variables = ['WAYBILL_TEST_REQUIRE_SERVERS', 'WAYBILL_TEST_REQUIRE_GO', 'WAYBILL_TEST_GO_PROGRAMS'];
  const before = variables.map((name) => [name, process.env[name]] as const);
  let registered: { readonly how: 'it' | 'skip'; readonly title: string; readonly test: () => unknown }[];

  beforeEach(() => {
    registered = [];
    for (const [name] of before) Reflect.deleteProperty(process.env, name);
    globals.describe = (_title: string, suite: () => void) => {
      suite();
    };
    globals.it = Object.assign((title: string, test: () => unknown) => registered.push({ how: 'it', title, test }), {
      skip: (title: string, test: () => unknown) => registered.push({ how: 'skip', title, test }),
    });
  });
  afterEach(() => {
    Object.assign(globals, real);
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  it('reports what is missing by name where it may be missing', () => {
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

  describe('of programs in Go', () => {
    const unwanted = () => {
      throw new Error('must not be registered');
    };
    const tell = (programs: object) => {
      process.env['WAYBILL_TEST_GO_PROGRAMS'] = JSON.stringify(programs);
    };

    it('says why one is missing', () => {
      process.env['WAYBILL_TEST_REQUIRE_SERVERS'] = '1';
      tell({ crane: { missing: 'no Go on this machine', isExcused: false } });

      describeWith('crane', 'a suite', unwanted);
      describeWith('oras', 'a suite', unwanted);

      expect(registered).toMatchObject([
        { how: 'skip', title: 'needs crane (no Go on this machine)' },
        { how: 'skip', title: 'needs oras (only `npm run test:interop` builds it)' },
      ]);
    });

    it('fails where they are required, but for those that are excused', () => {
      process.env['WAYBILL_TEST_REQUIRE_GO'] = '1';
      tell({ crane: { missing: 'it did not compile', isExcused: false }, zot: { missing: 'refused', isExcused: true } });

      describeWith(['crane', 'zot'], 'a suite', unwanted);
      describeWith('zot', 'a suite', unwanted);

      expect(registered).toMatchObject([
        { how: 'it', title: 'needs crane (it did not compile) and zot (refused)' },
        { how: 'skip', title: 'needs zot (refused)' },
      ]);
      expect(registered[0]?.test).toThrow('WAYBILL_TEST_REQUIRE_GO is set');
    });

    it('finds them where it was told', () => {
      tell({ cosign: { path: '/somewhere/cosign', version: 'v3.1.3' } });

      expect(findServer('cosign')).toEqual({ path: '/somewhere/cosign', version: 'v3.1.3' });
    });
  });

  it('finds no server that is not there', () => {
    expect(findServer(absent)).toBeUndefined();
  });
});
