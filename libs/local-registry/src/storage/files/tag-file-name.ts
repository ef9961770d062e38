import { isTag, type Tag } from '@waybill/oci-model';

/**
 * Tags differ by case, file names on macOS and Windows do not: `V1` and `v1` must not
 * meet in one file. The name is the tag in lower case and, after `=`, which letters were
 * upper-case, as one hexadecimal number: `v1=0`, `v1=1`. That fits the 255 bytes of a file
 * name for each of a tag's 128 characters, and no name is a device (`con`) or ends in a dot.
 */
export function tagToFileName(tag: Tag): string {
  const letters = [...tag];
  const upper = letters.reduce((mask, letter, place) => (isUpper(letter) ? mask | (1n << BigInt(place)) : mask), 0n);
  return `${tag.toLowerCase()}=${upper.toString(16)}`;
}

/** Undefined for a file that is no tag. */
export function fileNameToTag(name: string): Tag | undefined {
  const parts = /^([^=]+)=([0-9a-f]{1,32})$/.exec(name);
  if (parts === null) return undefined;
  const upper = BigInt(`0x${parts[2]}`);
  const letters = [...(parts[1] ?? '')];
  const tag = letters.map((letter, place) => ((upper >> BigInt(place)) & 1n ? letter.toUpperCase() : letter)).join('');
  return isTag(tag) ? tag : undefined;
}

function isUpper(letter: string): boolean {
  return letter >= 'A' && letter <= 'Z';
}
