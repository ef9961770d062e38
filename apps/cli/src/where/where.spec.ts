import { describe, expect, it } from '@jest/globals';
import type { Artifact } from '@waybill/contracts/http';
import { digest, problem, promotionId, scriptedApi, waybill } from '../scripted-api.spec-helper.js';

type Registry = Artifact['registries'][number];
type Place = Registry['repositories'][number];

const find = `GET /api/v1/artifacts/${encodeURIComponent(digest)}`;
const resolve = 'GET /api/v1/artifacts';
const other = `sha256:${'cd'.repeat(32)}` as typeof digest;
const tag = '1.4.0' as Place['tags'][number]['tag'];

function place(facts: Partial<Place> = {}): Place {
  return {
    repository: 'team-a/app',
    state: 'present',
    record: 'placement',
    since: '2026-05-01T10:00:00Z',
    promotionId,
    tags: [],
    ...facts,
  };
}

function registry(name: string, facts: Partial<Registry> = {}): Registry {
  return { registry: name, role: 'prod', location: 'eu', state: 'present', repositories: [place()], ...facts };
}

function artifact(registries: readonly Registry[], facts: Partial<Artifact> = {}): Artifact {
  return {
    digest,
    lookedAt: '2026-05-01T10:00:00Z',
    mediaType: 'application/vnd.oci.image.index.v1+json',
    size: 2048,
    platforms: [
      { digest, os: 'linux', architecture: 'amd64' },
      { digest: other, os: 'linux', architecture: 'arm', variant: 'v7' },
    ],
    children: [{ digest: other, mediaType: 'application/vnd.oci.image.manifest.v1+json', size: 1 }],
    parents: [],
    referrers: [],
    registries: [...registries],
    ...facts,
  };
}

const absent = (name: string) => registry(name, { state: 'absent', repositories: [place({ state: 'absent', record: 'none' })] });
const blind = (name: string, reason: NonNullable<Registry['reason']>) =>
  registry(name, {
    state: 'unknown',
    reason,
    repositories: [place({ state: 'unknown', reason, detail: `${name} says nothing`, record: 'none' })],
  });
const blank = (name: string) => registry(name, { state: 'unknown', reason: 'no-repository', repositories: [] });

