const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** A single segment whose size has four bytes. */
const frameHeader = 0xa0;
const blockBytes = 128 * 1024;

/**
 * A Zstandard frame (RFC 8878, section 3.1.1) of blocks as they are, since Node learned to compress
 * this way only with version 22.
 */
export function zstdFrameOf(content: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(content.byteLength);
  const parts: Uint8Array[] = [magic, Buffer.from([frameHeader]), size];
  for (let start = 0; start === 0 || start < content.byteLength; start += blockBytes) {
    const block = content.subarray(start, start + blockBytes);
    const isLast = start + blockBytes >= content.byteLength;
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.byteLength << 3) | (isLast ? 1 : 0), 0, 3);
    parts.push(header, block);
  }
  return Buffer.concat(parts);
}
