import type { Answer } from './exchange.js';

/** What a capped read found: all of the body, or that there is more than was allowed. */
export type CappedBody = { readonly complete: true; readonly bytes: Buffer } | { readonly complete: false; readonly bytes: Buffer };

/**
 * Reads a body of at most `cap` bytes and lets go of it, whatever its `Content-Length` claims.
 * Rejects with the body's own error.
 */
export async function readCapped(answer: Answer, cap: number): Promise<CappedBody> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    total += chunk.byteLength;
    if (total > cap) return { complete: false, bytes: Buffer.concat(chunks).subarray(0, cap) }; // leaving the loop destroys the body
  }
  return { complete: true, bytes: Buffer.concat(chunks) };
}

const worthDraining = 64 * 1024;

/** Lets go of a body that nobody wants. A short one is read to its end, so that its connection can serve again. */
export async function discard(answer: Answer): Promise<void> {
  await readCapped(answer, worthDraining).catch(() => undefined);
}

/** `Content-Length` as a number; undefined when absent or no number. */
export function contentLengthOf(answer: Answer): number | undefined {
  const text = answer.headers['content-length'];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
