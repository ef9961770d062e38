import { describe, expect, it } from '@jest/globals';
import type { PromotionPath } from '@waybill/topology';
import type { Protections } from '../protections.js';
import {
  day,
  daysAgo,
  decisionOf,
  deleteAll,
  digest,
  manifest,
  now,
  outcome,
  planOf,
  policy,
  reservedTag,
  snapshot,
  tag,
  tagDecisionOf,
  unprotected,
} from '../scene.spec-helper.js';
import type { Reason } from '../reasons.js';
import type { RepositorySnapshot } from '../snapshot.js';

interface Case {
  readonly protections?: Partial<Protections>;
  readonly snapshot?: Partial<RepositorySnapshot>;
  readonly protect?: Partial<Parameters<typeof policy>[1] & object>['protect'];
}

const protect = policy([]).protect;
const knowing = (knowledge: Partial<RepositorySnapshot['knowledge']>): Case => ({
  snapshot: { knowledge: { ...snapshot().knowledge, ...knowledge } },
});
const pathOf = (tags: string, repositories = ['team/*']): PromotionPath => ({
  ...{ name: 'release', from: 'ci-snapshots', to: ['prod'], repositories, tags, target: '{repository}' },
});
const hold = { id: 'h1', reason: 'audit' };
const app = digest('app');
const appWith = (facts: Parameters<typeof manifest>[1]): Case => ({ snapshot: { manifests: [manifest('app', facts)] } });

/** Why a tag stays that a rule would remove, and its digest with it. */
const table: readonly [string, Case, Reason][] = [
  ['its digest is held', { protections: { holds: [{ ...hold, kind: 'digest', digest: app }] } }, { code: 'hold', id: 'h1' }],
  [
    'it is held',
    { protections: { holds: [{ ...hold, kind: 'tag', repository: 'team/app', tag: '1' }] } },
    { code: 'hold', id: 'h1', tag: '1' },
  ],
  [
    'its repository is held',
    { protections: { holds: [{ ...hold, kind: 'repository', repository: 'team/app' }] } },
    { code: 'hold', id: 'h1' },
  ],
  ['it runs', { protections: { inUse: { digests: new Map([[app, 'k8s']]), unknownScopes: [] } } }, { code: 'in-use', id: 'k8s' }],
  [
    'nobody knows what runs',
    { protections: { inUse: { digests: new Map(), unknownScopes: [{ reporter: 'k8s', repositories: ['team/*'] }] } } },
    { code: 'reporter-silent', id: 'k8s' },
  ],
  ['it is promoted', { protections: { runningPromotions: [{ id: 'p1', digests: [app] }] } }, { code: 'promotion-running', id: 'p1' }],
  [
    'it was promoted lately',
    { ...appWith({ promotedTo: [{ registry: 'prod', at: daysAgo(10) }] }), protect: { ...protect, promotedWithinMs: 30 * day } },
    { code: 'promoted-recently', policy: 'policy', id: 'prod' },
  ],
  ['it stands there by our own hand', { protections: { provenanceTargets: new Set([app]) } }, { code: 'provenance-target' }],
  ['it is immutable', { protections: { isImmutableTag: (name) => name === '1' } }, { code: 'immutable-tag' }],
  ['the policy says that it is immutable', { protect: { ...protect, immutable: ['1'] } }, { code: 'immutable-tag', policy: 'policy' }],
  ['a path names it', { protections: { paths: [pathOf('1|stable')] } }, { code: 'named-by-path', id: 'release' }],
  ['a path names it in a group', { protections: { paths: [pathOf('^(?:1|v1\\.0)$')] } }, { code: 'named-by-path', id: 'release' }],
  ['it is one of the last', { protect: { ...protect, minKeepPerRepository: 1 } }, { code: 'min-keep', policy: 'policy' }],
  ['it came after the crawl', appWith({ firstSeenAt: daysAgo(0.5) }), { code: 'younger-than-crawl' }],
  ['it came with the crawl', appWith({ firstSeenAt: daysAgo(1) }), { code: 'younger-than-crawl' }],
  ['it was seen nobody knows when', appWith({ firstSeenAt: Number.NaN }), { code: 'younger-than-crawl' }],
  [
    'it was moved there after the crawl',
    { snapshot: { tags: [tag('1', 'app', { seenSince: daysAgo(0.5) })] } },
    { code: 'younger-than-crawl' },
  ],
  ['nothing was crawled', knowing({ lastFullCrawlStartedAt: 'none' }), { code: 'not-fully-crawled' }],
  ['the crawl is yet to come', knowing({ lastFullCrawlStartedAt: now + 1 }), { code: 'not-fully-crawled' }],
  ['something was unreadable', knowing({ unreadableManifests: 1 }), { code: 'unreadable-in-repository' }],
  ['what was seen is suspect', knowing({ isSuspect: true }), { code: 'repository-suspect' }],
  ['it stands in a cache', { snapshot: { role: 'cache' } }, { code: 'role-keeps' }],
  [
    'its prod has it',
    {
      snapshot: {
        role: 'replica',
        replicaOf: 'prod',
        manifests: [manifest('app', { absences: [{ registry: 'prod', since: 'present' }] })],
      },
    },
    { code: 'present-at-prod' },
  ],
  ['its prod may have it', { snapshot: { role: 'replica', replicaOf: 'prod' } }, { code: 'absence-unknown' }],
  [
    'it refers to what is elsewhere',
    { snapshot: { manifests: [manifest('app', {}, { subject: 'elsewhere' })] } },
    { code: 'subject-absent' },
  ],
];

