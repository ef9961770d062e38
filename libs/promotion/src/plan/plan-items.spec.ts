import { describe, expect, it } from '@jest/globals';
import type { Topology } from '@waybill/topology';
import { digestOf } from '@waybill/oci-model';
import { PromotionError } from '../promotion-error.js';
import { planItems, type RequestedItem } from './plan-items.js';
import { requested, topologyWith } from './plan-fixtures.spec-helper.js';

const digest = digestOf(Buffer.from('image'));
const reserved = digest.replace(':', '-');
const plan = (items: readonly RequestedItem[], topology: Topology = topologyWith()) => planItems(topology, 'release', items);

function refusalOf(...items: readonly RequestedItem[]): unknown {
  try {
    plan(items);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('planItems', () => {
  it('brings the source tag to the target and to the replica that follows it', () => {
    const [item] = plan([requested('ci-snapshots/team-a/app:1.0.0')]);

    expect(item).toEqual({
      reference: '1.0.0',
      source: { registry: 'ci-snapshots', repository: 'team-a/app', tag: '1.0.0' },
      tags: ['1.0.0'],
      targets: [
        { registry: 'prod', location: 'eu', repository: 'team-a/app', requirement: 'required' },
        { registry: 'prod-us', location: 'us', repository: 'team-a/app', requirement: 'best-effort', follows: 'prod' },
      ],
    });
  });

  it('brings replicas in only where their replication carries the target repository', () => {
    const [item] = plan([requested('ci-snapshots/team-b/app:1.0.0')]);

    expect(item?.targets.map(({ registry }) => registry)).toEqual(['prod']);
  });

  it('asks the replication for the repository at the target, not at the source', () => {
    const [item] = plan([requested('ci-snapshots/team-b/app:1.0.0')], topologyWith({ target: 'team-a/{name}' }));

    expect(item?.targets.map(({ registry, repository }) => `${registry}/${repository}`)).toEqual(['prod/team-a/app', 'prod-us/team-a/app']);
  });

  it('puts the replicas of each target right after it', () => {
    const [item] = plan([requested('ci-snapshots/team-a/app:1.0.0')], topologyWith({ to: ['prod', 'staging'] }));

    expect(item?.targets.map(({ registry, requirement }) => [registry, requirement])).toEqual([
      ['prod', 'required'],
      ['prod-us', 'best-effort'],
      ['staging', 'required'],
    ]);
  });

  it.each([
    ['{repository}', 'team-a/sub/app'],
    ['released/{name}', 'released/app'],
    ['{namespace}/x-{name}', 'team-a/sub/x-app'],
    ['{registry}/{repository}', 'ci-snapshots/team-a/sub/app'],
  ])('names the target repository by the template %s', (target, repository) => {
    const [item] = plan([requested('ci-snapshots/team-a/sub/app:1.0.0')], topologyWith({ target }));

    expect(item?.targets[0]?.repository).toBe(repository);
  });

  it('writes the tags that were asked for, each once, instead of the source tag', () => {
    const [item] = plan([requested('ci-snapshots/team-a/app:1.0.0', ['2.0.0', '2.0.1', '2.0.0'])]);

    expect(item).toMatchObject({ reference: '1.0.0', tags: ['2.0.0', '2.0.1'], source: { tag: '1.0.0' } });
  });

  it('reads a digest where one was given, whatever tag stands beside it', () => {
    const [byDigest, byBoth] = plan([
      requested(`ci-snapshots/team-a/app@${digest}`, ['1.0.0']),
      requested(`ci-snapshots/team-a/app:1.0.1@${digest}`),
    ]);

    expect(byDigest).toMatchObject({ reference: digest, tags: ['1.0.0'], source: { digest } });
    expect(byDigest?.source).not.toHaveProperty('tag');
    expect(byBoth).toMatchObject({ reference: digest, tags: ['1.0.1'], source: { tag: '1.0.1', digest } });
  });

  it.each<[string, string, readonly RequestedItem[], string]>([
    ['source-mismatch', '/items/0/source', [requested('prod/team-a/app:1.0.0')], 'leads from ci-snapshots, not from prod'],
    ['tag-missing', '/items/0/tags', [requested(`ci-snapshots/team-a/app@${digest}`)], 'name at least one in "tags"'],
    ['tag-missing', '/items/0/tags', [requested('ci-snapshots/team-a/app:1.0.0', [])], 'name at least one in "tags"'],
    ['tag-missing', '/items/0/source', [requested('ci-snapshots/team-a/app', ['1.0.0'])], 'by a tag or a digest'],
    ['tag-reserved', '/items/0/source', [requested(`ci-snapshots/team-a/app:${reserved}`)], 'referrers and signatures'],
    ['tag-reserved', '/items/0/tags', [requested('ci-snapshots/team-a/app:1.0.0', [`${reserved}.sig`])], 'referrers and signatures'],
    ['not-admitted', '/items/0/source', [requested('ci-snapshots/other/app:1.0.0')], 'does not carry repository "other/app"'],
    ['not-admitted', '/items/0/source', [requested('ci-snapshots/team-a/app:main')], 'does not carry tag "main"'],
    ['not-admitted', '/items/0/source', [requested('ci-snapshots/team-a/app:main', ['1.0.0'])], 'does not carry tag "main"'],
    ['not-admitted', '/items/0/tags', [requested('ci-snapshots/team-a/app:1.0.0', ['1.0.1', 'main'])], 'does not carry tag "main"'],
    [
      'duplicate-target',
      '/items/1',
      [requested('ci-snapshots/team-a/app:1.0.0'), requested('ci-snapshots/team-a/app:1.0.1', ['1.0.0'])],
      'items 0 and 1 would both write prod/team-a/app:1.0.0',
    ],
    [
      'not-admitted',
      '/items/1/source',
      [requested('ci-snapshots/team-a/app:1.0.0'), requested('ci-snapshots/team-a/app:main')],
      'does not carry tag "main"',
    ],
  ])('refuses with %s at %s', (code, pointer, items, words) => {
    const error = refusalOf(...items);

    expect(error).toBeInstanceOf(PromotionError);
    expect(error).toMatchObject({ code, retryable: false, details: { pointer } });
    expect((error as PromotionError).message).toContain(words);
  });

  it('lets two items write different tags of one repository', () => {
    expect(plan([requested('ci-snapshots/team-a/app:1.0.0'), requested('ci-snapshots/team-a/app:1.0.1')])).toHaveLength(2);
  });

  it('refuses items of different repositories that meet at one target', () => {
    const topology = topologyWith({ target: 'released/{name}' });
    const items = [requested('ci-snapshots/team-a/app:1.0.0'), requested('ci-snapshots/team-b/app:1.0.0')];

    expect(() => plan(items, topology)).toThrow('would both write prod/released/app:1.0.0');
  });

  it('names near words of an unknown path or registry', () => {
    const item = requested('ci-snapshot/team-a/app:1.0.0');

    expect(() => plan([item])).toThrow(expect.objectContaining({ code: 'registry-unknown', details: { near: ['ci-snapshots'] } }));
    expect(() => planItems(topologyWith(), 'relaese', [item])).toThrow(
      expect.objectContaining({ code: 'path-unknown', details: { near: ['release'] } }),
    );
  });
});
