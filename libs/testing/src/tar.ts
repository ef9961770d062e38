const block = 512;

/** A tar archive (POSIX ustar) with one file in it, the same bytes for the same input. */
export function tarOf(name: string, content: Uint8Array): Buffer {
  const header = Buffer.alloc(block);
  header.write(name, 0, 100, 'latin1');
  header.write('0000644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1'); // user
  header.write('0000000\0', 116, 'latin1'); // group
  header.write(octal(content.byteLength, 11), 124, 'latin1');
  header.write(octal(0, 11), 136, 'latin1'); // modification time
  header.write(' '.repeat(8), 148, 'latin1'); // the checksum counts its own field as blanks
  header.write('0', 156, 'latin1'); // a regular file
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)} `, 148, 'latin1');

  const padding = Buffer.alloc((block - (content.byteLength % block)) % block);
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * block)]);
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, '0')}\0`;
}