describe('a tag stays', () => {
  it.each(table)('because %s', (_, { protections, snapshot: facts, protect: protecting = protect }, reason) => {
    const of = snapshot({ manifests: [manifest('app')], tags: [tag('1', 'app')], ...facts });
    const plan = planOf([policy([deleteAll], { protect: protecting })], of, protections);

    expect(tagDecisionOf(plan, '1')).toMatchObject({ action: 'keep', reasons: expect.arrayContaining([reason]) });
    expect(decisionOf(plan, 'app').action).toBe('keep');
  });

  it.each([
    ['any number of tags', pathOf('[0-9]+')],
    ['whatever it is called', pathOf('.*')],
    ['other tags', pathOf('stable')],
    ['tags of other repositories', pathOf('1', ['other/**'])],
  ])('not because of a path for %s', (_, path) => {
    const plan = planOf([policy([deleteAll])], snapshot({ manifests: [manifest('app')], tags: [tag('1', 'app')] }), { paths: [path] });

    expect(tagDecisionOf(plan, '1').action).toBe('delete');
  });

  it('not because we brought it to a replica whose prod has given it up', () => {
    const absences = [{ registry: 'prod', since: daysAgo(40) }];
    const of = snapshot({ role: 'replica', replicaOf: 'prod', manifests: [manifest('app', { absences })], tags: [tag('1', 'app')] });
    const plan = planOf([policy([deleteAll])], of, { provenanceTargets: new Set([app]) });

    expect(tagDecisionOf(plan, '1').action).toBe('delete');
  });

  it('for all its reasons, in their order', () => {
    const plan = planOf(
      [policy([deleteAll], { protect: { ...protect, minKeepPerRepository: 1 } })],
      snapshot({ manifests: [manifest('app')], tags: [tag('1', 'app')] }),
      {
        holds: [
          { ...hold, kind: 'digest', digest: app },
          { id: 'h0', reason: 'law', kind: 'repository', repository: 'team/app' },
        ],
        provenanceTargets: new Set([app]),
        isImmutableTag: () => true,
      },
    );

    expect(tagDecisionOf(plan, '1').reasons).toEqual([
      { code: 'hold', id: 'h0' },
      { code: 'hold', id: 'h1' },
      { code: 'provenance-target' },
      { code: 'immutable-tag' },
      { code: 'min-keep', policy: 'policy' },
      { code: 'overruled', policy: 'policy', rule: 'everything' },
    ]);
  });

  it.each([
    ['want of knowledge alone', {}, true],
    ['a hold as well', { holds: [{ ...hold, kind: 'digest' as const, digest: app }] }, false],
  ])('and is said to be unknown or not: for %s', (_, protections, isUnknown) => {
    const of = snapshot({ manifests: [manifest('app', { firstSeenAt: daysAgo(0.5) })], tags: [tag('1', 'app')] });
    const plan = planOf([policy([deleteAll])], of, protections);

    expect([tagDecisionOf(plan, '1').isUnknown, decisionOf(plan, 'app').isUnknown]).toEqual([isUnknown, isUnknown]);
  });

  it('unless it only loses its place among the last', () => {
    const of = snapshot({
      manifests: [
        manifest('old', { pushedAt: daysAgo(90) }),
        manifest('new', { pushedAt: daysAgo(50) }),
        manifest('seen', { pushedAt: 'unknown', firstSeenAt: daysAgo(60) }),
      ],
      tags: ['old', 'new', 'seen'].map((name) => tag(name, name)),
    });
    const plan = planOf([policy([deleteAll], { protect: { ...protect, minKeepPerRepository: 2 } })], of);

    expect(plan.tags.map(({ tag: name, action }) => `${name} ${action}`)).toEqual(['new keep', 'old delete', 'seen keep']);
  });
});

describe('an index of what runs', () => {
  it('stays with all of it, for the next node will ask for it', () => {
    const plan = planOf(
      [policy([deleteAll])],
      snapshot({
        manifests: [manifest('index', {}, { children: ['amd64', 'arm64'] }), manifest('amd64'), manifest('arm64')],
        tags: [tag('1', 'index')],
      }),
      { inUse: { digests: new Map([[digest('arm64'), 'k8s']]), unknownScopes: [] } },
    );

    expect(decisionOf(plan, 'index').reasons).toContainEqual({ code: 'in-use', digest: digest('arm64') });
    expect(outcome(plan, 'amd64')).toBe('keep: child-of');
  });
});

describe('a referrer', () => {
  it('keeps what it refers to while somebody holds it', () => {
    const plan = planOf(
      [policy([deleteAll])],
      snapshot({
        manifests: [manifest('app'), manifest('signature')],
        tags: [tag('1', 'app'), tag(reservedTag('app', '.sig'), 'signature')],
      }),
      { holds: [{ ...hold, kind: 'digest', digest: digest('signature') }] },
    );

    expect(decisionOf(plan, 'app').reasons).toContainEqual({ code: 'subject-of', digest: digest('signature') });
  });

  it('follows a subject of which its tag holds half of the digest', () => {
    const long = `sha512:${'ab'.repeat(64)}`;
    const subject = { ...manifest('app'), digest: long };
    const of = snapshot({
      manifests: [subject, manifest('list')],
      tags: [{ ...tag('1', 'app'), digest: long }, tag(`sha512-${'ab'.repeat(32)}`, 'list')],
    });

    expect(planOf([policy([deleteAll])], of).manifests.map(({ action }) => action)).toEqual(['delete', 'delete']);
    expect(planOf([policy([])], of, unprotected).manifests.map(({ action }) => action)).toEqual(['keep', 'keep']);
  });
});
