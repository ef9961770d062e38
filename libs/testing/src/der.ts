/** As much of DER (ITU-T X.690) as a certificate needs. Each function gives one encoded value. */

export function sequence(...values: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(values));
}

export function set(...values: readonly Buffer[]): Buffer {
  return tagged(0x31, Buffer.concat(values));
}

/** Of bytes whose first bit is not set, so that the number is positive. */
export function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

export const truth = tagged(0x01, Buffer.from([0xff]));

export function octetString(bytes: Buffer): Buffer {
  return tagged(0x04, bytes);
}

/** Of whole bytes. */
export function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

export function utf8(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text, 'utf8'));
}

/** GeneralizedTime, to the second. */
export function time(date: Date): Buffer {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:T]/g, '');
  return tagged(0x18, Buffer.from(digits, 'ascii'));
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A value by its place in its context, `[place]`. */
export function contextual(place: number, value: Buffer, { constructed = true }: { readonly constructed?: boolean } = {}): Buffer {
  return tagged((constructed ? 0xa0 : 0x80) + place, value);
}

function tagged(tag: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, ...lengthOf(value.byteLength)]), value]);
}

function lengthOf(bytes: number): number[] {
  if (bytes < 0x80) return [bytes];
  if (bytes < 0x100) return [0x81, bytes];
  return [0x82, bytes >> 8, bytes & 0xff];
}

/** Seven bits to a byte, all but the last marked. */
function base128(part: number): number[] {
  const bytes = [part & 0x7f];
  for (let rest = part >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}
