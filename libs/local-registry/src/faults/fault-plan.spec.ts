import { describe, expect, it } from '@jest/globals';
import { routeOf } from '../route.js';
import type { RequestFacts } from './fault.js';
import { FaultPlan, type PlannedFault } from './fault-plan.js';

const digest = `sha256:${'a'.repeat(64)}`;

function request(method: string, path: string): RequestFacts {
  const route = routeOf(path, method);
  if (route === undefined) throw new Error(`${path} is no route`);
  return { method, path, query: new URLSearchParams(), route };
}

/** The statuses that the plan gives to a request said again and again; 0 for none. */
function statuses(plan: FaultPlan, asked: RequestFacts, times: number): readonly number[] {
  return Array.from({ length: times }, () => plan.rule(asked)?.status ?? 0);
}

describe('a plan of faults', () => {
  it.each<[string, Omit<PlannedFault, 'fault'>, readonly number[]]>([
    ['the first', {}, [503, 0, 0, 0, 0]],
    ['the third', { nth: 3 }, [0, 0, 503, 0, 0]],
    ['the second and third', { nth: 2, times: 2 }, [0, 503, 503, 0, 0]],
    ['all', { times: 'always' }, [503, 503, 503, 503, 503]],
    ['all from the fourth on', { nth: 4, times: 'always' }, [0, 0, 0, 503, 503]],
  ])('hits %s of the requests that match', (_which, which, expected) => {
    const plan = new FaultPlan([{ ...which, fault: { status: 503 } }]);

    expect(statuses(plan, request('GET', '/v2/'), 5)).toEqual(expected);
  });

  it.each<[PlannedFault['match'], string, string, boolean]>([
    [{ kind: 'manifest' }, 'PUT', '/v2/app/manifests/1.0', true],
    [{ kind: 'manifest' }, 'PUT', `/v2/app/blobs/${digest}`, false],
    [{ method: 'PUT' }, 'PUT', '/v2/app/manifests/1.0', true],
    [{ method: 'PUT' }, 'GET', '/v2/app/manifests/1.0', false],
    [{ repository: 'team/app' }, 'GET', '/v2/team/app/tags/list', true],
    [{ repository: 'team/app' }, 'GET', '/v2/team/tags/list', false],
    [{ repository: 'team/app' }, 'GET', '/v2/_catalog', false],
    [{ reference: '1.0' }, 'GET', '/v2/app/manifests/1.0', true],
    [{ reference: '1.0' }, 'GET', '/v2/app/manifests/2.0', false],
    [{ reference: digest }, 'GET', `/v2/app/blobs/${digest}`, true],
    [{ reference: digest }, 'GET', `/v2/app/referrers/${digest}`, true],
    [{ reference: digest }, 'GET', '/v2/app/tags/list', false],
    [{ kind: 'blob', method: 'GET', repository: 'app' }, 'HEAD', `/v2/app/blobs/${digest}`, false],
  ])('by %j takes %s %s: %s', (match, method, path, isHit) => {
    const plan = new FaultPlan([{ match, fault: { status: 500 } }]);

    expect(plan.rule(request(method, path)) !== undefined).toBe(isHit);
  });

  it('counts a request for every rule that it matches, and the first rule decides', () => {
    const plan = new FaultPlan([
      { nth: 2, fault: { status: 501 } },
      { nth: 2, times: 2, fault: { status: 502 } },
    ]);

    expect(statuses(plan, request('GET', '/v2/'), 4)).toEqual([0, 501, 502, 0]);
  });

  it('is forgotten, with its counts, when another one takes its place', () => {
    const plan = new FaultPlan([{ nth: 2, fault: { status: 501 } }]);
    statuses(plan, request('GET', '/v2/'), 1);

    plan.replace([{ nth: 2, fault: { status: 502 } }]);
    expect(statuses(plan, request('GET', '/v2/'), 2)).toEqual([0, 502]);

    plan.replace([]);
    expect(statuses(plan, request('GET', '/v2/'), 2)).toEqual([0, 0]);
  });

  it.each<[string, unknown]>([
    ['no list', {}],
    ['a kind that is none', [{ match: { kind: 'layer' }, fault: { status: 500 } }]],
    ['a word that is none', [{ fault: { satus: 500 } }]],
    ['a status of success', [{ fault: { status: 200 } }]],
    ['a zeroth request', [{ nth: 0, fault: { status: 500 } }]],
    ['no fault', [{ match: {} }]],
  ])('refuses %s', (_what, faults) => {
    expect(() => new FaultPlan().replace(faults)).toThrow();
  });
});
