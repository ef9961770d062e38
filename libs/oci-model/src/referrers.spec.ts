import { describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from './digest.js';
import { type Descriptor, descriptorOf, type Manifest, manifestFromBytes } from './manifest.js';
import { mediaType } from './media-types.js';
import { isReservedTag, isTag } from './reference.js';
import { referrerDescriptorOf, referrersIn, referrersTagOf, subjectOf, withoutReferrers, withReferrer } from './referrers.js';

const hex = 'ab'.repeat(32);
const empty = { mediaType: mediaType.ociEmpty, digest: digestOf(Buffer.from('{}')), size: 2 };
const subject = { mediaType: mediaType.ociManifest, digest: `sha256:${hex}`, size: 7 };

function image(content: object = {}): Manifest {
  return encoded({ schemaVersion: 2, mediaType: mediaType.ociManifest, config: empty, layers: [], ...content });
}

function index(manifests: readonly object[], content: object = {}): Manifest {
  return encoded({ schemaVersion: 2, mediaType: mediaType.ociIndex, manifests, ...content });
}

function encoded(content: Readonly<Record<string, unknown>> & { readonly mediaType: string }): Manifest {
  return manifestFromBytes(Buffer.from(JSON.stringify(content)), content.mediaType);
}

function entriesOf(manifest: Manifest | undefined): readonly object[] {
  return (JSON.parse(Buffer.from(manifest?.bytes ?? []).toString('utf8')) as { readonly manifests: readonly object[] }).manifests;
}

describe('referrersTagOf', () => {
  it.each([
    [`sha256:${hex}`, `sha256-${hex}`],
    [`sha512:${hex}${'cd'.repeat(32)}`, `sha512-${hex}`],
  ])('of %s is %s, a reserved tag', (digest, tag) => {
    expect(referrersTagOf(digest as Digest)).toBe(tag);
    expect(isTag(tag) && isReservedTag(tag)).toBe(true);
  });
});

describe('subjectOf', () => {
  it.each<[string, object, string | undefined]>([
    ['a manifest without', {}, undefined],
    ['one that says null', { subject: null }, undefined],
    ['a referrer', { subject }, subject.digest],
  ])('of %s', (_title, content, expected) => {
    expect(subjectOf(image(content))).toBe(expected);
  });

  it.each([
    ['no descriptor', { subject: 'sha256' }],
    ['no digest', { subject: { ...subject, digest: 'sha256:abc' } }],
  ])('refuses %s', (_title, content) => {
    expect(() => subjectOf(image(content))).toThrow(expect.objectContaining({ code: 'manifest-invalid' }));
  });
});

describe('referrerDescriptorOf', () => {
  it.each<[string, Manifest, string | undefined]>([
    ['its own', image({ artifactType: 'a/own' }), 'a/own'],
    ["its config's where it names none", image(), mediaType.ociEmpty],
    ["its config's where it names an empty one", image({ artifactType: '' }), mediaType.ociEmpty],
    ["an index's own", index([], { artifactType: 'a/index' }), 'a/index'],
    ['none of an index without', index([]), undefined],
  ])('says the artifact type: %s', (_title, manifest, artifactType) => {
    expect(referrerDescriptorOf(manifest)).toEqual({
      ...descriptorOf(manifest),
      ...(artifactType === undefined ? {} : { artifactType }),
    });
  });

  it('repeats the annotations', () => {
    expect(referrerDescriptorOf(image({ annotations: { a: 'b' } })).annotations).toEqual({ a: 'b' });
  });
});

describe('an index of referrers', () => {
  const first: Descriptor = referrerDescriptorOf(image({ artifactType: 'a/first' }));
  const second: Descriptor = referrerDescriptorOf(image({ artifactType: 'a/second' }));

  it('begins with its first referrer', () => {
    const made = withReferrer(undefined, first);

    expect(made?.mediaType).toBe(mediaType.ociIndex);
    expect(made && referrersIn(made)).toEqual([first]);
  });

  it('keeps what it does not know of its entries and of itself', () => {
    const foreign = { ...first, data: 'e30=', 'vendor.field': { deep: [1, null] } };
    const before = index([foreign], { annotations: { a: 'b' }, 'vendor.top': true });

    const after = withReferrer(before, second);

    expect(entriesOf(after)).toEqual([foreign, second]);
    expect(JSON.parse(Buffer.from(after?.bytes ?? []).toString('utf8'))).toMatchObject({ annotations: { a: 'b' }, 'vendor.top': true });
  });

  it('is left alone by what it lists already', () => {
    const before = index([{ ...first, annotations: { other: 'words' } }]);

    expect(withReferrer(before, first)).toBeUndefined();
  });

  it('loses only what is named', () => {
    const before = index([first, second, first]);

    expect(entriesOf(withoutReferrers(before, new Set([first.digest])))).toEqual([second]);
    expect(withoutReferrers(before, new Set([subject.digest as Digest]))).toBeUndefined();
  });

  it.each<[string, Manifest]>([
    ['an image', image()],
    ['a Docker list', encoded({ schemaVersion: 2, mediaType: mediaType.dockerManifestList, manifests: [] })],
    ['an index with an entry that is no descriptor', index([{ mediaType: 'a/b', digest: 'sha256:abc', size: 1 }])],
    ['an index without a list', index(null as never)],
  ])('is not %s', (_title, manifest) => {
    const refused = expect.objectContaining({ code: 'manifest-invalid' });

    expect(() => referrersIn(manifest)).toThrow(refused);
    expect(() => withReferrer(manifest, first)).toThrow(refused);
    expect(() => withoutReferrers(manifest, new Set([first.digest]))).toThrow(refused);
  });

  it('is not made larger than registries take', () => {
    const large = { ...first, annotations: { filler: 'x'.repeat(4 * 1024 * 1024 - 600) } };

    expect(() => withReferrer(index([large]), { ...second, annotations: { filler: 'x'.repeat(600) } })).toThrow(
      expect.objectContaining({ code: 'manifest-too-large' }),
    );
  });
});
