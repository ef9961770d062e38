import { describe, expect, it } from '@jest/globals';
import { digestOf, type Manifest, manifestFromBytes, mediaType } from '@waybill/oci-model';
import { describeManifest, type FactsGap, type ManifestSurroundings } from './manifest-facts.js';

const now = new Date('2026-01-01T00:00:00Z');
const descriptor = (type: string, facts: object = {}) => ({ mediaType: type, digest: digestOf(Buffer.from(type)), size: 2, ...facts });
const linux = { os: 'linux', architecture: 'amd64' };

function manifestOf(content: { readonly mediaType: string }): Manifest {
  return manifestFromBytes(Buffer.from(JSON.stringify({ schemaVersion: 2, ...content })), content.mediaType);
}

function image(facts: object = {}, config: string = mediaType.ociConfig): Manifest {
  return manifestOf({ mediaType: mediaType.ociManifest, config: descriptor(config), layers: [], ...facts } as { mediaType: string });
}

function index(...platforms: readonly (object | undefined)[]): Manifest {
  const manifests = platforms.map((platform) => descriptor(mediaType.ociManifest, platform === undefined ? {} : { platform }));
  return manifestOf({ mediaType: mediaType.ociIndex, manifests } as { mediaType: string });
}

describe('facts of a manifest', () => {
  const many = Object.fromEntries(Array.from({ length: 70 }, (_, at) => [`key-${at}`, 'value']));
  const unread: Partial<ManifestSurroundings> = { config: 'unread' };

  it.each<[string, Manifest, Partial<ManifestSurroundings>, readonly FactsGap[]]>([
    ['an image with its config', image(), { config: { ...linux, created: undefined, variant: undefined, 'os.version': undefined } }, []],
    ['an image of which the index says what it is for', image(), { ...unread, platform: linux }, []],
    ['an image whose config is not to be had', image(), { config: undefined }, ['platforms']],
    ['an image whose config nobody has read', image(), unread, ['platforms']],
    ['what is no image', image({}, 'application/vnd.cncf.helm.config.v1+json'), unread, []],
    ['an index that says what its children are for', index(linux, { os: 'unknown', architecture: 'unknown' }), unread, []],
    ['an index that does not say it of one', index(linux, undefined), unread, ['platforms']],
    ['few annotations', image({ annotations: { a: 'b' } }), { ...unread, platform: linux }, []],
    ['too many annotations', image({ annotations: many }), { ...unread, platform: linux }, ['annotations']],
    ['an annotation that is too long', image({ annotations: { a: 'b'.repeat(5_000) } }), { ...unread, platform: linux }, ['annotations']],
    ['a key that is too long', image({ annotations: { ['a'.repeat(300)]: 'b' } }), { ...unread, platform: linux }, ['annotations']],
  ])('lack what %s does not give', (_what, manifest, surroundings, gaps) => {
    expect(describeManifest(manifest, { config: 'unread', now, ...surroundings }).gaps).toEqual(gaps);
  });
});
