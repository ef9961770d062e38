import { describe, expect, it } from '@jest/globals';
import { until } from '@waybill/testing';
import { WaybillApi } from '../api-client/waybill-api.js';
import { type Answer, problem, promotionId, scriptedApi } from '../scripted-api.spec-helper.js';
import { keepLocated } from './keep-located.js';

const running = [
  { name: 'prod', url: 'http://127.0.0.1:5001' },
  { name: 'prod-us', url: 'http://127.0.0.1:5002' },
];

interface Declared {
  readonly name: string;
  readonly url?: string;
  readonly local?: boolean;
}

function topologyOf(registries: readonly Declared[]): Answer {
  const revision = { number: 1, name: 'test', hash: 'ab', appliedBy: promotionId, appliedAt: '2026-05-01T10:00:00Z' };
  return {
    body: {
      revision,
      registries: registries.map((registry) => ({ role: 'prod', local: true, ...registry })),
      paths: [],
      replications: [],
      source: 'kind: Topology',
    },
  };
}

/** An API whose topology changes as it is asked, and a look at it until `isEnough`. */
async function lookAt(topologies: Answer[], isEnough: (asked: readonly string[]) => boolean) {
  const stop = new AbortController();
  const api = await scriptedApi({
    'GET /api/v1/topology': () => topologies.shift() ?? topologyOf([]),
    'PUT /api/v1/registries/prod/address': { status: 204 },
    'PUT /api/v1/registries/prod-us/address': problem({ status: 404, code: 'registry-unknown', title: 'it has left again' }),
  });
  const admin = new WaybillApi({ url: api.url, key: 'wb_admin', signal: stop.signal });
  const looking = keepLocated(admin, running, { signal: stop.signal, everyMs: 1 });
  await until('it was looked at', () => isEnough(api.asked.map(({ route }) => route)));
  stop.abort(new Error('the user is done'));
  await looking;
  return api.asked.filter(({ route }) => route.startsWith('PUT')).map(({ route, body }) => [route, body]);
}

const looks = (count: number) => (asked: readonly string[]) => asked.filter((route) => route === 'GET /api/v1/topology').length > count;

describe('a registry that came back to the topology', () => {
  it('is said to be where it listens still', async () => {
    const told = await lookAt([topologyOf([]), topologyOf([{ name: 'prod' }])], looks(2));

    expect(told).toEqual([['PUT /api/v1/registries/prod/address', { address: 'http://127.0.0.1:5001' }]]);
  });

  it('is left alone while its address is known, where it is not local any more, and where somebody else runs it', async () => {
    const known = topologyOf([{ name: 'prod', url: 'http://127.0.0.1:5001' }, { name: 'prod-us', local: false }, { name: 'archive' }]);

    expect(await lookAt([known], looks(1))).toEqual([]);
  });

  it('is told of again while the API is away, or when it has left meanwhile', async () => {
    const away = problem({ status: 503, code: 'unavailable', title: 'the database does not answer' });

    const told = await lookAt([away, topologyOf([{ name: 'prod-us' }]), topologyOf([{ name: 'prod' }])], looks(3));

    expect(told.map(([route]) => route)).toEqual(['PUT /api/v1/registries/prod-us/address', 'PUT /api/v1/registries/prod/address']);
  });
});
