import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type Digest, digestOf } from './digest.js';
import { childrenOf, type Descriptor, descriptorOf, type Manifest, manifestFromBytes, maxManifestBytes, viewManifest } from './manifest.js';
import { mediaType } from './media-types.js';

const foreignType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';

function named(name: string, type: string = mediaType.ociLayerGzip): Descriptor {
  return { mediaType: type, digest: digestOf(Buffer.from(name)), size: name.length };
}

const config = named('config', mediaType.ociConfig);
const imageChild = named('image', mediaType.ociManifest);

function encoded(content: unknown): Buffer {
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
}

function imageOf(more: object = {}): Manifest {
  return manifestFromBytes(encoded({ schemaVersion: 2, mediaType: mediaType.ociManifest, config, layers: [], ...more }), undefined);
}

function indexOf(manifests: readonly unknown[], more: object = {}): Manifest {
  return manifestFromBytes(encoded({ schemaVersion: 2, mediaType: mediaType.ociIndex, manifests, ...more }), undefined);
}

/** An index of its own size, to the byte. */
function indexOfSize(bytes: number): Buffer {
  const bare = encoded({ schemaVersion: 2, manifests: [], pad: '' });
  return encoded({ schemaVersion: 2, manifests: [], pad: ' '.repeat(bytes - bare.byteLength) });
}

const malformed = (pointer: string) => expect.objectContaining({ code: 'manifest-invalid', message: expect.stringContaining(pointer) });

describe('manifestFromBytes', () => {
  it('keeps the bytes as they came, and their SHA-256', () => {
    const bytes = encoded(` {\n"schemaVersion": 2, "layers": [], "config": ${JSON.stringify(config)}, "x-unknown": [1.0, 1e2]}\n`);

    const manifest = manifestFromBytes(bytes, mediaType.ociManifest);

    expect(manifest.bytes).toBe(bytes);
    expect(manifest.digest).toBe(digestOf(bytes));
    expect(descriptorOf(manifest)).toEqual({ mediaType: mediaType.ociManifest, digest: digestOf(bytes), size: bytes.byteLength });
  });

  it('keeps the digest it was asked for, of any algorithm', () => {
    const bytes = encoded({ schemaVersion: 2, manifests: [] });
    const expected = `sha512:${createHash('sha512').update(bytes).digest('hex')}` as Digest;

    expect(manifestFromBytes(bytes, undefined, expected).digest).toBe(expected);
  });

  it('refuses bytes of another digest before it looks into them', () => {
    const expected = digestOf(Buffer.from('other'));

    expect(() => manifestFromBytes(encoded('not even JSON'), undefined, expected)).toThrow(
      expect.objectContaining({ code: 'digest-mismatch', details: { expected } }),
    );
  });

  it('takes 4 MiB and not a byte more', () => {
    expect(manifestFromBytes(indexOfSize(maxManifestBytes), undefined).bytes.byteLength).toBe(maxManifestBytes);
    expect(() => manifestFromBytes(indexOfSize(maxManifestBytes + 1), undefined)).toThrow(
      expect.objectContaining({ code: 'manifest-too-large' }),
    );
  });

  it.each([
    ['nothing', ''],
    ['half a document', '{"schemaVersion":2,'],
    ['two documents', '{}{}'],
    ['a byte order mark', '\uFEFF{"schemaVersion":2,"manifests":[]}'],
    ['a comment', '{"schemaVersion":2/**/}'],
    ['a web page', '<!doctype html>'],
  ])('refuses %s under a good declaration', (_what, text) => {
    expect(() => manifestFromBytes(encoded(text), mediaType.ociManifest)).toThrow(
      expect.objectContaining({ code: 'manifest-invalid', message: 'manifest is not JSON' }),
    );
  });

  it('survives a document of a million levels', () => {
    const levels = 1_000_000;
    const bytes = encoded(`{"schemaVersion":2,"manifests":[],"x":${'['.repeat(levels)}${']'.repeat(levels)}}`);

    expect(childrenOf(manifestFromBytes(bytes, undefined)).manifests).toEqual([]);
  });
});

