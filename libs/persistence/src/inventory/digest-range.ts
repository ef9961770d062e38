/** Digests from `from` on and before `until`; without an end when `until` is absent. */
export interface DigestRange {
  readonly from: Uint8Array<ArrayBuffer>;
  readonly until: Uint8Array<ArrayBuffer> | undefined;
  /** Bytes of such a digest; of any algorithm when absent. */
  readonly length: number | undefined;
}

const lengths: Readonly<Record<string, number>> = { sha256: 32, sha512: 64 };

/** The digests that begin so: hexadecimal digits, with the algorithm before them or without. */
export function rangeOfDigestPrefix(prefix: string): DigestRange {
  const colon = prefix.indexOf(':');
  const digits = prefix.slice(colon + 1);
  const end = digits.replace(/f+$/, '');
  const last = end.at(-1);
  return {
    from: bytesOf(digits),
    until: last === undefined ? undefined : bytesOf(end.slice(0, -1) + (Number.parseInt(last, 16) + 1).toString(16)),
    length: lengths[prefix.slice(0, Math.max(0, colon))],
  };
}

/** Half a byte stands for the first that begins with it. */
function bytesOf(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(digits.padEnd(digits.length + (digits.length % 2), '0'), 'hex'));
}
