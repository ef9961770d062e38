import { describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from '@waybill/oci-model';
import type { Topology } from '@waybill/topology';
import { estimate, type ItemContent, type TargetForecast } from './estimate.js';

const gigabyte = 1_000_000_000;
const [config, base, app] = ['config', 'base', 'app'].map((name) => digestOf(Buffer.from(name)));
if (config === undefined || base === undefined || app === undefined) throw new Error('three digests are wanted');

const [root, child] = ['root', 'child'].map((name) => digestOf(Buffer.from(name)));
if (root === undefined || child === undefined) throw new Error('two digests are wanted');

const content: ItemContent = {
  manifests: [
    { digest: root, size: 300 },
    { digest: child, size: 200 },
  ],
  blobs: [
    { digest: config, size: 5 },
    { digest: base, size: 3 * gigabyte },
    { digest: app, size: 40 },
  ],
  isWhole: true,
};
const topology: Topology = {
  name: 'example',
  locations: { eu: { egress: { us: 0.02 } }, us: { egress: {} }, asia: { egress: {} }, constructor: { egress: {} } },
  registries: {},
  paths: {},
  replications: [],
  retention: [],
};
const madeAt = new Date('2026-01-02T03:04:05Z');

interface Facts extends Partial<Omit<TargetForecast, 'seen'>> {
  /** What the target has; undefined when it does not say. */
  readonly has?: readonly Digest[] | undefined;
  readonly unknown?: readonly Digest[];
}

function forecast({ has, unknown = [], ...facts }: Facts): TargetForecast {
  const seen = has === undefined ? undefined : { present: new Set(has), unknown: new Set(unknown) };
  return { item: 0, registry: 'prod', location: 'eu', seen, unseen: undefined, mountable: false, ...facts };
}

function estimateOf(
  targets: readonly TargetForecast[],
  facts: { items?: (ItemContent | undefined)[]; location?: string | undefined } = {},
) {
  const { items = [content] } = facts;
  const location = 'location' in facts ? facts.location : 'eu';
  return estimate(topology, { location, items }, targets, madeAt);
}

const unknowing = { manifests: undefined, manifestBytes: undefined, blobs: undefined, bytes: undefined, requests: undefined };

describe('estimate', () => {
  it('is dated', () => {
    expect(estimateOf([])).toEqual({ madeAt: '2026-01-02T03:04:05.000Z', targets: [], links: [] });
  });

  it.each<[string, Facts, object]>([
    [
      'copies what is missing',
      { has: [base, child] },
      {
        manifests: { copy: 1, mount: 0, skip: 1, unknown: 0 },
        manifestBytes: { copy: 300, mount: 0, skip: 200, unknown: 0 },
        blobs: { copy: 2, mount: 0, skip: 1, unknown: 0 },
        bytes: { copy: 45, mount: 0, skip: 3 * gigabyte, unknown: 0 },
        requests: 1 + 3 * 2 + 2 + 3 + 3,
        unseen: undefined,
      },
    ],
    [
      'mounts blobs that are missing where both stand at one origin, and copies manifests all the same',
      { has: [base], mountable: true },
      {
        manifests: { copy: 2, mount: 0, skip: 0, unknown: 0 },
        manifestBytes: { copy: 500, mount: 0, skip: 0, unknown: 0 },
        blobs: { copy: 0, mount: 2, skip: 1, unknown: 0 },
        bytes: { copy: 0, mount: 45, skip: 3 * gigabyte, unknown: 0 },
        requests: 1 + 2 * 2 + 3 * 2 + 3,
        unseen: undefined,
      },
    ],
    [
      'skips what is there',
      { has: [config, base, app, root, child] },
      {
        manifests: { copy: 0, mount: 0, skip: 2, unknown: 0 },
        manifestBytes: { copy: 0, mount: 0, skip: 500, unknown: 0 },
        blobs: { copy: 0, mount: 0, skip: 3, unknown: 0 },
        bytes: { copy: 0, mount: 0, skip: 3 * gigabyte + 45, unknown: 0 },
        requests: 3 + 2 * 2 + 3,
        unseen: undefined,
      },
    ],
    [
      'counts apart what is not known, and takes it for missing when it counts requests',
      { has: [base], unknown: [config, root], unseen: 'deadline' },
      {
        manifests: { copy: 1, mount: 0, skip: 0, unknown: 1 },
        manifestBytes: { copy: 200, mount: 0, skip: 0, unknown: 300 },
        blobs: { copy: 1, mount: 0, skip: 1, unknown: 1 },
        bytes: { copy: 40, mount: 0, skip: 3 * gigabyte, unknown: 5 },
        requests: 1 + 3 * 2 + 3 * 2 + 3,
        unseen: 'deadline',
      },
    ],
    ['says nothing of a target that could not be asked, but why', { unseen: 'unreachable' }, { ...unknowing, unseen: 'unreachable' }],
    ['says nothing of an item that could not be read', { item: 9, has: [] }, { ...unknowing, unseen: 'source-unread' }],
  ])('%s', (_name, facts, numbers) => {
    const [target] = estimateOf([forecast(facts)]).targets;

    expect(target).toEqual({ item: facts.item ?? 0, registry: 'prod', ...numbers });
  });

  it('says that there is more than was read', () => {
    const [target] = estimateOf([forecast({ has: [] })], { items: [{ ...content, isWhole: false }] }).targets;

    expect(target).toMatchObject({ blobs: { copy: 3 }, unseen: 'too-many' });
  });

  it('counts a piece once per link, however many targets stand at its end, and prices it', () => {
    const targets = [
      forecast({ registry: 'us-1', location: 'us', has: [root] }),
      forecast({ registry: 'us-2', location: 'us', has: [app] }),
      forecast({ registry: 'asia-1', location: 'asia', has: [base, root, child] }),
    ];

    expect(estimateOf(targets).links).toEqual([
      {
        from: 'eu',
        to: 'us',
        bytes: 3 * gigabyte + 545,
        bytesUnknown: 0,
        requests: 3 * 3 + 2 + 3 + 3 + (1 + 2 * 3 + 2 * 3 + 3),
        cost: ((3 * gigabyte + 545) / gigabyte) * 0.02,
      },
      { from: 'eu', to: 'asia', bytes: 45, bytesUnknown: 0, requests: 1 + 2 * 3 + 2 * 2 + 3 },
    ]);
  });

  it('counts apart what may cross a link, unless a neighbour is known to want it', () => {
    const targets = [
      forecast({ registry: 'us-1', location: 'us', has: [base, root, child], unknown: [config, app] }),
      forecast({ registry: 'us-2', location: 'us', has: [base, root, child, config], unknown: [] }),
    ];

    expect(estimateOf(targets).links).toMatchObject([{ bytes: 40, bytesUnknown: 5 }]);
  });

  it('counts a blob of several items once per link', () => {
    const targets = [forecast({ location: 'us', has: [root, child] }), forecast({ location: 'us', item: 1, has: [] })];
    const other = { manifests: [], blobs: content.blobs.slice(1, 2), isWhole: true };

    expect(estimateOf(targets, { items: [content, other] }).links).toMatchObject([{ bytes: 3 * gigabyte + 45 }]);
  });

  const manifests = [root, child];
  it.each<[string, Facts, readonly object[]]>([
    ['lists no link within a location', { location: 'eu', has: [] }, []],
    ['lists no link of which nothing is known', { location: 'us' }, []],
    ['lists no link for an item that could not be read', { location: 'us', item: 9, has: [] }, []],
    [
      'lists a link that nothing will cross',
      { location: 'us', has: [config, base, app, ...manifests] },
      [{ from: 'eu', to: 'us', bytes: 0, cost: 0 }],
    ],
    [
      'lets mounted blobs cross nothing',
      { location: 'us', mountable: true, has: manifests },
      [{ from: 'eu', to: 'us', bytes: 0, cost: 0 }],
    ],
    [
      'takes no inherited property for a price',
      { location: 'constructor', has: [base, ...manifests] },
      [{ from: 'eu', to: 'constructor', bytes: 45 }],
    ],
  ])('%s', (_name, facts, links) => {
    expect(estimateOf([forecast(facts)]).links).toMatchObject(links);
  });

  it('prices only what has a price', () => {
    expect(estimateOf([forecast({ location: 'constructor', has: [] })]).links[0]).not.toHaveProperty('cost');
  });

  it.each([
    ['stands nowhere', undefined, []],
    ['stands where the topology knows no prices', 'nowhere', [{ from: 'nowhere', to: 'us', bytes: 3 * gigabyte + 45 }]],
  ])('of a source that %s', (_name, location, links) => {
    expect(estimateOf([forecast({ location: 'us', has: manifests })], { location }).links).toMatchObject(links);
  });
});
