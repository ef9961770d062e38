import { describe, expect, it } from '@jest/globals';
import { parseTag } from '@waybill/oci-model';
import { fileNameToTag, tagToFileName } from './tag-file-name.js';

describe('the file name of a tag', () => {
  it.each(['v1', 'V1', 'aBcD', '_x', '1.0.0-RC.1', 'con', 'ends.', 'Z'.repeat(128), `a${'Z'.repeat(127)}`])('leads back to %s', (text) => {
    const tag = parseTag(text);

    const name = tagToFileName(tag);

    expect(fileNameToTag(name)).toBe(tag);
    expect(name).toBe(name.toLowerCase());
    expect(name.length).toBeLessThanOrEqual(255);
  });

  it('differs for tags that differ by case alone', () => {
    expect(tagToFileName(parseTag('v1'))).not.toBe(tagToFileName(parseTag('V1')));
  });

  it.each(['v1', 'v1=', 'v1=g', '.hidden=0', '=0', 'a=1=2'])('takes %s for no tag', (name) => {
    expect(fileNameToTag(name)).toBeUndefined();
  });
});