describe('waybill where', () => {
  it('shows a row per registry and repository, and what kept it from looking', async () => {
    const tags = [
      { tag, recorded: digest, state: 'names-it' },
      { tag: 'latest' as typeof tag, recorded: digest, state: 'moved', names: other },
    ] satisfies Place['tags'];
    const registries = [
      registry('prod', { repositories: [place({ tags })] }),
      absent('archive'),
      blind('prod-us', 'deadline'),
      blank('ci'),
    ];
    const api = await scriptedApi({ [find]: { body: artifact(registries) } });

    const { status, stdout } = await waybill(['where', digest], { api: api.url });

    expect(status).toBe(0);
    expect(stdout).toContain('application/vnd.oci.image.index.v1+json, 2.0 KiB\nplatforms: linux/amd64, linux/arm/v7\n');
    expect(stdout).toContain('made of 1, part of 0, referred to by 0');
    expect(stdout).toMatch(
      new RegExp(`^prod +team-a/app +present +1\\.4\\.0, latest \\(moved\\) +2026-05-01T10:00:00Z +${promotionId}$`, 'm'),
    );
    expect(stdout).toMatch(/^archive +team-a\/app +absent +/m);
    expect(stdout).toMatch(/^prod-us +team-a\/app +unknown \(deadline\) +/m);
    expect(stdout).toMatch(/^ci +– +unknown \(no-repository\)$/m);
    expect(stdout).toContain('prod-us: prod-us says nothing\n');
  });

  it('says what deleted it', async () => {
    const deletion = { at: '2026-05-02T10:00:00Z', runId: promotionId, policy: 'old-builds', approvalId: promotionId };
    const gone = registry('ci', { state: 'absent', repositories: [place({ state: 'absent', deletion })] });
    const api = await scriptedApi({ [find]: { body: artifact([gone]) } });

    const { stdout } = await waybill(['where', digest], { api: api.url });

    expect(stdout).toMatch(new RegExp(`^ci +team-a/app +absent +2026-05-02T10:00:00Z +deleted by old-builds, run ${promotionId}$`, 'm'));
  });

  it('gives programs the whole of it', async () => {
    const api = await scriptedApi({ [find]: { body: artifact([registry('prod')]) } });

    const { stdout } = await waybill(['where', digest, '--json'], { api: api.url });

    expect(JSON.parse(stdout)).toEqual(artifact([registry('prod')]));
  });

  it('resolves a reference first, and looks in its repository everywhere', async () => {
    const resolved = { registry: 'ci', repository: 'team-a/app', tag, digest, mediaType: 'application/json', size: 2 };
    const api = await scriptedApi({ [resolve]: { body: resolved }, [find]: { body: artifact([registry('prod')]) } });

    await waybill(['where', 'ci/team-a/app:1.4.0'], { api: api.url });
    await waybill(['where', 'ci/team-a/app:1.4.0', '--repository', 'team-b/app'], { api: api.url });

    expect(api.asked[0]?.query.get('reference')).toBe('ci/team-a/app:1.4.0');
    expect(api.asked[1]?.query.get('repository')).toBe('team-a/app');
    expect(api.asked[3]?.query.get('repository')).toBe('team-b/app');
  });

  it('asks nobody what a reference by digest names', async () => {
    const api = await scriptedApi({ [find]: { body: artifact([registry('prod')]) } });

    await waybill(['where', `ci/team-a/app@${digest}`], { api: api.url });

    expect(api.asked.map(({ route, query }) => [route, query.get('repository')])).toEqual([[find, 'team-a/app']]);
  });

  it.each<[string, Registry[], number]>([
    ['is in one registry, though another is silent', [registry('prod'), blind('prod-us', 'unreachable')], 0],
    ['is nowhere', [absent('prod'), absent('prod-us')], 1],
    ['is on no record, so that nobody knew where to look', [blank('prod'), blank('prod-us')], 5],
    ['is absent where somebody knew where to look', [absent('prod'), blank('prod-us')], 1],
    ['is nowhere but perhaps in a cache', [absent('prod'), registry('cache', { ...blank('cache'), reason: 'pull-through' })], 1],
    ['was not found, and one registry is silent', [absent('prod'), blind('prod-us', 'unauthorized')], 5],
  ])('says by its exit status that it %s', async (_what, registries, expected) => {
    const api = await scriptedApi({ [find]: { body: artifact(registries) } });

    expect((await waybill(['where', digest], { api: api.url })).status).toBe(expected);
  });

  it('counts nothing of what nobody knows', async () => {
    const { mediaType: _, size: __, platforms: ___, ...unknown } = artifact([blank('prod')], { children: [] });
    const api = await scriptedApi({ [find]: { body: unknown } });

    const { stdout } = await waybill(['where', digest], { api: api.url });

    expect(stdout).toContain('nothing is on record of it, and no registry showed it\n');
    expect(stdout).not.toContain('made of');
  });

  it('puts pages together', async () => {
    const one = (repository: string, facts: Partial<Place> = {}) => place({ repository, ...facts });
    const pages = [
      artifact([registry('prod', { state: 'absent', repositories: [one('a', { state: 'absent' })] }), blank('prod-us')], { next: 'more' }),
      artifact([registry('prod', { repositories: [one('b')] })], { next: 'last' }),
      artifact([blind('prod-us', 'deadline'), registry('new')]),
    ];
    const api = await scriptedApi({ [find]: () => ({ body: pages.shift() }) });

    const { status, stdout } = await waybill(['where', digest, '--json'], { api: api.url });

    const whole = JSON.parse(stdout) as Artifact;
    expect(status).toBe(0);
    expect(whole).not.toHaveProperty('next');
    expect(whole.registries.map((found) => [found.registry, found.state, found.reason, found.repositories.length])).toEqual([
      ['prod', 'present', undefined, 2],
      ['prod-us', 'unknown', 'deadline', 1],
      ['new', 'present', undefined, 1],
    ]);
    expect(api.asked.map(({ query }) => [query.get('limit'), query.get('cursor')])).toEqual([
      ['50', null],
      ['50', 'more'],
      ['50', 'last'],
    ]);
  });

  it('says what is wrong with a reference', async () => {
    const unknown = { status: 404, code: 'tag-unknown', title: 'No such tag', detail: 'ci/team-a/app has no tag 1.4.1', near: ['1.4.0'] };
    const api = await scriptedApi({ [resolve]: problem(unknown) });

    expect(await waybill(['where', 'ci/team-a/app:1.4.1'], { api: api.url })).toMatchObject({
      status: 1,
      stderr: 'waybill: ci/team-a/app has no tag 1.4.1\n  did you mean 1.4.0?\n',
    });
    expect((await waybill(['where', 'nothing'], { api: api.url })).stderr).toContain('is not a reference');
  });
});
