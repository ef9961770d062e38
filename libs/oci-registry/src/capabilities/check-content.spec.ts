import { describe, expect, it } from '@jest/globals';
import { uuidV7 } from '@waybill/kernel';
import { digestOf, parseTag, viewManifest } from '@waybill/oci-model';
import { checkContent, keptId, markedCheck } from './check-content.js';

describe('the content of a check', () => {
  it('follows from its id alone, so that anyone can remove it', () => {
    const id = uuidV7.next();

    expect(checkContent(id)).toEqual(checkContent(id));
    expect(checkContent(id)).not.toEqual(checkContent(uuidV7.next()));
    expect(checkContent(keptId)).toEqual(checkContent(keptId));
  });

  it('is well formed, different, and tiny', () => {
    const { image, first, second, referrer, config, layer, chunked, spare } = checkContent(uuidV7.next());
    const manifests = [image, first, second, referrer];

    for (const manifest of manifests) expect(viewManifest(manifest).subject?.digest).toBe(manifest === referrer ? image.digest : undefined);
    for (const { bytes, digest, size } of [config, layer, chunked, spare]) {
      expect({ digest, size }).toEqual({ digest: digestOf(bytes), size: bytes.byteLength });
    }
    expect(chunked.bytes.subarray(0, chunked.half).toString()).toMatch(/^first half .*\n$/);
    expect(new Set([...manifests, config, layer, chunked, spare].map(({ digest }) => digest)).size).toBe(8);
    expect([...manifests, config, layer, chunked, spare].reduce((sum, { bytes }) => sum + bytes.byteLength, 0)).toBeLessThan(8192);
  });
});

describe('markedCheck', () => {
  it('knows the check and its time by its marker', () => {
    const before = Date.now();
    const id = uuidV7.next();
    const check = markedCheck(checkContent(id).marker);

    expect(checkContent(check?.id ?? '')).toEqual(checkContent(id));
    expect(check?.beganAt).toBeGreaterThanOrEqual(before);
    expect(check?.beganAt).toBeLessThanOrEqual(Date.now());
  });

  it.each([
    'latest',
    'check-',
    'check-1.0.0',
    `check-${'0'.repeat(33)}`,
    checkContent(keptId).marker,
    checkContent(uuidV7.next()).neighbour,
  ])('takes %s for no marker of a check that could be over', (tag) => {
    expect(markedCheck(parseTag(tag))).toBeUndefined();
  });
});
