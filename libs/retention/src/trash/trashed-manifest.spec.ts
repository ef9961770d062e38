import { describe, expect, it } from '@jest/globals';
import { type Digest, hexOf, isTag, parseTag, referrersTagOf } from '@waybill/oci-model';
import { buildCosignTag, buildImage, buildIndex, buildReferrer } from '@waybill/testing';
import { isListOfReferrers, subjectsOf, trashTagOf } from './trashed-manifest.js';

const image = buildImage();
const subject = image.manifest.digest;
const index = buildIndex([image]).manifest;

describe('a manifest in the trash', () => {
  it('refers to its subject, and to what its reserved tags name', () => {
    const { tag, content } = buildCosignTag(image);

    expect(subjectsOf(buildReferrer(image).manifest, [])).toEqual([subject]);
    expect(subjectsOf(content.manifest, [tag, parseTag('1.0.0')])).toEqual([subject]);
    expect(subjectsOf(index, [referrersTagOf(subject)])).toEqual([subject]);
    expect(subjectsOf(image.manifest, [parseTag('1.0.0')])).toEqual([]);
  });

  it.each([
    ['an index under the tag of referrers', index, referrersTagOf(subject), true],
    ['an index under a tag of its own', index, '1.0.0', false],
    ['an index under a tag of cosign', index, `${referrersTagOf(subject)}.sig`, false],
    ['an image under the tag of referrers', image.manifest, referrersTagOf(subject), false],
  ])('is a list of referrers or not: %s', (_what, manifest, tag, isList) => {
    expect(isListOfReferrers(manifest, [parseTag(tag)])).toBe(isList);
  });

  it.each([subject, `sha512:${'ab'.repeat(64)}` as Digest])('has a tag there that no user and no signature has: %s', (digest) => {
    const tag = trashTagOf(digest);

    expect(isTag(tag)).toBe(true);
    expect(tag).toContain(hexOf(digest).slice(0, 64));
    expect(subjectsOf(image.manifest, [tag])).toEqual([]);
  });
});
