import { describe, expect, it } from '@jest/globals';
import type { ArtifactMatch } from '@waybill/topology';
import { daysAgo, deleteAll, manifest, outcome, planOf, policy, reservedTag, snapshot, tag } from '../scene.spec-helper.js';
import type { SnapshotManifest } from '../snapshot.js';

type Facts = Partial<SnapshotManifest>;

const index = 'application/vnd.oci.image.index.v1+json';
const sbom = 'application/vnd.example.sbom';
const bundle = (annotations: Readonly<Record<string, string>>) =>
  manifest('signature', { artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json', annotations }, { subject: 'app' });
const promotedToProd: Facts = { promotedTo: [{ registry: 'prod', at: daysAgo(50) }] };

/** What matches, and what does not: under the tag that is written, or under none. */
const table: readonly [string, ArtifactMatch, tag: string | undefined, facts: Facts, matches: boolean][] = [
  ['nothing written, tagged', {}, 'a', {}, true],
  ['nothing written, untagged', {}, undefined, {}, true],
  ['a glob', { tags: { glob: ['br-*', 'pr-?'] } }, 'pr-1', {}, true],
  ['a glob of others', { tags: { glob: ['br-*'] } }, 'pr-1', {}, false],
  ['a glob, untagged', { tags: { glob: ['*'] } }, undefined, {}, false],
  ['an expression', { tags: { regex: 'pr-[0-9]+' } }, 'pr-12', {}, true],
  ['an expression of a part of the tag', { tags: { regex: 'r-[0-9]' } }, 'pr-12', {}, false],
  ['a range', { tags: { semver: '>=1.2.0' } }, 'v1.2.3', {}, true],
  ['a range of others', { tags: { semver: '>=1.2.0' } }, '1.1.9', {}, false],
  ['a range, before a release', { tags: { semver: '>=1.2.0' } }, '1.3.0-rc.1', {}, false],
  ['a range, no version', { tags: { semver: '*' } }, 'latest', {}, false],
  ['tagged', { tagState: 'tagged' }, 'a', {}, true],
  ['tagged, untagged', { tagState: 'tagged' }, undefined, {}, false],
  ['untagged', { tagState: 'untagged' }, undefined, {}, true],
  ['untagged, tagged', { tagState: 'untagged' }, 'a', {}, false],
  ['any state', { tagState: 'any' }, undefined, {}, true],
  ['a media type', { mediaTypes: [index] }, 'a', { mediaType: index }, true],
  ['another media type', { mediaTypes: [index] }, 'a', {}, false],
  ['no media types', { mediaTypes: [] }, 'a', {}, true],
  ['an artifact type', { artifactTypes: [sbom] }, 'a', { artifactType: sbom }, true],
  ['no artifact type', { artifactTypes: [sbom] }, 'a', {}, false],
  ['a platform', { platforms: ['linux/arm64'] }, 'a', { platforms: ['linux/amd64', 'linux/arm64'] }, true],
  ['a platform of any variant', { platforms: ['linux/arm'] }, 'a', { platforms: ['linux/arm/v7'] }, true],
  ['another variant', { platforms: ['linux/arm/v6'] }, 'a', { platforms: ['linux/arm/v7'] }, false],
  ['a platform that begins alike', { platforms: ['linux/arm'] }, 'a', { platforms: ['linux/arm64'] }, false],
  ['platforms that nobody knows', { platforms: ['linux/arm'] }, 'a', { platforms: 'unknown' }, false],
  ['annotations', { annotations: { team: 'p*', tier: '1' } }, 'a', { annotations: { team: 'pay', tier: '1' } }, true],
  ['one annotation of two', { annotations: { team: 'p*', tier: '1' } }, 'a', { annotations: { team: 'pay' } }, false],
  ['an annotation that may have been too long', { annotations: { team: 'p*' } }, 'a', { lacksAnnotations: true }, false],
  ['an annotation beside too many', { annotations: { team: 'p*' } }, 'a', { annotations: { team: 'pay' }, lacksAnnotations: true }, true],
  ['an annotation that every object has', { annotations: { toString: '*' } }, 'a', {}, false],
  ['promoted', { promotedTo: 'any' }, 'a', promotedToProd, true],
  ['promoted there', { promotedTo: 'prod' }, 'a', promotedToProd, true],
  ['promoted elsewhere', { promotedTo: 'archive' }, 'a', promotedToProd, false],
  ['from somewhere', { source: 'any' }, 'a', { sources: ['ci-tests'] }, true],
  ['from there', { source: 'ci-tests' }, 'a', { sources: ['ci-tests'] }, true],
  ['from elsewhere', { source: 'archive' }, 'a', { sources: ['ci-tests'] }, false],
  ['of a repository', { repositories: ['team/*'] }, 'a', {}, true],
  ['of another repository', { repositories: ['other/*'] }, 'a', {}, false],
  ['all of two', { tagState: 'tagged', promotedTo: 'prod' }, 'a', promotedToProd, true],
  ['one of two', { tagState: 'tagged', promotedTo: 'prod' }, 'a', {}, false],
];

describe('a rule', () => {
  it.each(table)('is about %s', (...[, match, name, facts, matches]) => {
    const tags = name === undefined ? [] : [tag(name, 'app')];
    const plan = planOf([policy([{ ...deleteAll, match }])], snapshot({ manifests: [manifest('app', facts)], tags }));

    expect(outcome(plan, 'app')).toMatch(matches ? /^delete: removed-by-rule$/ : /^keep: /);
  });

  it('says that it would perhaps be about what it lacks the facts for', () => {
    const rule = { ...deleteAll, match: { tagState: 'untagged' as const, platforms: ['linux/arm'] } };
    const plan = planOf([policy([rule])], snapshot({ manifests: [manifest('app', { platforms: 'unknown' })] }));

    expect(outcome(plan, 'app')).toBe('keep: metadata-unknown, no-rule');
  });

  it.each([
    ['cosign’s tag', [tag(reservedTag('app', '.sig'), 'signature')], manifest('signature')],
    ['a type of its own', [], manifest('signature', { artifactType: 'application/vnd.cncf.notary.signature' }, { subject: 'app' })],
    ['a bundle of a message', [], bundle({ 'dev.sigstore.bundle.content': 'message-signature' })],
    ['a bundle of a signing statement', [], bundle({ 'dev.sigstore.bundle.predicateType': 'https://sigstore.dev/cosign/sign/v1' })],
  ])('knows a signature by %s', (_, tags, signature) => {
    const of = snapshot({ manifests: [manifest('app'), signature], tags: [tag('1', 'app'), ...tags] });
    const under = (signed: boolean) => planOf([policy([{ ...deleteAll, match: { signed } }])], of);

    expect(outcome(under(true), 'app')).toMatch(/^delete/);
    expect(outcome(under(false), 'app')).toMatch(/^keep/);
  });

  it.each([
    ['a bill of materials', manifest('sbom', { artifactType: sbom }, { subject: 'app' })],
    ['an attestation', bundle({ 'dev.sigstore.bundle.predicateType': 'https://slsa.dev/provenance/v1' })],
  ])('takes %s for no signature', (_, referrer) => {
    const of = snapshot({ manifests: [manifest('app'), referrer], tags: [tag('1', 'app')] });

    expect(outcome(planOf([policy([{ ...deleteAll, match: { signed: false } }])], of), 'app')).toMatch(/^delete/);
  });

  const untaggedUnder = (action: 'keep' | 'delete', facts: { referrersKnownOf: 'all' | 'tagged' }) => {
    const rules = [{ ...deleteAll, action, match: { signed: action === 'keep' } }, deleteAll];
    const { knowledge } = snapshot();
    return planOf(
      [policy(action === 'keep' ? rules : rules.slice(0, 1))],
      snapshot({ manifests: [manifest('app')], knowledge: { ...knowledge, ...facts } }),
    );
  };

  it('keeps what may be signed where the registry was not asked', () => {
    expect(outcome(untaggedUnder('delete', { referrersKnownOf: 'tagged' }), 'app')).toBe('keep: metadata-unknown, no-rule');
    expect(outcome(untaggedUnder('keep', { referrersKnownOf: 'tagged' }), 'app')).toMatch(/^keep: metadata-unknown/);
    expect(outcome(untaggedUnder('delete', { referrersKnownOf: 'all' }), 'app')).toMatch(/^delete/);
    expect(outcome(untaggedUnder('keep', { referrersKnownOf: 'all' }), 'app')).toMatch(/^delete/);
  });

  it('keeps what a bundle refers to that does not say what it holds', () => {
    const of = snapshot({ manifests: [manifest('app'), bundle({})], tags: [tag('1', 'app')] });
    const under = (signed: boolean) => planOf([policy([{ ...deleteAll, match: { signed } }])], of);

    expect(outcome(under(true), 'app')).toMatch(/^keep/);
    expect(outcome(under(false), 'app')).toMatch(/^keep/);
  });
});
