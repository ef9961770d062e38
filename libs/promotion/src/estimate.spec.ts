import { describe, expect, it } from '@jest/globals';
import { digestOf } from '@waybill/oci-model';
import type { Topology } from '@waybill/topology';
import { estimate, type ItemContent, type TargetForecast } from './estimate.js';

const gigabyte = 1_000_000_000;
const [config, base, app] = ['config', 'base', 'app'].map((name) => digestOf(Buffer.from(name)));
if (config === undefined || base === undefined || app === undefined) throw new Error('three digests are wanted');

const content: ItemContent = {
  manifests: 2,
  blobs: [
    { digest: config, size: 5 },
    { digest: base, size: 3 * gigabyte },
    { digest: app, size: 40 },
  ],
};
const topology: Topology = {
  name: 'example',
  locations: { eu: { egress: { us: 0.02 } }, us: { egress: {} }, asia: { egress: {} }, constructor: { egress: {} } },
  registries: {},
  paths: {},
  replications: [],
};
const madeAt = new Date('2026-01-02T03:04:05Z');

function forecast(facts: Partial<TargetForecast> = {}): TargetForecast {
  return { item: 0, registry: 'prod', location: 'eu', present: new Set(), mountable: false, ...facts };
}

function estimateOf(targets: readonly TargetForecast[], facts: { items?: ItemContent[]; location?: string | undefined } = {}) {
  const { items = [content] } = facts;
  const location = 'location' in facts ? facts.location : 'eu';
  return estimate(topology, { location, items }, targets, madeAt);
}

describe('estimate', () => {
  it('is dated', () => {
    expect(estimateOf([])).toEqual({ madeAt: '2026-01-02T03:04:05.000Z', targets: [], links: [] });
  });

  it.each<[string, Partial<TargetForecast>, object]>([
    [
      'copies what is missing',
      { present: new Set([base]) },
      { blobs: { copy: 2, mount: 0, skip: 1 }, bytes: { copy: 45, mount: 0, skip: 3 * gigabyte }, requests: 16 },
    ],
    [
      'mounts what is missing where both stand at one origin',
      { present: new Set([base]), mountable: true },
      { blobs: { copy: 0, mount: 2, skip: 1 }, bytes: { copy: 0, mount: 45, skip: 3 * gigabyte }, requests: 14 },
    ],
    [
      'skips what is there',
      { present: new Set([config, base, app]) },
      { blobs: { copy: 0, mount: 0, skip: 3 }, bytes: { copy: 0, mount: 0, skip: 3 * gigabyte + 45 }, requests: 12 },
    ],
    [
      'says nothing of a target that could not be asked',
      { present: undefined },
      { blobs: undefined, bytes: undefined, requests: undefined },
    ],
    ['says nothing of an item that is not known', { item: 9 }, { blobs: undefined, bytes: undefined, requests: undefined }],
  ])('%s', (_name, facts, numbers) => {
    const [target] = estimateOf([forecast(facts)]).targets;

    expect(target).toEqual({ item: facts.item ?? 0, registry: 'prod', ...numbers });
  });

  it('counts a blob once per link, however many targets stand at its end, and prices it', () => {
    const targets = [
      forecast({ registry: 'us-1', location: 'us' }),
      forecast({ registry: 'us-2', location: 'us', present: new Set([app]) }),
      forecast({ registry: 'asia-1', location: 'asia', present: new Set([base]) }),
    ];

    expect(estimateOf(targets).links).toEqual([
      { from: 'eu', to: 'us', bytes: 3 * gigabyte + 45, cost: ((3 * gigabyte + 45) / gigabyte) * 0.02 },
      { from: 'eu', to: 'asia', bytes: 45 },
    ]);
  });

  it('counts a blob of several items once per link', () => {
    const targets = [forecast({ location: 'us' }), forecast({ location: 'us', item: 1 })];

    expect(estimateOf(targets, { items: [content, { manifests: 1, blobs: content.blobs.slice(1, 2) }] }).links).toMatchObject([
      { bytes: 3 * gigabyte + 45 },
    ]);
  });

  it.each<[string, Partial<TargetForecast>, readonly object[]]>([
    ['lists no link within a location', { location: 'eu' }, []],
    ['lists no link of which nothing is known', { location: 'us', present: undefined }, []],
    [
      'lists a link that nothing will cross',
      { location: 'us', present: new Set([config, base, app]) },
      [{ from: 'eu', to: 'us', bytes: 0, cost: 0 }],
    ],
    ['lets mounted blobs cross nothing', { location: 'us', mountable: true }, [{ from: 'eu', to: 'us', bytes: 0, cost: 0 }]],
    ['counts nothing for an item that is not known', { location: 'us', item: 9 }, [{ from: 'eu', to: 'us', bytes: 0, cost: 0 }]],
    [
      'takes no inherited property for a price',
      { location: 'constructor', present: new Set([base]) },
      [{ from: 'eu', to: 'constructor', bytes: 45 }],
    ],
  ])('%s', (_name, facts, links) => {
    expect(estimateOf([forecast(facts)]).links).toEqual(links);
  });

  it.each([
    ['stands nowhere', undefined, []],
    ['stands where the topology knows no prices', 'nowhere', [{ from: 'nowhere', to: 'us', bytes: 3 * gigabyte + 45 }]],
  ])('of a source that %s', (_name, location, links) => {
    expect(estimateOf([forecast({ location: 'us' })], { location }).links).toEqual(links);
  });
});
