import { describe, expect, it } from '@jest/globals';
import { reservedSubjectOf } from './reserved-subject.js';

const short = 'a'.repeat(64);
const long = 'b'.repeat(128);

describe('reservedSubjectOf', () => {
  it.each([
    [`sha256-${short}`, `sha256:${short}`],
    [`sha256-${short}.sig`, `sha256:${short}`],
    [`sha256-${short}.att`, `sha256:${short}`],
    [`sha256-${short}.sbom`, `sha256:${short}`],
    [`sha256-${short}-more`, `sha256:${short}`],
    [`sha512-${long}`, `sha512:${long}`],
    [`sha512-${long}.sig`, `sha512:${long}`],
    [`sha512-${short}`, undefined],
    [`sha256-${short}a`, undefined],
    ['1.0.0', undefined],
    ['sha256-latest', undefined],
  ])('of %s is %s', (tag, subject) => {
    expect(reservedSubjectOf(tag)).toBe(subject);
  });
});
