import { describe, expect, it } from '@jest/globals';
import { manifestTypeOf } from './manifest-type.js';
import { mediaType } from './media-types.js';

const { ociManifest, ociIndex, dockerManifest, dockerManifestList, dockerSchema1, dockerSchema1Signed } = mediaType;

const image = { schemaVersion: 2, config: {}, layers: [] };
const index = { schemaVersion: 2, manifests: [] };

describe('manifestTypeOf', () => {
  it.each<[string, object, string | undefined, string]>([
    ['what is declared and said', { ...image, mediaType: ociManifest }, ociManifest, ociManifest],
    ['what is declared, where the content says nothing', image, dockerManifest, dockerManifest],
    ['what is declared of an index that says nothing', index, dockerManifestList, dockerManifestList],
    ['what the content says, where nothing is declared', { ...index, mediaType: dockerManifestList }, undefined, dockerManifestList],
    [
      'what the content says, where a generic type is declared',
      { ...image, mediaType: dockerManifest },
      'application/json',
      dockerManifest,
    ],
    ['an OCI index by its shape', index, undefined, ociIndex],
    ['an OCI image by its shape', image, 'text/plain; charset=utf-8', ociManifest],
    ['a declaration with parameters and capitals', image, ` ${ociManifest.replace('oci', 'OCI')} ; charset=utf-8`, ociManifest],
    ['an image whose absent list is null', { ...image, manifests: null }, ociManifest, ociManifest],
    ['an index whose absent lists are null', { ...index, config: null, layers: null, mediaType: null }, ociIndex, ociIndex],
  ])('is %s', (_what, content, declared, expected) => {
    expect(manifestTypeOf(content, declared)).toBe(expected);
  });

  it.each<[string, unknown, string | undefined, RegExp]>([
    ['an index declared as an image', { ...index, mediaType: ociIndex }, ociManifest, /declared as .* says it is/],
    ['an image declared as an index', { ...image, mediaType: ociManifest }, ociIndex, /declared as .* says it is/],
    ["an OCI image declared as Docker's", { ...image, mediaType: ociManifest }, dockerManifest, /declared as .* says it is/],
    ['an index that has layers', { ...index, layers: [] }, ociIndex, /must not have "layers"/],
    ['an index that has a config', { ...index, config: {} }, undefined, /must not have "config"/],
    ['an image that has manifests', { ...image, manifests: [] }, ociManifest, /must not have "manifests"/],
    ['both shapes at once, nothing declared', { ...image, ...index }, undefined, /must not have/],
    ['both shapes at once, said to be an image', { ...image, ...index, mediaType: ociManifest }, undefined, /must not have "manifests"/],
    ['a shape that contradicts a declaration', index, dockerManifest, /must not have "manifests"/],
    ['manifests that are no list', { schemaVersion: 2, manifests: {} }, undefined, /must not have "manifests"/],
    ['a mediaType of no manifest', { ...image, mediaType: 'application/vnd.oci.artifact.manifest.v1+json' }, undefined, /not that of/],
    ['a mediaType of no manifest under a good declaration', { ...image, mediaType: mediaType.ociConfig }, ociManifest, /not that of/],
    ['a mediaType that is no text', { ...image, mediaType: [ociManifest] }, ociManifest, /not that of/],
    ['an unknown version', { schemaVersion: 3, layers: [] }, undefined, /is no manifest/],
    ['a version as text', { schemaVersion: '2', layers: [] }, undefined, /is no manifest/],
    [
      'a config',
      { architecture: 'amd64', os: 'linux' },
      mediaType.ociConfig,
      /"application\/vnd.oci.image.config.v1\+json" is no manifest/,
    ],
    ['null', null, ociManifest, /no JSON object/],
    ['a list', [image], ociManifest, /no JSON object/],
    ['a text', ociManifest, ociManifest, /no JSON object/],
    ['a number', 2, undefined, /no JSON object/],
  ])('refuses %s', (_what, content, declared, message) => {
    expect(() => manifestTypeOf(content, declared)).toThrow(
      expect.objectContaining({ code: 'manifest-invalid', message: expect.stringMatching(message) }),
    );
  });

  it.each<[string, object, string | undefined]>([
    ['declared', {}, dockerSchema1],
    ['declared and signed', {}, dockerSchema1Signed],
    ['declared with parameters', {}, `${dockerSchema1Signed}; charset=utf-8`],
    ['said', { schemaVersion: 2, mediaType: dockerSchema1 }, undefined],
    ['said and signed, declared as a current one', { schemaVersion: 2, mediaType: dockerSchema1Signed }, ociManifest],
    ['by its version, as registries serve it', { schemaVersion: 1, fsLayers: [] }, 'application/json'],
    ['by its version, declared as a current one', { schemaVersion: 1 }, dockerManifest],
    ['by its layers', { schemaVersion: 2, fsLayers: [{ blobSum: 'sha256:0' }] }, ociManifest],
  ])('refuses schema 1: %s', (_how, content, declared) => {
    expect(() => manifestTypeOf(content, declared)).toThrow(
      expect.objectContaining({ code: 'manifest-invalid', message: expect.stringContaining('schema 1') }),
    );
  });

  it('takes nothing from a prototype', () => {
    const content: unknown = JSON.parse(`{"__proto__":{"schemaVersion":2,"mediaType":"${ociManifest}","layers":[]}}`);

    expect(() => manifestTypeOf(content, undefined)).toThrow(expect.objectContaining({ code: 'manifest-invalid' }));
  });
});
