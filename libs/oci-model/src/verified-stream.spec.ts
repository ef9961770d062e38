import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ContentError } from './content-error.js';
import { type Digest, digestOf } from './digest.js';
import { VerifiedStream } from './verified-stream.js';

interface Passed {
  readonly bytes: Buffer;
  readonly error: ContentError | undefined;
}

type Expected = ConstructorParameters<typeof VerifiedStream>[0];

/** Sends the chunks one by one, empty ones too, and gives what came out by the end. */
async function pass(chunks: readonly Uint8Array[], expected: Expected): Promise<Passed> {
  const out: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      out.push(Buffer.from(chunk));
      done();
    },
  });
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const error = await pipeline(source, new VerifiedStream(expected), sink).then(
    () => undefined,
    (reason: unknown) => reason as ContentError,
  );
  return { bytes: Buffer.concat(out), error };
}

const expectedOf = (content: Uint8Array): Expected => ({ digest: digestOf(content), size: content.byteLength });

const anyChunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 12 });
const someChunks = anyChunks.filter((chunks) => chunks.some((chunk) => chunk.byteLength > 0));

describe('VerifiedStream', () => {
  it('passes the right bytes exactly, however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(anyChunks, async (chunks) => {
        const content = Buffer.concat(chunks);

        const { bytes, error } = await pass(chunks, expectedOf(content));

        expect(error).toBeUndefined();
        expect(bytes).toEqual(content);
      }),
    );
  });

  it('fails on one wrong byte and never gives the whole out, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(someChunks, fc.nat(), async (chunks, at) => {
        const content = Buffer.concat(chunks);
        const wrong = Buffer.from(content);
        wrong[at % wrong.byteLength] = (wrong[at % wrong.byteLength] ?? 0) ^ 1;

        const { bytes, error } = await pass(chunks, expectedOf(wrong));

        expect(error).toMatchObject({ code: 'digest-mismatch', details: { digest: digestOf(wrong) } });
        expect(bytes.byteLength).toBeLessThan(content.byteLength);
      }),
    );
  });

  it('fails on a byte too many and gives no more than was asked for', async () => {
    await fc.assert(
      fc.asyncProperty(someChunks, async (chunks) => {
        const content = Buffer.concat(chunks);
        const asked = content.subarray(0, -1);

        const { bytes, error } = await pass(chunks, expectedOf(asked));

        expect(error).toMatchObject({ code: 'size-mismatch' });
        expect(bytes.byteLength).toBeLessThanOrEqual(asked.byteLength);
        expect(content.subarray(0, bytes.byteLength)).toEqual(bytes);
      }),
    );
  });

  it('fails on a byte too few, and says how many came', async () => {
    const content = Buffer.from('twelve bytes');

    const { error } = await pass([content.subarray(0, 5), content.subarray(5, 11)], expectedOf(content));

    expect(error).toBeInstanceOf(ContentError);
    expect(error).toMatchObject({ code: 'size-mismatch', message: expect.stringContaining('11 of 12 bytes') });
  });

  it('fails on nothing where something was asked for', async () => {
    const { bytes, error } = await pass([], expectedOf(Buffer.from('x')));

    expect(error).toMatchObject({ code: 'size-mismatch' });
    expect(bytes.byteLength).toBe(0);
  });

  it('fails on something where nothing was asked for', async () => {
    const { bytes, error } = await pass([Buffer.from('x')], expectedOf(Buffer.alloc(0)));

    expect(error).toMatchObject({ code: 'size-mismatch' });
    expect(bytes.byteLength).toBe(0);
  });

  it('fails on an empty blob of another digest', async () => {
    const { error } = await pass([], { digest: digestOf(Buffer.from('x')), size: 0 });

    expect(error).toMatchObject({ code: 'digest-mismatch' });
  });

  it('checks SHA-512 as well', async () => {
    const content = Buffer.from('content');
    const digest = `sha512:${createHash('sha512').update(content).digest('hex')}` as Digest;

    expect((await pass([content], { digest, size: 7 })).error).toBeUndefined();
    expect((await pass([Buffer.from('CONTENT')], { digest, size: 7 })).error).toMatchObject({ code: 'digest-mismatch' });
  });

  it('keeps the last bytes back until the source has ended, also when an empty chunk follows them', async () => {
    const content = Buffer.from('content');
    const stream = new VerifiedStream(expectedOf(content));
    const out: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => out.push(chunk));

    await written(stream, content.subarray(0, 3));
    await written(stream, content.subarray(3));
    await written(stream, Buffer.alloc(0));
    const before = Buffer.concat(out).toString();
    stream.end();
    for await (const chunk of stream as AsyncIterable<Buffer>) out.push(chunk);

    expect(before).toBe('con');
    expect(Buffer.concat(out).subarray(0, 7)).toEqual(content);
  });
});

function written(stream: VerifiedStream, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve())));
}
