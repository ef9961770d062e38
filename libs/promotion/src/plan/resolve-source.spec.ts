import { describe, expect, it } from '@jest/globals';
import type { RepositoryName } from '@waybill/oci-model';
import { contentError, FakeReader, type FakeRepository, imageOf, requested, topologyWith } from './plan-fixtures.spec-helper.js';
import { planItems, type PlannedItem } from './plan-items.js';
import { resolveSource } from './resolve-source.js';

const image = imageOf('layer');
const missing = imageOf('never pushed');
const signal = new AbortController().signal;
const here = 'ci-snapshots/team-a/app';

function itemFor(reference: string): PlannedItem {
  const [item] = planItems(topologyWith(), 'release', [requested(reference, ['1.0.0'])]);
  if (item === undefined) throw new Error('nothing was planned');
  return item;
}

function resolve(reference: string, held: Readonly<Record<string, FakeRepository>>, catalogue?: AsyncIterable<RepositoryName>) {
  return resolveSource(new FakeReader(held, catalogue === undefined ? {} : { catalogue }), itemFor(reference), {
    signal,
    mayName: (name) => !name.startsWith('team-s/'),
  });
}

async function* namesOf(names: Iterable<string>, failure?: Error): AsyncIterable<RepositoryName> {
  yield* await Promise.resolve(names as Iterable<RepositoryName>);
  if (failure !== undefined) throw failure;
}

function* manyNames(): Iterable<string> {
  for (let number = 0; ; number += 1) yield `other/app-${number}`;
}

describe('resolveSource', () => {
  it.each([
    ['the tag', `${here}:1.0.0`],
    ['the digest', `${here}@${image.digest}`],
  ])('reads the manifest that %s names', async (_name, reference) => {
    expect(await resolve(reference, { [here]: { tags: { '1.0.0': image } } })).toBe(image);
  });

  it('reads the digest where a tag beside it names another', async () => {
    const held = { [here]: { tags: { '1.0.0': missing }, manifests: [image] } };

    expect(await resolve(`${here}:1.0.0@${image.digest}`, held)).toBe(image);
  });

  it('names near tags of an unknown one', async () => {
    const held = { [here]: { tags: { '1.0.1': image, '7.7.7': image } } };

    await expect(resolve(`${here}:1.0.0`, held)).rejects.toMatchObject({
      code: 'tag-unknown',
      message: 'ci-snapshots/team-a/app has no tag 1.0.0',
      details: { near: ['1.0.1'] },
    });
  });

  it('says that a digest is unknown', async () => {
    await expect(resolve(`${here}@${missing.digest}`, { [here]: { tags: { '1.0.0': image } } })).rejects.toMatchObject({
      code: 'digest-unknown',
      details: { near: [] },
    });
  });

  it('names near repositories of an unknown one', async () => {
    await expect(resolve(`${here}:1.0.0`, { 'ci-snapshots/team-a/app2': {} })).rejects.toMatchObject({
      code: 'repository-unknown',
      message: 'ci-snapshots has no repository team-a/app',
      details: { near: ['team-a/app2'] },
    });
  });

  it('proposes no repository that whoever asks may not hear of', async () => {
    const resolving = resolve(`${here}:1.0.0`, {}, namesOf(['team-s/app', 'team-b/app']));

    await expect(resolving).rejects.toMatchObject({ code: 'repository-unknown', details: { near: ['team-b/app'] } });
  });

  it('believes a registry that knows no such repository, even where the catalogue cannot be had', async () => {
    await expect(resolve(`${here}:1.0.0`, {}, namesOf([], contentError('unsupported')))).rejects.toMatchObject({
      code: 'repository-unknown',
      details: { near: [] },
    });
  });

  it('believes the catalogue where the registry gives an empty list of tags for anything', async () => {
    await expect(resolve(`${here}:1.0.0`, { [here]: {} }, namesOf(['team-a/api']))).rejects.toMatchObject({
      code: 'repository-unknown',
      details: { near: ['team-a/api'] },
    });
  });

  it.each([
    ['is in the catalogue', namesOf(['team-a/app'])],
    ['may stand beyond the names that were read', namesOf(manyNames())],
    ['may stand in a catalogue that cannot be had', namesOf([], contentError('denied'))],
  ])('does not deny a repository without tags that %s', async (_name, catalogue) => {
    await expect(resolve(`${here}:1.0.0`, { [here]: {} }, catalogue)).rejects.toMatchObject({ code: 'tag-unknown' });
  });

  it('denies no repository whose tags could not be listed', async () => {
    const held = { [here]: { fails: { listTags: contentError('timeout') } } };

    await expect(resolve(`${here}:1.0.0`, held, namesOf([]))).rejects.toMatchObject({ code: 'tag-unknown', details: { near: [] } });
  });

  it.each([
    ['unreachable', { retryable: true }, 10_000],
    ['rate-limited', { retryable: true, retryAfterMs: 70_000 }, 70_000],
    ['aborted', {}, 10_000],
  ] as const)('calls a source that answers %s unreachable, to be asked again', async (code, facts, retryAfterMs) => {
    const cause = contentError(code, facts);

    await expect(resolve(`${here}:1.0.0`, { [here]: { fails: { readManifest: cause } } })).rejects.toMatchObject({
      code: 'source-unreachable',
      retryable: true,
      retryAfterMs,
      cause,
    });
  });

  it.each(['unauthorized', 'denied'] as const)('says that the source refuses us when it answers %s', async (code) => {
    await expect(resolve(`${here}:1.0.0`, { [here]: { fails: { readManifest: contentError(code) } } })).rejects.toMatchObject({
      code: 'source-refused',
      retryable: false,
    });
  });

  it.each(['manifest-invalid', 'digest-mismatch', 'protocol'] as const)('lets %s through as it is', async (code) => {
    const broken = contentError(code);

    await expect(resolve(`${here}:1.0.0`, { [here]: { fails: { readManifest: broken } } })).rejects.toBe(broken);
  });

  it.each(['readManifest', 'listTags'] as const)('hides no defect behind %s', async (method) => {
    const defect = new TypeError('undefined is not a function');

    await expect(resolve(`${here}:1.0.0`, { [here]: { fails: { [method]: defect } } })).rejects.toBe(defect);
  });
});