describe('viewManifest', () => {
  it('shows what the specification names and keeps the rest out', () => {
    const subject = named('subject', mediaType.ociManifest);
    const said = { artifactType: 'application/x', annotations: { a: 'b' }, subject };
    const manifest = imageOf({ ...said, layers: [{ ...named('layer'), urls: ['https://elsewhere'], 'x-more': 1 }], 'x-unknown': true });

    expect(viewManifest(manifest)).toEqual({
      kind: 'image',
      schemaVersion: 2,
      mediaType: mediaType.ociManifest,
      config,
      layers: [named('layer')],
      ...said,
    });
    expect(Buffer.from(manifest.bytes).toString()).toContain('"x-unknown":true');
  });

  it('shows an index with the platforms and artifact types of its entries', () => {
    const entry = { ...imageChild, artifactType: 'application/x', platform: { architecture: 'arm', os: 'linux', variant: 'v7' } };

    expect(viewManifest(indexOf([entry], { artifactType: 'application/y' }))).toEqual({
      kind: 'index',
      schemaVersion: 2,
      mediaType: mediaType.ociIndex,
      artifactType: 'application/y',
      manifests: [entry],
    });
  });

  it('lets no key reach a prototype', () => {
    const text = `{"schemaVersion":2,"layers":[],"config":${JSON.stringify(config)},"__proto__":{"subject":{}},"constructor":{},"annotations":{"__proto__":"x","toString":"y"}}`;

    const view = viewManifest(manifestFromBytes(encoded(text), undefined));

    expect(view.subject).toBeUndefined();
    expect(Object.getPrototypeOf(view)).toBe(Object.prototype);
    expect(Object.getPrototypeOf(view.annotations)).toBe(Object.prototype);
    expect(view.annotations).toHaveProperty('toString', 'y');
    expect(({} as { subject?: unknown }).subject).toBeUndefined();
  });

  it.each<[string, string, string]>([
    ['no config', '{"schemaVersion":2,"layers":[]}', '/config'],
    ['no layers', `{"schemaVersion":2,"config":${JSON.stringify(config)}}`, '/layers'],
    ['layers that are no list', `{"schemaVersion":2,"config":${JSON.stringify(config)},"layers":{}}`, '/layers'],
    [
      'a size beyond every number',
      `{"schemaVersion":2,"layers":[],"config":${JSON.stringify(config).replace(/"size":\d+/, '"size":1e400')}}`,
      '/config/size',
    ],
    [
      'a size beyond what is exact',
      `{"schemaVersion":2,"layers":[],"config":${JSON.stringify(config).replace(/"size":\d+/, '"size":9007199254740993')}}`,
      '/config/size',
    ],
    ['a negative size', `{"schemaVersion":2,"layers":[],"config":${JSON.stringify({ ...config, size: -1 })}}`, '/config/size'],
    ['half a byte', `{"schemaVersion":2,"layers":[],"config":${JSON.stringify({ ...config, size: 0.5 })}}`, '/config/size'],
    ['a size as text', `{"schemaVersion":2,"layers":[],"config":${JSON.stringify({ ...config, size: '6' })}}`, '/config/size'],
    [
      'a digest that is none',
      `{"schemaVersion":2,"layers":[],"config":${JSON.stringify({ ...config, digest: 'sha256:..' })}}`,
      '/config/digest',
    ],
    [
      'a layer without a type',
      `{"schemaVersion":2,"layers":[${JSON.stringify({ ...config, mediaType: '' })}],"config":${JSON.stringify(config)}}`,
      '/layers/0/mediaType',
    ],
    ...['no slash', 'a/b\u0000', 'a/b\n', `a/${'b'.repeat(128)}`, 'a/\ud800', '/b', 'a/b/c'].map((type): [string, string, string] => [
      `the media type ${JSON.stringify(type)}`,
      `{"schemaVersion":2,"layers":[${JSON.stringify({ ...config, mediaType: type })}],"config":${JSON.stringify(config)}}`,
      '/layers/0/mediaType',
    ]),
    ['a subject that is no descriptor', `{"schemaVersion":2,"layers":[],"config":${JSON.stringify(config)},"subject":"x"}`, '/subject'],
    [
      'annotations that are no texts',
      `{"schemaVersion":2,"layers":[],"config":${JSON.stringify(config)},"annotations":{"a":1}}`,
      '/annotations/a',
    ],
    ['an index entry without a digest', '{"schemaVersion":2,"manifests":[{"mediaType":"a/b","size":1}]}', '/manifests/0/digest'],
  ])('refuses %s and points at it', (_what, text, pointer) => {
    const manifest = manifestFromBytes(encoded(text), undefined);

    expect(() => viewManifest(manifest)).toThrow(malformed(`malformed at ${pointer}`));
  });

  it.each(['application/vnd.cncf.helm.chart.content.v1.tar+gzip', 'text/plain; charset=utf-8', 'application/x-tar'])('takes %s', (type) => {
    const text = JSON.stringify({ schemaVersion: 2, config, layers: [{ ...config, mediaType: type }] });

    expect(viewManifest(manifestFromBytes(encoded(text), undefined))).toMatchObject({ layers: [{ mediaType: type }] });
  });

  it('refuses an index declared for content without entries', () => {
    const manifest = manifestFromBytes(encoded({ schemaVersion: 2 }), mediaType.ociIndex);

    expect(() => viewManifest(manifest)).toThrow(malformed('malformed at /manifests'));
  });
});

