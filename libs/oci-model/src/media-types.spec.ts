import { describe, expect, it } from '@jest/globals';
import { isForeignLayer, isIndexMediaType, isManifestMediaType, isSchema1MediaType, mediaType } from './media-types.js';

describe('media types', () => {
  it.each([
    [mediaType.ociManifest, { manifest: true, index: false }],
    [mediaType.ociIndex, { manifest: true, index: true }],
    [mediaType.dockerManifest, { manifest: true, index: false }],
    [mediaType.dockerManifestList, { manifest: true, index: true }],
    [mediaType.ociConfig, { manifest: false, index: false }],
    [mediaType.ociLayerGzip, { manifest: false, index: false }],
    [mediaType.ociEmpty, { manifest: false, index: false }],
    [mediaType.dockerSchema1, { manifest: false, index: false }],
    [mediaType.dockerSchema1Signed, { manifest: false, index: false }],
    ['application/json', { manifest: false, index: false }],
  ])('%s: %j', (type, { manifest, index }) => {
    expect(isManifestMediaType(type)).toBe(manifest);
    expect(isIndexMediaType(type)).toBe(index);
  });

  it.each([
    [mediaType.dockerSchema1, true],
    [mediaType.dockerSchema1Signed, true],
    [mediaType.dockerManifest, false],
    [mediaType.ociManifest, false],
  ])('%s is schema 1: %s', (type, is) => {
    expect(isSchema1MediaType(type)).toBe(is);
  });

  it.each([
    ['application/vnd.oci.image.layer.nondistributable.v1.tar', true],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', true],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+zstd', true],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar', true],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', true],
    [mediaType.ociLayer, false],
    [mediaType.ociLayerGzip, false],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip', false],
    ['x/application/vnd.docker.image.rootfs.foreign.diff.tar', false],
    ['application/vndXociXimageXlayerXnondistributableXv1Xtar', false],
  ])('%s is a foreign layer: %s', (type, is) => {
    expect(isForeignLayer(type)).toBe(is);
  });
});