describe('childrenOf', () => {
  it('gives config and layers of an image as blobs, each digest once', () => {
    const layer = named('layer');

    expect(childrenOf(imageOf({ layers: [layer, named('other'), layer, config] }))).toEqual({
      manifests: [],
      blobs: [config, layer, named('other')],
      foreign: [],
    });
  });

  it('gives the config alone of an image without layers', () => {
    expect(childrenOf(imageOf()).blobs).toEqual([config]);
  });

  it('gives no subject: that is no part of what is beneath', () => {
    const { manifests, blobs } = childrenOf(imageOf({ subject: named('subject', mediaType.ociManifest) }));

    expect([...manifests, ...blobs]).toEqual([config]);
  });

  it('sets foreign layers apart', () => {
    const foreign = named('windows', foreignType);

    expect(childrenOf(imageOf({ layers: [foreign, named('layer'), foreign] }))).toEqual({
      manifests: [],
      blobs: [config, named('layer')],
      foreign: [foreign],
    });
  });

  it('gives the content of a layer that is foreign in one place only', () => {
    const layer = named('layer');
    const { blobs, foreign } = childrenOf(imageOf({ layers: [{ ...layer, mediaType: foreignType }, layer] }));

    expect(blobs).toEqual([config, layer]);
    expect(foreign).toHaveLength(1);
  });

  it('gives images and nested indexes of an index as manifests, each digest once', () => {
    const nested = named('nested', mediaType.dockerManifestList);

    expect(childrenOf(indexOf([imageChild, nested, imageChild]))).toEqual({ manifests: [imageChild, nested], blobs: [], foreign: [] });
  });

  it('gives index entries of any other type as blobs (image-spec v1.1.1, image-index.md: no error)', () => {
    const cache = named('cache', mediaType.ociLayerGzip);
    const stranger = named('stranger', 'application/vnd.example+json');

    expect(childrenOf(indexOf([cache, imageChild, stranger]))).toEqual({ manifests: [imageChild], blobs: [cache, stranger], foreign: [] });
  });

  it('gives nothing of an empty index', () => {
    expect(childrenOf(indexOf([]))).toEqual({ manifests: [], blobs: [], foreign: [] });
  });

  it.each([
    ['an image', imageOf({ layers: [named('layer'), { ...named('layer'), size: 1 }] })],
    ['an index', indexOf([imageChild, { ...imageChild, size: 1 }])],
  ])('refuses %s that names one digest with two sizes', (_what, manifest) => {
    expect(() => childrenOf(manifest)).toThrow(malformed('bytes'));
  });

  it.each([mediaType.dockerSchema1, mediaType.dockerSchema1Signed])('refuses an index over %s', (type) => {
    expect(() => childrenOf(indexOf([{ ...imageChild, mediaType: type }]))).toThrow(malformed('schema 1'));
  });
});
